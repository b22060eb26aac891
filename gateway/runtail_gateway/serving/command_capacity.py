"""`runtail capacity`: reckon how many gateways and engine shards a load needs."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from runtail.command import EXIT_USAGE, Command
from runtail_gateway.serving.capacity import FULL, Load, need

EPILOG: Final = """\
The formula and its costs are told in deploy/capacity.md: they were measured on one core of a small
machine, so take the answer as a place to begin, and watch the processor time of your own.

examples:
  runtail capacity --executions 200 --records 2000 --viewers 500
  runtail capacity --executions 9999 --records 1e6 --viewers 999999 --together
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail capacity`."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--executions", type=int, required=True, metavar="N", help="that run at once"
    )
    parser.add_argument(
        "--records", type=float, required=True, metavar="N", help="a second, over all of them"
    )
    parser.add_argument(
        "--viewers", type=int, required=True, metavar="N", help="at once, over all of them"
    )
    parser.add_argument(
        "--frame-records",
        type=float,
        default=1,
        metavar="N",
        help="records a frame: 1 of workers that say something now and then, 100 of busy ones (1)",
    )
    parser.add_argument(
        "--together",
        action="store_true",
        help="a proxy sends all viewers of one execution to one gateway, by a hash of its address",
    )


def run(args: argparse.Namespace) -> int:
    """Print what is needed."""
    try:
        load = Load(args.executions, args.records, args.viewers, args.frame_records, args.together)
        found = need(load)
    except ValueError as error:
        print(f"runtail capacity: {error}", file=sys.stderr)  # noqa: T201 - a command's words
        return EXIT_USAGE
    rows = (
        ("gateways", f"{found.gateways:,}", f"each {found.gateway_cores:.0%} of a core"),
        ("", "", f"each {found.gateway_bytes / 1e6:,.0f} MB"),
        ("", "", f"each {found.gateway_sent_bytes * 8 / 1e6:,.0f} Mbit/s to viewers"),
        ("engine shards", f"{found.shards:,}", f"each {found.shard_cores:.0%} of a core"),
    )
    for what, count, how in rows:
        print(f"{what:<14} {count:>8}  {how}")  # noqa: T201
    print(f"\nPlanned to {FULL:.0%} of a core: the rest is for bursts and who comes back.")  # noqa: T201
    return 0


CAPACITY: Final = Command(
    "capacity", "Reckon how many gateways and shards a load needs.", configure, run
)

"""Hold a running gateway against its protocol: `python -m runtail_gateway.conformance URL`.

Publishes short executions of its own (`conformance-…`), watches them as a careful client does, and
prints a table of what is promised and whether it was kept. The exit code is 0 if all of it was, 1
if not, 2 if the gateway could not be asked.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from runtail_gateway.conformance_checks import CHECKS, Check
from runtail_gateway.conformance_client import Broken, Target, Unreachable


def kept(target: Target, check: Check) -> str:
    """Say what *check* found wrong; empty if nothing."""
    try:
        check.run(target)
    except Broken as broken:
        return str(broken)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        return f"an answer is not of the protocol: {error!r}"
    return ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all checks and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m runtail_gateway.conformance", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("url", help="of the gateway, such as http://localhost:8000")
    parser.add_argument(
        "--token",
        default=os.environ.get("RUNTAIL_TOKEN"),
        help="to publish and read with, where people sign in ($RUNTAIL_TOKEN)",
    )
    told = parser.parse_args(arguments)
    broken = 0
    try:
        target = Target(told.url.rstrip("/"), told.token)
        for check in CHECKS:
            what = kept(target, check)
            broken += bool(what)
            row = f"{'broken' if what else 'kept':6}  {check.promise:2}  {check.name}\n"
            sys.stdout.write(row + (f"            {what}\n" if what else ""))
    except Unreachable as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{len(CHECKS) - broken} of {len(CHECKS)} kept\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

"""`runtail ls`: list the executions that a gateway knows."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from runtail.command import EXIT_REFUSED, Command, add_token, add_url
from runtail.watching.gateway_rest import START, GatewayRefused, asked_json
from runtail.watching.terminal import cut, json_line, visible

EPILOG: Final = """\
examples:
  runtail ls                                        the newest first
  runtail ls --limit 5 --url https://logs.example.org
  runtail ls --json | jq -r 'select(.status == "failed").id'

exit codes: 0 listed, 2 wrong usage, 4 no gateway answered, or it refused"""
HEADINGS: Final = ("ID", "STATUS", "PROGRESS", "DURATION", "RECORDS", "WORKFLOW")

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"))


def fetch(url: str, token: str | None = None) -> list[dict[str, Any]]:
    """Ask the gateway at *url* for its executions; raise GatewayRefused for all that goes wrong."""
    asked, what = f"{url}/executions", "list of executions"
    try:
        return [dict(execution) for execution in asked_json(asked, token, what)["executions"]]
    except (ValueError, KeyError, TypeError) as error:
        raise GatewayRefused(asked, f"the answer is no {what}", START) from error


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out *rows* in columns as wide as their widest cell, the last one left as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def row_of(execution: dict[str, Any], now: datetime) -> tuple[str, ...]:
    """Spell one execution's cells, in the order of HEADINGS."""
    progress = execution.get("progress")
    return (
        visible(execution.get("id") or "?"),
        visible(execution.get("status") or "?"),
        "-" if progress is None else f"{visible(progress)} %",
        duration(execution.get("started_at"), execution.get("ended_at"), now),
        visible(execution.get("last_seq") or 0),
        visible(execution.get("workflow_id") or "-"),
    )


def duration(started: object, ended: object, now: datetime) -> str:
    """Spell the time from *started* to *ended* (not yet: *now*) by its two largest units."""
    begin = _time(started)
    if begin is None:
        return "-"
    seconds = max(0.0, ((_time(ended) or now) - begin).total_seconds())
    for size, unit in _UNITS:
        if seconds >= size:
            smaller, name = {"d": (3600, "h"), "h": (60, "m"), "m": (1, "s")}[unit]
            return f"{int(seconds // size)} {unit} {int(seconds % size // smaller)} {name}"
    return f"{seconds:.1f} s"


def _time(value: object) -> datetime | None:
    """Read an RFC 3339 time, or milliseconds since 1970; None for neither."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000, UTC)
        read = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def run(args: argparse.Namespace) -> int:
    """Print what the gateway lists; return 4 if it does not answer."""
    try:
        executions = fetch(args.url, args.token)[: args.limit]
    except GatewayRefused as error:
        print(f"runtail: {visible(error)}", file=sys.stderr)  # noqa: T201 - the command's output
        return EXIT_REFUSED
    if args.json:
        lines = [json_line(execution) for execution in executions]
    else:
        now = datetime.now(UTC)
        lines = table([HEADINGS, *(row_of(execution, now) for execution in executions)])
        if sys.stdout.isatty():
            lines = [cut(line, shutil.get_terminal_size().columns) for line in lines]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    return 0


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail ls`."""
    parser.epilog = EPILOG
    add_url(parser)
    add_token(parser)
    parser.add_argument("--json", action="store_true", help="one execution a line, as received")
    parser.add_argument("--limit", metavar="N", type=_limit, help="at most N executions")


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no limit, expected 1 or more")
    return int(text)


LS: Final = Command("ls", "List the executions.", configure, run)

"""`runtail ls`: list the executions that a gateway knows."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Final

from runtail.bearer import bearer
from runtail.command import EXIT_REFUSED, Command, add_token, add_url
from runtail.terminal import json_line, visible
from runtail_broker.errors import RuntailError

TIMEOUT_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
HEADINGS: Final = ("ID", "STATUS", "PROGRESS", "DURATION", "RECORDS", "WORKFLOW")

_REMEDIES: Final = {
    401: "sign in by --token or $RUNTAIL_TOKEN",
    403: "the token does not allow it: use another one",
}
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"))


class GatewayRefused(RuntailError):
    """A gateway that was not reached or gave no usable answer; *url* is what was asked."""

    def __init__(self, url: str, reason: str, remedy: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"{url}: {reason}; {remedy}")


def fetch(url: str, token: str | None = None) -> list[dict[str, Any]]:
    """Ask the gateway at *url* for its executions; raise GatewayRefused for all that goes wrong."""
    asked = f"{url}/executions"
    start = "start one with `runtail gateway`, or name another with --url or $RUNTAIL_URL"
    request = urllib.request.Request(asked)
    for name, value in bearer(token).items():
        request.add_unredirected_header(name, value)  # whoever it is sent on to gets no token
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            body = answer.read(MAX_ANSWER_BYTES + 1)
        return _executions(body)
    except urllib.error.HTTPError as error:
        with error:
            remedy = _REMEDIES.get(error.code, "see whether it is a gateway's")
            raise GatewayRefused(asked, f"HTTP {error.code}", remedy) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise GatewayRefused(asked, f"no gateway answers ({reason})", start) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GatewayRefused(asked, "the answer is no list of executions", start) from error


def _executions(body: bytes) -> list[dict[str, Any]]:
    if len(body) > MAX_ANSWER_BYTES:
        raise ValueError(f"answer is longer than {MAX_ANSWER_BYTES} bytes")
    return [dict(execution) for execution in json.loads(body)["executions"]]


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
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
    return 0


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail ls`."""
    add_url(parser)
    add_token(parser)
    parser.add_argument("--json", action="store_true", help="one execution a line, as received")
    parser.add_argument("--limit", metavar="N", type=_limit, help="at most N executions")


def _limit(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no limit, expected 1 or more")
    return int(text)


LS: Final = Command("ls", "List the executions.", configure, run)

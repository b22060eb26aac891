"""`runtail tail`: follow an execution over WebSockets, resuming by itself, and end as it ends."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from io import TextIOWrapper
from typing import Final, TextIO

from runtail.command import EXIT_REFUSED, EXIT_USAGE, Command, add_token, add_url
from runtail.commands.place import execution_id
from runtail.watching.listening import Cut, listen, logs_address
from runtail.watching.retry_text import retry_text
from runtail.watching.tail_many import MOST, REFUSED, Screens, follow_many
from runtail.watching.terminal import Layout, json_line, notice, visible
from runtail.watching.viewer import InvalidMessage, Viewer
from runtail.watching.viewer_event import (
    Broken,
    Done,
    Ended,
    Event,
    Gap,
    Records,
    Refused,
    Reset,
    Retry,
)
from runtail_broker.cursor import Cursor
from runtail_broker.errors import InvalidCursor

EXIT_CODES: Final = {"completed": 0, "cancelled": 3}
EXIT_FAILED: Final = 1
ONLY_NEW: Final = "$"

EPILOG: Final = """\
examples:
  runtail tail nightly-1                   from the beginning, then live, until it ends
  runtail tail nightly-1 --tail 20         its last 20 lines, then live
  runtail tail build test deploy           three at once, each line under its own name
  runtail tail nightly-2 --wait && ./next  wait for it to begin; go on when it completed
  runtail tail nightly-1 --json | jq .message

exit codes (of several: the first of 1, 4, 3, 0 that applies to one):
  0    the execution completed
  1    it failed, or its worker was lost
  2    wrong usage
  3    it was cancelled
  4    refused: it does not exist, is forbidden, or the address is no gateway's
  130  interrupted (Ctrl-C)
  141  whoever read the output has gone

It reconnects for ever while the gateway is away. Colours are used on a terminal only;
NO_COLOR or --no-color turns them off. With --json the records go to the standard output,
one a line, and all that is not a record to the standard error output."""


class Screen:
    """Write events to *out* and notices to *err*; each batch of lines in one write and flush."""

    def __init__(self, out: TextIO, err: TextIO, *, as_json: bool, colored: bool) -> None:
        self._out, self._err = out, err
        self._as_json = as_json
        self._layout = Layout(colored)

    def show(self, event: Event) -> None:
        """Show *event* where it belongs."""
        if isinstance(event, Broken):
            return  # told when it becomes a reconnect
        if self._as_json and isinstance(event, Records):
            self._write([json_line(record) for record in event.records])
        elif not self._as_json and isinstance(event, Records | Gap | Reset | Ended):
            self._write(self._layout.lines(event))
        else:
            self.tell(notice(event))

    def tell(self, text: str) -> None:
        """Write a notice, which is not a part of the log."""
        print(f"runtail: {visible(text)}", file=self._err, flush=True)

    def _write(self, lines: list[str]) -> None:
        if lines:
            self._out.write("\n".join(lines) + "\n")
            self._out.flush()


def follow(address: str, viewer: Viewer, screen: Screen, token: str | None = None) -> int:
    """Show all that *viewer* takes from the gateway at *address* until the end; return the code."""
    while True:
        cut = _one_connection(f"{address}?{viewer.query()}", token, viewer, screen)
        match viewer.cut(cut.code, cut.reason):
            case Done(status):
                return EXIT_CODES.get(status, EXIT_FAILED)
            case Refused(code, message):
                screen.tell(f"{message} (code {code})" if code else message)
                return EXIT_REFUSED
            case Retry(delay, tries, reason):
                if text := retry_text(address, reason, tries):
                    screen.tell(text)
                time.sleep(delay)


def _one_connection(url: str, token: str | None, viewer: Viewer, screen: Screen) -> Cut:
    """Follow one connection to its end, or to the first thing that does not fit."""
    with closing(listen(url, token)) as messages:
        for message in messages:
            if isinstance(message, Cut):
                return message
            try:
                events = viewer.take(message)
            except InvalidMessage as error:
                return Cut(None, str(error))
            for event in events:
                screen.show(event)
                if isinstance(event, Broken):
                    return Cut(None, event.reason)
            if viewer.status is not None:
                break
    return Cut(None, "done")


def run(args: argparse.Namespace) -> int:
    """Follow `args.executions`; return the exit code."""
    if len(set(args.executions)) > MOST:
        print(f"runtail tail: expected at most {MOST} executions", file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    if args.after not in (None, ONLY_NEW) and len(set(args.executions)) > 1:
        print("runtail tail: a cursor is of one execution", file=sys.stderr)  # noqa: T201
        return EXIT_USAGE
    only_new = args.after == ONLY_NEW
    start = Cursor.parse(args.after) if args.after and not only_new else None
    names = list(dict.fromkeys(args.executions))
    viewers = {
        name: Viewer(start, tail=args.tail, only_new=only_new, wait=args.wait) for name in names
    }
    colored = not (args.no_color or os.environ.get("NO_COLOR")) and sys.stdout.isatty()
    _prepare(sys.stdout, as_json=args.json)
    if len(names) > 1:
        screens = Screens(sys.stdout, sys.stderr, as_json=args.json, colored=colored)
        return worst(follow_many(args.url, viewers, screens, args.token).values())
    screen = Screen(sys.stdout, sys.stderr, as_json=args.json, colored=colored)
    return follow(logs_address(args.url, names[0]), viewers[names[0]], screen, args.token)


def worst(outcomes: Iterable[str]) -> int:
    """Choose one exit code for several executions: a failure before a refusal, that before a wish
    to cancel."""
    codes = {
        EXIT_REFUSED if outcome == REFUSED else EXIT_CODES.get(outcome, EXIT_FAILED)
        for outcome in outcomes
    }
    return next(code for code in (EXIT_FAILED, EXIT_REFUSED, 3, 0) if code in codes)


def _prepare(out: TextIO, *, as_json: bool) -> None:
    """Make *out* take every character: JSON is UTF-8, and a text's stranger is spelled."""
    if isinstance(out, TextIOWrapper):
        out.reconfigure(encoding="utf-8" if as_json else None, errors="backslashreplace")


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail tail`."""
    parser.epilog = EPILOG
    parser.add_argument(
        "executions",
        nargs="+",
        type=execution_id,
        metavar="EXECUTION",
        help=f"the execution's id; of several, at most {MOST}, each line says whose it is",
    )
    add_url(parser)
    add_token(parser)
    begin = parser.add_mutually_exclusive_group()
    begin.add_argument("--after", metavar="CURSOR", type=_cursor, help="begin after this cursor")
    begin.add_argument("--tail", metavar="N", type=_count, help="begin with the last N lines")
    parser.add_argument("--json", action="store_true", help="one record a line, as received")
    parser.add_argument("--wait", action="store_true", help="wait for an execution yet to come")
    parser.add_argument("--no-color", action="store_true", help="no colours")


def _cursor(text: str) -> str:
    try:
        return text if text == ONLY_NEW else str(Cursor.parse(text))
    except InvalidCursor as error:
        raise argparse.ArgumentTypeError(f"{error} or {ONLY_NEW} (only what is new)") from error


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no count, expected 0 or more")
    return int(text)


TAIL: Final = Command("tail", "Follow an execution until it ends.", configure, run)

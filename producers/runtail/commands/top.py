"""`runtail top`: watch all executions in a terminal, how fast they go and what is quiet."""

from __future__ import annotations

import argparse
import json
import queue
import sys
import threading
import time
from contextlib import closing
from typing import Any, Final
from urllib.parse import quote

from runtail.command import EXIT_REFUSED, Command, add_token, add_url
from runtail.watching.gateway_rest import GatewayRefused, asked_json
from runtail.watching.listening import Cut, executions_address, listen
from runtail.watching.terminal import visible
from runtail.watching.top_board import Board
from runtail.watching.viewer import FINAL_CODES

_FIGURES_SECONDS: Final = 10.0
_HOUR: Final = 3600
_MOST: Final = 500

EPILOG: Final = """\
examples:
  runtail top                          until Ctrl-C
  runtail top --workflow nightly       only executions of a workflow
  runtail top --status running         only what runs
  runtail top --once                   one table, for a script or a log

REC/S is how fast an execution's log grows, over the last ten seconds. QUIET is how long ago its
last line came, as far as this view has seen. WORKERS are those that have it open. It needs
`runtail[cli]`, and goes on by itself when the gateway was away."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail top`."""
    parser.epilog = EPILOG
    statuses = ("running", "completed", "failed", "cancelled", "lost")
    parser.add_argument(
        "--status", action="append", choices=statuses, help="only such ones; repeatable"
    )
    parser.add_argument(
        "--workflow", action="append", metavar="ID", help="only of this workflow; repeatable"
    )
    parser.add_argument(
        "--limit", type=_count, default=100, metavar="N", help="at most so many (100)"
    )
    parser.add_argument(
        "--interval",
        type=_interval,
        default=2.0,
        metavar="SECONDS",
        help="between two looks at how far the logs are (2)",
    )
    parser.add_argument("--once", action="store_true", help="print one table, and end")
    add_url(parser)
    add_token(parser)


def run(args: argparse.Namespace) -> int:
    """Show it until Ctrl-C; return 4 if the gateway refuses, or never answered."""
    from runtail.watching import top_screen  # what draws it is an extra

    source = _Source(args)
    try:
        source.look()
    except GatewayRefused as error:
        print(f"runtail top: {visible(error)}", file=sys.stderr)  # noqa: T201
        return EXIT_REFUSED
    if args.once or not sys.stdout.isatty():
        return _once(args, source, top_screen)
    return _live(args, source, top_screen)


class _Source:
    """What is known, by REST now and then and by a watch of the list as it changes."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self.board, self.figures, self.link = Board(), dict[str, Any](), ""
        self._figures_at = float("-inf")
        self.news: queue.SimpleQueue[dict[str, Any] | Cut] = queue.SimpleQueue()
        self.refused = ""

    def look(self) -> None:
        """Read states and figures; raise GatewayRefused."""
        args, begun = self._args, time.monotonic()
        chosen = {"status": args.status or [], "workflow": args.workflow or []}
        query = "&".join(
            f"{name}={_quoted(value)}" for name, values in chosen.items() for value in values
        )
        asked = f"{args.url}/executions?limit={args.limit}{'&' * bool(query)}{query}"
        page = asked_json(asked, args.token, "list of executions")
        now = time.monotonic()
        self.link = f"answers in {(now - begun) * 1000:.0f} ms, {self._lag()}"
        listed = page.get("executions")
        self.board.begin(listed if isinstance(listed, list) else [], now)
        if now - self._figures_at >= _FIGURES_SECONDS:
            self._figures_at = now
            asked = f"{args.url}/figures?window_seconds={_HOUR}"
            self.figures = asked_json(asked, args.token, "sum of executions")

    def _lag(self) -> str:
        """Say how the gateway hears the engine: without that live lines come late."""
        try:
            told = asked_json(f"{self._args.url}/readyz", self._args.token, "word of readiness")
            return f"live messages {float(told['probe_age_seconds']):.1f} s ago"
        except GatewayRefused as error:
            return "hears no engine" if error.status == 503 else "not known whether it is ready"
        except (KeyError, TypeError, ValueError):
            return "not known whether it is ready"

    def listen(self) -> None:
        """Hear changes of the list for ever, in a thread of its own."""
        args, pause = self._args, 0.5
        wish = {"type": "watch", "limit": args.limit}
        wish |= {"status": args.status} if args.status else {}
        wish |= {"workflow": args.workflow} if args.workflow else {}
        address = executions_address(args.url)
        while True:
            with closing(
                listen(address, args.token, say=[json.dumps(wish)], frames=False)
            ) as heard:
                for message in heard:
                    self.news.put(message if isinstance(message, Cut) else _read(message))
                    if isinstance(message, Cut) and message.code in FINAL_CODES:
                        return
            time.sleep(pause)

    def hear(self, seconds: float) -> None:
        """Take what was heard, at most for so long; at least once."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                self._take(self.news.get(timeout=left))
            except queue.Empty:
                return

    def _take(self, news: dict[str, Any] | Cut) -> None:
        if isinstance(news, Cut):
            if news.code in FINAL_CODES:
                self.refused = news.reason
            return
        if news.get("type") == "executions":
            self.board.take(news.get("executions") or [], time.monotonic())
            self.board.drop(news.get("removed") or [])


def _live(args: argparse.Namespace, source: _Source, top_screen: Any) -> int:
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    threading.Thread(target=source.listen, daemon=True).start()
    due = time.monotonic() + args.interval
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while not source.refused:
            live.update(_picture(args, source, top_screen, console), refresh=True)
            source.hear(min(0.5, max(0.05, due - time.monotonic())))
            if time.monotonic() >= due:
                due = time.monotonic() + args.interval
                try:
                    source.look()
                except GatewayRefused as error:
                    if error.status in (401, 403):
                        source.refused = str(error)
                    source.link = _trouble(error)
    print(f"runtail top: {visible(source.refused)}", file=sys.stderr)  # noqa: T201
    return EXIT_REFUSED


def _once(args: argparse.Namespace, source: _Source, top_screen: Any) -> int:
    from rich.console import Console

    time.sleep(min(1.0, args.interval))
    source.look()  # rates take two looks
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    console.print(_picture(args, source, top_screen, console, height=args.limit + 6))
    return 0


def _picture(
    args: argparse.Namespace, source: _Source, top_screen: Any, console: Any, height: int = 0
) -> Any:
    width, tall = console.size.width, height or console.size.height
    now = time.monotonic()
    return top_screen.drawn(source.board, now, width, tall, args.url, source.link, source.figures)


def _trouble(error: GatewayRefused) -> str:
    return "the engine does not answer" if error.status == 503 else f"away: {error.reason}"


def _read(message: str | bytes) -> dict[str, Any]:
    try:
        said = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST):
        raise argparse.ArgumentTypeError(f"{text!r}, expected a whole number from 1 to {_MOST}")
    return int(text)


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.2 <= seconds <= 60:
        raise argparse.ArgumentTypeError(f"{text!r}, expected seconds from 0.2 to 60")
    return seconds


TOP: Final = Command("top", "Watch all executions in the terminal.", configure, run)

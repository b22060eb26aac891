"""`runtail doctor`: look whether an engine is fit for logs, and say what to change and why."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, Final

import orjson

from runtail.command import EXIT_USAGE, Command
from runtail.commands.place import add_redis_url, engine_url, keep_quiet
from runtail.watching.terminal import visible

if TYPE_CHECKING:
    from runtail_broker.engines.said import Said

EPILOG: Final = """\
examples:
  runtail doctor                                     the engine of this machine
  runtail doctor --redis-url redis://runtail-gateway:…@host:6379
  runtail doctor --redis-url redis://runtail-worker:…@host:6379 --worker
  runtail doctor --json | jq 'select(.level != "ok")'

Each line says what was found, what to change and why. It publishes and reads an execution of
its own, `doctor-…`, and removes it.

exit codes: 0 all is well, 1 something should be changed, 2 wrong usage, 3 the engine is unfit"""
EXIT_WARNED: Final = 1
EXIT_UNFIT: Final = 3
_EXITS: Final = {"ok": 0, "warning": EXIT_WARNED, "error": EXIT_UNFIT}
_SIGNS: Final = {"ok": "ok  ", "warning": "warn", "error": "FAIL"}


def line_of(said: Said) -> str:
    """Write one finding as a line."""
    advice = f". {said.advice[0].upper()}{said.advice[1:]}." if said.advice else ""
    return visible(f"{_SIGNS[said.level]}  {said.place}: {said.text.rstrip('.')}{advice}")


def run(args: argparse.Namespace) -> int:
    """Print a line for each thing that was looked at; the exit code is that of the worst."""
    keep_quiet()
    url = engine_url(args.redis_url)
    if url is None:
        return _fail("no engine runs on this machine, name one with --redis-url")
    try:
        worst = asyncio.run(_visit(url, worker=args.worker, as_json=args.json))
    except ValueError as error:
        return _fail(f"that is not the URL of an engine: {error}")
    return worst


async def _visit(url: str, *, worker: bool, as_json: bool) -> int:
    from runtail_broker.connections.client import Nodes
    from runtail_broker.engines.doctor import visit

    nodes, worst = Nodes.connect(url), 0
    try:
        async for said in visit(nodes, as_worker=worker):
            worst = max(worst, _EXITS[said.level])
            fields = {name: getattr(said, name) for name in ("level", "place", "text", "advice")}
            sys.stdout.write(f"{orjson.dumps(fields).decode() if as_json else line_of(said)}\n")
            sys.stdout.flush()
    finally:
        await nodes.close()
    return worst


def _fail(text: str) -> int:
    print(f"runtail doctor: {visible(text)}", file=sys.stderr)  # noqa: T201 - the command's output
    return EXIT_USAGE


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail doctor`."""
    parser.epilog = EPILOG
    add_redis_url(parser)
    parser.add_argument(
        "--worker", action="store_true", help="the URL's user only publishes: it need not read"
    )
    parser.add_argument("--json", action="store_true", help="one finding a line, as JSON")


DOCTOR: Final = Command(
    "doctor",
    "Look whether an engine is fit for logs: version, settings, persistence, eviction, clocks, "
    "latency, rights, live messages, memory, and how near the cap is.",
    configure,
    run,
)

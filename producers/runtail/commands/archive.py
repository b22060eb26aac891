"""`runtail archive`: list what an archive holds, and give it back to an engine that lost it."""

from __future__ import annotations

import argparse
import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Final

from runtail.command import EXIT_USAGE, Command
from runtail.commands.place import add_redis_url, engine_url, keep_quiet, tell
from runtail.watching.terminal import json_line, visible

if TYPE_CHECKING:
    from runtail_broker.archives.archive import Archive
    from runtail_broker.archives.restoring import History
    from runtail_broker.connections.client import Nodes
    from runtail_broker.state import ExecutionState

EPILOG: Final = """\
examples:
  runtail archive list /var/lib/runtail/archive
  runtail archive list s3://bucket/runtail --json | jq -r 'select(.status == "failed").id'
  runtail archive restore s3://bucket/runtail --redis-url redis://host:6379

After `restore` the engine lists what it had lost, and gateways with that archive show it as
before: logs, cursors, notes. What the engine knows stays as it is, so it may be run twice, and
while gateways and workers run. For S3 credentials, region and endpoint come from AWS_….

exit codes:
  0  done
  1  some could not be read or restored
  2  wrong usage
  3  the archive or the engine does not answer"""
EXIT_SOME_LEFT: Final = 1
EXIT_AWAY: Final = 3
_SAID: Final = {
    "restored": "restored",
    "known": "there already",
    "other": "left out, the engine holds something else under that id",
    "deleted": "left out, deleted",
    "unreadable": "unreadable",
}
_LINE: Final = "{:<11} {:>10}  {:<24}  {}  {}"


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail archive`."""
    parser.epilog = EPILOG
    parser.add_argument("action", choices=("list", "restore"), help="what to do")
    parser.add_argument("place", help="a folder, or s3://<bucket>/<prefix>")
    parser.add_argument("--json", action="store_true", help="list: one execution a line, as JSON")
    add_redis_url(parser)


def run(args: argparse.Namespace) -> int:
    """List, or restore; the exit code says whether all of it went well."""
    from runtail_broker.archives.archive import Archive
    from runtail_broker.archives.store import store_at
    from runtail_broker.errors import Unavailable

    keep_quiet()
    try:
        archive = Archive(store_at(args.place, make=False), cache_bytes=0)
        if args.action == "list":
            return asyncio.run(_list(archive, as_json=args.json))
        url = engine_url(args.redis_url)
        if url is None:
            tell("no engine runs on this machine, name one with --redis-url")
            return EXIT_USAGE
        return asyncio.run(_restore(archive, url))
    except Unavailable as error:
        tell(str(error))
        return EXIT_AWAY
    except ValueError as error:
        tell(str(error))
        return EXIT_USAGE


async def _list(archive: Archive, *, as_json: bool) -> int:
    from runtail_broker.archives.restoring import Unreadable, histories

    left = 0
    async for found in histories(archive):
        if isinstance(found, Unreadable):
            left += 1
            tell(f"{found.folder}: {found.error}")
        else:
            state = found.state
            print(json_line(state.json()) if as_json else _line(state), flush=True)  # noqa: T201
    return EXIT_SOME_LEFT if left else 0


async def _restore(archive: Archive, url: str) -> int:
    from runtail_broker.archives.restoring import Unreadable, histories
    from runtail_broker.connections.client import Nodes

    done: Counter[str] = Counter()
    nodes = Nodes.connect(url)
    try:
        async for found in histories(archive):
            if isinstance(found, Unreadable):
                done["unreadable"] += 1
                tell(f"{found.folder}: {found.error}")
            else:
                done[await _one(nodes, found)] += 1
    finally:
        await nodes.close()
        counted = ", ".join(f"{done[word]} {said}" for word, said in _SAID.items() if done[word])
        print(counted or "the archive holds nothing")  # noqa: T201 - the command's output
    return EXIT_SOME_LEFT if done["unreadable"] or done["other"] else 0


async def _one(nodes: Nodes, history: History) -> str:
    from runtail_broker.archives.restoring import restore

    word = await restore(nodes, history)
    if word == "other":
        tell(f"{history.id}: {_SAID[word]}")
    return word


def _line(state: ExecutionState) -> str:
    ended, workflow = state.ended_at or "-", visible(state.workflow_id or "-")
    return _LINE.format(state.status, state.last_seq, ended, visible(state.id), workflow)


ARCHIVE: Final = Command(
    "archive", "List what an archive holds; make it known again to an engine.", configure, run
)

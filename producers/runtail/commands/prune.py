"""`runtail prune`: delete executions that have ended, by age, status and workflow; asks first."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from runtail.command import EXIT_REFUSED, Command, add_token, add_url
from runtail.commands.ls import HEADINGS, row_of, table
from runtail.watching.gateway_rest import GatewayRefused, asked_json, opened
from runtail.watching.terminal import visible

EXIT_SOME_LEFT: Final = 1
STATUSES: Final = ("completed", "failed", "cancelled")
_PAGE: Final = 500
_SHOWN: Final = 20
_AGE: Final = re.compile(r"([1-9][0-9]{0,5})([mhdw])", re.ASCII)
_SECONDS: Final = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}

EPILOG: Final = """\
examples:
  runtail prune --older-than 30d                       shows what would go, deletes nothing
  runtail prune --older-than 30d --delete              shows it, asks, deletes
  runtail prune --older-than 2w --status failed --workflow nightly --delete --yes

Only what has ended is deleted; its age is that of its end. A log that is deleted is gone, from
the archive too: `runtail export` keeps one. Where people sign in it takes the scope `admin`.

exit codes: 0 done, 1 some could not be deleted, 2 wrong usage, 4 the gateway refused"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail prune`."""
    parser.epilog = EPILOG
    parser.add_argument(
        "--older-than",
        type=age,
        required=True,
        metavar="AGE",
        help="what ended longer ago: 90m, 12h, 30d, 8w",
    )
    parser.add_argument(
        "--status", action="append", choices=STATUSES, help="only such ones; repeatable"
    )
    parser.add_argument(
        "--workflow", action="append", metavar="ID", help="only of this workflow; repeatable"
    )
    parser.add_argument("--delete", action="store_true", help="delete them, after a question")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_url(parser)
    add_token(parser)


def run(args: argparse.Namespace) -> int:
    """Show what goes, ask, delete."""
    until = datetime.now(UTC) - args.older_than
    try:
        found = list(_found(args, until))
    except GatewayRefused as error:
        return _fail(str(error))
    if not found:
        print("nothing is that old")  # noqa: T201 - the command's output
        return 0
    now = datetime.now(UTC)
    rows = [HEADINGS, *(row_of(each, now) for each in found[:_SHOWN])]
    sys.stdout.write("".join(f"{line}\n" for line in table(rows)))
    if len(found) > _SHOWN:
        sys.stdout.write(f"and {len(found) - _SHOWN} more\n")
    size = sum(int(each.get("bytes_kept") or 0) for each in found) / 1024**2
    what = f"{len(found)} executions, {size:.1f} MiB"
    if not args.delete:
        print(f"{what}; nothing was deleted: that takes --delete")  # noqa: T201
        return 0
    if not args.yes and not _agreed(f"Delete {what}? [y/N] "):
        print("nothing was deleted")  # noqa: T201
        return 0
    return _delete(args, [str(each["id"]) for each in found])


def _found(args: argparse.Namespace, until: datetime) -> Iterator[dict[str, Any]]:
    """List all that go, page by page."""
    query = {
        "status": args.status or list(STATUSES),
        "workflow": args.workflow or [],
        "until": until.isoformat(),  # what was created later did not end before
        "limit": _PAGE,
    }
    following: str | None = ""
    while following is not None:
        asked = query | ({"cursor": following} if following else {})
        url = f"{args.url}/executions?{urlencode(asked, doseq=True)}"
        page = asked_json(url, args.token, "list of executions")
        try:
            yield from (each for each in page["executions"] if _is_over(each, until))
            following = page["next"]
        except (KeyError, TypeError, AttributeError) as error:
            raise GatewayRefused(url, "the answer is no list of executions", "") from error


def _is_over(execution: dict[str, Any], until: datetime) -> bool:
    try:
        ended = datetime.fromisoformat(str(execution.get("ended_at")))
    except ValueError:
        return False
    return bool(execution.get("ended")) and ended <= until


def _agreed(question: str) -> bool:
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        print()  # noqa: T201 - nobody is there to answer
        return False


def _delete(args: argparse.Namespace, names: list[str]) -> int:
    left = 0
    for name in names:
        url = f"{args.url}/executions/{quote(name, safe='')}"
        try:
            with opened(url, args.token, method="DELETE"):
                pass
        except GatewayRefused as error:
            if error.status in (404, 410):
                continue  # somebody else has
            if error.status in (0, 401, 403, 503):
                return _fail(str(error))  # the next one would fare no better
            left += 1
            print(f"runtail prune: {visible(error)}", file=sys.stderr)  # noqa: T201
    print(f"{len(names) - left} executions are deleted")  # noqa: T201
    return EXIT_SOME_LEFT if left else 0


def age(text: str) -> timedelta:
    """Read a span of time."""
    found = _AGE.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age, expected one like 12h, 30d or 8w")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def _fail(text: str) -> int:
    print(f"runtail prune: {visible(text)}", file=sys.stderr)  # noqa: T201
    return EXIT_REFUSED


PRUNE: Final = Command(
    "prune", "Delete executions that ended long ago; shows them first.", configure, run
)

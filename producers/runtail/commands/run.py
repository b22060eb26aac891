"""`runtail run -- COMMAND`: run any program as an execution, its output line by line in the log."""

from __future__ import annotations

import argparse
import errno
import os
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from runtail.command import EXIT_USAGE, Command
from runtail.commands.place import (
    EXECUTION_VARIABLE,
    URL_VARIABLE,
    add_redis_url,
    engine_url,
    execution_id,
    joined_execution,
    keep_quiet,
    mask_environment,
    missing,
    seconds,
    tell,
)
from runtail.naming import made_id
from runtail_broker.errors import InvalidExecutionId
from runtail_broker.keys import checked

if TYPE_CHECKING:
    from runtail.programs.pace import Pace
    from runtail.programs.wrap import Outcome, WrapSettings
    from runtail.programs.wrapped import Signals
    from runtail.publisher import Publisher
    from runtail.run import Execution

EXIT_NOT_FOUND: Final = 127  # as shells say it
EXIT_NOT_EXECUTABLE: Final = 126
CANCEL_GRACE_SECONDS: Final = 10.0
FLUSH_SECONDS: Final = 5.0

EPILOG: Final = """\
examples:
  runtail run -- make test                     its output becomes an execution's log
  runtail run --id build-17 --workflow build -- ./build.sh
  runtail tail build-17                        in another terminal, or on the page

The exit code is the command's: 127 if it is not found, 126 if it cannot be run, 128 + n if
the signal n ended it. 2 is wrong usage. Inside of another `runtail run`, without --id, the
lines go to that one's execution, which ends when the outer command does.

Values of the environment under names that look like credentials (DB_PASSWORD, API_TOKEN) are
masked in the log, though not on this terminal.

The command gets RUNTAIL_EXECUTION and RUNTAIL_REDIS_URL, so that `runtail log` and the SDK
inside of it join the execution, and PYTHONUNBUFFERED=1 unless it is set."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the lines go; *owned*: the command's end is the execution's."""

    url: str | None
    execution_id: str
    owned: bool
    made: bool


def run(args: argparse.Namespace) -> int:
    """Run `args.command`; return its exit code, or end by the signal that ended it."""
    from runtail.programs.wrapped import Signals, die_by

    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        tell("no command is given, expected `runtail run -- COMMAND`")
        return EXIT_USAGE
    try:
        place = _place(args, workflow := args.workflow or PurePath(command[0]).name)
    except InvalidExecutionId as error:
        tell(f"${EXECUTION_VARIABLE}: {error}")
        return EXIT_USAGE
    keep_quiet()
    with Signals() as signals:
        ended = _publish(args, command, signals, place, workflow)
    if isinstance(ended, int):
        return ended
    if ended.returncode < 0:
        die_by(-ended.returncode)
    return ended.exit_code


def _publish(
    args: argparse.Namespace, command: list[str], signals: Signals, place: _Place, workflow: str
) -> Outcome | int:
    from runtail.programs.pace import Pace
    from runtail.publisher import Publisher
    from runtail.settings import DEFAULTS

    mask_environment(args.mask)
    publisher = Publisher(args.redis_url)
    if place.owned:
        execution = publisher.execution(place.execution_id, workflow_id=workflow)
    else:
        execution = publisher.join(place.execution_id)
    if place.made and not args.quiet:
        tell(f"execution {execution.id}")
    settings = _settings(args)
    if place.owned and not place.made:  # it may get another name; who is away is not waited for
        execution.opened(settings.opening_seconds)
    try:
        pace = Pace(lambda: publisher.counters, DEFAULTS.max_buffer_records // 3)
        return _follow(args, command, signals, execution, place, settings, pace)
    finally:
        stored = publisher.close(settings.flush_seconds)
        _tell_end(publisher, execution, place, stored, settings.flush_seconds)


def _place(args: argparse.Namespace, workflow: str) -> _Place:
    url = engine_url(args.redis_url)
    if args.id:
        return _Place(url, args.id, owned=True, made=False)
    outer = joined_execution()
    if outer:
        return _Place(url, checked(outer), owned=False, made=False)
    return _Place(url, made_id(workflow), owned=True, made=True)


def _settings(args: argparse.Namespace) -> WrapSettings:
    from runtail.programs.wrap import WrapSettings

    return WrapSettings(cancel_grace_seconds=args.grace, flush_seconds=args.timeout)


def _follow(
    args: argparse.Namespace,
    command: list[str],
    signals: Signals,
    execution: Execution,
    place: _Place,
    settings: WrapSettings,
    pace: Pace,
) -> Outcome | int:
    from runtail.programs.line_record import Recording
    from runtail.programs.wrap import Follower
    from runtail.programs.wrapped import start

    try:
        child = start(command, _environment(execution.id, place.url), on_pty=args.pty)
    except OSError as error:
        return _not_started(command[0], error, execution, place)
    signals.to(child)
    follower = Follower(
        child,
        execution,
        lambda: execution.cancel_requested,
        must_wait=pace.must_wait,
        recording=Recording(args.step, as_json=args.json),
        settings=settings,
        echo=not args.quiet,
    )
    outcome = follower.follow()
    if follower.left_behind:
        _warn_left_behind(execution, settings.drain_seconds)
    _end(execution, place, outcome.status, outcome.reason, command[0])
    return outcome


def _environment(execution: str, url: str | None) -> dict[str, str]:
    given = {"PYTHONUNBUFFERED": "1"} | os.environ | {EXECUTION_VARIABLE: execution}
    return given | ({URL_VARIABLE: url} if url else {})


def _not_started(program: str, error: OSError, execution: Execution, place: _Place) -> int:
    found = error.errno != errno.ENOENT
    reason = f"{program}: {error.strerror}" if found else f"command not found: {program}"
    tell(reason)
    _end(execution, place, "failed", reason, program)
    return EXIT_NOT_EXECUTABLE if found else EXIT_NOT_FOUND


def _end(execution: Execution, place: _Place, status: str, reason: str, program: str) -> None:
    """End the execution; within another's, only say so."""
    if place.owned:
        execution.finish(status, reason)
    elif status != "completed":
        execution.error(f"{program}: {status}, {reason}")


def _warn_left_behind(execution: Execution, waited_seconds: float) -> None:
    text = (
        "a process that the command left behind still holds its output; "
        f"what it writes later than {waited_seconds:g} s after the end is not recorded"
    )
    execution.warning(text)
    tell(text)


def _tell_end(
    publisher: Publisher, execution: Execution, place: _Place, stored: bool, waited_seconds: float
) -> None:
    if execution.id != place.execution_id:
        tell(f"execution {place.execution_id} has finished before: see {execution.id}")
    if not stored or publisher.counters.dropped:
        tell(missing(publisher.counters, execution.id, place.url, waited_seconds))


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail run`."""
    parser.usage = "runtail run [options] -- COMMAND [ARGUMENT …]"
    parser.epilog = EPILOG
    parser.add_argument("--id", type=execution_id, help="the execution's id (default: a new one)")
    parser.add_argument("--workflow", metavar="ID", help="its workflow (default: the command)")
    parser.add_argument("--step", metavar="NAME", help="the step that the lines belong to")
    parser.add_argument("--pty", action="store_true", help="let the command see a terminal")
    parser.add_argument("--json", action="store_true", help="lines of JSON objects are records")
    parser.add_argument(
        "--mask",
        metavar="NAME",
        action="append",
        default=[],
        help="a variable of the environment whose value is masked; may be repeated",
    )
    parser.add_argument("--quiet", action="store_true", help="show nothing on this terminal")
    parser.add_argument(
        "--grace",
        metavar="SECONDS",
        type=seconds,
        default=CANCEL_GRACE_SECONDS,
        help="time between SIGTERM and SIGKILL on a cancel request (default: 10)",
    )
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=FLUSH_SECONDS,
        help="how long the end waits until all is stored (default: 5)",
    )
    add_redis_url(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the command and its arguments")


RUN: Final = Command("run", "Run a program as an execution, with its output.", configure, run)

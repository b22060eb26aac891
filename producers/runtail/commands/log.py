"""`runtail log EXECUTION "text"`: publish a line, or end an execution, from a shell script."""

from __future__ import annotations

import argparse
import os
import select
import time
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from runtail.command import EXIT_USAGE, Command
from runtail.commands.place import (
    EXECUTION_VARIABLE,
    add_redis_url,
    joined_execution,
    keep_quiet,
    mask_environment,
    missing,
    seconds,
    tell,
)
from runtail_broker.errors import InvalidExecutionId
from runtail_broker.keys import checked
from runtail_broker.records.record import LEVELS, TERMINAL

if TYPE_CHECKING:
    from runtail.publisher import Publisher
    from runtail.run import Execution

EXIT_NOT_STORED: Final = 1
TIMEOUT_SECONDS: Final = 5.0
STDIN: Final = "-"

_READ_BYTES: Final = 64 * 1024
_PENDING_RECORDS: Final = 10_000  # beyond it the writer of a fast pipe waits for the engine

EPILOG: Final = """\
examples:
  runtail log build-17 "compiling" --step compile
  make 2>&1 | runtail log build-17 - --step compile
  runtail log build-17 --finish failed --reason "no space left"

Every call with one execution's id adds to it; the first one opens it. It ends with
`runtail log EXECUTION --finish completed`, or, inside of `runtail run`, with the command.
Without EXECUTION it is $RUNTAIL_EXECUTION, which `runtail run` sets. With --finish the text
may be left out. An execution that nobody has open counts as lost after a while: for long
pauses between two calls wrap the script in `runtail run`.

exit codes:
  0  stored
  1  not stored within --timeout
  2  wrong usage"""


class _Misused(Exception):
    """Arguments that do not fit together."""


def run(args: argparse.Namespace) -> int:
    """Publish what *args* say; return 0 once it is stored, else 1."""
    try:
        execution, text = _target(args)
    except (_Misused, InvalidExecutionId) as error:
        tell(str(error))
        return EXIT_USAGE
    keep_quiet()
    mask_environment()
    from runtail.publisher import Publisher

    publisher = Publisher(args.redis_url)
    joined = publisher.join(execution)
    fields = _fields(args)
    if text == STDIN:
        _copy(publisher, joined, fields, args.timeout)
    elif text is not None:
        joined.write([fields | {"message": text}])
    if args.finish:
        joined.finish(args.finish, args.reason)
    stored = publisher.close(args.timeout)
    if stored and not publisher.counters.dropped:
        return 0
    tell(missing(publisher.counters, execution, args.redis_url, args.timeout))
    return EXIT_NOT_STORED


def _target(args: argparse.Namespace) -> tuple[str, str | None]:
    """Tell the execution from the text: one word is the text, unless it can only be the other."""
    match args.words:
        case [execution, text]:
            return checked(execution), text
        case [execution] if args.finish:
            return checked(execution), None
        case [_, _, third, *_]:
            raise _Misused(f"{third!r} is one word too many, put the text in quotes")
        case [] if not args.finish:
            raise _Misused("no text is given, expected `runtail log [EXECUTION] TEXT`")
    text = args.words[0] if args.words else None
    outer = joined_execution()
    if outer is None:
        beside = f" beside the text {text!r}" if text is not None else ""
        raise _Misused(f"no execution is given{beside}, and ${EXECUTION_VARIABLE} is not set")
    return checked(outer), text


def options_first(words: Sequence[str]) -> list[str]:
    """Move the texts behind the options, all of which take a value; behind `--` all are texts."""
    options: list[str] = []
    texts: list[str] = []
    left = iter(words)
    for word in left:
        if word == "--":
            texts += left
        elif word in ("-h", "--help") or (word.startswith("--") and "=" in word):
            options.append(word)
        elif word.startswith("--"):
            options += [word, *islice(left, 1)]
        else:
            texts.append(word)
    return [*options, "--", *texts]


def _fields(args: argparse.Namespace) -> dict[str, object]:
    fields: dict[str, object] = {"level": args.level, **dict(args.field)}
    return fields | ({"step_name": args.step} if args.step else {})


def _copy(
    publisher: Publisher, execution: Execution, fields: dict[str, object], timeout: float
) -> None:
    """Publish what stdin holds, line by line, as it comes."""
    from runtail.programs.line_record import plain_fields
    from runtail.programs.lines import Lines

    lines = Lines()
    while True:
        due = lines.due()
        wait = None if due is None else max(0.0, due - time.monotonic())
        ready, _, _ = select.select([0], [], [], wait)
        data = os.read(0, _READ_BYTES) if ready else b""
        ended = bool(ready) and not data
        now = time.monotonic()
        found = lines.end() if ended else lines.feed(data, now) if ready else lines.tick(now)
        execution.write([plain_fields(line, "stdout") | fields for line in found])
        if ended:
            return
        if publisher.counters.pending > _PENDING_RECORDS:
            publisher.flush(timeout)


def _field(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no field, expected NAME=VALUE")
    return name, value


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail log`."""
    parse = parser.parse_known_args

    def parse_known_args(words: Sequence[str], namespace: object = None) -> object:
        return parse(options_first(words), namespace)

    # argparse takes no text behind an option once it has one: `log build-17 --level error TEXT`
    parser.parse_known_args = parse_known_args  # type: ignore[method-assign,assignment]
    parser.usage = "runtail log [EXECUTION] TEXT|- [options]"
    parser.epilog = EPILOG
    parser.add_argument("words", nargs="*", metavar="TEXT", help="the text, or - to read stdin")
    parser.add_argument("--level", choices=LEVELS, default="info", help="default: info")
    parser.add_argument("--step", metavar="NAME", help="the step that it belongs to")
    parser.add_argument(
        "--field",
        metavar="NAME=VALUE",
        type=_field,
        action="append",
        default=[],
        help="a field of your own, as text; may be repeated",
    )
    parser.add_argument("--finish", choices=TERMINAL, help="end the execution")
    parser.add_argument("--reason", default="", help="why it ended so")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=seconds,
        default=TIMEOUT_SECONDS,
        help="how long it waits until all is stored (default: 5)",
    )
    add_redis_url(parser)


LOG: Final = Command("log", "Publish a line from a shell script.", configure, run)

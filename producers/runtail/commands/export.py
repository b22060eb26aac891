"""`runtail export`: write an execution's log to a file, going on where an earlier try was cut."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote, urlencode

from runtail.command import EXIT_REFUSED, EXIT_USAGE, Command, add_token, add_url
from runtail.commands.place import execution_id
from runtail.watching.exported import Exported, NotAnExport, read_export
from runtail.watching.gateway_rest import GatewayRefused, opened
from runtail.watching.terminal import Layout, visible
from runtail.watching.viewer_event import Records

EXIT_INCOMPLETE: Final = 1
EXIT_RUNNING: Final = 3
TRIES: Final = 8
_PART: Final = ".part"
_CHUNK: Final = 256 * 1024

EPILOG: Final = """\
examples:
  runtail export nightly-1                        to nightly-1.ndjson, one record a line
  runtail export nightly-1 log.txt                as people read it, by the file's name
  runtail export nightly-1 --format text          the same, to nightly-1.txt
  runtail export nightly-1 log.ndjson             again, later: only what is new is fetched

What is cut off (by Ctrl-C, the network, a full disk) goes on where it stopped when the same
command runs again. A text is written when all is there; until then its records lie in
FILE.part beside it. What is said last counts the lines and names those that are missing.

exit codes: 0 complete, 1 lines are missing, 2 wrong usage, 3 all so far, but it has not ended,
4 the gateway refused, or it could not be finished now"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give *parser* the arguments of `runtail export`."""
    parser.epilog = EPILOG
    parser.add_argument("execution", type=execution_id, help="the execution's id")
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="where to (its id)")
    parser.add_argument(
        "--format",
        choices=("ndjson", "text"),
        help="default: text for FILE of .txt or .log, else ndjson",
    )
    add_url(parser)
    add_token(parser)


def run(args: argparse.Namespace) -> int:
    """Fetch what the file lacks, and say whether it is complete."""
    form = args.format or ("text" if args.file and args.file.suffix in (".txt", ".log") else "")
    file = args.file or Path(args.execution + (".txt" if form == "text" else ".ndjson"))
    records = file.with_name(file.name + _PART) if form == "text" else file
    try:
        exported = _fetch(args, records)
        if form == "text":
            _spell(records, file)
            if exported.status:
                records.unlink()
    except NotAnExport as error:
        return _fail(f"{records}: {error}; name another FILE, or remove it", EXIT_USAGE)
    except GatewayRefused as error:
        return _fail(str(error), EXIT_REFUSED)
    except OSError as error:
        return _fail(f"{error.filename or records}: {error.strerror or error}", EXIT_REFUSED)
    finally:
        _drop_if_empty(records)
    print(visible(f"{file}: {exported.summary()}"))  # noqa: T201 - the command's output
    if not exported.status:
        return EXIT_RUNNING
    return EXIT_INCOMPLETE if exported.holes else 0


def _fetch(args: argparse.Namespace, records: Path) -> Exported:
    """Append what is not there; try again, from there on, when the connection breaks."""
    last = ""
    with records.open("a+b") as file:
        for number in range(1, TRIES + 1):
            file.seek(0)
            exported = read_export(file)
            if exported.execution_id not in (None, args.execution):
                other = f"of the execution {exported.execution_id!r}, not of {args.execution!r}"
                raise NotAnExport(1, other)
            file.truncate(exported.size)
            try:
                if _append(args, file, exported.last_id):
                    file.seek(0)
                    return read_export(file)
                last = "the history changed"
            except (HTTPException, OSError) as error:
                last = str(error) or type(error).__name__
            except GatewayRefused as error:
                if error.status and error.status not in (408, 429, 502, 503, 504):
                    raise
                last = str(error)
            if number < TRIES:
                _tell(f"{last}; going on, try {number + 1}")
                time.sleep(random.uniform(0.5, 1.0) * min(5.0, 0.2 * 2**number))
    raise GatewayRefused(args.url, f"{last} (after {TRIES} tries)", "run it again to go on")


def _append(args: argparse.Namespace, file: BinaryIO, last_id: str | None) -> bool:
    """Write what comes after *last_id*; False if what is there is of another history."""
    after = f"?{urlencode({'after': last_id})}" if last_id else ""
    name = quote(args.execution, safe="")
    with opened(f"{args.url}/executions/{name}/logs.ndjson{after}", args.token) as answer:
        begun = True
        for chunk in _chunks(answer):
            if begun and last_id and json.loads(chunk.partition(b"\n")[0]).get("kind") == "reset":
                file.truncate(0)
                return False
            file.write(chunk)
            begun = False
    file.flush()
    return True


def _chunks(answer: HTTPResponse) -> Iterator[bytes]:
    first = answer.readline()
    if first:
        yield first
    while chunk := answer.read(_CHUNK):
        yield chunk


def _drop_if_empty(file: Path) -> None:
    """Leave no file of which nothing ever came."""
    with suppress(OSError):
        if file.stat().st_size == 0 and file.is_file():
            file.unlink()


def _spell(records: Path, file: Path) -> None:
    """Write the records as text, as `runtail tail` shows them, with whole times."""
    layout = Layout(colored=False, when=lambda at: f"{visible(at or '')[:27]:<27}")
    with records.open("rb") as source, file.open("w", encoding="utf-8") as out:
        for line in source:
            told = json.loads(line)
            if told.get("kind") == "gap" and "seq" not in told:
                out.write(f"--- {told.get('lost') or 'some'} lines are missing ---\n")
                continue
            out.writelines(f"{row}\n" for row in layout.lines(Records([told])))


def _tell(text: str) -> None:
    print(f"runtail export: {visible(text)}", file=sys.stderr)  # noqa: T201 - the command's output


def _fail(text: str, code: int) -> int:
    _tell(text)
    return code


EXPORT: Final = Command("export", "Write an execution's log to a file.", configure, run)

"""Make a record of a line that a program wrote. Pure: no I/O.

The level of a plain line: `info`, but on stderr, and on a terminal that holds both streams, a line
that begins like an error or a warning has that level. Most programs tell their progress on stderr,
so a whole stream of warnings would only hide the real ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final, Literal

import orjson

from runtail.programs.lines import Line

Stream = Literal["stdout", "stderr", "pty"]

_BEGIN: Final = 200  # characters that are looked at
_COLOR: Final = re.compile(r"\x1b\[[0-9;:]*m")
# before the word: times, brackets, and the name of a program or a file with a line number
_LEAD: Final = r"(?:[\W_]|\d[TZ]?)*+(?:[\w./+-]{1,80}+:\s?(?:\d++:)*+|npm\s)?[\W\d_]*+"
_CLASS: Final = r"(?:[a-z]\w*\.){0,8}[A-Z]\w*"  # of an exception, as tracebacks end with it
_ERROR: Final = re.compile(
    _LEAD + r"(?:(?i:error|err|fatal|critical|crit|panic|traceback|exception)\b(?![-/.=])"
    rf"|{_CLASS}(?:Error|Exception)\b)"
)
_WARNING: Final = re.compile(
    _LEAD + rf"(?:(?i:warn|warning|deprecated)\b(?![-/.=])|{_CLASS}Warning\b)"
)

_SUSPICIOUS: Final = ("err", "exception", "fatal", "crit", "panic", "traceback", "warn", "deprec")

_LEVELS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("debug", "trace", "verbose", "fine", "10", "20"), "debug"),
    **dict.fromkeys(("info", "information", "notice", "log", "30"), "info"),
    **dict.fromkeys(("warning", "warn", "40"), "warning"),
    **dict.fromkeys(("error", "err", "critical", "crit", "fatal", "panic", "emergency"), "error"),
    **dict.fromkeys(("emerg", "alert", "severe", "50", "60"), "error"),
}
_MESSAGE_NAMES: Final = ("message", "msg", "event")
_LEVEL_NAMES: Final = ("level", "severity", "lvl", "levelname")
_TIME_NAMES: Final = ("timestamp", "time", "ts", "@timestamp")
_SECONDS, _MILLISECONDS, _NANOSECONDS = 1e8, 1e11, 1e17  # numbers above are times of that unit

Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class Recording:
    """How lines become records: *step* names their step; *as_json*: JSON objects are records."""

    step: str | None = None
    as_json: bool = False

    def record(self, line: Line, stream: Stream) -> Fields:
        """Return the fields of the record that *line* becomes."""
        whole = not (line.partial or line.continues)
        ready = json_fields(line.text) if self.as_json and whole else None
        record = plain_fields(line, stream) if ready is None else ready | {"stream": stream}
        if self.step is not None:
            record.setdefault("step_name", self.step)
        return record

    def fields(self, stream: Stream) -> dict[str, str]:
        """Return the fields that all plain lines have, beside level and message."""
        fields: dict[str, str] = {"stream": stream}
        return fields if self.step is None else fields | {"step_name": self.step}


def plain_fields(line: Line, stream: Stream) -> Fields:
    """Return the fields of a plain line; the flags of `Line` only where they are set."""
    record: Fields = {
        "level": "info" if stream == "stdout" or line.continues else level_of(line.text),
        "message": line.text,
        "stream": stream,
    }
    for name in ("partial", "continues", "redraw"):
        if getattr(line, name):
            record[name] = True
    if line.length is not None:
        record["truncated"] = {"message": line.length}
    return record


def by_level(texts: Sequence[str], stream: Stream) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the *texts* of plain lines in their order, those of the same level together."""
    if stream == "stdout" or not _is_suspicious("\n".join(texts)):
        yield "info", texts
        return
    for level, some in groupby(texts, level_of):
        yield level, list(some)


def _is_suspicious(text: str) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in _SUSPICIOUS)


def level_of(text: str) -> str:
    """Guess the level of a line from how it begins."""
    if not _is_suspicious(text[:_BEGIN]):
        return "info"  # most lines: this is all that they cost
    begin = _COLOR.sub("", text[:_BEGIN])
    if _ERROR.match(begin):
        return "error"
    return "warning" if _WARNING.match(begin) else "info"


def json_fields(text: str) -> Fields | None:
    """Read *text* as a record of one of the usual JSON loggers; None if it is no JSON object.

    Message, level and time are found by their usual names; other fields pass through. A level that
    is none becomes info, and is kept as `original_level`.
    """
    if not text.lstrip().startswith("{"):
        return None
    try:
        given = orjson.loads(text.encode(errors="surrogatepass"))
    except (orjson.JSONDecodeError, RecursionError):
        return None
    record: Fields = {"level": "info", **given}
    _take_message(record, text)
    _take_level(record, given)
    _take_time(record)
    return record


def _take_message(record: Fields, text: str) -> None:
    name = next((name for name in _MESSAGE_NAMES if name in record), None)
    message = text if name is None else record.pop(name)
    record["message"] = message if isinstance(message, str) else orjson.dumps(message).decode()


def _take_level(record: Fields, given: Mapping[str, object]) -> None:
    name = next((name for name in _LEVEL_NAMES if name in given), None)
    if name is None:
        return
    word = record.pop(name)
    level = _LEVELS.get(str(word).lower())
    record["level"] = level or "info"
    if level is None:
        record["original_level"] = word


def _take_time(record: Fields) -> None:
    name = next((name for name in _TIME_NAMES if name in record), None)
    if name is None:
        return
    value = record.pop(name)
    time = _time_of(value)
    if time is not None:
        record["timestamp"] = time.isoformat().replace("+00:00", "Z")
    else:  # the time of the line's arrival stands in
        record[name if name != "timestamp" else "original_timestamp"] = value


def _time_of(value: object) -> datetime | None:
    """Read a time with its zone, or a number of seconds, ms, µs or ns since 1970; else None."""
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return None if time.tzinfo is None else time.astimezone(UTC)
        if isinstance(value, int | float) and value >= _SECONDS:
            return datetime.fromtimestamp(_seconds(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _seconds(value: float) -> float:
    if value >= _NANOSECONDS:
        return value / 1e9
    if value >= _MILLISECONDS * 1000:
        return value / 1e6
    return value / 1e3 if value >= _MILLISECONDS else value

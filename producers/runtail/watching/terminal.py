"""Lay out records and events for a terminal; log text is data there. Pure: no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeGuard

from runtail.watching.viewer_event import (
    Awaited,
    Broken,
    Ended,
    Event,
    Gap,
    LogRecord,
    Records,
    Reset,
    Resumed,
    Workers,
)

STEP_WIDTH: Final = 20  # longer names of steps are cut
TAB_WIDTH: Final = 4

_OWN_FIELDS: Final = frozenset({"id", "seq", "kind", "execution_id", "timestamp", "step_name"})
_RESET: Final = "\x1b[0m"
_DIM, _RED, _GREEN, _YELLOW, _CYAN = (f"\x1b[{code}m" for code in (2, 31, 32, 33, 36))
_COLORS: Final = {
    "debug": _DIM,
    "warning": _YELLOW,
    "error": _RED,
    "failed": _RED,
    "lost": _RED,
    "cancelled": _YELLOW,
    "completed": _GREEN,
}

# What moves the cursor, reorders, hides or breaks text: C0, DEL, C1, soft hyphen, the bidi and
# zero-width characters, line and paragraph separators, annotation marks, surrogates, tags.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def visible(text: object) -> str:
    r"""Spell what a terminal would obey or hide, such as `\x1b` or `\u202e`; one line."""
    return _UNSAFE.sub(_escape, str(text))


def cut(line: str, width: int) -> str:
    """Return *line* with at most *width* characters; the last says that there were more."""
    return line if len(line) <= width else f"{line[: width - 1]}…"


def lines_of(text: object) -> list[str]:
    """Split *text* at line ends, spell what is unsafe, and turn tabs into spaces; at least one."""
    parts = str(text).replace("\r\n", "\n").rstrip("\n").split("\n")
    return [visible(part.expandtabs(TAB_WIDTH) if "\t" in part else part) for part in parts]


def json_line(record: LogRecord) -> str:
    r"""Write *record* as one line of JSON of the same value, unsafe characters as `\u00xx`."""
    return _UNSAFE.sub(_escape_json, _compact(record))


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def _escape_json(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1]  # beyond the BMP a character takes two escapes


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def clock(timestamp: object) -> str:
    """Show an RFC 3339 time as local HH:MM:SS.mmm; what is none, spelled, in the same width."""
    try:
        local = datetime.fromisoformat(str(timestamp)).astimezone()
    except (ValueError, OverflowError, OSError):
        return visible(timestamp or "")[:12].ljust(12)
    return local.strftime("%H:%M:%S.") + f"{local.microsecond // 1000:03d}"


@dataclass(slots=True)
class Layout:
    """Turn events into lines of text, for one execution.

    *colored* False: not a single control sequence. Guarantee: what comes from records or from the
    gateway passes `visible`; only the layout's own colours do not.
    """

    colored: bool
    when: Callable[[object], str] = clock
    """Show the time of a record, in one width."""
    _step_width: int = field(default=4, init=False)
    _progress: dict[object, float | None] = field(default_factory=dict, init=False)

    def lines(self, event: Event) -> list[str]:
        """Lay out what belongs among the log's lines; empty for what does not."""
        match event:
            case Records(records):
                return [line for record in records for line in self._record(record)]
            case Gap() | Reset() | Ended():
                color = _color_of_end(event.status) if isinstance(event, Ended) else _YELLOW
                return [self._paint(color, notice(event))]
            case _:
                return []

    def _record(self, record: LogRecord) -> list[str]:
        try:
            return self._told(record)
        except RecursionError:  # nested deeper than Python spells, which our workers never send
            place = {"seq": record.get("seq", "")}
            return self._row(place, _YELLOW, "?", ["(nested too deep to be shown)"])

    def _told(self, record: LogRecord) -> list[str]:
        kind = str(record.get("kind", "log"))
        if kind == "progress" and not self._moved(record.get("name"), record.get("progress")):
            return []
        if kind == "log":
            return self._log(record)
        color, text = _TOLD.get(kind, _told_other)(record)
        return self._row(record, color, kind, [f"● {text}"])

    def _log(self, record: LogRecord) -> list[str]:
        level = record.get("level", "info")
        message = lines_of(record.get("message") or "")
        duration = record.get("duration_ms")
        if duration is not None:
            message[0] += f" ({visible(duration)} ms)"
        return self._row(
            record, _COLORS.get(str(level), ""), str(level), [*message, *_extra(record)]
        )

    def _row(self, record: LogRecord, color: str, word: str, texts: list[str]) -> list[str]:
        step = cut(visible(record.get("step_name") or ""), STEP_WIDTH)
        self._step_width = max(self._step_width, len(step))
        seq, time = visible(record.get("seq", "")), self.when(record.get("timestamp"))
        head = f"{seq:>6} {time} {visible(word)[:8]:<8} {step:<{self._step_width}} "
        margin = " " * (len(head) + 2)
        first = self._paint(_DIM, head[:20]) + self._paint(color, (head[20:] + texts[0]).rstrip())
        return [first, *(self._paint(color, margin + text) for text in texts[1:])]

    def _moved(self, part: object, progress: object) -> bool:
        """Tell whether *progress* differs from what was last shown of *part* by a whole percent."""
        now = max(-1.0, min(progress, 101.0)) if isinstance(progress, int | float) else None
        before = self._progress.get(part) if isinstance(part, str | None) else None
        small = None not in (now, before) and abs((now or 0) - (before or 0)) < 1
        if now == before or (small and (now or 0) < 100):
            return False
        if isinstance(part, str | None):
            self._progress[part] = now
        return True

    def _paint(self, color: str, text: str) -> str:
        return f"{color}{text}{_RESET}" if self.colored and color else text


def notice(event: Event) -> str:
    """Say in one line what happened besides the records; empty if nothing needs saying."""
    match event:
        case Gap():
            return f"--- {_gap(event)} ---"
        case Reset(seq, reason):
            changed = f"from line {seq + 1} on the history changed ({visible(reason)})"
            return f"--- {changed}; what follows replaces it ---"
        case Ended():
            return f"--- {_end(event)} ---"
        case Awaited():
            return "the execution does not exist yet; waiting for its first line"
        case Resumed():
            return "connected again"
        case Workers(open_, silent):
            return (
                f"{silent} of {open_} workers silent" if silent else "all workers are heard again"
            )
        case Broken(reason):
            return visible(reason)
        case Records():
            return ""


def _gap(gap: Gap) -> str:
    where = f"before line {gap.before_seq}"
    if gap.after_seq is not None:
        where = f"between lines {gap.after_seq} and {gap.before_seq}"
    count = "an unknown number of" if gap.lost is None else str(gap.lost)
    return f"{visible(count)} lines are missing {visible(where)} ({visible(gap.reason)})"


def _end(end: Ended) -> str:
    last, dropped = end.totals.get("last") or 0, end.totals.get("dropped") or 0
    complete = (
        f"complete from line {end.complete_from}" if end.complete_from else "some are missing"
    )
    if end.complete_from == 1:
        complete = "complete"
    gone = f", {dropped} dropped by workers" if dropped else ""
    return visible(f"{end.status}: {last} lines, {complete}{gone}")


def _color_of_end(status: str) -> str:
    return _COLORS.get(status, _RED)


def _extra(record: LogRecord) -> Iterator[str]:
    """List the follow-up lines of a log record: its error and its data."""
    if record.get("error_message"):
        yield from lines_of(record["error_message"])
    for name, label in (("input_data", "in: "), ("output_data", "out: ")):
        if record.get(name) is not None:
            yield label + visible(_compact(record[name]))


def _told_status(record: LogRecord) -> tuple[str, str]:
    status, reason = str(record.get("status")), record.get("reason")
    return _COLORS.get(status, _CYAN), visible(f"{status}: {reason}" if reason else status)


def _told_step(record: LogRecord) -> tuple[str, str]:
    status = str(record.get("status"))
    text = "started" if status == "running" else status
    if record.get("attempt") is not None:
        text += f" (attempt {record['attempt']} of {record.get('attempts', '?')})"
    if record.get("duration_ms") is not None:
        text += f" ({record['duration_ms']} ms)"
    if record.get("reason"):
        text += f": {record['reason']}"
    return _COLORS.get(status, _CYAN), visible(text)


def _told_progress(record: LogRecord) -> tuple[str, str]:
    name = f"{record['name']} " if record.get("name") else ""
    progress, done, total = record.get("progress"), record.get("done"), record.get("total")
    text = "unknown" if progress is None else f"{progress} %"
    part = "" if done is None else f" ({done} of {'?' if total is None else total})"
    return _CYAN, visible(name + text + part)


def _told_metric(record: LogRecord) -> tuple[str, str]:
    value = record.get("value", record.get("text"))
    return _CYAN, visible(f"{record.get('name')} = {value} {record.get('unit') or ''}".rstrip())


def _told_link(record: LogRecord) -> tuple[str, str]:
    return _CYAN, visible(f"{record.get('name')}: {record.get('url') or record.get('text')}")


def _told_plan(record: LogRecord) -> tuple[str, str]:
    steps = record.get("steps")
    names = [str(step.get("name")) for step in steps] if _is_rows(steps) else []
    note = f" ({record['note']})" if record.get("note") else ""
    return _CYAN, visible(f"plan: {', '.join(names)}{note}")


def _is_rows(value: object) -> TypeGuard[list[dict[str, object]]]:
    return isinstance(value, list) and all(isinstance(row, dict) for row in value)


def _told_lost(record: LogRecord) -> tuple[str, str]:
    return _YELLOW, visible(f"{record.get('lost')} lines lost: {record.get('reason')}")


def _told_end(record: LogRecord) -> tuple[str, str]:
    status = str(record.get("status"))
    return _color_of_end(status), visible(status)


def _told_other(record: LogRecord) -> tuple[str, str]:
    own: dict[str, Any] = {
        k: v for k, v in record.items() if k not in _OWN_FIELDS and v is not None
    }
    return _CYAN, visible(_compact(own))


_TOLD: Final[dict[str, Callable[[LogRecord], tuple[str, str]]]] = {
    "status": _told_status,
    "step": _told_step,
    "progress": _told_progress,
    "metric": _told_metric,
    "link": _told_link,
    "plan": _told_plan,
    "lost": _told_lost,
    "end": _told_end,
}

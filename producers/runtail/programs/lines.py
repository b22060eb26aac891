r"""Turn the bytes that a program writes to a terminal into lines. Pure: no I/O, no clock.

A line ends with `\n`. What stands before a `\r` is overwritten on a terminal, so it is folded: only
the last state of a line is always kept, and what stood there in between at most once in
`partial_seconds`. Colours stay in the text as data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import orjson

_END: Final = re.compile(rb"[\r\n]")
_NEWLINE: Final = ord("\n")
_BLANK: Final = re.compile(rb"(?:\s|\x1b\[[0-9;?]*[A-Za-z])*")
_ERASE: Final = re.compile(r"\x1b\[[012]?K")  # to the end of the line: a part of redrawing it
# a text that stops in the middle of a character, or of an escape sequence
_INCOMPLETE: Final = re.compile(
    rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}|\x1b(?:\[[0-9;?]*)?)\Z"
)
_MIDDLE: Final = re.compile(rb"[\x80-\xbf]{0,3}")  # of a character whose beginning was cut off
_JSON_BYTES_A_BYTE: Final = 6  # at most: a NUL is spelled `\u0000`


@dataclass(frozen=True, slots=True)
class LineSettings:
    """The bounds of one stream's lines. All must be above 0; anything else raises ValueError."""

    max_line_bytes: int = 32 * 1024
    """Bytes kept of one line; a longer one keeps head and tail. At least 256."""
    partial_seconds: float = 0.25
    """How long the beginning of a line waits for the rest before it is shown."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ValueError(f"{field.name} is {value}, expected more than 0")
        if self.max_line_bytes < 256:
            raise ValueError(f"max_line_bytes is {self.max_line_bytes}, expected at least 256")


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or a part of one that is shown early; no text is shown twice.

    *partial*: its line had not ended yet. *continues*: goes on where the last partial one of its
    stream stopped. *redraw*: takes the place of what its line showed before. *length*: how many
    bytes it had, if it was cut.
    """

    text: str
    partial: bool = False
    continues: bool = False
    redraw: bool = False
    length: int | None = None


class _Text:
    """The bytes of a line between two carriage returns: all of them, or head and tail.

    *attached*: what stood before them in this line has been shown already.
    """

    __slots__ = ("_head", "_most", "_tail", "attached", "length", "since")

    def __init__(self, most: int, since: float, attached: bool) -> None:
        self._most, self.since, self.attached = most, since, attached
        self._head, self._tail = bytearray(), b""
        self.length = 0

    def add(self, data: bytes) -> None:
        self.length += len(data)
        room = self._most - len(self._head)
        self._head += data[:room]
        if len(data) > room:
            keep = self._most // 3
            self._tail = (self._tail + data[max(room, len(data) - keep) :])[-keep:]

    @property
    def is_blank(self) -> bool:
        return not self._tail and _BLANK.fullmatch(self._head) is not None

    def starts_with(self, prefix: bytes) -> bool:
        return self._head[:64].lstrip().startswith(prefix)

    def take_incomplete(self) -> bytes:
        """Take away, and return, the beginning of a character at the end."""
        found = None if self._tail else _INCOMPLETE.search(self._head)
        if found is None:
            return b""
        rest = bytes(found[0])
        del self._head[found.start() :]
        self.length -= len(rest)
        return rest

    def shown(self) -> tuple[str, int | None]:
        """Return the text, and its length in bytes if it was cut: in JSON or not, it is bounded."""
        limit = self._most * 3 // 2
        keep = self._most
        while True:
            text = _decoded(self._head) if self.length <= keep else self._ends(keep)
            if len(text) * _JSON_BYTES_A_BYTE <= limit or len(orjson.dumps(text)) <= limit:
                return text, None if self.length <= keep else self.length
            keep //= 2

    def _ends(self, keep: int) -> str:
        """Keep two thirds of *keep* bytes from the head and one from the tail, whole characters."""
        head = bytes(self._head[: keep - keep // 3])
        tail = (bytes(self._head) + self._tail)[-(keep // 3) :]
        if found := _INCOMPLETE.search(head):
            head = head[: found.start()]
        if found := _MIDDLE.match(tail):
            tail = tail[found.end() :]
        gone = self.length - len(head) - len(tail)
        mark = f" … [{gone} of {self.length} bytes cut] … "
        return _decoded(head) + mark + _decoded(tail)


def _decoded(data: bytes | bytearray) -> str:
    text = data.decode(errors="backslashreplace")
    if "\x1b" in text:
        text = _ERASE.sub("", text)
    return _overtyped(text) if "\b" in text else text


def _overtyped(text: str) -> str:
    """Show what a terminal does with backspaces: the cursor goes back, what follows overwrites."""
    kept: list[str] = []
    at = 0
    for character in text:
        if character == "\b":
            at = max(0, at - 1)
            continue
        kept[at : at + 1] = [character]
        at += 1
    return "".join(kept)


class Lines:
    """The lines of one stream. Bounded: it keeps at most three times `max_line_bytes`.

    Times are monotonic seconds. However the same bytes are split over calls of one moment, the
    lines are the same. Call `tick` at the time that `due` names. Lines that begin with *whole* are
    never shown in part.
    """

    def __init__(self, settings: LineSettings | None = None, whole: bytes | None = None) -> None:
        self._settings = settings or LineSettings()
        self._whole = whole
        self._begin()

    def _begin(self) -> None:
        """Begin a new line."""
        self._text: _Text | None = None  # behind the last carriage return
        self._held: _Text | None = None  # the last one that a carriage return ended, unless shown
        self._waits_since: float | None = None
        self._shown = False  # some of this line
        self._attached = False  # what comes next belongs to a text of which a part was shown
        self._erased = False  # what was drawn before was wiped out: the next text is a new line

    def feed(self, data: bytes, now: float) -> list[Line]:
        """Take what was read at the time *now*; return the lines that it ends.

        Of one that is drawn again and again, also its state, when that is due. What has merely not
        ended yet is only shown by `tick`: call that when nothing more can be read.
        """
        lines: list[Line] = []
        start = 0
        for stop in _END.finditer(data):
            at = stop.start()
            piece, start = data[start:at], at + 1
            if data[at] == _NEWLINE and self._is_simple(piece):
                lines.append(Line(_decoded(piece)))  # as `_end_line` does, at a tenth of the cost
                continue
            self._take(piece, now)
            if data[at] == _NEWLINE:
                lines += self._end_line()
            else:
                self._return()
        self._take(data[start:], now)
        if self._held is not None and self._is_due(now):
            lines.append(self._show_held(self._held, now))
        return lines

    def cut(self, data: bytes) -> tuple[bytes, list[str], bytes]:
        """Cut *data* into what is to be fed first, whole simple lines, and what is to be fed then.

        The lines are the texts that `feed` would return, at a tenth of the cost: most programs
        write nothing else.
        """
        start, stop = 0 if self._is_new else data.find(b"\n") + 1, data.rfind(b"\n")
        if stop < start or b"\r" in data or b"\b" in data or not self._are_short(data[start:stop]):
            return data, [], b""
        return data[:start], _decoded(data[start:stop]).split("\n"), data[stop + 1 :]

    def _are_short(self, lines: bytes) -> bool:
        most = self._settings.max_line_bytes // _JSON_BYTES_A_BYTE
        return len(lines) <= most or max(map(len, lines.split(b"\n"))) <= most

    @property
    def _is_new(self) -> bool:
        """Whether a line begins of which nothing was seen before."""
        return self._text is None and self._held is None and not self._shown

    def _is_simple(self, piece: bytes) -> bool:
        """Whether *piece* is a whole line, of which nothing was seen before, and short."""
        return self._is_new and len(piece) * _JSON_BYTES_A_BYTE <= self._settings.max_line_bytes

    def due(self) -> float | None:
        """Say when the line that has not ended is to be shown all the same; None: not by now."""
        since = self._waits_since
        return None if since is None else since + self._settings.partial_seconds

    def tick(self, now: float) -> list[Line]:
        """Return what is due at the time *now*."""
        if not self._is_due(now):
            return []
        text, held = self._text, self._held
        fresh = text is not None and now - text.since < self._settings.partial_seconds
        if held is not None and (fresh or text is None or not self._showable(text)):
            return [self._show_held(held, now)]
        self._waits_since = None
        return self._show_part(text) if text is not None and self._showable(text) else []

    def end(self) -> list[Line]:
        """Return what is left when no more will come."""
        return list(self._end_line()) if self._text or self._held else []

    def _take(self, piece: bytes, now: float) -> None:
        if not piece:
            return
        if self._text is None:
            self._text = _Text(self._settings.max_line_bytes, now, self._attached)
        self._text.add(piece)
        if self._waits_since is None:
            self._waits_since = now

    def _return(self) -> None:
        """Go back to the line's beginning, as a terminal does: what comes will overwrite it."""
        text, self._text = self._text, None
        self._attached = False
        if text is None:
            return
        if not text.is_blank:
            self._held, self._erased = text, False
        elif not text.attached:
            self._erased = self._shown or self._held is not None

    def _end_line(self) -> Iterator[Line]:
        text, held = self._text, self._held
        drawn = self._shown or held is not None
        if text is not None and (text.attached or not drawn or not text.is_blank):
            if self._erased and held is not None:
                yield self._line(held)
            self._shown = self._shown and not self._erased
            yield self._line(text)
        elif held is not None:
            yield self._line(held)
        elif not self._shown:
            yield Line("")
        self._begin()

    def _is_due(self, now: float) -> bool:
        due = self.due()
        return due is not None and now >= due

    def _show_held(self, held: _Text, now: float) -> Line:
        self._held = None
        # from now on, not from when the text came: two states are never shown close together
        self._waits_since = None if self._text is None else now
        return self._line(held, partial=not self._erased)

    def _showable(self, text: _Text) -> bool:
        begins_whole = self._whole is not None and text.starts_with(self._whole)
        return not text.is_blank and (text.attached or not begins_whole)

    def _show_part(self, text: _Text) -> list[Line]:
        rest = text.take_incomplete()
        if not text.length:
            text.add(rest)
            return []
        line = self._line(text, partial=True)
        self._text, self._held, self._attached = None, None, True
        if rest:
            self._text = _Text(self._settings.max_line_bytes, text.since, attached=True)
            self._text.add(rest)
        return [line]

    def _line(self, text: _Text, *, partial: bool = False) -> Line:
        shown, length = text.shown()
        redraw = self._shown and not text.attached
        self._shown = True
        return Line(shown, partial, text.attached, redraw, length)

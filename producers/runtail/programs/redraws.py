"""Cut printed text into lines, and fold what redraws a line. Pure."""

from __future__ import annotations

from typing import Final

MAX_LINE_CHARS: Final = 32 * 1024
"""Characters of a line; a longer one goes on in the next record."""
REDRAW_SECONDS: Final = 0.25
"""The shortest time between two published states of a line that is redrawn."""


class Redraws:
    """The lines of one thread's output.

    What a carriage return overwrites (a progress bar, a spinner) is folded: a state is given out at
    most every REDRAW_SECONDS, and the last one when the line ends.
    """

    __slots__ = ("_given_out", "_line", "_next", "_state")

    def __init__(self) -> None:
        self._line = ""  # since the last carriage return, unfinished
        self._state: str | None = None  # the newest state that was overwritten, not given out yet
        self._given_out: str | None = None  # the state that was, of this line
        self._next = float("-inf")  # when another one may be

    def feed(self, text: str, now: float) -> list[str]:
        """Take what was printed; return the lines, and states of a line, that are to be told."""
        told: list[str] = []
        *ended, rest = (self._line + text).split("\n")
        self._line = ""
        for line in ended:
            told += self._end(line)
        *states, self._line = self._split(rest)
        told += self._redrawn(states, now)
        *full, self._line = _pieces(self._line)
        return told + full

    def close(self) -> list[str]:
        """Return what no newline has ended."""
        line, self._line = self._line.removesuffix("\r"), ""
        return self._end(line) if line or self._state is not None else []

    def _split(self, text: str) -> list[str]:
        # a carriage return at the end may belong to a newline that comes next
        held, text = ("\r", text[:-1]) if text.endswith("\r") else ("", text)
        *states, line = text.split("\r")
        return [*states, line + held]

    def _redrawn(self, states: list[str], now: float) -> list[str]:
        self._state = next((state for state in reversed(states) if state), self._state)
        if self._state is None or now < self._next:
            return []
        state, self._state = self._state, None
        if state == self._given_out:
            return []
        self._next, self._given_out = now + REDRAW_SECONDS, state
        return [state]

    def _end(self, line: str) -> list[str]:
        """Give out the last state of a line that has ended, unless it was already."""
        states = [state for state in line.split("\r") if state]
        last = states[-1] if states else self._state
        given_out, self._state, self._given_out = self._given_out, None, None
        if last is None:
            return [] if given_out is not None else [""]
        return [] if last == given_out else _pieces(last)


def _pieces(line: str) -> list[str]:
    starts = range(0, max(len(line), 1), MAX_LINE_CHARS)
    return [line[start : start + MAX_LINE_CHARS] for start in starts]

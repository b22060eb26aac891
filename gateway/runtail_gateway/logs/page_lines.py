"""Gather the records of one page on the way through a log, either way. Pure: no I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from runtail_gateway.logs.log_filter import LogFilter

CUT: Final = "page_bytes"
"""Why a page ended before it had what was asked for: the setting's name."""
_ALL = LogFilter()


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much of a log a reader wants: *limit* records that pass *chosen*, each with *context*.

    At most *most_looked* records are looked at for it, and at most *most_bytes* of JSON are shown,
    but one record always.
    """

    limit: int
    most_looked: int
    most_bytes: int
    chosen: LogFilter = _ALL
    context: int = 0


class PageLines:
    """What a page shows. Lines are taken in order, upwards, or downwards (*by* -1).

    Holds no more than it shows, and the context that the next match may need.
    """

    def __init__(self, wanted: Wanted, by: Literal[1, -1] = 1) -> None:
        self.place = 0
        """The seq that the next page begins with; beyond it there is but context."""
        self.bytes = 0
        """Of what is shown."""
        self.cut = False
        """Whether something was left out for its size."""
        self._wanted, self._by = wanted, by
        self.seq = 0
        """Which record the next line is."""
        self._start = 0
        self._matches: list[int] = []
        self._shown: list[bytes] = []
        self._nearby: deque[bytes] = deque(maxlen=wanted.context)
        self._behind = 0  # lines of context that the last match lacks still

    def begin(self, seq: int) -> None:
        """Say that the first line to come is the record *seq*; once it has begun, that is known."""
        if not self._start:
            self._start = self.place = self.seq = seq

    @property
    def looked(self) -> int:
        """How many records were looked at."""
        return abs(self.place - self._start)

    @property
    def whole(self) -> bool:
        """Whether all matches that are wanted were found."""
        return len(self._matches) >= self._wanted.limit

    @property
    def full(self) -> bool:
        """Whether no other line is taken."""
        return self.cut or (self.whole and not self._behind)

    @property
    def room(self) -> int:
        """How many records may still be looked at."""
        left = self._wanted.most_looked - self.looked
        return left if self._wanted.chosen else min(left, self._wanted.limit - len(self._matches))

    @property
    def lines(self) -> list[bytes]:
        """What is shown, ascending."""
        return self._shown[:: self._by]

    @property
    def matches(self) -> list[int]:
        """The seqs that match, ascending."""
        return self._matches[:: self._by]

    @property
    def extent(self) -> tuple[int, int] | None:
        """The lowest and the highest seq that were looked at; None: there was nothing."""
        if not self.looked:
            return None
        first, last = sorted((self._start, self.place - self._by))
        return first, last

    def take(self, lines: Sequence[bytes]) -> None:
        """Look at the next *lines*, at most `room`, until the page is full."""
        if not self._wanted.chosen and self._has_room(sum(map(len, lines))):
            self._take_all(lines)
        else:
            for line in lines:
                if self.full or not self._take(line):
                    return

    def _take_all(self, lines: Sequence[bytes]) -> None:
        """Do at once what `_take` does one by one, ten times as slowly."""
        self._show(*lines)
        self.seq += self._by * len(lines)
        self._matches += range(self.place, self.seq, self._by)
        self.place = self.seq

    def _take(self, line: bytes) -> bool:
        if self.whole:
            return self._take_context(line)
        if self._wanted.chosen and not self._wanted.chosen.keeps(line):
            taken = self._take_context(line)
        else:
            taken = self._take_match(line)
        if taken:
            self.place = self.seq
        return taken

    def _take_match(self, line: bytes) -> bool:
        with_context = len(line) + sum(map(len, self._nearby))
        if self._shown and not self._has_room(with_context):
            self.cut = True
            return False
        while self._nearby and not self._has_room(with_context):
            with_context -= len(self._nearby.popleft())
            self.cut = True
        self._show(*self._nearby, line)
        self._nearby.clear()
        self._matches.append(self.seq)
        self._behind = self._wanted.context
        self.seq += self._by
        return True

    def _take_context(self, line: bytes) -> bool:
        if not self._behind:
            self._nearby.append(line)
        elif self._has_room(len(line)):
            self._show(line)
            self._behind -= 1
        else:
            self.cut = True
            return False
        self.seq += self._by
        return True

    def _has_room(self, size: int) -> bool:
        return self.bytes + size <= self._wanted.most_bytes

    def _show(self, *lines: bytes) -> None:
        self._shown += lines
        self.bytes += sum(map(len, lines))

"""Decide which executions a sweep looks at, at a bounded cost however many there are. Pure: no I/O.

Those that somebody watches here, and three kinds: the newest ones of the index (an execution that
has just begun), a portion of the index that moves on with every sweep (whatever a process that
takes over has never seen, and late records behind an old end), and those that are known to run, in
turn. One that has ended is met again only by the moving portion, which is small once all of the
index was seen: 100,000 finished executions then cost no more than a hundred.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from runtail_broker.executions import Look

_SLOWER = 8  # the moving portion, once the index was seen as a whole


class Rounds:
    """The executions that are known to run, and how far the index was looked through."""

    def __init__(self, portion: int, most_running: int) -> None:
        self.newest, self.portion = portion, portion  # of each part of the index
        self._most = most_running
        self._running: dict[str, None] = {}  # in the order in which they were looked at last
        self._ended: set[str] = set()  # of the newest only
        self.offset = 0

    def choose(
        self, newest: Sequence[str], portion: Sequence[str], watched: Sequence[str] = ()
    ) -> list[str]:
        """Choose whom to look at, each once.

        *newest* and *portion* are read from the index, the latter from `offset` on; an empty one
        ends the round. *watched* may be missing from the index.
        """
        if portion:
            self.offset += self.portion
        else:
            self.offset, self.portion = 0, max(1, self.newest // _SLOWER)
        self._ended &= set(newest)
        fresh = [name for name in newest if name not in self._ended]
        known = list(self._running)[: self._most]
        return list(dict.fromkeys([*known, *fresh, *portion, *watched]))

    def saw(self, chosen: Iterable[str], looks: Iterable[Look]) -> list[Look]:
        """Take what was seen of those that were chosen; one that was not seen does not exist.

        List those that have ended since they were looked at last.
        """
        ran = {name for name in chosen if self._running.pop(name, name) is None}
        ended = []
        for look in looks:
            if look.ended:
                self._ended.add(look.id)
                if look.id in ran:
                    ended.append(look)
            else:
                self._running[look.id] = None
        return ended

    @property
    def running(self) -> dict[str, None]:
        """The executions that are known to run."""
        return self._running

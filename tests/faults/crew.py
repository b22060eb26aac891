"""Workers in processes of their own, which a schedule kills and stops."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.hired import Hired
from tests.faults.line_worker import Link

_MOST = 3  # for one execution: each costs half a second


class Crew:
    """The processes that take part in *execution_id*; at most a few are ever started."""

    def __init__(self, link: Callable[[], Link], execution_id: str) -> None:
        self._link, self._execution_id = link, execution_id
        self.all: list[Hired] = []

    async def somebody(self) -> Hired | None:
        """Find one that lives and goes on, or start one; None if there were enough."""
        for each in self.all:
            if not (each.word.killed or each.stopped):
                return each
        if len(self.all) == _MOST:
            return None
        hired = Hired(self._link(), self._execution_id)
        self.all.append(hired)
        await hired.start()
        return hired

    def go_on(self) -> None:
        """Let all that were stopped go on."""
        for each in self.all:
            if each.stopped and not each.word.killed:
                each.go_on()

"""Remember executions as a list last showed them, within a bound. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from runtail_broker.state import ExecutionState


def shown(state: ExecutionState) -> ExecutionState:
    """Take away what changes with every record: a list does not follow that."""
    return replace(
        state,
        first_seq=0,
        last_seq=0,
        levels={},
        dropped=0,
        records_kept=0,
        bytes_kept=0,
        archived_seq=0,
    )


class Remembered:
    """At most *most* executions that run and as many that have ended, the latest put ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._running: dict[str, ExecutionState] = {}
        self._ended: dict[str, ExecutionState] = {}

    def get(self, name: str) -> ExecutionState | None:
        """Return what was put last, if it is remembered."""
        return self._running.get(name) or self._ended.get(name)

    def put(self, name: str, state: ExecutionState | None) -> None:
        """Remember *state*, or forget *name*."""
        self._running.pop(name, None)
        self._ended.pop(name, None)
        if state is None:
            return
        kept = self._ended if state.ended else self._running
        kept[name] = state
        if len(kept) > self.most:
            del kept[next(iter(kept))]

    def doubtful(self, newest: Sequence[str]) -> list[str]:
        """List what must be read to know it all, given the ids of the newest executions.

        What has ended changes no more: only if it is in the list no longer may it be gone.
        """
        known_and_over = self._ended.keys() & set(newest)
        gone = [name for name in self._ended if name not in known_and_over]
        listed = [name for name in newest if name not in known_and_over]
        running = [name for name in self._running if name not in set(listed)]
        return gone + running + listed  # the newest last, so that they are remembered longest

    def keep(self, newest: Sequence[str]) -> None:
        """Forget what has ended and is not among the newest: nobody looks at it again."""
        wanted = set(newest)
        self._ended = {name: state for name, state in self._ended.items() if name in wanted}

"""Watch the list of executions for all clients of this process: one look for all of them.

Who changes an execution tells it on a channel beside the index; then its state is read, once. As
such a message may be lost, the newest and the running executions are looked at now and then too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

from runtail_broker.changes import tell
from runtail_broker.connections.client import Nodes
from runtail_broker.errors import RuntailError
from runtail_broker.executions import NEWEST, Executions
from runtail_broker.state import ExecutionState
from runtail_gateway.access.auth import Grant
from runtail_gateway.executions.execution_list import ExecutionFilter
from runtail_gateway.executions.remembered import Remembered, shown
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.settings import GatewaySettings

log = logging.getLogger("runtail.gateway")
_TELL_SECONDS = 1.0
_PAUSE_SECONDS: Final = 0.1  # between two looks: what changes meanwhile is read together


async def tell_all(nodes: Nodes, execution_ids: Iterable[str]) -> None:
    """Tell all gateways that these changed; they find out by themselves if that fails."""
    try:
        async with asyncio.timeout(_TELL_SECONDS):
            await tell(nodes, execution_ids)
    except (RuntailError, TimeoutError) as error:
        log.info("watchers of the list were not told: %s", error)


class Reader(Protocol):
    """Who watches; what it may read can change meanwhile."""

    grant: Grant


class Watch:
    """What one client has not been told yet: each execution once, however often it changed.

    When that is more than *most* executions it is all forgotten, and the client begins anew. What
    *reader* may not read is never named to it, nor that it is gone.
    """

    def __init__(self, chosen: ExecutionFilter, reader: Reader, most: int) -> None:
        self._chosen, self._reader, self._most = chosen, reader, most
        self._known: set[str] = set()  # executions that the client was told of
        self._pending: dict[str, ExecutionState | None] = {}
        self._there = asyncio.Event()
        self._too_many = False

    def note(self, name: str, state: ExecutionState | None) -> None:
        """Keep for the client that *name* is as *state* says (None: it is removed)."""
        if state is not None and not self._chosen.of_workflow(state):
            return
        if not self._may_know(name, state):
            return
        # the client may show it, with the status that it had before
        self._pending[name] = state if state is not None and self._chosen.keeps(state) else None
        if len(self._pending) > self._most:
            self._pending.clear()
            self._too_many = True
        self._there.set()

    def begin(self, names: Iterable[str]) -> None:
        """Know that the client is told of *names*, in a page."""
        self._known = set(names)

    def _may_know(self, name: str, state: ExecutionState | None) -> bool:
        grant = self._reader.grant
        if not grant.is_narrow:
            return True
        if state is None:
            return name in self._known
        if not grant.covers(name, state.workflow_id):
            return False
        self._known.add(name)
        if len(self._known) > self._most:
            self._too_many = True
        return True

    async def changes(self) -> dict[str, object] | None:
        """Wait for changes; None if the client must begin anew with a page."""
        await self._there.wait()
        self._there.clear()
        pending, self._pending = self._pending, {}
        if self._too_many:
            self._too_many = False
            return None
        return {
            "executions": [state.json() for state in pending.values() if state is not None],
            "removed": [name for name, state in pending.items() if state is None],
        }


class ListWatch:
    """The executions that changed, for at most so many watches. `run` is its one task.

    *subscribe* asks for the changes, or no more for them.
    """

    def __init__(
        self,
        executions: Executions,
        subscribe: Callable[[bool], Awaitable[None]],
        settings: GatewaySettings,
    ) -> None:
        self._executions, self._subscribe, self._settings = executions, subscribe, settings
        self._watches: set[Watch] = set()
        self._told: set[str] = set()
        self._begin_anew()
        self._woken = asyncio.Event()

    def changed(self, execution_ids: Iterable[str]) -> None:
        """Hear that these changed."""
        if not self._watches:
            return
        self._told.update(execution_ids)
        if len(self._told) > self._settings.list_remembered:
            self._told.clear()
            self._all_due = 0.0
        self._woken.set()

    def look_at_all(self) -> None:
        """Look at the newest and the running ones now: changes may have gone unheard."""
        self._all_due = 0.0
        self._woken.set()

    @asynccontextmanager
    async def watching(self, chosen: ExecutionFilter, reader: Reader) -> AsyncIterator[Watch]:
        """Collect changes while the block lasts; what is read within it is no older than they are.

        Raises Refused for one watch too many.
        """
        most = self._settings.list_watchers
        if len(self._watches) >= most:
            raise Refused(4329, "too_many", f"{most} watch the list, the most allowed", 503)
        watch = Watch(chosen, reader, self._settings.list_remembered)
        self._watches.add(watch)
        self._woken.set()
        try:
            await self._looked.wait()
            yield watch
        finally:
            self._watches.discard(watch)
            self._woken.set()

    async def run(self) -> None:
        """Look whenever something is told, and every `list_seconds` while somebody watches."""
        subscribed = False
        while True:
            await self._due()
            try:
                if bool(self._watches) != subscribed:
                    await self._subscribe(not subscribed)
                    subscribed = not subscribed
                if self._watches:
                    await self._look()
                else:
                    self._begin_anew()
            except RuntailError as error:
                self._all_due = 0.0
                log.info("the list was not looked at: %s", error)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _due(self) -> None:
        if not self._watches:
            await self._woken.wait()
        else:
            wait = max(0.0, self._all_due - time.monotonic())
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._woken.wait()
        self._woken.clear()

    def _begin_anew(self) -> None:
        self._told.clear()
        self._remembered = Remembered(max(1, self._settings.list_remembered // 2))
        self._all_due = 0.0
        self._looked = asyncio.Event()

    async def _look(self) -> None:
        told, self._told = self._told, set()
        names = list(told)
        newest: list[str] | None = None
        if time.monotonic() >= self._all_due:
            self._all_due = time.monotonic() + self._settings.list_seconds
            rows = await self._executions.older(NEWEST, self._remembered.most)
            newest = [name for _, name in reversed(rows)]
            names += [name for name in self._remembered.doubtful(newest) if name not in told]
        states = {state.id: state for state in await self._executions.states(names)}
        for name in names:
            self._compare(name, states.get(name), told=name in told)
        if newest is not None:
            self._remembered.keep(newest)
            self._looked.set()

    def _compare(self, name: str, state: ExecutionState | None, *, told: bool) -> None:
        before = self._remembered.get(name)
        self._remembered.put(name, state)
        if state is None:
            is_news = before is not None or told
        else:
            is_news = before is None or shown(before) != shown(state)
        if is_news and self._looked.is_set():
            for watch in self._watches:
                watch.note(name, state)

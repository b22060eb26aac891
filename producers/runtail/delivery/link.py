"""Find the engine and keep what is known of it: its nodes, its limits, its primaries."""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401 - the client needs it, and at the exit it is too late
import contextlib
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from runtail.settings import PublisherSettings
from runtail_broker.errors import EngineRefused, RuntailError, Unavailable
from runtail_broker.keys import ExecutionKeys, index_of
from runtail_broker.script import Limits

if TYPE_CHECKING:
    from runtail.delivery.http_nodes import HttpNodes, Token
    from runtail_broker.connections.client import Nodes
    from runtail_broker.records.spoken import Bounds

_PASSWORD: Final = re.compile(r"//[^/]*@")
Finder = Callable[[], str | None]

# a child that was forked amid the import would wait for its end for ever
_LOADING: Final = threading.Lock()
os.register_at_fork(
    before=_LOADING.acquire,
    after_in_parent=_LOADING.release,
    after_in_child=_LOADING.release,
)


def _client() -> type[Nodes]:
    """Import the engine's client, which takes longer than all of the SDK, in the thread only."""
    try:
        with _LOADING:
            from runtail_broker.connections.client import Nodes
    except ImportError as error:
        raise Unavailable(f"the engine's client cannot be imported: {error}") from error
    return Nodes


class ExitProofLoop(asyncio.SelectorEventLoop):
    """Resolves names also while the interpreter exits, when no executor takes work any more."""

    async def getaddrinfo(self, *place: Any, **hints: Any) -> Any:
        """Do what the loop always does; block this loop only when that is refused."""
        try:
            return await super().getaddrinfo(*place, **hints)
        except RuntimeError:
            return socket.getaddrinfo(*place, **hints)


class Link:
    """The way to one engine: its own address, or a gateway's, which is shown *token*.

    Use within one event loop; raises what `Nodes` raises.
    """

    def __init__(
        self, find: Finder, settings: PublisherSettings, token: Token | None = None
    ) -> None:
        self._find, self._settings, self._token = find, settings, token
        self._url: str | None = None
        self._nodes: Nodes | HttpNodes | None = None
        self._gateway: HttpNodes | None = None  # the same, if it is one
        self._limits: tuple[float, Limits] | None = None

    async def nodes(self) -> Nodes | HttpNodes:
        """Return the nodes; raise Unavailable while no engine is found."""
        if self._nodes is None:
            self._url = self._find()
            if self._url is None:
                raise Unavailable("no engine is running on this machine, and no URL was given")
            try:
                self._nodes = self._connect(self._url)
            except ValueError as error:
                shown = _PASSWORD.sub("//***@", self._url)
                raise Unavailable(f"{shown!r} is not the URL of an engine: {error}") from error
        return self._nodes

    def _connect(self, url: str) -> Nodes | HttpNodes:
        timeout = self._settings.engine_timeout_seconds
        if url.startswith(("http://", "https://")):
            with _LOADING:
                from runtail.delivery.http_nodes import HttpNodes
            self._gateway = HttpNodes(url, self._token, timeout)
            return self._gateway
        return _client().connect(url, timeout_seconds=timeout)

    async def _direct(self) -> Nodes | None:
        """Return the engine's own nodes; None behind a gateway."""
        nodes = await self.nodes()
        return None if self._gateway is not None else cast("Nodes", nodes)

    @property
    def bounds(self) -> Bounds | None:
        """What the gateway takes; None without one, and before its first answer."""
        return self._gateway.bounds if self._gateway is not None else None

    async def look_again(self) -> None:
        """Leave an engine that does not answer if another one is to be found by now."""
        url = self._find()
        if url is not None and url != self._url:
            await self.close()

    async def limits(self) -> Limits:
        """Return the limits that operators keep in the engine, as of not long ago."""
        now = time.monotonic()
        if self._limits is None or now - self._limits[0] > self._settings.limits_seconds:
            nodes = await self._direct()
            if nodes is None:
                return Limits()  # the gateway knows them, and trusts nobody's
            try:
                self._limits = now, await nodes.limits()
            except Unavailable:
                if self._limits is None:
                    raise  # else those of before count: the node that has them may be away for long
            except (ValueError, TypeError):
                self._limits = now, Limits()  # somebody's typing error must not stop the workers
        return self._limits[1]

    async def list(self, execution_id: str) -> None:
        """List the execution in its index; keeps the time of an earlier listing."""
        key, now_ms = index_of(execution_id), time.time() * 1000
        nodes = await self._direct()
        if nodes is None:
            return  # the gateway does it
        await nodes.at(key, lambda node: node.zadd(key, {execution_id: int(now_ms)}, nx=True))

    async def tell(self, execution_ids: Iterable[str]) -> None:
        """Tell who watches the list that *execution_ids* changed."""
        nodes = await self._direct()
        if nodes is None:
            return  # the gateway does it
        from runtail_broker.changes import tell

        await tell(nodes, execution_ids)

    async def primaries(self, execution_ids: Sequence[str]) -> Sequence[str | RuntailError]:
        """Name the server that is primary now for each of these executions, which one node serves.

        '' where servers have no name; an error for what a gateway does not let this worker ask.
        """
        nodes = await self._direct()
        if nodes is not None:
            return [await self._primary(nodes, execution_ids[0])] * len(execution_ids)
        assert self._gateway is not None
        # in most cases nobody is refused, and the first answer goes for all
        first, *others = execution_ids
        (answer,) = await self._gateway.primaries([first])
        if isinstance(answer, Unavailable):
            raise answer
        if isinstance(answer, str):
            return [answer] * len(execution_ids)
        return [answer, *await self._gateway.primaries(others)]

    async def _primary(self, nodes: Nodes, execution_id: str) -> str:
        key = ExecutionKeys.of(execution_id).state
        try:
            info = await nodes.at(key, lambda node: node.info("server"))
        except EngineRefused:
            return ""
        return str(info.get("run_id", ""))

    async def close(self) -> None:
        """Close all connections, as far as the engine is still there to hear of it."""
        nodes, self._nodes, self._limits = self._nodes, None, None
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            await gateway.close()
        elif nodes is not None:
            from redis.exceptions import RedisError

            with contextlib.suppress(RedisError, OSError):
                await nodes.close()

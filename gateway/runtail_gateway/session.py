"""Who is at the other end of an open connection, and for how long."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final

from runtail_gateway.allowance import Allowance
from runtail_gateway.auth import Grant, Scope, expired, forbidden
from runtail_gateway.message import Message, plain
from runtail_gateway.refused import Refused

_LONGEST_SLEEP_SECONDS: Final = 30.0  # a machine that slept must notice what it slept through
Check = Callable[[Grant, Scope, str], Awaitable[None]]
Verify = Callable[[str], Awaitable[Grant]]


class Session:
    """One connection's grant, enforced while `lasting`, renewed by `renew`.

    *check* raises Refused where the grant does not reach, *verify* for a token that is none.
    """

    __slots__ = ("_allowance", "_check", "_leeway_seconds", "_limit", "_timer", "_verify", "grant")

    def __init__(
        self,
        grant: Grant,
        check: Check,
        verify: Verify | None,
        *,
        leeway_seconds: float,
        renewals: int,
    ) -> None:
        self.grant = grant
        self._check, self._verify, self._leeway_seconds = check, verify, leeway_seconds
        self._allowance = Allowance(renewals, time.monotonic())
        self._limit: asyncio.Timeout | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def require(self, scope: Scope, execution_id: str) -> None:
        """Raise Refused unless this connection may do *scope* with *execution_id*, now."""
        await self._check(self.grant, scope, execution_id)

    def lasting(self) -> AbstractAsyncContextManager[None]:
        """Let the block run while the grant lasts; raise Refused when it has expired.

        The block is cancelled then, as by `asyncio.timeout`. Costs nothing where nobody signs in.
        """
        return nullcontext() if self._verify is None else self._lasting()

    @asynccontextmanager
    async def _lasting(self) -> AsyncIterator[None]:
        limit: asyncio.Timeout | None = None
        try:
            async with asyncio.timeout(None) as limit:
                self._limit = limit
                self._look()
                yield
        except TimeoutError as error:
            if limit is None or not limit.expired():
                raise
            raise expired("the token has expired, expected a new one in time") from error
        finally:
            self._limit = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    async def renew(self, token: str, watched: Sequence[str]) -> Message:
        """Go on under *token*; return the answer. All that is *watched* must stay allowed.

        A token that will not do is told in the answer, and the one before stays in force. Raises
        Refused for who tries too often.
        """
        if not self._allowance.take(time.monotonic()):
            raise Refused(4408, "too_many_messages", "more new tokens than the gateway takes")
        if self._verify is None:
            return told(self.grant)
        try:
            grant = await self._verify(token)
            if grant.subject != self.grant.subject:
                raise forbidden("the token is somebody else's, expected one of the same sub")
            for execution_id in watched:
                await self._check(grant, "read", execution_id)
        except Refused as refused:
            return plain("auth", {"code": refused.code, "message": refused.message})
        self.grant = grant
        self._look()
        return told(grant)

    def _look(self) -> None:
        """End the block if the time is over, else look again before it is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._limit is None or self._limit.expired() or self.grant.expires_at == math.inf:
            return
        loop = asyncio.get_running_loop()
        left = self.grant.expires_at + self._leeway_seconds - time.time()
        if left <= 0:
            self._limit.reschedule(loop.time())
        else:
            self._timer = loop.call_later(min(left, _LONGEST_SLEEP_SECONDS), self._look)


def told(grant: Grant) -> Message:
    """Say until when *grant* lasts: seconds since 1970, or null."""
    at = None if grant.expires_at == math.inf else int(grant.expires_at)
    return plain("auth", {"expires_at": at})

"""Who is at the other end of an open connection, and for how long."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final

from runtail_broker.connections.ending import end
from runtail_gateway.access.allowance import Allowance
from runtail_gateway.access.auth import Grant, Scope, expired, forbidden
from runtail_gateway.protocol.message import Message, plain
from runtail_gateway.protocol.refused import Refused

_LONGEST_SLEEP_SECONDS: Final = 30.0  # a machine that slept must notice what it slept through
Check = Callable[[Grant, Scope, str], Awaitable[None]]
Verify = Callable[[str], Awaitable[Grant]]
Tell = Callable[[Message], Awaitable[None]]


class Session:
    """One connection's grant, enforced while `lasting`, renewed by `renew`.

    *check* raises Refused where the grant does not reach, *verify* for a token that is none.
    """

    __slots__ = (
        "_allowance",
        "_check",
        "_leeway_seconds",
        "_limit",
        "_notice",
        "_notice_seconds",
        "_tell",
        "_telling",
        "_timer",
        "_verify",
        "grant",
    )

    def __init__(
        self,
        grant: Grant,
        check: Check,
        verify: Verify | None,
        *,
        leeway_seconds: float,
        notice_seconds: float,
        renewals: int,
    ) -> None:
        self.grant = grant
        self._check, self._verify, self._leeway_seconds = check, verify, leeway_seconds
        self._allowance = Allowance(renewals, time.monotonic())
        self._limit: asyncio.Timeout | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._notice_seconds = notice_seconds
        self._notice: float | None = None  # how long before the end it is told; None: it was
        self._tell: Tell | None = None
        self._telling: asyncio.Task[None] | None = None

    async def require(self, scope: Scope, execution_id: str) -> None:
        """Raise Refused unless this connection may do *scope* with *execution_id*, now."""
        await self._check(self.grant, scope, execution_id)

    def lasting(self, tell: Tell | None = None) -> AbstractAsyncContextManager[None]:
        """Let the block run while the grant lasts; raise Refused when it has expired.

        The block is cancelled then, as by `asyncio.timeout`. *tell*, which never raises, is given
        `expiring` before: `notice_seconds` earlier, or after half of what is left of a grant that
        is shorter, so that who renews at once does not renew all the time. Costs nothing where
        nobody signs in.
        """
        return nullcontext() if self._verify is None else self._lasting(tell)

    @asynccontextmanager
    async def _lasting(self, tell: Tell | None) -> AsyncIterator[None]:
        limit: asyncio.Timeout | None = None
        try:
            async with asyncio.timeout(None) as limit:
                self._limit, self._tell = limit, tell
                self._begin()
                yield
        except TimeoutError as error:
            if limit is None or not limit.expired():
                raise
            raise expired("the token has expired, expected a new one in time") from error
        finally:
            self._limit = self._tell = None
            self._stop_timer()
            if self._telling is not None:
                await end(self._telling)

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
        self._begin()
        return told(grant)

    def _begin(self) -> None:
        """Enforce the grant from now on."""
        self._notice = None if self._tell is None else min(self._notice_seconds, self._left() / 2)
        self._look()

    def _look(self) -> None:
        """End the block if the time is over, else tell that it soon is, and look again before."""
        self._stop_timer()
        if self._limit is None or self._limit.expired() or self.grant.expires_at == math.inf:
            return
        loop, left = asyncio.get_running_loop(), self._left()
        if left <= 0:
            self._limit.reschedule(loop.time())
            return
        if self._notice is not None and left <= self._notice:
            self._notice = None
            self._telling = asyncio.create_task(self._tell_of(left))
        wait = left - (self._notice or 0.0)
        self._timer = loop.call_later(min(wait, _LONGEST_SLEEP_SECONDS), self._look)

    async def _tell_of(self, left: float) -> None:
        if self._tell is not None:
            await self._tell(plain("expiring", {"remaining_ms": int(left * 1000)}))

    def _left(self) -> float:
        """How many seconds the connection may still last."""
        return self.grant.expires_at + self._leeway_seconds - time.time()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def told(grant: Grant) -> Message:
    """Say until when *grant* lasts: seconds since 1970, or null."""
    at = None if grant.expires_at == math.inf else int(grant.expires_at)
    return plain("auth", {"expires_at": at})

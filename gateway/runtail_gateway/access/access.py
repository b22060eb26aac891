"""Ask of every request who makes it and whether they may: one object for all endpoints.

An endpoint needs one line: `await access.require(request, "read", execution_id)` over HTTP,
`await session.require("read", execution_id)` on an open WebSocket. Both raise `Refused`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

import orjson
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect

from runtail_broker.executions import Executions
from runtail_broker.keys import checked
from runtail_gateway.access.auth import (
    ANYONE,
    Grant,
    Scope,
    lacks_execution,
    lacks_scope,
    signed_out,
)
from runtail_gateway.access.auth_settings import AuthSettings
from runtail_gateway.access.jwks import KeySet
from runtail_gateway.access.share import PARAMETER, ShareLinks
from runtail_gateway.access.sign_ins import SignIns
from runtail_gateway.access.tokens import SharedSecret, Tokens
from runtail_gateway.protocol.message import Message
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.viewers.session import Session, told

Answer = Callable[[Message], Awaitable[None]]
SUBPROTOCOL: Final = "runtail.v1"
_TOKEN_PREFIX: Final = "runtail.token."
_EXPECTED: Final = '{"type": "auth", "token": "…"}'
_NOBODY: Final = "no token came, expected the header `Authorization: Bearer …`"


class Access:
    """Who may do what at this gateway. Use as an async context manager, within one event loop."""

    def __init__(self, settings: GatewaySettings, executions: Executions) -> None:
        self._executions, self._auth = executions, settings.auth
        self._renewals = settings.client_messages
        self._stack = AsyncExitStack()
        self._keys: KeySet | None = None
        self.tokens: Tokens | None = None
        self.links: ShareLinks | None = None
        if self._auth is not None:
            self._sign_ins = SignIns(settings, self._auth.failures_per_minute)
            self._set_up(self._auth)

    def _set_up(self, auth: AuthSettings) -> None:
        self._keys = KeySet(auth) if auth.jwks_url else None
        self.tokens = Tokens(self._keys or SharedSecret(auth.secret), auth)
        self.links = ShareLinks(auth)

    async def __aenter__(self) -> Access:
        if self._keys is not None:
            await self._stack.enter_async_context(self._keys)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def keys_age_seconds(self) -> float:
        """How long ago the keys that sign tokens were fetched; 0 where there is a secret."""
        return 0.0 if self._keys is None else self._keys.age_seconds()

    # --- over HTTP ------------------------------------------------------------------------------

    async def require(
        self,
        connection: HTTPConnection,
        scope: Scope,
        execution_id: str | None = None,
        *,
        workflow_id: str | None = None,
    ) -> Grant:
        """Return what *connection* may; raise Refused unless that is *scope* of *execution_id*.

        Without an id it is the scope alone: what is shown must pass `Grant.covers` then.
        *workflow_id* is that of an execution which is about to be opened, and may not exist.
        """
        grant = await self._grant(connection)
        if grant is None:
            raise signed_out(_NOBODY)
        if execution_id is None:
            if not grant.has(scope):
                raise lacks_scope(scope)
        else:
            await self.check(grant, scope, execution_id, workflow_id=workflow_id)
        return grant

    async def check(
        self,
        grant: Grant,
        scope: Scope,
        execution_id: str,
        *,
        workflow_id: str | None = None,
    ) -> None:
        """Raise Refused unless *grant* allows *scope* of *execution_id*, which may not exist.

        Where workflows are named, an execution that does not exist is refused like one of another
        workflow, unless *workflow_id* says which it will be of. Reads the state for those only.
        """
        if not grant.has(scope):
            raise lacks_scope(scope)
        if not grant.names(execution_id):
            raise lacks_execution(scope, execution_id)
        if grant.workflows is None:
            return
        state = await self._executions.state(checked(execution_id))
        workflow = workflow_id if state is None else state.workflow_id
        if not grant.covers(execution_id, workflow):
            raise lacks_execution(scope, execution_id)

    def session(self, connection: HTTPConnection, grant: Grant) -> Session:
        """Begin what is enforced as long as *connection* is open."""
        return Session(
            grant,
            self.check,
            None if self.tokens is None else partial(self._verified, _address(connection)),
            leeway_seconds=self._auth.leeway_seconds if self._auth else 0.0,
            notice_seconds=self._auth.expiry_notice_seconds if self._auth else 0.0,
            renewals=self._renewals,
        )

    # --- over WebSockets ------------------------------------------------------------------------

    async def sign_in(self, socket: WebSocket, answer: Answer) -> Session:
        """Find out who has opened *socket*: by header, subprotocol, share link or first message.

        Waits for the message, and gives it its *answer*, only if there was nothing else. Raises
        Refused.
        """
        grant = await self._grant(socket)
        if grant is None:
            grant = await self._first_message(socket)
            await answer(told(grant))
        return self.session(socket, grant)

    async def _first_message(self, socket: WebSocket) -> Grant:
        assert self._auth is not None
        seconds = self._auth.wait_seconds
        try:
            async with asyncio.timeout(seconds):
                message = await socket.receive()
        except TimeoutError as error:
            raise signed_out(f"no token came within {seconds:g} s, expected {_EXPECTED}") from error
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(int(message.get("code") or 1005))
        token = token_of(message)
        if token is None:
            raise signed_out(f"the first message is no sign-in, expected {_EXPECTED}")
        return await self._verified(_address(socket), token)

    # --- both -----------------------------------------------------------------------------------

    async def _grant(self, connection: HTTPConnection) -> Grant | None:
        """Read what came with *connection*; None if nothing did. Raises Refused."""
        if self.tokens is None or self.links is None:
            return ANYONE
        token = _bearer(connection) or _subprotocol_token(connection)
        if token is not None:
            return await self._verified(_address(connection), token)
        link = connection.query_params.get(PARAMETER)
        if link is not None and "execution_id" in connection.path_params:
            with self._sign_ins.attempt(_address(connection), link):
                return self.links.grant(link)
        return None

    async def _verified(self, address: str | None, token: str) -> Grant:
        assert self.tokens is not None
        with self._sign_ins.attempt(address, token):
            return await self.tokens.grant(token)


def _address(connection: HTTPConnection) -> str | None:
    return connection.client.host if connection.client else None


def token_of(message: Any) -> str | None:
    """Read the token of an `auth` message as ASGI brings it; None if it is no such message."""
    try:
        said = orjson.loads(message.get("text") or "")
    except orjson.JSONDecodeError:
        return None
    if not isinstance(said, dict) or said.get("type") != "auth":
        return None
    token = said.get("token")
    return token if isinstance(token, str) else None


def subprotocol_of(socket: WebSocket, spoken: Sequence[str]) -> str | None:
    """Name the first of *spoken* that *socket* offers: never the one that carries a token."""
    return next((name for name in spoken if name in _offered(socket)), None)


def _bearer(connection: HTTPConnection) -> str | None:
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _subprotocol_token(connection: HTTPConnection) -> str | None:
    tokens = [each for each in _offered(connection) if each.startswith(_TOKEN_PREFIX)]
    return tokens[0].removeprefix(_TOKEN_PREFIX) if tokens else None


def _offered(connection: HTTPConnection) -> Sequence[str]:
    offered: Sequence[str] = connection.scope.get("subprotocols", ())
    return offered

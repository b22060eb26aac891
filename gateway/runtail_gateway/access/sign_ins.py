"""Bound how often one address may fail to sign in, without harm to who succeeds there.

Behind one address may be a whole office, and in it one script with a wrong token. So only failures
are counted, and only what fails is refused (429, close 4329): a token that is valid lets in,
whatever its neighbours send. For that it must be verified, which costs something too; so beyond
ten times the bound what is brought from there is not even looked at, unless that very token was
valid at this process before. Only then can somebody with a valid token be told to come again, who
has never been here, while hundreds of forged ones a minute come from the same address.

Counted is what was never a token of this gateway. One that has expired was, its client is told so
and needs to know; whoever brings no token at all has tried nothing, and costs no verification.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Final

from runtail_gateway.access.addresses import Counted
from runtail_gateway.access.allowance import Allowances
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.settings import GatewaySettings

_LOOKED_AT: Final = 10  # times the bound: what is verified for an address that is beyond it


class SignIns:
    """Every attempt to sign in at this process, counted by the address that it came from."""

    def __init__(self, settings: GatewaySettings, failures_per_minute: int) -> None:
        table = settings.client_table
        self._most, self._table = failures_per_minute, table
        self._counted = Counted(settings.exempt_addresses)
        self._failures = Allowances(failures_per_minute, table)
        self._looks = Allowances(failures_per_minute * _LOOKED_AT, table)
        self._valid: dict[bytes, None] = {}

    @contextmanager
    def attempt(self, address: str | None, token: str) -> Iterator[None]:
        """Let the block verify *token*, which came from *address*; raise Refused if it may not.

        A `signed_out` that the block raises counts as a failure; beyond the bound it becomes
        `too_many`.
        """
        client = self._counted.client(address)
        self._require_look(client, token)
        try:
            yield
        except Refused as refused:
            if refused.code == "signed_out" and not self._may_fail(client):
                raise self._too_many(client) from refused
            raise
        if client is not None:
            self._remember(token)

    def _require_look(self, client: str | None, token: str) -> None:
        now = time.monotonic()
        if client is None or not self._failures.used_up(client, now):
            return
        if _digest(token) not in self._valid and not self._looks.take(client, now):
            raise self._too_many(client)

    def _may_fail(self, client: str | None) -> bool:
        return client is None or self._failures.take(client, time.monotonic())

    def _remember(self, token: str) -> None:
        """Know *token* again: not what it grants, which is verified each time."""
        digest = _digest(token)
        self._valid.pop(digest, None)
        self._valid[digest] = None
        if len(self._valid) > self._table:
            del self._valid[next(iter(self._valid))]

    def _too_many(self, client: str | None) -> Refused:
        told = f"{self._most} failed sign-ins a minute from {client}, the most allowed"
        return Refused(4329, "too_many", told, 429)


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()

"""Keep the public keys of whoever signs tokens: fetched, bounded, rotated (RFC 7517).

A fetch runs in a thread of its own, one at a time. What it brings replaces all keys; when it fails,
those that are here stay. A token that names an unknown key makes the next fetch come early, but
never more often than the settings allow.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from typing import Any, Final

import jwt

from runtail_broker.connections.ending import end
from runtail_gateway.access.auth import signed_out
from runtail_gateway.access.auth_settings import AuthSettings
from runtail_gateway.access.tokens import Key
from runtail_gateway.protocol.refused import Refused

log = logging.getLogger("runtail.gateway")
_MOST_KEYS: Final = 100
_ODD: Final = (TypeError, ValueError, NotImplementedError)
_CHUNK_BYTES: Final = 64 * 1024


class KeysUnreadable(ValueError):
    """What the address answered is no set of public keys."""


def public_keys(body: bytes, algorithms: tuple[str, ...]) -> list[jwt.PyJWK]:
    """Read a key set; raise KeysUnreadable if it holds no key that verifies by *algorithms*.

    Keys of other kinds are left out: a symmetric one among them would let anybody sign who can
    read the address.
    """
    try:
        listed = json.loads(body)["keys"]
        found = [_key(each, algorithms) for each in listed[:_MOST_KEYS]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise KeysUnreadable(f"the answer is no key set: {error!r}") from error
    keys = [key for key in found if key is not None]
    if not keys:
        raise KeysUnreadable(f"none of {len(found)} keys is a public one for {algorithms}")
    return keys


def _key(listed: Any, algorithms: tuple[str, ...]) -> jwt.PyJWK | None:
    if not isinstance(listed, dict):
        return None
    try:
        if listed.get("use", "sig") != "sig" or "verify" not in listed.get("key_ops", ["verify"]):
            return None
        key = jwt.PyJWK(listed)
    except (jwt.PyJWTError, ArithmeticError, AttributeError, LookupError, *_ODD):
        return None  # of a kind that nobody here knows
    return key if key.algorithm_name in algorithms else None


class KeySet:
    """The keys at one address. Use as an async context manager, within one event loop."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._keys: list[jwt.PyJWK] = []
        self._wanted = asyncio.Event()
        self._fetched: asyncio.Future[None] | None = None
        self._began = -float("inf")
        self._trouble = ""
        self._known_at = time.monotonic()  # or when it began, while none are known

    def age_seconds(self) -> float:
        """How long ago the keys were last fetched; since the start if they never were."""
        return time.monotonic() - self._known_at

    async def __aenter__(self) -> KeySet:
        self._task = asyncio.create_task(self._keep())
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._task)

    async def of(self, kid: str | None) -> tuple[Key, str]:
        """Find the key named *kid*; None finds the only one. Raises Refused, soon.

        Without any key yet that is 503: whether the token is good cannot be told.
        """
        key = self._find(kid)
        if key is None:
            await self._next_fetch()
            key = self._find(kid)
        if key is not None:
            return key, key.algorithm_name
        if not self._keys:
            raise Refused(4330, "unavailable", "the keys that sign tokens are not known yet", 503)
        if kid is None:
            raise signed_out(f"the token names none of {len(self._keys)} keys (kid)")
        raise signed_out("the token names a key (kid) that its issuer does not have")

    def _find(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.key_id == kid), None)

    async def _next_fetch(self) -> None:
        """Wait for the fetch that runs, or the next one if it may begin now."""
        if self._fetched is None:
            if time.monotonic() - self._began < self._settings.jwks_retry_seconds:
                return
            self._fetched = asyncio.get_running_loop().create_future()
            self._wanted.set()
        await asyncio.wait([self._fetched], timeout=self._settings.jwks_timeout_seconds)

    async def _keep(self) -> None:
        """Fetch, now and again, until cancelled."""
        settings = self._settings
        while True:
            self._wanted.clear()
            self._began = time.monotonic()
            good = await self._fetch()
            pause = settings.jwks_refresh_seconds * random.uniform(0.9, 1.1)
            wait_at_least = settings.jwks_retry_seconds - (time.monotonic() - self._began)
            try:
                async with asyncio.timeout(pause if good else max(wait_at_least, 0)):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def _fetch(self) -> bool:
        if self._fetched is None:
            self._fetched = asyncio.get_running_loop().create_future()
        try:
            body = await in_thread(lambda: fetch(self._settings))
            self._keys = public_keys(body, self._settings.jwks_algorithms)
            self._known_at = time.monotonic()
            self._tell("")
            return True
        except (OSError, HTTPException, ValueError) as error:
            self._tell(f"{error}")
            return False
        finally:
            self._fetched.set_result(None)
            self._fetched = None

    def _tell(self, trouble: str) -> None:
        """Log *trouble*, and its end, once: an address may be away all night."""
        if trouble and trouble != self._trouble:
            kept = f"{len(self._keys)} older ones are kept"
            log.warning("keys of %s: %s; %s", self._settings.jwks_url, trouble, kept)
        elif self._trouble and not trouble:
            log.warning("keys of %s: known again", self._settings.jwks_url)
        self._trouble = trouble


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Whose keys are believed is what the settings say, not what an answer says."""

    def redirect_request(self, *_: object) -> None:
        return None


def fetch(settings: AuthSettings) -> bytes:
    """Read what the address answers; blocks. Raises OSError, HTTPException or KeysUnreadable."""
    opener = urllib.request.build_opener(_NoRedirect)
    request = urllib.request.Request(settings.jwks_url, headers={"Accept": "application/json"})
    deadline = time.monotonic() + settings.jwks_timeout_seconds
    try:
        with opener.open(request, timeout=settings.jwks_timeout_seconds) as answer:
            return _read(answer, settings.jwks_bytes, deadline)
    except urllib.error.HTTPError as error:
        with error:  # it holds the connection
            raise OSError(f"HTTP {error.code}") from error


def _read(answer: HTTPResponse, most: int, deadline: float) -> bytes:
    body = bytearray()
    while part := answer.read1(_CHUNK_BYTES):
        body += part
        if len(body) > most:
            raise KeysUnreadable(f"the answer is longer than {most} bytes")
        if time.monotonic() > deadline:
            raise TimeoutError("the answer was not whole in time")
    return bytes(body)


async def in_thread(call: Callable[[], bytes]) -> bytes:
    """Run *call* in a thread that never holds up the end of the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def settle(act: Callable[[Any], None], value: object) -> None:
        if not done.done():
            act(value)

    def run() -> None:
        try:
            outcome = (done.set_result, call())
        except Exception as error:  # noqa: BLE001 - it is raised where it is awaited
            outcome = (done.set_exception, error)  # type: ignore[assignment]
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits
            loop.call_soon_threadsafe(settle, *outcome)

    threading.Thread(target=run, daemon=True, name="runtail-keys").start()
    return await done

"""An issuer's public keys: fetched, bounded, rotated, kept while their address is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.conftest import QUICK
from tests.gateway.running import running
from tests.gateway.signing import SECRET, Issuer, KeyServer, key_set
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_gateway.access.auth_settings import ALGORITHMS, AuthSettings
from runtail_gateway.access.jwks import KeySet, KeysUnreadable, fetch, public_keys
from runtail_gateway.access.tokens import Tokens
from runtail_gateway.protocol.refused import Refused

OLD, NEW = Issuer("old"), Issuer("new")
JWKS = {algorithm: Issuer.of("odd", algorithm).jwk for algorithm in ALGORITHMS}


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    with KeyServer(key_set(OLD.jwk)).serving() as server:
        yield server


def settings_of(keys: KeyServer, **more: Any) -> AuthSettings:
    quick = {"jwks_url": keys.url, "jwks_retry_seconds": 0.01, "jwks_timeout_seconds": 5.0}
    return AuthSettings(**{**quick, **more})


async def another_fetch_may_begin(known: KeySet) -> None:
    await soon(lambda: time.monotonic() - known._began > 0.01, "another fetch may begin")


async def refusal(key_set: KeySet, kid: str | None) -> Refused:
    with pytest.raises(Refused) as raised:
        await key_set.of(kid)
    return raised.value


# --- which keys are believed ---------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_public_key_brings_its_algorithm(algorithm: str) -> None:
    jwk = Issuer.of("k", algorithm).jwk
    (key,) = public_keys(key_set(jwk), ALGORITHMS)
    assert (key.key_id, key.algorithm_name) == ("k", algorithm)


@pytest.mark.parametrize(
    "odd",
    [
        {"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "new"},
        {"kty": "oct", "k": "c2VjcmV0" * 8, "kid": "new", "alg": "EdDSA"},
        {"use": "enc"},
        {"key_ops": ["encrypt"]},
        {"crv": "Ed1"},
        {"alg": "HS256"},
        {"alg": "none"},
        {"x": None},
    ],
    ids=str,
)
def test_a_key_of_another_kind_is_left_out(odd: dict[str, Any]) -> None:
    listed = odd if odd.get("kty") == "oct" else {**NEW.jwk, **odd}
    (key,) = public_keys(key_set(listed, OLD.jwk), ALGORITHMS)
    assert key.key_id == "old"
    with pytest.raises(KeysUnreadable, match="none of 1 keys is a public one"):
        public_keys(key_set(listed), ALGORITHMS)


def test_a_key_for_an_algorithm_that_the_settings_do_not_name_is_left_out() -> None:
    with pytest.raises(KeysUnreadable):
        public_keys(key_set(OLD.jwk), ("RS256",))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"keys": 3}', b"[" * 90_000])
def test_an_answer_that_is_no_key_set_is_told(body: bytes) -> None:
    with pytest.raises(KeysUnreadable):
        public_keys(body, ALGORITHMS)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
NAMES = st.sampled_from(["kty", "crv", "alg", "use", "key_ops", "n", "e", "x", "y", "d", "k"])


@given(st.sampled_from(ALGORITHMS), st.dictionaries(NAMES, JSON, min_size=1, max_size=3))
def test_whatever_a_key_says_never_stops_the_others(algorithm: str, odd: dict[str, Any]) -> None:
    keys = public_keys(key_set({**JWKS[algorithm], **odd}, OLD.jwk), ALGORITHMS)
    assert keys[-1].key_id == "old"


# --- the address ---------------------------------------------------------------------------------


def test_an_answer_that_is_too_long_is_not_read(keys: KeyServer) -> None:
    with pytest.raises(KeysUnreadable, match="longer than 10 bytes"):
        fetch(settings_of(keys, jwks_bytes=10))


def test_a_redirect_is_not_followed(keys: KeyServer) -> None:
    keys.status, keys.headers = 302, {"Location": keys.url}
    with pytest.raises(OSError, match="302"):
        fetch(settings_of(keys))
    assert keys.asked == 1


def test_an_answer_that_takes_too_long_is_given_up(keys: KeyServer) -> None:
    keys.seconds = 0.5
    with pytest.raises(TimeoutError):
        fetch(settings_of(keys, jwks_timeout_seconds=0.1))


# --- over time -----------------------------------------------------------------------------------


async def test_a_token_that_names_no_key_means_the_only_one(keys: KeyServer) -> None:
    async with KeySet(settings_of(keys)) as known:
        assert (await known.of(None))[1] == "EdDSA"
        keys.body = key_set(OLD.jwk, NEW.jwk)
        await another_fetch_may_begin(known)
        await known.of("new")
        assert (await refusal(known, None)).message == "the token names none of 2 keys (kid)"


async def test_a_new_key_is_fetched_when_a_token_names_it(keys: KeyServer) -> None:
    async with KeySet(settings_of(keys)) as known:
        tokens = Tokens(known, settings_of(keys))
        await tokens.grant(OLD.token())
        keys.body = key_set(NEW.jwk)
        await another_fetch_may_begin(known)
        assert (await tokens.grant(NEW.token())).subject == "ann"
        refused = await refusal(known, "old")  # withdrawn: its tokens are worth nothing
        assert (refused.close_code, refused.status) == (4401, 401)


async def test_unknown_keys_do_not_make_it_fetch_all_the_time(keys: KeyServer) -> None:
    async with KeySet(settings_of(keys, jwks_retry_seconds=60.0)) as known:
        await known.of("old")
        for number in range(50):
            await refusal(known, f"made-up-{number}")
    assert keys.asked == 1


async def test_many_tokens_wait_for_one_fetch(keys: KeyServer) -> None:
    keys.seconds = 0.05
    async with KeySet(settings_of(keys)) as known:
        found = await asyncio.gather(*(known.of("old") for _ in range(20)))
    assert (len(found), keys.asked) == (20, 1)


async def test_keys_stay_when_their_address_goes_away(keys: KeyServer) -> None:
    async with KeySet(settings_of(keys, jwks_refresh_seconds=0.02)) as known:
        await known.of("old")
        keys.status = 500
        before = keys.asked
        await soon(lambda: keys.asked > before + 2, "it tries again")
        assert (await known.of("old"))[1] == "EdDSA"


async def test_a_key_that_is_withdrawn_goes_without_anybody_asking(keys: KeyServer) -> None:
    async with KeySet(settings_of(keys, jwks_refresh_seconds=0.02)) as known:
        await known.of("old")
        keys.body = key_set(NEW.jwk)
        await soon(lambda: [key.key_id for key in known._keys] == ["new"], "it is replaced")


async def test_a_token_waits_for_keys_no_longer_than_the_settings_say(keys: KeyServer) -> None:
    keys.seconds = 2.0
    async with KeySet(settings_of(keys, jwks_timeout_seconds=0.1)) as known:
        began = time.monotonic()
        refused = await refusal(known, "old")
    assert time.monotonic() - began < 1.0
    assert (refused.close_code, refused.status) == (4330, 503)


async def test_an_address_that_drips_holds_up_no_token(keys: KeyServer) -> None:
    keys.drips = True  # each byte comes in time, the whole never
    async with KeySet(settings_of(keys, jwks_timeout_seconds=0.1)) as known:
        began = time.monotonic()
        assert (await refusal(known, "old")).status == 503
        assert time.monotonic() - began < 0.4


async def test_a_gateway_starts_without_its_issuer_and_serves_when_it_is_back(
    engine_url: str, worker: Worker
) -> None:
    await worker.open()
    server = KeyServer(b"")
    auth = settings_of(server, jwks_retry_seconds=0.05)
    headers = {"Authorization": f"Bearer {OLD.token()}"}
    with server.serving():
        server.status = 500
        async with running(replace(QUICK, auth=auth), engine_url) as gateway:
            url = f"{gateway.address}/executions/{worker.execution_id}"
            async with gateway.http.get(url, headers=headers) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
            path = f"{gateway.address}/ws/executions/{worker.execution_id}/logs"
            async with gateway.http.ws_connect(path, headers=headers) as socket:
                error = orjson.loads((await socket.receive()).data)
                assert (error["code"], (await socket.receive()).data) == ("unavailable", 4330)
            server.status, server.body = 200, key_set(OLD.jwk)
            before = server.asked
            await soon(lambda: server.asked > before, "it asks again")
            async with gateway.http.get(url, headers=headers) as answer:
                assert answer.status == 200


async def test_what_happens_to_keys_is_logged_without_any(
    keys: KeyServer, caplog: pytest.LogCaptureFixture
) -> None:
    keys.body = key_set({"kty": "oct", "k": SECRET})
    async with KeySet(settings_of(keys)) as known:
        await refusal(known, "old")
    assert "none of 1 keys is a public one" in caplog.text
    assert SECRET not in caplog.text

"""Tokens that somebody made up, tried at every door of a gateway."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.gateway.access.test_tokens import RSA, unsigned, with_public_key_as_secret
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, SECRET, KeyServer, bearer, key_set, token
from tests.gateway.talking import logs_of, talking
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_gateway.access.tokens import sign


@pytest.fixture
async def signed(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    """A gateway that believes tokens of one secret."""
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        yield gateway


@pytest.fixture
async def keyed(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    """A gateway that believes tokens of an issuer's public key."""
    with KeyServer(key_set(RSA.jwk)).serving() as keys:
        auth = replace(AUTH, secret="", jwks_url=keys.url)
        async with running(replace(QUICK, auth=auth), engine_url) as gateway:
            yield gateway


async def refusals(gateway: Running, name: str, text: str) -> set[tuple[int, str]]:
    """How *text* is refused at every door: statuses, and close codes, each with its code."""
    headers = {"Authorization": f"Bearer {text}"}
    found: set[tuple[int, str]] = set()
    for method, path in (
        ("GET", f"/executions/{name}/logs"),
        ("GET", f"/executions/{name}/events"),
        ("GET", "/executions"),
        ("GET", "/metrics"),
        ("POST", f"/executions/{name}/logs"),
        ("POST", f"/executions/{name}/cancel"),
        ("DELETE", f"/executions/{name}"),
    ):
        url = gateway.address + path
        async with gateway.http.request(method, url, headers=headers, data=b"{}") as answer:
            found.add((answer.status, orjson.loads(await answer.read())["code"]))
    protocols = ("runtail.v1", f"runtail.token.{text}")
    for path in (logs_of(name), "/ws/executions"):
        options: tuple[dict[str, Any], ...] = ({"headers": headers}, {"protocols": protocols}, {})
        for option in options:
            async with talking(gateway, path, **option) as talk:
                if not option:
                    await talk.say(type="auth", token=text)
                error = await talk.until("error")
                assert [message["type"] for message in talk.messages] == ["error"]
                found.add((0, error["code"]))
    return found


FORGED: dict[str, tuple[Callable[[], str], str]] = {
    "alg none": (lambda: unsigned(alg="none"), "signed_out"),
    "alg None": (lambda: unsigned(alg="None"), "signed_out"),
    "alg missing": (unsigned, "signed_out"),
    "signature missing": (lambda: unsigned(alg="HS256"), "signed_out"),
    "another algorithm": (RSA.token, "signed_out"),
    "expired": (lambda: token(scope="admin", lives=-60), "expired"),
    "not yet valid": (lambda: token(scope="admin", nbf=time.time() + 600), "signed_out"),
    "issued later": (lambda: token(scope="admin", iat=time.time() + 600), "signed_out"),
}


@pytest.mark.parametrize("kind", FORGED)
async def test_a_forged_token_opens_nothing(signed: Running, worker: Worker, kind: str) -> None:
    """Wherever it is brought, nothing is read and nothing is done; the code says why."""
    await worker.open()
    make, code = FORGED[kind]
    assert await refusals(signed, worker.execution_id, make()) == {(401, code), (0, code)}
    assert [record["kind"] for record in await worker.stored()] == ["status"]


@pytest.mark.parametrize(
    "make",
    [with_public_key_as_secret, lambda: unsigned(alg="none", kid="r"), lambda: sign({}, SECRET)],
    ids=["HS256 with the public key", "none", "HS256 with a secret"],
)
async def test_a_public_key_signs_nothing(
    keyed: Running, worker: Worker, make: Callable[[], str]
) -> None:
    """Where an issuer's keys verify, what anybody can sign with a key that is public is refused."""
    await worker.open()
    assert await refusals(keyed, worker.execution_id, make()) == {
        (401, "signed_out"),
        (0, "signed_out"),
    }
    headers = {"Authorization": f"Bearer {RSA.token()}"}
    async with talking(keyed, logs_of(worker.execution_id), headers=headers) as talk:
        await talk.until("caught_up")  # the issuer's own is believed


async def test_an_event_stream_of_many_shows_none_of_anothers(
    signed: Running, engine_nodes: Nodes
) -> None:
    """Of several executions in one stream those that the token does not name are refused alone."""
    for name in ("mine", "theirs"):
        worker = Worker(engine_nodes, name)
        await worker.open()
        await worker.log(f"of {name}")
        await worker.end()
    url = f"{signed.address}/events?execution=mine&execution=theirs"
    async with signed.http.get(url, headers=bearer(runtail_executions=["mine"])) as answer:
        text = await answer.text()
    assert "of mine" in text
    assert "of theirs" not in text
    assert '"code":"forbidden"' in text

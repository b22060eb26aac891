"""Who fails to sign in too often is told to come later; who succeeds beside them is not harmed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, OTHER_SECRET, bearer, token
from tests.gateway.talking import logs_of, talking
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_gateway.access.sign_ins import SignIns
from runtail_gateway.settings import GatewaySettings

MOST = 3
FEW = replace(
    QUICK,
    auth=replace(AUTH, failures_per_minute=MOST, wait_seconds=5),
    trusted_proxies=("127.0.0.1",),  # so that a test may come from any address
)
OFFICE, HOME = {"X-Forwarded-For": "192.0.2.7"}, {"X-Forwarded-For": "192.0.2.8"}


@pytest.fixture
async def signed(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    """A gateway where one may fail to sign in three times a minute."""
    async with running(FEW, engine_url) as gateway:
        yield gateway


async def asked(
    gateway: Running, place: dict[str, str], query: str = "", **claims: Any
) -> tuple[int, str]:
    """Ask for the list, with a token of these *claims* if any; return the status and code."""
    headers = {**place, **(bearer(**claims) if claims else {})}
    async with gateway.http.get(f"{gateway.address}/executions{query}", headers=headers) as answer:
        if answer.status == 429:
            assert int(answer.headers["Retry-After"]) > 0
        return answer.status, orjson.loads(await answer.read()).get("code", "")


def forged(number: int = 0) -> dict[str, Any]:
    return {"secret": OTHER_SECRET, "jti": number}


async def fail(gateway: Running, times: int, place: dict[str, str] = OFFICE) -> None:
    for number in range(times):
        await asked(gateway, place, **forged(number))


async def test_one_failure_too_many_is_429_and_other_addresses_are_not_concerned(
    signed: Running,
) -> None:
    """The bound to the failure: three are told what is wrong, the fourth to come later."""
    for _ in range(MOST):
        assert await asked(signed, OFFICE, **forged()) == (401, "signed_out")
    assert await asked(signed, OFFICE, **forged()) == (429, "too_many")
    assert await asked(signed, HOME, **forged()) == (401, "signed_out")


async def test_who_signs_in_behind_the_same_address_is_not_harmed(signed: Running) -> None:
    """Neither a token that was here before, nor a new one, nor one that was good once."""
    await fail(signed, MOST + 5)
    assert await asked(signed, OFFICE, sub="bob") == (200, "")
    assert await asked(signed, OFFICE, lives=-60) == (401, "expired")
    assert await asked(signed, OFFICE) == (401, "signed_out")  # who brings none has tried nothing
    assert await asked(signed, OFFICE, **forged()) == (429, "too_many")


async def test_what_is_no_failure_does_not_count(signed: Running) -> None:
    """Valid tokens, expired ones and none at all leave the allowance as it is."""
    for _ in range(MOST + 1):
        assert (await asked(signed, OFFICE, sub="ann"))[0] == 200
        assert (await asked(signed, OFFICE, lives=-60))[1] == "expired"
        assert (await asked(signed, OFFICE))[1] == "signed_out"
    assert await asked(signed, OFFICE, **forged()) == (401, "signed_out")


async def test_beyond_ten_times_the_bound_only_tokens_known_here_are_looked_at(
    signed: Running,
) -> None:
    """So verifying is bounded too: what is not known is refused whatever it is."""
    seen: dict[str, Any] = {"sub": "ann", "jti": "seen", "exp": 2**31}
    assert (await asked(signed, OFFICE, **seen))[0] == 200
    await fail(signed, MOST + 10 * MOST)
    assert await asked(signed, OFFICE, sub="new") == (429, "too_many")
    assert await asked(signed, OFFICE, **seen) == (200, "")
    assert await asked(signed, HOME, sub="new") == (200, "")


@pytest.mark.parametrize("path", ["/ws/executions", logs_of("some")])
@pytest.mark.parametrize("way", ["header", "protocol", "message"])
async def test_a_websocket_is_closed_with_4329(signed: Running, path: str, way: str) -> None:
    """However the token comes; and it counts as those over HTTP do."""
    await fail(signed, MOST)
    text = token(OTHER_SECRET)
    options: dict[str, Any] = {"headers": OFFICE}
    if way == "header":
        options["headers"] = OFFICE | {"Authorization": f"Bearer {text}"}
    if way == "protocol":
        options["protocols"] = ("runtail.v1", f"runtail.token.{text}")
    async with talking(signed, path, **options) as talk:
        if way == "message":
            await talk.say(type="auth", token=text)
        assert "3 failed sign-ins a minute from 192.0.2.7" in await talk.refused(4329)


async def test_a_renewal_that_fails_counts_and_leaves_the_viewer_as_it_was(
    signed: Running, worker: Worker
) -> None:
    """Guessing over a socket that is open is no way around the bound."""
    await worker.open()
    headers = OFFICE | bearer()
    async with talking(signed, logs_of(worker.execution_id), headers=headers) as talk:
        for number in range(MOST + 1):
            await talk.say(type="auth", token=token(OTHER_SECRET))
            await talk.until("auth", number + 1)
        assert [said["code"] for said in talk.of("auth")] == ["signed_out"] * MOST + ["too_many"]
        await worker.log("still served")
        await talk.until("records", 2)
    assert (await asked(signed, OFFICE, **forged()))[0] == 429


async def test_a_share_link_that_fails_counts(signed: Running) -> None:
    """A link is tried like a token, in the address."""
    for status in [401] * MOST + [429]:
        assert (await asked(signed, OFFICE, "/some?share=guessed"))[0] == status


async def test_an_event_stream_is_refused_likewise(signed: Running) -> None:
    await fail(signed, MOST)
    url = f"{signed.address}/executions/some/events"
    async with signed.http.get(url, headers=OFFICE | bearer(secret=OTHER_SECRET)) as answer:
        assert (answer.status, (await answer.json())["code"]) == (429, "too_many")


async def test_this_machine_is_not_counted(signed: Running) -> None:
    """Proxies that nobody named come from there, with everybody behind them."""
    here = {"X-Forwarded-For": "127.0.0.1"}
    await fail(signed, MOST, here)
    assert await asked(signed, here, **forged()) == (401, "signed_out")


def test_no_more_tokens_are_remembered_than_the_table_holds() -> None:
    sign_ins = SignIns(replace(GatewaySettings(), client_table=5), 3)
    for number in range(20):
        with sign_ins.attempt("192.0.2.7", f"token {number}"):
            pass
    assert len(sign_ins._valid) == 5

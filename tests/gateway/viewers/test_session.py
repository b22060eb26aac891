"""Who is at the other end of a connection: signed in, sent away in time, renewed in place."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import PULLED, PUSHED, Running, running
from tests.gateway.signing import AUTH, OTHER_SECRET, bearer, token
from tests.gateway.talking import Talk, logs_of, talking
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail import ReadRefused, read
from runtail_broker.connections.client import Nodes
from runtail_broker.records.frames_message import SUBPROTOCOL as FRAMES

MANY = "/ws/executions"


@pytest.fixture(params=[PUSHED])
async def signed(
    engine_nodes: Nodes, engine_url: str, request: pytest.FixtureRequest
) -> AsyncIterator[Running]:
    """A gateway where one has to sign in."""
    async with running(replace(QUICK, auth=AUTH), engine_url, request.param) as gateway:
        yield gateway


both_ways = pytest.mark.parametrize("signed", [PUSHED, PULLED], indirect=True)


def soon_over() -> dict[str, Any]:
    """The claims of a token that lives for 0.2 to 1.2 s: a token's times are whole seconds."""
    return {"exp": math.ceil(time.time() + 0.2)}


def in_protocol(text: str) -> tuple[str, str]:
    return ("runtail.v1", f"runtail.token.{text}")


# --- signing in ----------------------------------------------------------------------------------


async def test_a_header_signs_in(signed: Running, worker: Worker) -> None:
    await worker.open()
    async with talking(signed, logs_of(worker.execution_id), headers=bearer()) as talk:
        await talk.until("caught_up")
        assert talk.messages[0]["type"] == "hello"


async def test_a_subprotocol_signs_in_and_is_never_echoed(signed: Running, worker: Worker) -> None:
    await worker.open()
    text = token()
    path = logs_of(worker.execution_id)
    async with talking(signed, path, protocols=in_protocol(text)) as talk:
        await talk.until("caught_up")
        assert talk.protocol == "runtail.v1"
        assert text not in talk.headers


@pytest.mark.parametrize("many", [False, True])
async def test_the_first_message_signs_in(signed: Running, worker: Worker, many: bool) -> None:
    await worker.open()
    async with talking(signed, MANY if many else logs_of(worker.execution_id)) as talk:
        await talk.say(type="auth", token=token(exp=2**31))
        assert await talk.until("auth") == {"type": "auth", "expires_at": 2**31}
        if many:
            await talk.say(type="subscribe", execution_id=worker.execution_id)
        await talk.until("caught_up")
        assert talk.messages[0]["type"] == "auth"


@pytest.mark.parametrize("path", [MANY, logs_of("some")])
@pytest.mark.parametrize(
    ("said", "code", "message"),
    [
        ({"type": "auth", "token": "x"}, 4401, "the token is no JWT"),
        ({"type": "auth", "token": 3}, 4401, "the first message is no sign-in"),
        ({"type": "subscribe", "execution_id": "a"}, 4401, "the first message is no sign-in"),
        ({"type": "auth", "token": token(OTHER_SECRET)}, 4401, "the token's signature"),
        ({"type": "auth", "token": token(lives=-60)}, 4402, "the token has expired"),
    ],
)
async def test_a_first_message_that_is_no_sign_in_is_refused(
    signed: Running, path: str, said: dict[str, Any], code: int, message: str
) -> None:
    async with talking(signed, path) as talk:
        await talk.say(**said)
        assert (await talk.refused(code)).startswith(message)


@pytest.mark.parametrize("path", [MANY, logs_of("some")])
async def test_who_never_signs_in_is_sent_away_in_time(signed: Running, path: str) -> None:
    began = time.monotonic()
    async with talking(signed, path) as talk:
        assert "no token came within 0.5 s" in await talk.refused(4401)
    assert 0.4 < time.monotonic() - began < 5
    await soon(lambda: signed.hub.tails == 0, "nothing is left of it")


async def test_who_leaves_before_signing_in_leaves_nothing_behind(signed: Running) -> None:
    async with talking(signed, logs_of("some")):
        pass
    headers = bearer(scope="admin")
    async with signed.http.get(f"{signed.address}/metrics", headers=headers) as answer:
        assert "runtail_viewers 0.0" in await answer.text()


@pytest.mark.parametrize(
    "options",
    [
        {"headers": bearer(secret=OTHER_SECRET)},
        {"protocols": in_protocol(token(OTHER_SECRET))},
    ],
    ids=["header", "protocol"],
)
async def test_a_bad_token_is_told_by_the_close(signed: Running, options: Any) -> None:
    for path in (MANY, logs_of("some")):
        async with talking(signed, path, **options) as talk:
            assert await talk.refused(4401) == "the token's signature is not valid"


async def test_a_token_in_the_address_does_not_count(signed: Running) -> None:
    query = "&".join(f"{name}={token()}" for name in ("token", "access_token", "share"))
    async with talking(signed, f"{MANY}?{query}") as talk:
        assert "no token came" in await talk.refused(4401)


async def test_another_execution_is_forbidden_whether_it_is_there_or_not(
    signed: Running, worker: Worker
) -> None:
    await worker.open()
    headers = bearer(runtail_executions=["mine-*"])
    for name in (worker.execution_id, "unknown"):
        async with talking(signed, logs_of(name) + "?wait=true", headers=headers) as talk:
            said = f"the token grants no 'read' of execution '{name}'"
            assert await talk.refused(4403) == said
    assert signed.hub.tails == 0


async def test_subscriptions_are_judged_one_by_one(signed: Running, engine_nodes: Nodes) -> None:
    for name in ("a-1", "b-1"):
        await Worker(engine_nodes, name).open()
    async with talking(signed, MANY, headers=bearer(runtail_executions=["a-*"])) as talk:
        for name in ("b-1", "nothing", "a-1"):
            await talk.say(type="subscribe", execution_id=name)
        assert (await talk.until("caught_up"))["execution_id"] == "a-1"
        await talk.until("error", 2)
        refused = {m["execution_id"]: m["code"] for m in talk.of("error")}
        assert refused == {"b-1": "forbidden", "nothing": "forbidden"}
        assert talk.is_open


async def test_where_nobody_signs_in_a_token_is_taken_with_thanks(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    for path in (logs_of(worker.execution_id), MANY):
        async with talking(pushing, path, protocols=in_protocol("any")) as talk:
            await talk.say(type="auth", token="any")
            assert await talk.until("auth") == {"type": "auth", "expires_at": None}
            assert talk.protocol == "runtail.v1"


# --- the end of a token --------------------------------------------------------------------------


@both_ways
async def test_a_viewer_is_sent_away_when_its_token_expires(
    signed: Running, worker: Worker
) -> None:
    await worker.open()
    headers = bearer(**soon_over())
    async with talking(signed, logs_of(worker.execution_id), headers=headers) as talk:
        await talk.until("caught_up")
        await worker.log("in time")
        await soon(lambda: talk.texts() == ["in time"], "it is heard")
        assert "expired" in await talk.refused(4402)
        await worker.log("too late")
        assert talk.texts() == ["in time"]
    await soon(lambda: signed.hub.tails == 0, "nothing is left of it")


async def test_a_socket_of_many_is_sent_away_when_its_token_expires(
    signed: Running, worker: Worker
) -> None:
    await worker.open()
    async with talking(signed, MANY, headers=bearer(**soon_over())) as talk:
        await talk.say(type="subscribe", execution_id=worker.execution_id)
        await talk.until("caught_up")
        assert "expired" in await talk.refused(4402)
    await soon(lambda: signed.hub.tails == 0, "nothing is left of it")


async def test_an_event_stream_ends_when_its_token_expires(signed: Running, worker: Worker) -> None:
    await worker.open()
    url = f"{signed.address}/executions/{worker.execution_id}/events"
    headers = bearer(**soon_over())
    async with signed.http.get(url, headers=headers) as answer:
        assert answer.status == 200
        *_, last = (await answer.text()).strip().split("\n\n")
    error = orjson.loads(last.removeprefix("data: "))
    assert (error["type"], error["code"]) == ("error", "expired")
    async with signed.http.get(url, headers=headers) as answer:
        assert answer.status == 401  # a browser that comes back by itself stops
    await soon(lambda: signed.hub.tails == 0, "nothing is left of it")


async def test_a_viewer_that_does_not_read_is_cut_off_from_what_comes_later(
    signed: Running, worker: Worker
) -> None:
    await worker.open()
    await worker.log_many(batches=40, records=100, size=1000)
    headers = bearer(**soon_over())
    url = signed.address + logs_of(worker.execution_id)
    async with signed.http.ws_connect(url, headers=headers, max_msg_size=0) as socket:
        await soon(lambda: signed.hub.tails == 1, "it is served")
        await soon(lambda: signed.hub.tails == 0, "it is not served any more")
        kinds = [orjson.loads(message.data) async for message in socket]
        assert (kinds[-1]["code"], socket.close_code) == ("expired", 4402)


@pytest.mark.parametrize(
    ("kind", "signed"),
    [
        ("one", PUSHED),
        ("many", PUSHED),
        pytest.param("one", PULLED, marks=pytest.mark.full),
        pytest.param("frames", PUSHED, marks=pytest.mark.full),
    ],
    indirect=["signed"],
)
async def test_who_is_open_is_told_before_its_token_expires(
    signed: Running, worker: Worker, kind: str
) -> None:
    """`expiring` comes once, with what is left: half of it for one shorter than the notice."""
    await worker.open()
    path = MANY if kind == "many" else logs_of(worker.execution_id)
    spoken = (FRAMES,) if kind == "frames" else ()
    claims = soon_over()
    async with talking(signed, path, headers=bearer(**claims), protocols=spoken) as talk:
        opened_at = time.time()
        left = (await talk.until("expiring"))["remaining_ms"] / 1000
        assert 0 < left <= (claims["exp"] - opened_at) / 2 + 0.05
        assert abs(claims["exp"] - time.time() - left) < 0.3
        assert "expired" in await talk.refused(4402)
        assert len(talk.of("expiring")) == 1


async def test_a_reader_of_the_sdk_goes_on_when_it_is_told(signed: Running, worker: Worker) -> None:
    """What it does not know it passes over, until its token has really run out."""
    await worker.open()
    reading = aiter(read(signed.address, worker.execution_id, token=token(**soon_over())))
    assert (await anext(reading))["kind"] == "status"
    with pytest.raises(ReadRefused, match="expired"):
        await anext(reading)


async def test_a_new_token_has_a_notice_of_its_own(signed: Running, worker: Worker) -> None:
    """One that lasts is told nothing; one that is short again is told again."""
    await worker.open()
    async with talking(signed, logs_of(worker.execution_id), headers=bearer(lives=900)) as talk:
        await talk.until("caught_up")
        await renewed(talk, **soon_over())
        await talk.until("expiring")
        await renewed(talk, exp=2**31)
        await renewed(talk, **soon_over())
        await talk.until("expiring", 2)


# --- renewed in place ----------------------------------------------------------------------------


async def renewed(talk: Talk, **claims: Any) -> dict[str, Any]:
    before = len(talk.of("auth"))
    await talk.say(type="auth", token=token(**claims))
    return await talk.until("auth", before + 1)


@both_ways
async def test_a_new_token_keeps_a_viewer_beyond_the_old_one(
    signed: Running, worker: Worker
) -> None:
    await worker.open()
    claims = soon_over()
    async with talking(signed, logs_of(worker.execution_id), headers=bearer(**claims)) as talk:
        await talk.until("caught_up")
        assert (await renewed(talk, exp=2**31))["expires_at"] == 2**31
        await soon(lambda: time.time() > claims["exp"] + 0.1, "the old one has expired")
        await worker.log("later")
        await soon(lambda: talk.texts() == ["later"], "it is still served")
        assert talk.is_open


async def test_a_new_token_keeps_a_socket_of_many(signed: Running, worker: Worker) -> None:
    await worker.open()
    claims = soon_over()
    async with talking(signed, MANY, headers=bearer(**claims)) as talk:
        await talk.say(type="subscribe", execution_id=worker.execution_id)
        await talk.until("caught_up")
        assert (await renewed(talk, exp=2**31))["expires_at"] == 2**31
        await soon(lambda: time.time() > claims["exp"] + 0.1, "the old one has expired")
        await worker.log("later")
        await soon(lambda: talk.texts() == ["later"], "it is still served")


async def test_a_shorter_token_ends_the_connection_sooner(signed: Running, worker: Worker) -> None:
    await worker.open()
    async with talking(signed, logs_of(worker.execution_id), headers=bearer()) as talk:
        await renewed(talk, **soon_over())
        await talk.refused(4402)


@pytest.mark.parametrize("path", [MANY, None])
@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"sub": "eve"}, "forbidden"),
        ({"scope": "publish"}, "forbidden"),
        ({"runtail_executions": ["x*"]}, "forbidden"),
        ({"runtail_workflows": ["x*"]}, "forbidden"),
        ({"secret": OTHER_SECRET}, "signed_out"),
        ({"lives": -60}, "expired"),
    ],
)
async def test_a_token_that_will_not_do_changes_nothing(
    signed: Running, worker: Worker, path: str | None, claims: dict[str, Any], code: str
) -> None:
    await worker.open()
    where = path or logs_of(worker.execution_id)
    async with talking(signed, where, headers=bearer()) as talk:
        if path:
            await talk.say(type="subscribe", execution_id=worker.execution_id)
        await talk.until("caught_up")
        answer = await renewed(talk, **claims)
        assert (answer["code"], "expires_at" in answer) == (code, False)
        await worker.log("still served")
        await soon(lambda: talk.texts() == ["still served"], "it is still served")


async def test_a_new_token_counts_for_the_next_subscription(
    signed: Running, engine_nodes: Nodes
) -> None:
    for name in ("a", "b"):
        await Worker(engine_nodes, name).open()
    async with talking(signed, MANY, headers=bearer(runtail_executions=["a"])) as talk:
        await talk.say(type="subscribe", execution_id="b")
        assert (await talk.until("error"))["code"] == "forbidden"
        await renewed(talk, runtail_executions=["b"])
        await talk.say(type="subscribe", execution_id="b")
        await talk.until("caught_up")
        await talk.say(type="subscribe", execution_id="a")
        await talk.until("error", 2)


async def test_many_new_tokens_are_taken_and_a_flood_of_them_is_not(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    await worker.open()
    settings = replace(QUICK, auth=AUTH, client_messages=5)
    async with (
        running(settings, engine_url) as gateway,
        talking(gateway, logs_of(worker.execution_id), headers=bearer()) as talk,
    ):
        for _ in range(5):
            assert "expires_at" in await renewed(talk)
        await talk.say(type="auth", token=token())
        assert "more new tokens" in await talk.refused(4408)

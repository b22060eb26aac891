"""Share links: one execution, for a time, to read, and nothing else."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.signing import AUTH, OTHER_SECRET, SECRET, Issuer, KeyServer, bearer, key_set
from tests.gateway.talking import logs_of, talking
from tests.gateway.worker import Worker
from tests.polling import soon

from runtail_broker.connections.client import Nodes
from runtail_gateway.access.share import ShareLinks
from runtail_gateway.access.tokens import SHARE_AUDIENCE, SHARE_TYPE, sign

LINKS = ShareLinks(AUTH)
READS = (
    *("", "/logs", "/logs.ndjson", "/logs.txt", "/events?after=$", "/events?after=$&notes=true"),
    *("/steps", "/overview", "/notes"),
)


@pytest.fixture
async def signed(engine_nodes: Nodes, engine_url: str) -> AsyncIterator[Running]:
    """A gateway where one has to sign in."""
    async with running(replace(QUICK, auth=AUTH), engine_url) as gateway:
        yield gateway


async def shared(
    gateway: Running, execution_id: str, query: str = "", **claims: Any
) -> tuple[int, dict[str, Any]]:
    url = f"{gateway.address}/executions/{execution_id}/share{query}"
    headers = bearer(**{"scope": "admin", **claims})
    async with gateway.http.post(url, headers=headers) as answer:
        return answer.status, orjson.loads(await answer.read())


async def status(gateway: Running, path: str, link: str, method: str = "GET") -> int:
    url = f"{gateway.address}{path}{'&' if '?' in path else '?'}share={link}"
    async with gateway.http.request(method, url) as answer:
        return answer.status


def link_to(name: str, seconds: float = 600, links: ShareLinks = LINKS) -> str:
    return links.make(name, "ann", int(time.time() + seconds))


async def test_a_link_reads_its_execution_in_every_way(signed: Running, worker: Worker) -> None:
    await worker.open()
    code, body = await shared(signed, worker.execution_id, "?expires_in_seconds=60")
    assert (code, body["query"]) == (201, f"share={body['share']}")
    assert 50 < body["expires_at"] - time.time() <= 60
    path = logs_of(worker.execution_id) + "?notes=true&" + body["query"]
    async with talking(signed, path) as talk:
        await talk.until("notes")
        await talk.until("caught_up")
    await worker.end()
    for read in READS:
        where = f"/executions/{worker.execution_id}{read}"
        assert await status(signed, where, body["share"]) == 200


async def test_who_may_read_makes_a_link_for_a_moment_only(signed: Running, worker: Worker) -> None:
    """A download carries no token: its address must. It does not outlive the right it came from."""
    await worker.open()
    name = worker.execution_id
    code, body = await shared(signed, name, "?expires_in_seconds=60", scope="read")
    assert code == 201
    assert await status(signed, f"/executions/{name}/logs.txt", body["share"]) == 200
    code, body = await shared(
        signed, name, "?expires_in_seconds=60", scope="read", exp=time.time() + 20
    )
    assert (code, body["expires_at"] <= time.time() + 20) == (201, True)
    for query in ("", "?expires_in_seconds=61"):
        assert (await shared(signed, name, query, scope="read"))[0] == 403
    others = {"scope": "read", "runtail_executions": ["other-*"]}
    assert (await shared(signed, name, "?expires_in_seconds=60", **others))[0] == 403
    assert (await shared(signed, name, "?expires_in_seconds=60", scope="publish"))[0] == 403


async def test_a_link_is_good_for_no_other_execution(signed: Running, worker: Worker) -> None:
    await worker.open()
    link = link_to("mine")
    for read in READS:
        assert await status(signed, f"/executions/{worker.execution_id}{read}", link) == 403
    async with talking(signed, f"{logs_of(worker.execution_id)}?share={link}") as talk:
        assert "grants no 'read'" in await talk.refused(4403)


@pytest.mark.parametrize("change", ["/cancel", "/share", "/start-streaming", "/notes"])
async def test_a_link_changes_nothing(signed: Running, worker: Worker, change: str) -> None:
    await worker.open()
    where = f"/executions/{worker.execution_id}{change}"
    assert await status(signed, where, link_to(worker.execution_id), "POST") == 403


async def test_a_link_does_not_reach_beyond_executions(signed: Running) -> None:
    for where in ("/executions", "/metrics", "/figures"):
        assert await status(signed, where, link_to("mine")) == 401
    async with talking(signed, f"/ws/executions?share={link_to('mine')}") as talk:
        assert "no token came" in await talk.refused(4401)


async def test_a_link_is_no_token_and_a_token_is_no_link(signed: Running, worker: Worker) -> None:
    await worker.open()
    where = f"/executions/{worker.execution_id}"
    link = link_to(worker.execution_id)
    headers = {"Authorization": f"Bearer {link}"}
    async with signed.http.get(signed.address + where, headers=headers) as answer:
        assert answer.status == 401
        assert "a share link is no token" in await answer.text()
    assert await status(signed, where, bearer()["Authorization"][7:]) == 401


def odd_link(typ: str = SHARE_TYPE, aud: str = SHARE_AUDIENCE) -> str:
    """What is signed by the right secret, and would be a link but for its type or audience."""
    return sign({"sub": "a", "exp": time.time() + 600, "aud": aud}, SECRET, type_name=typ)


@pytest.mark.parametrize(
    ("link", "code"),
    [
        (odd_link(), 404),
        (odd_link(typ="JWT"), 401),
        (odd_link(aud="elsewhere"), 401),
        ("x", 401),
        ("", 401),
        (link_to("a", links=ShareLinks(replace(AUTH, secret=OTHER_SECRET))), 401),
        (link_to("a", -60), 401),
        (link_to("a", 3600), 404),
    ],
    ids=[
        "made by hand",
        "type",
        "audience",
        "nonsense",
        "empty",
        "of another gateway",
        "expired",
        "good",
    ],
)
async def test_a_link_must_be_signed_here_and_not_expired(
    signed: Running, link: str, code: int
) -> None:
    assert await status(signed, "/executions/a", link) == code


async def test_a_viewer_by_link_is_sent_away_when_it_expires(
    signed: Running, worker: Worker
) -> None:
    await worker.open()
    link = link_to(worker.execution_id, 1.3)
    path = f"{logs_of(worker.execution_id)}?notes=true&share={link}"
    async with talking(signed, path) as talk:
        await talk.until("caught_up")
        assert "expired" in await talk.refused(4402)
    for read in READS:
        assert await status(signed, f"/executions/{worker.execution_id}{read}", link) == 401
    await soon(lambda: signed.hub.tails == 0, "nothing is left of it")


async def test_how_long_a_link_lives_is_bounded(signed: Running, worker: Worker) -> None:
    await worker.open()
    for good in ("", "?expires_in_seconds=1", "?expires_in_seconds=604800"):
        assert (await shared(signed, worker.execution_id, good))[0] == 201
    for odd in ("0", "-1", "604801", "1.5", "x", "9" * 99):
        code, problem = await shared(signed, worker.execution_id, f"?expires_in_seconds={odd}")
        assert (code, problem["code"]) == (400, "bad_request")


async def test_only_who_administers_the_execution_shares_it(
    signed: Running, worker: Worker
) -> None:
    await worker.open()
    name = worker.execution_id
    assert (await shared(signed, name, scope="read publish"))[0] == 403
    assert (await shared(signed, name, runtail_executions=["x*"]))[0] == 403
    assert (await shared(signed, "unknown"))[0] == 404


async def test_where_nobody_signs_in_there_is_nothing_to_share(
    pushing: Running, worker: Worker
) -> None:
    await worker.open()
    code, problem = await shared(pushing, worker.execution_id)
    assert (code, problem["code"]) == (409, "conflict")
    assert "nobody signs in here" in problem["detail"]


@pytest.mark.parametrize("secret", ["", SECRET])
async def test_with_public_keys_a_secret_of_their_own_signs_links(
    engine_nodes: Nodes, engine_url: str, worker: Worker, secret: str
) -> None:
    await worker.open()
    issuer = Issuer("k")
    with KeyServer(key_set(issuer.jwk)).serving() as keys:
        auth = replace(AUTH, secret="", jwks_url=keys.url, share_secret=secret)
        async with running(replace(QUICK, auth=auth), engine_url) as gateway:
            url = f"{gateway.address}/executions/{worker.execution_id}"
            headers = {"Authorization": f"Bearer {issuer.token(scope='admin')}"}
            async with gateway.http.post(f"{url}/share", headers=headers) as answer:
                body = orjson.loads(await answer.read())
            if not secret:
                assert (answer.status, "share_secret" in body["detail"]) == (409, True)
                return
            where = f"/executions/{worker.execution_id}"
            assert await status(gateway, where, body["share"]) == 200

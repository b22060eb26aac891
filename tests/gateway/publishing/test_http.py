"""Publishing over HTTP by hand: what is stored, what a retry does, what is refused."""

from __future__ import annotations

import asyncio
import gzip
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import msgpack
import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.running import Running, running
from tests.gateway.worker import Worker

from runtail import Publisher, PublisherSettings
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import SETTINGS, ExecutionKeys, index_of
from runtail_broker.records.frame import encode_frame
from runtail_broker.records.record import encode
from runtail_broker.records.spoken import FRAME_TYPE
from runtail_gateway.settings import GatewaySettings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.timeout(40)
HI = b'{"message":"hi"}'


class Caller:
    """Publish to one execution as `curl` does."""

    def __init__(self, gateway: Running, execution_id: str) -> None:
        self.gateway, self.execution_id = gateway, execution_id

    async def post(
        self, what: str, body: bytes = b"", **headers: str
    ) -> tuple[int, dict[str, Any]]:
        url = f"{self.gateway.address}/executions/{self.execution_id}/{what}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.gateway.http.post(url, data=body, headers=named) as answer:
            said = orjson.loads(await answer.read())
            assert answer.status < 400 or said["status"] == answer.status, said
            return answer.status, said

    async def open(self, **fields: object) -> dict[str, Any]:
        given = {"publisher": "ci-7", "workflow_id": "wf", **fields}
        status, said = await self.post("open", orjson.dumps(given))
        assert status == 200, said
        return said

    async def batch(self, number: int, before: int, body: bytes = HI, **more: str) -> Any:
        numbers = f"logs?publisher=ci-7&batch={number}&before={before}"
        return await self.post(numbers, body, **more)

    async def frame(self, records: list[bytes], **headers: str) -> tuple[int, dict[str, Any]]:
        """Send a frame of *records* as the first batch."""
        return await self.raw(encode_frame(records), count=len(records), **headers)

    async def raw(self, frame: bytes, count: int, **headers: str) -> tuple[int, dict[str, Any]]:
        numbers = {"publisher": "ci-7", "batch": "1", "before": "0", "count": str(count)}
        named = {f"Runtail-{name}": value for name, value in (numbers | headers).items()}
        return await self.post("logs", frame, Content_Type=FRAME_TYPE, **named)


@pytest.fixture
def caller(pushing: Running, execution_id: str) -> Caller:
    return Caller(pushing, execution_id)


async def messages(worker: Worker) -> list[object]:
    return [record["message"] for record in await worker.stored() if "message" in record]


def record(execution_id: str, **fields: object) -> bytes:
    return encode(execution_id, {"message": "hi", **fields}).json


# ---- opening, beating, finishing


async def test_opening_creates_lists_and_tells_the_limits(
    caller: Caller, engine_nodes: Nodes, execution_id: str
) -> None:
    await engine_nodes.at(SETTINGS, lambda node: node.hset(SETTINGS, "max_records", "77"))
    said = await caller.open()
    assert (said["word"], said["last_batch"], said["execution_status"]) == ("created", 0, "running")
    assert (said["limits"]["max_records"], said["limits"]["record_bytes"]) == (77, 64 * 1024)
    key = index_of(execution_id)
    assert await engine_nodes.at(key, lambda node: node.zscore(key, execution_id))


async def test_opening_again_says_what_is_stored_already(caller: Caller) -> None:
    await caller.open()
    await caller.batch(1, 0)
    said = await caller.open()
    assert (said["word"], said["last_batch"]) == ("again", 1)


async def test_a_run_by_curl_ends_with_its_totals(
    caller: Caller, worker: Worker, gateway_settings: GatewaySettings, engine_url: str
) -> None:
    async with running(replace(QUICK, settle_seconds=0.01), engine_url) as settled:
        caller.gateway = settled
        await caller.open(role="owner")
        await caller.batch(1, 0)
        finish = orjson.dumps({"publisher": "ci-7", "last_batch": 1, "reason": "done"})

        async def ended() -> str:
            return str((await caller.post("finish", finish))[1]["end"])

        await soon_true(ended, {"ended", "already"})
    kinds = [record.get("kind", "log") for record in await worker.stored()]
    assert kinds == ["status", "log", "status", "end"]


async def soon_true(ask: Any, expected: set[str]) -> None:
    for _ in range(200):
        if await ask() in expected:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never one of {expected}")


async def test_an_end_is_left_to_the_sweeper_while_contact_with_the_primary_is_young(
    caller: Caller, worker: Worker
) -> None:
    await caller.open()
    _, said = await caller.post("finish", b'{"publisher":"ci-7"}')
    assert (said["word"], said["end"], said["execution_status"]) == ("closed", "later", "completed")
    assert [r.get("kind") for r in await worker.stored()] == ["status", "status"]


async def test_a_finished_id_names_the_one_to_open_next(caller: Caller) -> None:
    await caller.open()
    await caller.post("finish", b'{"publisher":"ci-7"}')
    status, said = await caller.post("open", b'{"publisher":"ci-8"}')
    assert (status, said["word"], said["next_id"]) == (
        409,
        "finished",
        f"{caller.execution_id}.2",
    )
    caller.execution_id = said["next_id"]
    assert (await caller.open())["word"] == "created"


async def test_whoever_is_no_publisher_may_finish_too(caller: Caller, worker: Worker) -> None:
    await worker.open()
    _, said = await caller.post("finish", b'{"status":"failed","reason":"by hand"}')
    assert (said["word"], said["execution_status"]) == ("closed", "failed")
    assert (await worker.stored())[-1]["reason"] == "by hand"


async def test_every_answer_tells_of_a_wish_to_cancel(caller: Caller) -> None:
    await caller.open()
    await caller.post("cancel")
    _, beaten = await caller.post("beat", b'{"publisher":"ci-7"}')
    _, stored = await caller.batch(1, 0)
    assert beaten["cancel_requested"]
    assert stored["cancel_requested"]


@pytest.mark.parametrize("what", ["logs", "beat", "finish"])
async def test_what_nobody_opened_is_not_found(caller: Caller, what: str) -> None:
    body = HI if what == "logs" else b'{"publisher":"ci-7"}'
    assert (await caller.post(what, body))[0] == 404


async def test_a_publisher_that_never_opened_is_told(caller: Caller, worker: Worker) -> None:
    await worker.open()
    status, said = await caller.batch(1, 0)
    assert (status, said["word"]) == (409, "unopened")


# ---- batches


async def test_an_object_an_array_and_lines_are_one_frame_each(
    caller: Caller, worker: Worker
) -> None:
    await caller.open()
    await caller.batch(1, 0, b'{"message":"a","level":"error","mine":[1]}')
    await caller.batch(2, 1, b'[{"message":"b"},{"message":"c"}]', Content_Type="application/json")
    lines = b'{"message":"d"}\n\n{"message":"e"}\r\n'
    await caller.batch(3, 3, lines, Content_Type="application/x-ndjson")
    await caller.batch(4, 5, b'{"message":"f"}\n{"message":"g"}')  # by its shape
    assert await messages(worker) == list("abcdefg")
    assert [entry.count for entry in await worker.entries()] == [1, 1, 2, 2, 2]
    assert (await worker.stored())[1]["mine"] == [1]


async def test_a_batch_that_comes_twice_is_stored_once(caller: Caller, worker: Worker) -> None:
    await caller.open()
    words = [(await caller.batch(1, 0))[1]["word"] for _ in range(2)]
    assert words == ["stored", "duplicate"]
    assert await messages(worker) == ["hi"]


async def test_a_batch_after_a_failover_is_told_what_is_missing(
    caller: Caller, worker: Worker
) -> None:
    await caller.open()
    copy = await worker.copy()
    await caller.batch(1, 0, b'{"message":"lost"}')
    await worker.fail_over(copy)
    status, said = await caller.batch(2, 1)
    assert (status, said["word"], said["last_batch"]) == (409, "behind", 0)
    await caller.batch(1, 0, b'{"message":"lost"}')
    assert (await caller.batch(2, 1))[0] == 200
    assert await messages(worker) == ["lost", "hi"]


async def test_a_hole_is_declared_with_its_exact_count(caller: Caller, worker: Worker) -> None:
    await caller.open()
    headers = {"Runtail-Hole-After": "0", "Runtail-Hole-Reason": "disk full"}
    assert (await caller.batch(3, 41, HI, **headers))[0] == 200
    lost = next(r for r in await worker.stored() if r.get("kind") == "lost")
    assert (lost["lost"], lost["reason"]) == (41, "disk full")


async def test_batches_without_a_number_are_stored_one_by_one(
    caller: Caller, worker: Worker, engine_nodes: Nodes
) -> None:
    await worker.open()
    answers = await asyncio.gather(
        *(caller.post("logs", b'{"message":"%d"}' % n) for n in range(20))
    )
    assert {said["word"] for _, said in answers} == {"stored"}
    assert set(await messages(worker)) == {str(n) for n in range(20)}
    assert len(await messages(worker)) == 20
    known = await engine_nodes.at(worker.keys.state, lambda node: node.hlen(worker.keys.publishers))
    assert known == 2  # the worker and the gateway, however many requests


async def test_a_batch_without_a_number_survives_a_failover(caller: Caller, worker: Worker) -> None:
    await worker.open()
    copy = await worker.copy()
    await caller.post("logs", HI)
    await worker.fail_over(copy)
    assert (await caller.post("logs", b'{"message":"after"}'))[1]["word"] == "stored"
    assert await messages(worker) == ["after"]


async def test_progress_steps_and_links_are_records_of_their_kind(
    caller: Caller, worker: Worker
) -> None:
    await caller.open()
    records = [
        {"kind": "progress", "progress": 40},
        {"kind": "progress", "progress": 99, "name": "a part"},
        {"kind": "step", "step_name": "load", "status": "running"},
        {"kind": "link", "name": "bad", "url": "javascript:alert(1)"},
    ]
    assert (await caller.batch(1, 0, orjson.dumps(records)))[0] == 200
    stored = (await worker.stored())[1:]
    assert [record["kind"] for record in stored] == ["progress", "progress", "step", "link"]
    assert "url" not in stored[-1]
    async with caller.gateway.http.get(
        f"{caller.gateway.address}/executions/{caller.execution_id}"
    ) as answer:
        assert orjson.loads(await answer.read())["progress"] == 40


async def test_fields_of_runtails_own_are_renamed(caller: Caller, worker: Worker) -> None:
    await caller.open()
    given = {"message": "hi", "id": "9-9", "seq": 7, "kind": "end", "execution_id": "other"}
    await caller.batch(1, 0, orjson.dumps(given))
    stored = (await worker.stored())[1]
    assert (stored["id_"], stored["seq_"], stored["kind_"]) == ("9-9", 7, "end")
    assert (stored["seq"], stored["execution_id"]) == (2, caller.execution_id)
    assert "kind" not in stored


async def test_a_record_over_its_limit_is_cut_and_says_so(caller: Caller, worker: Worker) -> None:
    await caller.open()
    await caller.batch(1, 0, orjson.dumps({"message": "x" * 70_000}))
    stored = (await worker.stored())[1]
    assert stored["truncated"] == {"message": 70_000}
    assert len(orjson.dumps(stored)) < 65_600


async def test_levels_are_counted(caller: Caller) -> None:
    await caller.open()
    await caller.batch(1, 0, b'[{"message":"a","level":"error"},{"message":"b"}]')
    url = f"{caller.gateway.address}/executions/{caller.execution_id}"
    async with caller.gateway.http.get(url) as answer:
        levels = orjson.loads(await answer.read())["levels"]
    assert levels == {"debug": 0, "info": 1, "warning": 0, "error": 1}


# ---- what is refused, and stores nothing


async def test_errors_name_index_and_field_and_nothing_is_stored(
    caller: Caller, worker: Worker
) -> None:
    await caller.open()
    records = [
        {"message": "good"},
        {"message": 3},
        4,
        {"level": "loud"},
        {},
        {"message": "x", "timestamp": "yesterday"},
        {"kind": "step"},
        {"kind": "progress", "progress": "half"},
    ]
    status, said = await caller.batch(1, 0, orjson.dumps(records))
    assert (status, said["code"]) == (400, "bad_records")
    found = [(error["index"], error["field"]) for error in said["errors"]]
    assert found == [
        (1, "message"),
        (2, ""),
        (3, "level"),
        (4, ""),
        (5, "timestamp"),
        (6, "step_name"),
        (7, "progress"),
    ]
    assert await messages(worker) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"no json",
        b'{"message":"a\x00b"}',
        b'{"message":"\xff"}',
        b'{"message":"\\ud800"}',
        b'{"n":1e999}',
        b"[" * 5000 + b"]" * 5000,
        b'{"message":"a"}\n{"message":',
    ],
)
async def test_a_body_that_is_no_json_is_refused(caller: Caller, body: bytes) -> None:
    await caller.open()
    assert (await caller.batch(1, 0, body))[0] == 400


async def test_a_deep_value_and_a_huge_number_are_stored_readably(
    caller: Caller, worker: Worker
) -> None:
    await caller.open()
    deep = b'{"message":"deep","input_data":' + b"[" * 900 + b"]" * 900 + b',"n":' + b"9" * 300
    assert (await caller.batch(1, 0, deep + b"}"))[0] == 200
    assert await messages(worker) == ["deep"]


@pytest.mark.parametrize(
    "query",
    [
        "publisher=ci-7",
        "batch=1&before=0",
        "publisher=ci-7&batch=x&before=0",
        "publisher=a/b&batch=1&before=0",
        "publisher=ci-7&batch=0&before=0",
        "publisher=&batch=1&before=0",
        f"publisher=ci-7&batch={2**51}&before=0",
        f"publisher={'x' * 101}&batch=1&before=0",
    ],
)
async def test_numbers_that_make_no_sense_are_refused(caller: Caller, query: str) -> None:
    await caller.open()
    assert (await caller.post("logs?" + query, HI))[0] == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"publisher": "a b"},
        {"publisher": 7},
        {"role": "boss"},
        {"begun": "yesterday"},
        {"workflow_id": "x" * 5000},
    ],
)
async def test_an_opening_that_makes_no_sense_is_refused(
    caller: Caller, fields: dict[str, object]
) -> None:
    body = orjson.dumps({"publisher": "ci-7"} | fields)
    assert (await caller.post("open", body))[0] == 400
    assert (await caller.post("beat", b'{"publisher":"ci-7"}'))[0] == 404


async def test_a_status_that_is_not_final_does_not_finish(caller: Caller) -> None:
    await caller.open()
    body = b'{"publisher":"ci-7","status":"running"}'
    assert (await caller.post("finish", body))[0] == 400


async def test_a_page_of_another_origin_publishes_nothing(caller: Caller, worker: Worker) -> None:
    await worker.open()
    for what in ("open", "logs", "beat", "finish"):
        status, said = await caller.post(what, HI, Origin="https://evil.example")
        assert (status, said["code"]) == (403, "foreign_origin")
    assert len(await worker.stored()) == 1


# ---- bounds


def bounded(**bounds: float) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("gateway_settings", [bounds], indirect=True)


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}
SMALL = {"publish_bytes": 8192, "batch_bytes": 4096, "record_bytes": 2048, "batch_records": 5}


@bounded(**SMALL)
async def test_a_batch_holds_as_many_records_as_allowed_and_no_more(caller: Caller) -> None:
    await caller.open()
    assert (await caller.batch(1, 0, b"[" + b",".join([HI] * 5) + b"]"))[0] == 200
    assert (await caller.batch(2, 5, b"[" + b",".join([HI] * 6) + b"]"))[0] == 413
    assert (await caller.batch(2, 5, b"\n".join([HI] * 6)))[0] == 413


@bounded(**SMALL)
async def test_a_batch_has_as_many_bytes_as_allowed_and_no_more(caller: Caller) -> None:
    await caller.open()
    big = orjson.dumps({"message": "x" * 1200})
    assert (await caller.batch(1, 0, b"[" + b",".join([big] * 3) + b"]"))[0] == 200
    assert (await caller.batch(2, 3, b"[" + b",".join([big] * 4) + b"]"))[0] == 413


@bounded(**SMALL)
@pytest.mark.parametrize("size", [8192, 8193])
async def test_a_body_has_as_many_bytes_as_allowed_and_no_more(caller: Caller, size: int) -> None:
    await caller.open()
    body = HI + b" " * (size - len(HI))
    assert (await caller.batch(1, 0, body))[0] == (200 if size == 8192 else 413)


@bounded(**SMALL)
async def test_a_body_that_does_not_say_its_length_is_bounded_too(caller: Caller) -> None:
    await caller.open()

    async def pieces() -> AsyncIterator[bytes]:
        yield HI
        for _ in range(9):
            yield b" " * 1000

    url = f"{caller.gateway.address}/executions/{caller.execution_id}/logs"
    async with caller.gateway.http.post(url, data=pieces()) as answer:
        assert answer.status == 413


async def test_small_answers_do_not_wait_for_acknowledgements(pushing: Running) -> None:
    async with pushing.http.get(f"{pushing.address}/healthz") as answer:
        await answer.read()
        (connection,) = pushing.server.server_state.connections
        assert connection.transport is not None
        link = connection.transport.get_extra_info("socket")
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_a_compressed_body_is_taken(caller: Caller, worker: Worker, coding: str) -> None:
    await caller.open()
    half = PACKERS[coding]
    body = half(b'[{"message":"a"},') + half(b'{"message":"b"}]')  # two members are one body
    assert (await caller.batch(1, 0, body, Content_Encoding=coding))[0] == 200
    assert await messages(worker) == ["a", "b"]


@bounded(**SMALL)
@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_a_body_that_expands_to_gigabytes_is_refused(caller: Caller, coding: str) -> None:
    await caller.open()
    pack = PACKERS[coding]
    bomb = pack(b" " * 4_000_000)
    assert len(bomb) < 8192
    assert (await caller.batch(1, 0, bomb, Content_Encoding=coding))[0] == 413


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("gzip", b"no gzip", 400),
        ("gzip", gzip.compress(HI, mtime=0)[:-9], 400),
        ("zstd", zstd.compress(HI)[:-3], 400),
        ("br", HI, 415),
    ],
)
async def test_a_damaged_or_unknown_coding_is_refused(
    caller: Caller, coding: str, body: bytes, status: int
) -> None:
    await caller.open()
    assert (await caller.batch(1, 0, body, Content_Encoding=coding))[0] == status


async def test_a_window_of_gigabytes_is_not_made_room_for(caller: Caller) -> None:
    await caller.open()
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27}
    wide = zstd.ZstdCompressor(options=options)
    body = wide.compress(HI) + wide.flush()
    assert (await caller.batch(1, 0, body, Content_Encoding="zstd"))[0] == 400


@bounded(body_seconds=0.2)
async def test_a_body_that_trickles_is_let_go(pushing: Running, execution_id: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", pushing.port)
    path = f"/executions/{execution_id}/logs"
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n".encode() + b"{")
    assert b" 408 " in await asyncio.wait_for(reader.readline(), 10)
    writer.transport.abort()


@bounded(publish_requests=1)
async def test_one_request_too_many_is_told_to_come_again(pushing: Running, worker: Worker) -> None:
    await worker.open()
    caller = Caller(pushing, worker.execution_id)
    _, writer = await asyncio.open_connection("127.0.0.1", pushing.port)
    path = f"/executions/{worker.execution_id}/logs"
    writer.write(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n".encode())

    async def refused() -> str:
        return str((await caller.post("logs", HI))[0])

    await soon_true(refused, {"429"})
    writer.transport.abort()
    await soon_true(refused, {"200"})


@pytest.mark.parametrize(("name", "value"), [("batch_bytes", 5_000_000), ("record_bytes", 1000)])
def test_bounds_that_contradict_each_other_are_refused(name: str, value: int) -> None:
    from runtail_gateway.publishing.request import bounds_of

    settings = replace(GatewaySettings(), **{name: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"{name} is {value}, expected"):
        bounds_of(settings)


# ---- a worker's sealed frame


async def test_a_sealed_frame_is_stored_as_it_is(caller: Caller, worker: Worker) -> None:
    await caller.open()
    lines = [record(caller.execution_id, n=n) for n in range(50)]
    frame = encode_frame(lines)
    assert (await caller.raw(frame, count=50, random="12345"))[1]["word"] == "stored"
    assert (await worker.entries())[1].frame == frame


async def test_what_a_frame_says_of_itself_is_counted_not_believed(caller: Caller) -> None:
    await caller.open()
    name = caller.execution_id
    lost = encode(name, {"lost": 7, "reason": "buffer full"}, kind="lost").json
    progress = encode(name, {"progress": 25}, kind="progress").json
    assert (await caller.frame([record(name, level="error"), lost, progress]))[0] == 200
    url = f"{caller.gateway.address}/executions/{name}"
    async with caller.gateway.http.get(url) as answer:
        state = orjson.loads(await answer.read())
    assert (state["levels"]["error"], state["dropped"], state["progress"]) == (1, 7, 25)


@pytest.mark.parametrize(
    "fields",
    [
        b'"execution_id":"other","level":"info"',
        b'"execution_id":"%b","level":"info","id":"1-1"',
        b'"execution_id":"%b","level":"info","seq":9',
        b'"execution_id":"%b","level":"loud"',
        b'"execution_id":"%b","kind":"end","status":"completed"',
        b'"execution_id":"%b","kind":"status","status":"completed"',
        b'"execution_id":"%b","kind":"lost","lost":-1',
        b'"execution_id":"%b","kind":{}',
        b'"execution_id":"%b","level":"info"},{"a":1',
        b'"execution_id":"%b","level":"info","a":',
        b'"execution_id":"%b","level":"info","a":"\xff"',
        b'"execution_id":"%b","level":"info","a":' + b"[" * 2000,
    ],
)
async def test_a_frame_with_a_record_that_no_worker_seals_is_refused(
    caller: Caller, worker: Worker, fields: bytes
) -> None:
    await caller.open()
    bad = b"{" + fields.replace(b"%b", caller.execution_id.encode()) + b"}"
    status, said = await caller.frame([record(caller.execution_id), bad])
    assert (status, said["code"]) == (400, "bad_request"), said
    assert "record 1" in said["detail"]
    assert await messages(worker) == []


@pytest.mark.parametrize("count", [1, 3])
async def test_a_frame_that_says_a_wrong_count_is_refused(caller: Caller, count: int) -> None:
    await caller.open()
    lines = [record(caller.execution_id)] * 2
    assert (await caller.raw(encode_frame(lines), count))[0] == 400


@pytest.mark.parametrize(
    "frame",
    [
        b"\x13nothing",
        b"\x11damaged",
        b"\x10" + msgpack.packb({"a": 1}),
        b"\x10" + msgpack.packb([["deep"]]),
        b"\x10" + b"\x91" * 5000,
    ],
)
async def test_bytes_that_are_no_frame_are_refused(caller: Caller, frame: bytes) -> None:
    await caller.open()
    assert (await caller.raw(frame, 1))[0] == 400


@bounded(**SMALL)
@pytest.mark.parametrize(
    "frame",
    [
        b"\x12" + zstd.compress(b"x" * 50_000_000, 1),
        b"\x11" + zstd.compress(msgpack.packb([b"x" * 9000]), 1),
        b"\x12" + zstd.compress(b"{\n" * 50, 1),
        b"\x10" + b"\xdd\x00\x00\x00\xff" * 100,
        b"\x10" + msgpack.packb([b'{"execution_id":"x","a":"%b"}' % (b"x" * 3000)]),
    ],
)
async def test_a_frame_that_expands_beyond_the_bounds_is_refused(
    caller: Caller, frame: bytes
) -> None:
    await caller.open()
    assert (await caller.raw(frame, 1))[0] == 413


async def test_a_frame_without_numbers_is_refused(caller: Caller) -> None:
    await caller.open()
    frame = encode_frame([record(caller.execution_id)])
    assert (await caller.post("logs", frame, Content_Type=FRAME_TYPE))[0] == 400


async def test_what_comes_over_http_is_outlined_as_a_worker_would(
    pushing: Running, engine_nodes: Nodes, execution_id: str
) -> None:
    url = f"{pushing.address}/executions/{execution_id}"
    records = [
        {"message": "fine"},
        {"message": "broke", "level": "error", "step_name": "load"},
        {"kind": "step", "step_name": "load", "status": "failed", "duration_ms": 8},
    ]
    said: list[tuple[str, object]] = [
        ("open", {"publisher": "p", "listens": True}),
        ("logs?publisher=p&batch=1&before=0", records),
        ("beat", {"publisher": "p", "last_batch": 1, "listens": True}),
    ]
    for path, body in said:
        async with pushing.http.post(f"{url}/{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
    async with pushing.http.get(url) as answer:
        state = await answer.json()
    error = state["last_error"]
    assert (error["seq"], error["message"], error["step_name"]) == (3, "broke", "load")
    assert state["cancellable"] is True
    key = ExecutionKeys.of(execution_id).steps
    stored = await engine_nodes.at(key, lambda node: node.hgetall(key))
    assert stored == {b"load": b"1 1 8"}


async def test_who_wants_more_safety_than_there_is_is_told_to_come_again(
    pushing: Running, engine_nodes: Nodes
) -> None:
    """The embedded engine has no replica. What was stored stays."""
    caller = Caller(pushing, "run-1")
    await caller.open()
    body = orjson.dumps([{"message": "a"}])
    status, said = await caller.post("logs?acks=replicas:1", body)
    assert (status, said["code"]) == (503, "unavailable")
    assert "acks is replicas:1 and after 2 s 0 of 1 replicas have it" in said["detail"]
    status, said = await caller.post("logs?acks=safely", body)
    assert (status, said["code"]) == (400, "bad_request")
    assert "'safely', expected memory, disk or replicas:N" in said["detail"]


async def test_the_sdk_over_http_counts_nothing_as_stored_that_is_not_as_safe_as_it_wants(
    engine_nodes: Nodes, engine_url: str, execution_id: str
) -> None:
    def publish(address: str) -> tuple[bool, int]:
        publisher = Publisher(url=address, settings=PublisherSettings(acks="replicas:1"))
        publisher.execution(execution_id).info("a")
        flushed = publisher.flush(1.0)
        publisher.close(0.1)
        return flushed, publisher.counters.stored

    async with running(replace(QUICK, acks_seconds=0.05), engine_url) as gateway:
        assert await asyncio.to_thread(publish, gateway.address) == (False, 0)
    stored = await Worker(engine_nodes, execution_id).stored()
    assert [record["kind"] for record in stored] == ["status"]  # however often it was opened

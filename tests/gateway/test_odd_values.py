"""Odd values: too deep, too large, not text, or text that means something elsewhere."""

from __future__ import annotations

import asyncio
import sys
import tracemalloc
from typing import Any

import msgpack
import pytest
from tests.gateway.logs.test_rest import get, refused
from tests.gateway.publishing.test_http import Caller, messages
from tests.gateway.raw import ask, connected, rest_of
from tests.gateway.running import Running
from tests.gateway.talking import Talk, logs_of, talking
from tests.gateway.worker import Worker

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DEEP = b"[" * 1000 + b"]" * 1000  # less than orjson reads, more than Python spells
DEEPER = b"[" * 30_000


@pytest.fixture(autouse=True)
def _no_error_of_ours(caplog: pytest.LogCaptureFixture) -> Any:
    """Whatever came, the application did not fail."""
    yield
    assert "Exception in ASGI application" not in caplog.text


@pytest.fixture
async def filled(worker: Worker) -> Worker:
    """A worker with a status and ten logs."""
    await worker.open()
    await worker.log_many(batches=1, records=10)
    return worker


# --- deep ----------------------------------------------------------------------------------------


async def said(gateway: Running, path: str, text: bytes) -> Talk:
    """What a socket answers to *text*, until it says something of it."""
    async with talking(gateway, path) as talk:
        await talk._socket.send_str(text.decode())
        await talk.until("error")
        return talk


DEEP_MESSAGES = [
    b'{"type":"x","a":%b}' % DEEP,
    b'{"type":"subscribe","execution_id":"a","after":%b}' % DEEP,
    b'{"type":"subscribe","execution_id":"a","level":[%b]}' % DEEP,
    b'{"type":"subscribe","execution_id":"a","tail":%b}' % DEEP,
    b'{"type":"watch","status":%b}' % DEEP,
    b'{"type":"watch","limit":%b}' % DEEP,
    b'{"type":"auth","token":%b}' % DEEP,
    DEEP,
    DEEPER,
]


async def test_a_deep_message_is_told_and_breaks_nothing(pushing: Running) -> None:
    """The client learns what was wrong; nothing is spelled out that cannot be."""
    for text in DEEP_MESSAGES:
        talk = await said(pushing, "/ws/executions", text)
        error = talk.of("error")[0]
        assert error["code"].startswith("bad_"), text[:60]
        assert len(error["message"]) < 1000, text[:60]


DEEP_BODIES = [
    ("open", b'{"publisher":%b}'),
    ("open", b'{"publisher":"a","role":%b}'),
    ("open", b'{"publisher":"a","begun":%b}'),
    ("beat", b'{"publisher":"a","last_batch":%b}'),
    ("finish", b'{"status":%b}'),
    ("finish", b'{"reason":%b}'),
    ("finish", b'{"publisher":"a","explicit":%b}'),
    ("logs", b'{"level":%b}'),
    ("logs", b'{"message":%b}'),
    ("logs", b'{"timestamp":%b}'),
    ("logs", b'{"kind":"progress","progress":%b}'),
    ("logs", b"[%b]"),
    ("notes", b'{"seq":%b,"text":"x"}'),
    ("notes", b'{"seq":1,"text":%b}'),
    ("notes", b'{"seq":1,"text":"x","author":%b}'),
    ("start-streaming", b'{"steps":%b}'),
    ("start-streaming", b'{"steps":[{"name":%b}]}'),
]


async def test_a_deep_body_is_refused_and_breaks_nothing(pushing: Running, filled: Worker) -> None:
    """Whichever field it stands in, the answer is a 400 that names it."""
    for what, body in DEEP_BODIES:
        for deep in (DEEP, DEEPER):
            status, problem = await Caller(pushing, filled.execution_id).post(what, body % deep)
            assert status == 400, body
            assert len(problem["detail"]) < 1000, body


def deep_records(execution_id: str, deep: bytes) -> list[bytes]:
    """Records that hold *deep* wherever something may be nested."""
    fields = [
        b'"level":"error","message":"x","input_data":%b' % deep,
        b'"level":"info","step_name":%b,"message":%b,"timestamp":%b,"error_message":%b'
        % ((deep,) * 4),
        b'"kind":"step","step_name":"s","status":%b,"duration_ms":%b' % (deep, deep),
        b'"kind":"plan","steps":%b,"note":%b' % (deep, deep),
        b'"kind":"metric","name":%b,"value":%b' % (deep, deep),
    ]
    return [b'{"execution_id":"%b",%b}' % (execution_id.encode(), each) for each in fields]


@pytest.mark.parametrize("depth", [300, 1000])
async def test_a_deep_record_in_a_frame_is_refused(
    pushing: Running, execution_id: str, depth: int
) -> None:
    """No worker seals one: its own encoding ends before that depth."""
    caller = Caller(pushing, execution_id)
    await caller.open()
    for record in deep_records(execution_id, b"[" * depth + b"]" * depth):
        status, problem = await caller.frame([record])
        assert (status, problem["code"]) == (400, "bad_request")
        assert "record 0" in problem["detail"]
    assert (await caller.frame(deep_records(execution_id, b"[" * 200 + b"]" * 200)))[0] == 200


@pytest.mark.parametrize("depth", [300, 1000])
async def test_a_deep_record_that_is_stored_is_read_in_every_way(
    pushing: Running, filled: Worker, depth: int
) -> None:
    """One that a worker wrote past the gateway does not keep people from the rest of the log."""
    deep = b"[" * depth + b"]" * depth
    await filled.log_lines(deep_records(filled.execution_id, deep))
    base = f"{pushing.address}/executions/{filled.execution_id}"
    for read in (
        "/logs",
        "/logs?q=nowhere",
        "/logs?level=error",
        "/logs?step=s",
        "/logs.txt",
        "/logs.ndjson",
        "/steps",
    ):
        async with pushing.http.get(base + read) as answer:
            assert answer.status == 200, read
            await answer.read()  # whole: a download that breaks off raises here
    for query in ("", "?level=error", "?step=s"):
        async with talking(pushing, logs_of(filled.execution_id) + query) as talk:
            await talk.until("caught_up")


# --- large ---------------------------------------------------------------------------------------


async def test_a_number_beyond_its_bound_is_refused_however_it_is_spelled(
    pushing: Running, filled: Worker
) -> None:
    """Zeros in front do not hide it, and its length is no error of ours."""
    for name in ("limit", "tail"):
        for number in ("10001", "00000000000000000001999999", "1" * 5000, "0" * 5000):
            path = f"/executions/{filled.execution_id}/logs?{name}={number}"
            status, problem = await refused(pushing, path)
            assert (status, problem["code"]) == (400, "bad_request"), path[:80]


HUGE_PLACES = [
    "logs?after=" + "9" * 5000 + "-1:1:00000000",
    "logs?after=1-1:" + "9" * 5000 + ":00000000",
    "logs?after=99999999999999999999-1:1:00000000",
    "logs?before=9007199254740993",
    "logs?context=" + "9" * 50 + "&q=x",
    "events?tail=" + "9" * 50,
    "steps?after=" + "9" * 5000,
]


async def test_a_huge_place_is_refused(pushing: Running, filled: Worker) -> None:
    """A cursor, a seq or a count that nothing can have is told with its name."""
    for query in HUGE_PLACES:
        status, problem = await refused(pushing, f"/executions/{filled.execution_id}/{query}")
        assert status == 400, query[:60]
        assert problem["code"] in ("bad_request", "bad_cursor"), query[:60]


@pytest.mark.parametrize("gateway_settings", [{"body_seconds": 0.2}], indirect=True)
async def test_a_length_with_zeros_in_front_is_bounded_too(
    pushing: Running, execution_id: str
) -> None:
    """A body is under watch whatever its length looks like."""
    head = f"POST /executions/{execution_id}/logs HTTP/1.1\r\nHost: x\r\nContent-Length: ".encode()
    for length in (b"99", b"0" * 20 + b"99", b"0" * 5000 + b"99"):
        async with connected(pushing) as (reader, writer):
            writer.write(head + length + b"\r\n\r\n{")
            assert b" 408 " in await asyncio.wait_for(reader.readline(), 5), length[:40]


async def test_an_enormous_around_is_the_last_page(pushing: Running, filled: Worker) -> None:
    """It costs no more than any other, and one beyond all seqs is refused."""
    path = f"/executions/{filled.execution_id}/logs?limit=4&around="
    page = await get(pushing, path + str(2**53))
    assert [record["seq"] for record in page["records"]] == [9, 10, 11]
    for beyond in (str(2**53 + 1), "9" * 400, "-1", "1e9", "0x10", "٣"):
        assert (await refused(pushing, path + beyond))[0] == 400


# --- not text ------------------------------------------------------------------------------------


async def test_nul_and_invalid_text_in_an_address_is_no_error_of_ours(
    pushing: Running, filled: Worker
) -> None:
    """As an id it is refused; in a text that is looked for it is found nowhere."""
    name = filled.execution_id.encode()
    for odd in (b"%00", b"%ff%fe", b"%c0%af", b"%ed%a0%80", b"\xff\xfe", b"\0"):
        raw = odd.startswith((b"\xff", b"\0"))  # which HTTP itself does not allow there
        for target, status in (
            (b"/executions/%b/logs" % odd, 400),
            (b"/executions/%b/logs?q=%b" % (name, odd), 200),
            (b"/executions/%b/logs?step=%b" % (name, odd), 200),
            (b"/executions/%b/logs?after=%b" % (name, odd), 400),
            (b"/executions?cursor=%b" % odd, 400),
            (b"/events?execution=%b" % odd, 400),
            (b"/monitoring/%b.js" % odd, 404),
        ):
            answer = await ask(pushing, target)
            assert answer.status == (400 if raw else status), target


UPGRADE = (
    b"GET %b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.mark.parametrize("many", [False, True])
async def test_invalid_text_in_a_message_closes_that_socket_alone(
    pushing: Running, filled: Worker, many: bool
) -> None:
    """It ends with 1007, as the protocol has it."""
    path = "/ws/executions" if many else logs_of(filled.execution_id)
    async with talking(pushing, path) as other, connected(pushing) as (reader, writer):
        writer.write(UPGRADE % path.encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"\x81\x82\0\0\0\0\xff\xfe")
        assert (await rest_of(reader)).endswith(b"\x88\x02" + (1007).to_bytes(2, "big"))
        assert other.is_open


async def test_invalid_text_in_a_body_is_refused_and_nul_is_kept(
    pushing: Running, filled: Worker
) -> None:
    """What is no UTF-8 is no JSON; a NUL is a character like others."""
    caller = Caller(pushing, filled.execution_id)
    for body in (b'{"message":"\xff"}', b'{"message":"\\ud800"}', b'{"message":"a\0b"}', b"\0"):
        assert (await caller.post("logs", body))[0] == 400
    assert (await caller.post("logs", b'{"message":"a\\u0000b"}'))[0] == 200
    assert (await messages(filled))[-1] == "a\0b"


# --- text that means more elsewhere --------------------------------------------------------------


async def test_a_pattern_in_q_is_a_text(pushing: Running, filled: Worker) -> None:
    """It matches itself alone, and costs no more than other texts."""
    evil = "(a+)+$ .* [0-9]{1,9999}"
    await filled.log(evil, "a" * 40_000 + "!")
    for text, seqs in ((evil, [12]), ("(a+)+$", [12]), (".*", [12]), ("^", []), ("\\d", [])):
        params = {"q": text, "limit": "50"}
        url = f"{pushing.address}/executions/{filled.execution_id}/logs"
        async with pushing.http.get(url, params=params) as answer:
            assert (await answer.json())["matches"] == seqs


DATA = ("application/json", "text/plain", "application/x-ndjson", "text/event-stream")


async def test_markup_is_never_of_a_type_that_a_browser_runs(
    pushing: Running, worker: Worker
) -> None:
    """Every answer with log text names a type that is data, and forbids to guess another."""
    await worker.open()
    await worker.log("<script>alert(1)</script>")
    await worker.end()
    for read in ("/logs", "/logs.txt", "/logs.ndjson", "/events", "/logs?q=<script>"):
        target = f"/executions/{worker.execution_id}{read}".encode()
        answer = await ask(pushing, target, more=b"Accept: text/html\r\n")
        assert b"<script>alert(1)" in answer.body
        kind = answer.headers["content-type"].split(";")[0]
        assert kind in (
            "application/json",
            "text/plain",
            "application/x-ndjson",
            "text/event-stream",
        )
        assert answer.headers["x-content-type-options"] == "nosniff"
    problem = await ask(pushing, b"/executions/<script>/logs")
    assert problem.headers["content-type"] == "application/problem+json"


# --- what is stored past the gateway -------------------------------------------------------------


async def test_a_stored_record_with_its_own_id_and_seq_has_runtails(
    pushing: Running, filled: Worker
) -> None:
    """They are written at the end, where nothing inside a record can come after them."""
    own = b'{"message":"evil","id":"9-9","seq":999,"execution_id":"%b","a":{"seq":1}}'
    await filled.log_lines([own % b"other"])
    page = await get(pushing, f"/executions/{filled.execution_id}/logs?tail=1")
    (entry,) = (await filled.entries())[-1:]
    assert (page["records"][0]["seq"], page["records"][0]["id"]) == (12, str(entry.id))
    async with pushing.watch(filled.execution_id) as viewer:
        await viewer.caught_up()
        assert [record["seq"] for record in viewer.records] == list(range(1, 13))


async def test_a_stored_frame_that_expands_to_gigabytes_becomes_lost_records(
    pushing: Running, filled: Worker
) -> None:
    """Reading it takes little more memory than the bound on a frame; what follows is read."""
    bombs = [
        b"\x12" + zstd.compress(b"x" * 200_000_000, 1),
        b"\x11" + zstd.compress(msgpack.packb([b" " * 200_000_000]), 1),
        b"\x10\xdd\xff\xff\xff\xff",
    ]
    for bomb in bombs:
        await filled.log_frame(bomb, 1)
    await filled.log("after it")
    tracemalloc.start()
    async with pushing.watch(filled.execution_id) as viewer:
        await viewer.caught_up()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert viewer.texts[-1] == "after it"
        assert [r["lost"] for r in viewer.records if r.get("kind") == "lost"] == [1, 1, 1]
    assert peak < 100 * 2**20

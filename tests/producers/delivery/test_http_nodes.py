"""Publishing through a gateway: the same promises as on the engine's own address."""

from __future__ import annotations

import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.processes import gateways
from tests.engines import folder
from tests.polling import until
from tests.producers.faults import AMID, FAST, assert_whole, log, reading, worker
from tests.producers.http_gateway import HttpGateway, canned, http_gateway
from tests.producers.stored import Stored
from tests.proxy import Proxy, proxy_to

import runtail
from runtail import AsyncPublisher, Publisher, PublisherSettings
from runtail.masks.masking import mask
from runtail_broker.engines.engine import start_engine

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def _gateway(engine_url: str) -> Iterator[HttpGateway]:
    with http_gateway(engine_url) as gateway:
        yield gateway


@pytest.fixture
def gateway(_gateway: HttpGateway, stored: Stored) -> HttpGateway:
    """A gateway that nothing is done to, over an empty engine."""
    stored.redis.flushall()
    return _gateway


@pytest.fixture
def own_gateway(engine_url: str, stored: Stored) -> Iterator[HttpGateway]:
    """A gateway of the test's own, so that it may be hurt, over an empty engine."""
    stored.redis.flushall()
    with http_gateway(engine_url) as gateway:
        yield gateway


@pytest.fixture
def before_gateway(gateway: HttpGateway) -> Iterator[Proxy]:
    """A proxy between workers and the gateway."""
    with proxy_to(gateway.url) as proxy:
        yield proxy


def http(proxy: Proxy) -> str:
    return proxy.url.replace("redis://", "http://")


# ---- what it does


def test_a_run_is_stored_in_order_listed_and_ended(gateway: HttpGateway, stored: Stored) -> None:
    with Publisher(url=gateway.url) as publisher:
        with publisher.execution("exec-1", workflow_id="wf") as run:
            for n in range(3000):
                run.info(str(n))
            run.progress(50)
            with run.step("load"):
                run.error("odd")
        assert publisher.flush()
        assert publisher.counters.engine_errors == 0
    assert stored.messages("exec-1") == [*map(str, range(3000)), "odd"]
    assert stored.kinds("exec-1")[-2:] == ["status", "end"]
    state = stored.state("exec-1")
    assert (state["status"], state["workflow"], state["progress"]) == ("completed", "wf", "50.0")
    assert stored.is_listed("exec-1")


def test_many_executions_share_a_round_trip(before_gateway: Proxy, stored: Stored) -> None:
    with Publisher(url=http(before_gateway)) as publisher:
        runs = [publisher.execution(f"exec-{n}") for n in range(200)]
        for run in runs:
            run.info("hello")
        assert publisher.flush(10)
    assert all(stored.messages(run.id) == ["hello"] for run in runs)


def test_a_finished_id_goes_on_under_the_next_name(gateway: HttpGateway, stored: Stored) -> None:
    with Publisher(url=gateway.url) as publisher:
        for text in ("first", "second"):
            with publisher.execution("exec-1") as run:
                run.info(text)
            assert publisher.flush()
        assert run.id == "exec-1.2"
    assert stored.messages("exec-1.2") == ["second"]


def test_a_wish_to_cancel_reaches_the_worker(gateway: HttpGateway, stored: Stored) -> None:
    with Publisher(url=gateway.url, settings=FAST) as publisher:
        run = publisher.execution("exec-1")
        assert publisher.flush()
        stored.redis.hset("runtail:{exec-1}:state", "cancel", "1")
        until(lambda: run.cancel_requested, "the beat's answer told it")


def test_secrets_are_masked_before_they_leave(gateway: HttpGateway, stored: Stored) -> None:
    mask("wombat-4711")
    with Publisher(url=gateway.url) as publisher:
        publisher.execution("exec-1").info("key wombat-4711", input_data={"password": "hunter22"})
        assert publisher.flush()
    assert "wombat" not in str(stored.records("exec-1"))
    assert "hunter22" not in str(stored.records("exec-1"))


async def test_asyncio_code_publishes_too(gateway: HttpGateway, stored: Stored) -> None:
    async with AsyncPublisher(url=gateway.url) as publisher:
        async with publisher.execution("exec-1") as run:
            run.info("hello")
        assert await publisher.flush()
    assert stored.messages("exec-1") == ["hello"]


def test_the_shared_publisher_is_configured_with_a_url(
    gateway: HttpGateway, stored: Stored
) -> None:
    runtail.configure(url=gateway.url)
    try:
        with runtail.execution("exec-1"):
            runtail.info("hello")
        assert runtail.shutdown()
    finally:
        runtail.configure()
    assert stored.messages("exec-1") == ["hello"]


def test_the_environment_may_name_the_gateway(
    gateway: HttpGateway, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTAIL_REDIS_URL", raising=False)
    monkeypatch.setenv("RUNTAIL_GATEWAY_URL", gateway.url)
    with Publisher() as publisher:
        publisher.execution("exec-1").info("hello")
        assert publisher.flush()
    assert stored.messages("exec-1") == ["hello"]


def test_a_worker_behind_a_gateway_never_imports_the_engines_client(gateway: HttpGateway) -> None:
    code = """
import sys
from runtail import Publisher
with Publisher(url=sys.argv[1]) as publisher:
    publisher.execution("exec-1").info("hello")
    assert publisher.flush()
print(*{name.split(".")[0] for name in sys.modules})
"""
    command = [sys.executable, "-c", code, gateway.url]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)
    assert not {"redis", "starlette", "uvicorn", "aiohttp"} & set(done.stdout.split())


def test_both_addresses_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="redis_url and url are both given"):
        Publisher("redis://127.0.0.1", url="http://127.0.0.1")
    with pytest.raises(ValueError, match="redis_url and url are both given"):
        runtail.configure("redis://127.0.0.1", url="http://127.0.0.1")


def test_a_pickled_publisher_keeps_its_gateway_and_its_token(gateway: HttpGateway) -> None:
    with Publisher(url=gateway.url, token="t0ken") as publisher:
        made = pickle.loads(pickle.dumps(publisher))
        with made:
            made.execution("exec-1").info("hello")
            assert made.flush()
        assert made._token == "t0ken"


# ---- faults


@pytest.mark.fault("the answer to a publish is lost")
def test_a_batch_whose_answer_was_lost_is_stored_once(
    before_gateway: Proxy, stored: Stored
) -> None:
    with worker(http(before_gateway)) as run:
        for start in range(0, 100, 10):
            before_gateway.lose_answers(1)
            log(run, AMID[start : start + 10])
            until(lambda: before_gateway.answers_to_lose == 0, "an answer was lost")
    assert before_gateway.lost == 10
    assert_whole(stored)


def test_a_connection_that_was_closed_while_idle_is_no_error(
    before_gateway: Proxy, stored: Stored
) -> None:
    with Publisher(url=http(before_gateway)) as publisher:
        run = publisher.execution("exec-1")
        assert publisher.flush()
        for n in range(5):
            before_gateway.cut()
            run.info(str(n))
            assert publisher.flush()
        assert publisher.counters.engine_errors == 0
    assert stored.messages("exec-1") == list("01234")


@pytest.mark.fault("the connection is reset")
def test_connections_are_cut_again_and_again(before_gateway: Proxy, stored: Stored) -> None:
    with worker(http(before_gateway)) as run:
        for line in AMID:
            run.info(line)
            before_gateway.cut()
    assert_whole(stored)


def test_a_gateway_that_holds_its_answers_back_is_asked_again(
    before_gateway: Proxy, stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    with worker(http(before_gateway)) as run:
        before_gateway.hold()
        log(run, AMID)
        until(lambda: "did not answer within" in caplog.text, "it was told")
        before_gateway.forward()
    assert_whole(stored)


def test_a_gateway_that_is_ended_and_started_again_is_found_again(
    own_gateway: HttpGateway, stored: Stored
) -> None:
    with worker(own_gateway.url) as run:
        own_gateway.stop()
        log(run, AMID)
        own_gateway.start()
    assert_whole(stored)


def test_any_gateway_will_do(
    own_gateway: HttpGateway, gateway: HttpGateway, stored: Stored
) -> None:
    with proxy_to(own_gateway.url) as proxy, worker(http(proxy)) as run:
        proxy.lead_to(gateway.url)
        own_gateway.stop()
        log(run, AMID)
    assert_whole(stored)


@pytest.mark.fault("a new primary lacks the last second")
def test_what_a_failover_lost_is_sent_again_through_the_gateway(
    gateway: HttpGateway, stored: Stored
) -> None:
    with worker(gateway.url) as run:
        copy = stored.snapshot("exec-1")
        log(run, AMID)
        until(lambda: stored.messages("exec-1")[-1] == AMID[-1], "it is stored")
        stored.go_back(copy)
        until(lambda: stored.messages("exec-1")[-1] == AMID[-1], "a beat found out")
    assert_whole(stored, new_primary=True)


@pytest.mark.fault("the engine came back empty")
def test_an_engine_that_came_back_empty_gets_a_new_history(
    gateway: HttpGateway, stored: Stored
) -> None:
    with Publisher(url=gateway.url, settings=FAST) as publisher:
        run = publisher.execution("exec-1")
        run.info("one")
        assert publisher.flush()
        stored.redis.flushall()
        run.info("two")
        until(lambda: stored.messages("exec-1") == ["one", "two"], "all of it is there again")


@pytest.mark.fault("the engine is away")
def test_a_gateway_without_an_engine_makes_records_wait(stored: Stored, engine_url: str) -> None:
    stored.redis.flushall()
    with proxy_to(engine_url) as engine, http_gateway(engine.url) as gateway:
        with worker(gateway.url) as run:
            engine.refuse()
            log(run, AMID)
            engine.forward()
        assert_whole(stored)


@pytest.mark.fault("the engine is killed and restarted")
def test_the_engine_behind_the_gateway_is_killed_and_restarted() -> None:
    with folder() as place:
        engine = start_engine(place / "data", appendonly="always")
        with http_gateway(engine.url) as gateway:
            with worker(gateway.url) as run:
                assert engine.pid is not None
                os.kill(engine.pid, signal.SIGKILL)
                log(run, AMID)
                engine.close()
                engine = start_engine(place / "data", appendonly="always")
            with reading(engine.url) as reader:
                assert_whole(reader, new_primary=True)
        engine.close()


@pytest.mark.fault("the engine's memory is full (`OOM command not allowed`)")
def test_the_engine_behind_the_gateway_has_no_memory_for_a_while(
    gateway: HttpGateway, stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    with worker(gateway.url) as run:
        stored.redis.config_set("maxmemory", "1")
        try:
            log(run, AMID)
            until(lambda: "used memory" in caplog.text, "it was told")
        finally:
            stored.redis.config_set("maxmemory", "0")
    assert_whole(stored)


@pytest.mark.fault("its scripts are flushed (`NOSCRIPT`)")
def test_the_scripts_behind_the_gateway_are_flushed(gateway: HttpGateway, stored: Stored) -> None:
    with worker(gateway.url) as run:
        for line in AMID:
            stored.redis.script_flush()
            run.info(line)
    assert_whole(stored)


@pytest.mark.full
def test_a_gateway_process_is_killed_and_started_again(
    stored: Stored, engine_url: str, tmp_path: Path
) -> None:
    stored.redis.flushall()
    with gateways(engine_url, tmp_path, 1) as (process,), worker(process.http) as run:
        for start in range(0, 100, 50):
            process.kill()
            log(run, AMID[start : start + 50])
            process.start()
    assert_whole(stored)


@pytest.mark.fault("the engine stays away until the process ends")
def test_a_spill_file_is_sent_through_the_gateway_by_the_next_process(
    own_gateway: HttpGateway, stored: Stored
) -> None:
    with folder() as place:
        settings = spilling(place)
        publisher = Publisher(url=own_gateway.url, settings=settings)
        run = publisher.execution("exec-1")
        run.info("before")
        assert publisher.flush()
        own_gateway.stop()
        run.info("amid")
        run.finish()
        assert not publisher.close(0.2)
        assert list(place.glob("*.spill"))
        own_gateway.start()
        with Publisher(url=own_gateway.url, settings=settings):
            until(lambda: stored.messages("exec-1") == ["before", "amid"], "the next sent it")
            until(lambda: stored.state("exec-1")["status"] == "completed", "and the leaving")


def spilling(place: Path) -> PublisherSettings:
    return PublisherSettings(
        beat_seconds=0.1,
        retry_max_seconds=0.1,
        engine_timeout_seconds=0.5,
        spill_folder=str(place),
        spill_after_seconds=0.1,
    )


# ---- the gateway's bounds


SMALL = {"record_bytes": 1024, "batch_bytes": 4096, "batch_records": 5, "publish_bytes": 8192}


@pytest.fixture
def small(engine_url: str, stored: Stored) -> Iterator[HttpGateway]:
    """A gateway that takes less than the SDK would send by itself."""
    stored.redis.flushall()
    with http_gateway(engine_url, **SMALL, publish_calls=8) as gateway:
        yield gateway


class SlowImport:
    """An import of *module* that lasts until `go` is set; `begun` says that it has begun."""

    def __init__(self, module: str) -> None:
        self._module = module
        self.begun, self.go = threading.Event(), threading.Event()

    def find_spec(self, name: str, *_: object) -> None:
        if name == self._module:
            self.begun.set()
            assert self.go.wait(30)


def test_a_flush_amid_the_sealing_waits_for_what_is_sealed(
    gateway: HttpGateway, stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that are in no queue and in no batch, while a module is loaded, are not stored."""
    slow = SlowImport("runtail.delivery.fitting")
    monkeypatch.delitem(sys.modules, "runtail.delivery.fitting", raising=False)
    monkeypatch.setattr(sys, "meta_path", [slow, *sys.meta_path])
    with Publisher(url=gateway.url) as publisher:
        run = publisher.execution("exec-1")
        assert run.opened()
        run.info("hello")
        assert slow.begun.wait(10)
        early = publisher.flush(0)
        slow.go.set()
        assert not early
        assert publisher.flush()
        assert stored.messages("exec-1") == ["hello"]


def test_what_is_sealed_fits_what_the_gateway_takes(small: HttpGateway, stored: Stored) -> None:
    ready = [
        b'{"execution_id":"exec-1","timestamp":"2026-01-01T00:00:00Z","level":"info","message":"%d"}'
        % n
        for n in range(100)
    ]
    with Publisher(url=small.url) as publisher:
        run = publisher.execution("exec-1")
        run.write(ready)
        for n in range(100, 200):
            run.info(str(n))
        assert publisher.flush(10)
        assert publisher.counters.engine_errors == 0
    assert stored.messages("exec-1") == [str(n) for n in range(200)]
    assert max(entry.count for entry in stored.entries("exec-1")) == 5


def test_more_calls_than_the_gateway_takes_go_in_several_requests(
    small: HttpGateway, stored: Stored
) -> None:
    with Publisher(url=small.url) as publisher:
        publisher.execution("first")
        assert publisher.flush()
        runs = [publisher.execution(f"exec-{n}") for n in range(40)]
        for run in runs:
            run.info("hello")
        assert publisher.flush(10)
        assert publisher.counters.engine_errors == 0
    assert all(stored.messages(run.id) == ["hello"] for run in runs)


def test_a_record_is_cut_to_what_the_gateway_takes(small: HttpGateway, stored: Stored) -> None:
    with Publisher(url=small.url) as publisher:
        run = publisher.execution("exec-1")
        run.info("x" * 5000)
        run.write(
            [b'{"execution_id":"exec-1","timestamp":"t","level":"info","message":"%b"}'] * 1
            + [
                b'{"execution_id":"exec-1","timestamp":"t","level":"info","message":"%b"}'
                % (b"y" * 3000)
            ]
        )
        assert publisher.flush(10)
        assert publisher._buffer._bytes == 0  # what was cut away waits no more
    records = [r for r in stored.records("exec-1") if "kind" not in r]
    assert [r.get("truncated") for r in records] == [{"message": 5000}, None, {"message": 3000}]


def test_a_batch_that_was_sealed_before_the_bounds_fell_waits_and_is_told(
    own_gateway: HttpGateway, stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    with Publisher(url=own_gateway.url, settings=FAST) as publisher:
        run = publisher.execution("exec-1")
        assert publisher.flush()
        own_gateway.stop()
        run.info("x" * 5000)
        until(lambda: publisher.counters.engine_errors > 0, "it was tried")
        own_gateway.start(**SMALL)
        until(lambda: "expands to more than" in caplog.text, "it was told")
        own_gateway.stop()
        own_gateway.start(record_bytes=65536)
        assert publisher.flush(10)
    assert stored.messages("exec-1") == ["x" * 5000]


# ---- who answers otherwise


def answer(status: str, body: bytes = b"{}", **headers: str) -> bytes:
    named = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
    return f"HTTP/1.1 {status}\r\n{named}Content-Length: {len(body)}\r\n\r\n".encode() + body


REFUSALS = [
    (answer("401 Unauthorized", b'{"detail":"signed out"}'), "answered 401: signed out"),
    (answer("403 Forbidden", b'{"detail":"not yours"}'), "answered 403: not yours"),
    (answer("404 Not Found", b"nothing here"), "answered 404: nothing here"),
    (answer("301 Moved", Location="https://x/"), "answered 301"),
    (answer("413 Too Large", b'{"detail":"too much"}'), "answered 413: too much"),
    (answer("503 Away", b'{"detail":"no engine"}'), "answered 503: no engine"),
    (answer("200 OK", b"<html>"), "is no gateway of runtail"),
    (b"SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "does not speak HTTP"),
]


@pytest.mark.parametrize(("said", "told"), REFUSALS)
def test_what_refuses_is_told_and_hurts_nobody(
    said: bytes, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    with canned(said) as server:
        publisher = Publisher(url=server.url, settings=FAST, token="s3cret-token")
        publisher.execution("exec-1").info("hello")
        until(lambda: told in caplog.text, "it was told")
        publisher.close(0)
        assert publisher.counters.stored == 0
    assert "s3cret" not in caplog.text


def test_a_server_that_asks_to_be_left_alone_is(caplog: pytest.LogCaptureFixture) -> None:
    with canned(answer("429 Too Many", Retry_After="1")) as server:
        publisher = Publisher(url=server.url, settings=FAST)
        publisher.execution("exec-1")
        until(lambda: server.asked, "it was asked")
        began, before = time.monotonic(), len(server.asked)
        until(lambda: len(server.asked) > before, "it is asked again")
        assert time.monotonic() - began > 0.8
        publisher.close(0)


def test_the_token_and_the_prefix_go_with_each_request() -> None:
    tokens = iter(["first", "second", *["third"] * 1000])
    with canned(answer("503 Away")) as server:
        url, settings = server.url + "/some/prefix/", FAST
        publisher = Publisher(url=url, token=lambda: next(tokens), settings=settings)
        publisher.execution("exec-1")
        until(lambda: len(server.asked) > 2, "it was asked three times")
        publisher.close(0)
    assert {path for path, _ in server.asked} == {"/some/prefix/publish"}
    shown = [headers["Authorization"] for _, headers in server.asked[:3]]
    assert shown == ["Bearer first", "Bearer second", "Bearer third"]


def test_the_environment_may_hold_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTAIL_TOKEN", "from-outside")
    with canned(answer("503 Away")) as server:
        publisher = Publisher(url=server.url, settings=FAST)
        publisher.execution("exec-1")
        until(lambda: server.asked, "it was asked")
        publisher.close(0)
    assert server.asked[0][1]["Authorization"] == "Bearer from-outside"


@pytest.mark.parametrize("token", ["two\r\nlines", "ключ"])
def test_a_token_that_no_header_can_hold_is_told_without_it(
    token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "runtail")
    publisher = Publisher(url="http://127.0.0.1:9", token=token, settings=FAST)
    publisher.execution("exec-1")
    until(lambda: "a header can hold" in caplog.text, "it was told")
    publisher.close(0)
    assert token not in caplog.text


def test_a_token_function_that_raises_makes_records_wait(
    gateway: HttpGateway, stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    tries = iter([True, True, False])

    def token() -> str:
        if next(tries, False):
            raise OSError("the vault is sealed")
        return "t"

    with Publisher(url=gateway.url, token=token, settings=FAST) as publisher:
        publisher.execution("exec-1").info("hello")
        assert publisher.flush(10)
    assert "the vault is sealed" in caplog.text
    assert stored.messages("exec-1") == ["hello"]


@pytest.mark.parametrize("url", ["http://", "https://a b/", "http://u:p4ss@host/", "http://h/?q=1"])
def test_an_address_that_is_none_is_told_and_hurts_nobody(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    publisher = Publisher(url=url, settings=FAST)
    publisher.execution("exec-1").info("hello")
    until(lambda: "is not the URL" in caplog.text, "it was told")
    publisher.close(0)
    assert "p4ss" not in caplog.text

"""The guide's table of faults of the engine and the network, row by row, on a real engine.

For each: the worker's code notices nothing, the stream holds everything once and in order, and the
process ends within a bound.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines import folder
from tests.polling import until
from tests.producers.faults import (
    AMID,
    AT_ONCE_SECONDS,
    BEFORE,
    CALLS,
    assert_whole,
    log,
    reading,
    worker,
)
from tests.proxy import proxy_to

from runtail import Publisher, PublisherSettings
from runtail_broker.engines.engine import Engine, start_engine

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data() -> Iterator[Path]:
    with folder() as place:
        yield place / "data"


@pytest.fixture
def own_engine(data: Path) -> Iterator[Engine]:
    """An engine of the test's own, so that it may be hurt."""
    with start_engine(data, appendonly="always") as engine:
        yield engine


def test_every_row_of_the_guide_has_its_tests_and_every_marked_test_its_row() -> None:
    guide = (ROOT / "producers" / "README.md").read_text()
    table = guide.split("## What happens when things fail")[1].split("\n## ")[0]
    rows = set(re.findall(r"^\| (?!what |---)(.+?) \|", table, re.MULTILINE))
    sources = [path.read_text() for path in ROOT.glob("tests/**/test_*.py")]
    marks = {row for text in sources for row in re.findall(r'mark\.fault\("(.+?)"\)', text)}
    assert rows == marks


@pytest.mark.fault("the engine is killed and restarted")
def test_the_engine_is_killed_and_restarted(data: Path) -> None:
    engine = start_engine(data, appendonly="always")
    with worker(engine.url) as run:
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        log(run, AMID)
        engine.close()
        restarted = start_engine(data, appendonly="always")
    with restarted, reading(restarted.url) as reader:
        assert_whole(reader, new_primary=True)


@pytest.mark.fault("the engine is frozen for 20 s")
@pytest.mark.parametrize("seconds", [2, pytest.param(20, marks=pytest.mark.full)])
def test_the_engine_is_frozen(
    own_engine: Engine, seconds: float, caplog: pytest.LogCaptureFixture
) -> None:
    with worker(own_engine.url) as run:
        os.kill(own_engine.pid, signal.SIGSTOP)
        thaw = time.monotonic() + seconds
        try:
            log(run, AMID)
            until(lambda: caplog.text.count("records wait") > 2, "it was tried again and again")
            until(lambda: time.monotonic() > thaw, "the time is over", seconds + 5)
        finally:
            os.kill(own_engine.pid, signal.SIGCONT)
    with reading(own_engine.url) as reader:
        assert_whole(reader)


@pytest.mark.fault("the connection is reset")
def test_the_connection_is_reset(own_engine: Engine) -> None:
    with proxy_to(own_engine.url) as proxy, worker(proxy.url) as run:
        for line in AMID:
            run.info(line)
            proxy.cut()
    with reading(own_engine.url) as reader:
        assert_whole(reader)


@pytest.mark.fault("the connection is reset")
def test_the_connection_is_reset_with_a_batch_under_way(own_engine: Engine) -> None:
    with (
        reading(own_engine.url) as reader,
        proxy_to(own_engine.url) as proxy,
        worker(proxy.url) as run,
    ):
        proxy.hold()
        log(run, AMID)
        until(lambda: AMID[0] in reader.messages("exec-1"), "the engine has some")
        proxy.cut()
        proxy.forward()
    with reading(own_engine.url) as reader:
        assert_whole(reader)


@pytest.mark.fault("the engine's memory is full (`OOM command not allowed`)")
def test_the_engine_has_no_memory_for_a_while(
    own_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with reading(own_engine.url) as reader:
        with worker(own_engine.url) as run:
            reader.redis.config_set("maxmemory", "1")
            log(run, AMID)
            until(lambda: "used memory" in caplog.text, "it was told")
            reader.redis.config_set("maxmemory", "0")
        assert_whole(reader)


@pytest.mark.fault("the password is wrong")
def test_the_password_is_wrong_for_a_while(
    own_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with reading(own_engine.url) as reader:
        reader.redis.config_set("requirepass", "right")
        with worker(own_engine.url.replace("://", "://:right@", 1)) as run:
            reader.redis.config_set("requirepass", "another")
            reader.redis.client_kill_filter(_type="normal", skipme=True)
            log(run, AMID)
            until(lambda: "invalid username-password pair" in caplog.text, "it was told")
            assert "right" not in caplog.text
            reader.redis.config_set("requirepass", "right")
        assert_whole(reader)


@pytest.mark.fault("the engine became a replica (`READONLY`)")
def test_the_engine_became_a_replica(own_engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with reading(own_engine.url) as reader:
        with worker(own_engine.url) as run:
            reader.redis.replicaof("127.0.0.1", "1")
            log(run, AMID)
            until(lambda: "read only" in caplog.text or "READONLY" in caplog.text, "it was told")
            reader.redis.replicaof("NO", "ONE")
        assert_whole(reader)


@pytest.mark.fault("its scripts are flushed (`NOSCRIPT`)")
def test_the_scripts_are_flushed(own_engine: Engine) -> None:
    with reading(own_engine.url) as reader:
        with worker(own_engine.url) as run:
            for line in AMID:
                reader.redis.script_flush()
                run.info(line)
        assert_whole(reader)


@pytest.mark.fault("its name cannot be resolved (DNS)")
def test_names_are_not_resolved_for_a_while(
    own_engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*place: object, **hints: object) -> object:
        raise socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution")

    with proxy_to(own_engine.url) as proxy:
        url = proxy.url.replace("127.0.0.1", "localhost")
        with worker(url) as run, pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", fails)
            proxy.cut()
            log(run, AMID)
            until(lambda: "name resolution" in caplog.text, "it was told")
    with reading(own_engine.url) as reader:
        assert_whole(reader)


@pytest.mark.fault("the engine stays away until the process ends")
@pytest.mark.parametrize("url", ["redis://no-such-host.invalid:6379", "redis://127.0.0.1:1"])
def test_there_is_no_engine_at_that_address(url: str, tmp_path: Path, own_engine: Engine) -> None:
    settings = PublisherSettings(
        retry_max_seconds=0.1, spill_folder=str(tmp_path), exit_seconds=0.2
    )
    publisher = Publisher(url, settings=settings)
    with publisher.execution("exec-1") as run:
        log(run, BEFORE)
    began = time.monotonic()
    publisher.close_at_exit()
    assert time.monotonic() - began < 0.2 + AT_ONCE_SECONDS
    assert publisher.counters.spilled == CALLS
    with Publisher(own_engine.url, settings=settings), reading(own_engine.url) as reader:
        until(lambda: reader.messages("exec-1") == BEFORE, "the next process stored it")


@pytest.mark.fault("a new primary lacks the last second")
def test_a_new_primary_lacks_the_last_second(own_engine: Engine) -> None:
    with reading(own_engine.url) as reader:
        with worker(own_engine.url) as run:
            older = reader.snapshot("exec-1")
            log(run, AMID)
            until(lambda: reader.messages("exec-1") == [*BEFORE, *AMID], "all is acknowledged")
            reader.go_back(older)
        assert_whole(reader, new_primary=True)

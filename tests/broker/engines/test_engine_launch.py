"""Where an engine's socket and log go, and what is said when it does not come up."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.broker.engine_place import private_place
from tests.broker.engine_programs import ask, is_free, socket_of, traces

from runtail_broker.engines.engine import EngineFailed, start_engine
from runtail_broker.engines.engine_launch import LOG_BYTES, SOCKET_BYTES


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from private_place(monkeypatch)


@pytest.fixture
def data(place: Path) -> Path:
    return place / "data"


def test_a_long_data_path_puts_the_socket_elsewhere(place: Path) -> None:
    long = place / ("d" * SOCKET_BYTES)
    with start_engine(long) as engine:
        assert socket_of(engine).parent == place / "xdg_runtime_dir/runtail"
        assert ask(engine.url, "PING")
    assert not socket_of(engine).exists()


def test_a_socket_is_not_put_where_others_could_replace_it(place: Path) -> None:
    shared = place / "xdg_runtime_dir/runtail"
    shared.mkdir()
    shared.chmod(0o777)
    with start_engine(place / ("d" * SOCKET_BYTES)) as engine:
        assert socket_of(engine).parent == place / f"tmpdir/runtail-{os.getuid()}"


def test_a_long_log_is_set_aside_at_the_next_start(data: Path) -> None:
    data.mkdir()
    (data / "engine.log").write_bytes(b"x" * (LOG_BYTES + 1))
    start_engine(data).close()
    assert (data / "engine.log").stat().st_size < LOG_BYTES
    assert (data / "engine.log.1").stat().st_size == LOG_BYTES + 1


def test_a_register_that_cannot_be_written_is_told_and_the_engine_starts(
    data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    with caplog.at_level(logging.WARNING), start_engine(data) as engine:
        assert ask(engine.url, "PING")
    assert f"RUNTAIL_REDIS_URL={engine.url}" in caplog.text


def test_an_engine_that_dies_at_once_is_an_error_with_its_last_words(data: Path) -> None:
    with pytest.raises(EngineFailed, match="no-such-option") as raised:
        start_engine(data, arguments=("--no-such-option", "1"))
    assert "no-such-option" in raised.value.log
    assert traces(data) == set()
    assert is_free(data)


def test_a_port_that_is_taken_is_an_error_that_says_so(data: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        pytest.raises(EngineFailed, match="in use"),
    ):
        start_engine(data, port=server.getsockname()[1])


def test_an_engine_that_answers_too_late_is_an_error_and_is_ended(data: Path) -> None:
    with pytest.raises(EngineFailed, match=r"in 0\.0 s"):
        start_engine(data, start_seconds=0.0)
    assert traces(data) == set()
    assert is_free(data)


def test_a_running_engine_that_does_not_answer_is_an_error(data: Path) -> None:
    with start_engine(data) as engine:
        os.kill(engine.pid, signal.SIGSTOP)
        try:
            with pytest.raises(EngineFailed, match="runs but did not answer"):
                start_engine(data, start_seconds=0.1)
        finally:
            os.kill(engine.pid, signal.SIGCONT)


def test_a_program_that_is_no_server_is_an_error_with_its_last_words(data: Path) -> None:
    with pytest.raises(EngineFailed, match="ls: unrecognized option") as raised:
        start_engine(data, binary=shutil.which("ls"))
    assert "ended while it started" in raised.value.reason
    assert traces(data) == set()

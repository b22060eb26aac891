"""The engine ends with the process that started it, and not before."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.broker.engine_place import private_place
from tests.broker.engine_programs import OWNER, eventually, gone, is_free, program, traces

from runtail_broker.engines.engine import Engine, find_engine, start_engine
from runtail_broker.engines.engine_address import running

FORKING_OWNER = """\
engine = start_engine(Path(sys.argv[1]))
tell(pid=engine.pid)
if os.fork() == 0:
    engine.close()
    tell(pid=os.getpid())
    signal.pause()
sys.stdin.readline()
engine.close()
tell(pid=engine.pid)
sys.stdin.read()
"""

CAREFUL_OWNER = """\
engine = start_engine(Path(sys.argv[1]))
try:
    tell(pid=engine.pid)
    signal.pause()
except KeyboardInterrupt:
    tell(answers=find_engine() == engine.url)
    engine.close()
    tell(pid=engine.pid)
    signal.pause()
"""

CARELESS_OWNER = """\
engine = start_engine(Path(sys.argv[1]))
tell(pid=engine.pid)
"""


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from private_place(monkeypatch)


@pytest.fixture
def data(place: Path) -> Path:
    return place / "data"


def test_a_killed_parent_takes_its_engine_along(data: Path) -> None:
    with program(OWNER, data) as owner:
        engine = owner.told_pid()
        owner.signal(signal.SIGKILL)
        assert eventually(lambda: gone(engine) and is_free(data))
    assert traces(data) == set()
    assert find_engine() is None


def test_a_killed_parent_takes_its_engine_along_though_a_fork_of_it_lives(data: Path) -> None:
    with program(FORKING_OWNER, data) as owner:
        engine, child = owner.told_pid(), owner.told_pid()
        try:
            owner.signal(signal.SIGKILL)
            assert eventually(lambda: gone(engine))
            assert not gone(child)
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_forked_child_cannot_close_its_parents_engine(data: Path) -> None:
    with program(FORKING_OWNER, data) as owner:
        engine, child = owner.told_pid(), owner.told_pid()
        try:
            assert not eventually(lambda: gone(engine), seconds=0.5)
            assert running(data) is not None
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_fork_that_lives_does_not_keep_its_parent_from_closing(data: Path) -> None:
    with program(FORKING_OWNER, data) as owner:
        engine, child = owner.told_pid(), owner.told_pid()
        try:
            owner.say("close")
            assert owner.told_pid() == engine
            assert "ended with code 0" in (data / "engine.log").read_text()
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_parent_that_forgets_to_close_takes_its_engine_along(data: Path) -> None:
    with program(CARELESS_OWNER, data) as owner:
        engine = owner.told_pid()
        assert eventually(lambda: gone(engine) and is_free(data))
    assert traces(data) == set()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs PR_SET_PDEATHSIG")
def test_a_killed_keeper_takes_its_engine_along(data: Path) -> None:
    with start_engine(data) as engine:
        os.kill(os.getpgid(engine.pid), signal.SIGKILL)
        assert eventually(lambda: gone(engine.pid))
    assert traces(data) == set()


def test_a_terminated_keeper_ends_its_engine_and_tidies_up(data: Path) -> None:
    with start_engine(data) as engine:
        os.kill(os.getpgid(engine.pid), signal.SIGTERM)
        assert eventually(lambda: gone(engine.pid) and is_free(data))
        assert traces(data) == set()


def test_what_a_killed_keeper_leaves_does_not_hinder_the_next_start(data: Path) -> None:
    with program(OWNER, data) as owner:
        engine = owner.told_pid()
        os.killpg(os.getpgid(engine), signal.SIGKILL)
        assert eventually(lambda: is_free(data))
    assert traces(data) == {"engine.json", "engine.sock"}
    with start_engine(data) as successor:
        assert successor.owned
        assert find_engine() == successor.url


def test_the_end_of_the_thread_that_started_it_leaves_it_running(data: Path) -> None:
    engines: list[Engine] = []
    thread = threading.Thread(target=lambda: engines.append(start_engine(data)))
    thread.start()
    thread.join()
    with engines[0] as engine:
        # The kernel sends its signal while the thread ends, so there is nothing to wait for.
        assert not gone(engine.pid)
        assert find_engine() == engine.url


def test_ctrl_c_leaves_the_engine_to_the_parent(data: Path) -> None:
    with program(CAREFUL_OWNER, data) as owner:
        engine = owner.told_pid()
        os.killpg(owner.process.pid, signal.SIGINT)
        assert owner.told() == {"answers": True}
        assert owner.told_pid() == engine
        assert gone(engine)


def test_a_killed_parents_writes_are_there_after_a_restart(data: Path) -> None:
    writer = OWNER.replace(
        "tell(", "import redis; redis.Redis.from_url(engine.url).set('key', 1)\ntell(", 1
    )
    with program(writer, data) as owner:
        owner.told()
        owner.signal(signal.SIGKILL)
        assert eventually(lambda: is_free(data))
    with start_engine(data):
        assert b"key" in b"".join(p.read_bytes() for p in (data / "appendonlydir").iterdir())

"""Finding engines: by folder, by register, and never one that is gone."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import threading
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from tests.broker.engine_place import private_place
from tests.broker.engine_programs import OWNER, program

from runtail_broker.engines.engine import default_data, find_engine, start_engine
from runtail_broker.engines.engine_address import (
    Address,
    absolute,
    address_file,
    read_address,
    register,
    register_file,
)


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from private_place(monkeypatch)


@pytest.fixture
def data(place: Path) -> Path:
    return place / "data"


def an_address(data: Path, host: str | None = None) -> Address:
    return Address(str(data), str(data / "engine.sock"), 0, host or socket.gethostname(), 1, 2)


def enter(address: Address) -> Path:
    """Put *address* in the register and return its file, as an engine that is gone may leave it."""
    path = register_file(Path(address.data))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(address)))
    return path


def test_nothing_is_found_when_nothing_runs(data: Path) -> None:
    assert find_engine() is None
    assert find_engine(data) is None


def test_an_engine_with_a_folder_of_its_own_is_found_by_a_worker_that_was_told_none(
    data: Path,
) -> None:
    with program(OWNER, data) as gateway:
        url = gateway.told()["url"]
        assert find_engine() == url


def test_two_folders_have_two_engines_and_the_newer_is_found(place: Path) -> None:
    with start_engine(place / "one") as one:
        with start_engine(place / "two") as two:
            assert one.url != two.url
            assert find_engine() == two.url
        assert find_engine() == one.url


def test_a_folder_that_is_given_finds_only_its_own_engine(place: Path) -> None:
    with start_engine(place / "one") as one, start_engine(place / "two") as two:
        assert find_engine(place / "one") == one.url
        assert find_engine(place / "two") == two.url
        assert find_engine(place / "three") is None


def test_a_folder_named_by_the_environment_finds_only_its_own_engine(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_engine(place / "one") as one, start_engine(place / "two"):
        monkeypatch.setenv("RUNTAIL_DATA", str(place / "one"))
        assert find_engine() == one.url
        monkeypatch.setenv("RUNTAIL_DATA", str(place / "three"))
        assert find_engine() is None


def test_a_folder_is_the_same_by_whatever_path_it_is_named(
    place: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place / "link").symlink_to(data)
    monkeypatch.chdir(place)
    with start_engine(data) as engine:
        assert find_engine(Path("data")) == engine.url
        assert start_engine(place / "link").url == engine.url


def test_the_engine_of_the_default_folder_is_found_without_a_register() -> None:
    with start_engine() as engine:
        register_file(engine.data).unlink()
        assert find_engine() == engine.url


def test_the_register_is_the_same_with_and_without_a_login(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with start_engine(data) as engine:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
        assert find_engine() == engine.url


def test_an_entry_whose_lock_is_free_is_ignored_and_removed(data: Path) -> None:
    data.mkdir()
    entry = enter(an_address(data))
    assert find_engine() is None
    assert not entry.exists()


def test_an_entry_whose_folder_is_gone_is_ignored_and_removed(data: Path) -> None:
    entry = enter(an_address(data))
    assert find_engine() is None
    assert not entry.exists()


def test_an_entry_with_the_pid_of_somebody_else_is_not_taken_for_an_engine(data: Path) -> None:
    data.mkdir()
    enter(replace(an_address(data), pid=os.getpid()))
    assert find_engine() is None


def test_an_entry_made_on_another_machine_is_ignored_and_left(data: Path) -> None:
    entry = enter(an_address(data, host="elsewhere"))
    assert find_engine() is None
    assert entry.exists()


def test_an_entry_whose_engine_is_only_busy_is_left(data: Path) -> None:
    with start_engine(data) as engine:
        os.kill(engine.pid, signal.SIGSTOP)
        try:
            assert find_engine() is None
        finally:
            os.kill(engine.pid, signal.SIGCONT)
        assert find_engine() == engine.url


def test_a_stale_entry_does_not_hide_a_living_engine(place: Path, data: Path) -> None:
    enter(replace(an_address(place / "gone"), started_ns=2**63))
    with start_engine(data) as engine:
        assert find_engine() == engine.url


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '"x"', "\xff"])
def test_an_entry_that_is_no_address_is_ignored(text: str) -> None:
    register().mkdir(parents=True)
    path = register() / "odd.json"
    path.write_text(text, encoding="latin-1")
    assert read_address(path) is None
    assert find_engine() is None


def test_an_address_with_more_than_we_know_is_still_read(data: Path) -> None:
    path = enter(an_address(data))
    path.write_text(json.dumps({**asdict(an_address(data)), "later": True}))
    assert read_address(path) == an_address(data)


def test_an_engine_that_loads_its_data_does_not_answer_yet(data: Path) -> None:
    data.mkdir()
    address = an_address(data)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address.socket)
        server.listen()
        loading = threading.Thread(target=answer_once, args=(server, b"-LOADING ...\r\n"))
        loading.start()
        assert not address.answers()
        loading.join()


def answer_once(server: socket.socket, reply: bytes) -> None:
    link, _ = server.accept()
    with link:
        link.recv(64)
        link.sendall(reply)


def test_an_address_goes_when_its_folder_does(data: Path) -> None:
    with start_engine(data):
        assert address_file(data).exists()
        shutil.rmtree(data)
        assert find_engine(data) is None


def test_the_default_folder_is_the_one_that_the_environment_names(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_data() == place / "xdg_data_home/runtail"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert default_data() == place / "home/.local/share/runtail"
    monkeypatch.setenv("RUNTAIL_DATA", "~/mine")
    assert default_data() == place / "home/mine"
    assert absolute(default_data()) == default_data()

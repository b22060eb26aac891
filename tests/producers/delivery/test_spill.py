"""The spill: what cannot be stored waits on disk, and is stored once, in order, by whoever can."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engines import folder
from tests.polling import until
from tests.producers.stored import Stored
from tests.proxy import Proxy

from runtail import Publisher, PublisherSettings
from runtail.delivery.held import Sealed
from runtail.delivery.locked_file import LockedFile
from runtail.delivery.spill import SUFFIX
from runtail.delivery.spill_file import entries
from runtail_broker.engines.engine import start_engine
from runtail_broker.keys import ExecutionKeys

NUMBERS = [f"line {n}" for n in range(20)]


@pytest.fixture
def spilling(tmp_path: Path) -> PublisherSettings:
    """Settings that spill at once, into a folder of the test's own."""
    return PublisherSettings(
        beat_seconds=0.2,
        retry_max_seconds=0.1,
        held_seconds=1.0,
        spill_after_seconds=0.2,
        spill_folder=str(tmp_path / "spill"),
        exit_seconds=0.3,
    )


def files(settings: PublisherSettings) -> list[Path]:
    return sorted(Path(str(settings.spill_folder)).glob(f"*{SUFFIX}"))


def leave_behind(url: str, settings: PublisherSettings, name: str, lines: list[str]) -> None:
    """Publish *lines* in vain, and go."""
    publisher = Publisher(url, settings=settings)
    with publisher.execution(name) as run:
        for line in lines:
            run.info(line)
    assert not publisher.close(0.1)
    assert publisher.counters.spilled == len(lines)


def test_what_is_spilled_while_the_engine_is_away_is_stored_before_what_is_new(
    proxy: Proxy, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    with Publisher(proxy.url, settings=spilling) as publisher:
        with publisher.execution(execution_id) as run:
            run.info("before")
            assert publisher.flush()
            proxy.refuse()
            for line in NUMBERS:
                run.info(line)
            until(lambda: publisher.counters.spilled == 20, "all is spilled")
            assert publisher.counters.pending == 0
            proxy.forward()
            run.info("new")
        assert publisher.flush()
        assert publisher.counters.spilled == 0
    assert stored.messages(execution_id) == ["before", *NUMBERS, "new"]
    assert stored.kinds(execution_id)[-1] == "end"
    assert not files(spilling)


def test_the_next_process_stores_what_one_left_behind(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    proxy.refuse()
    leave_behind(proxy.url, spilling, execution_id, NUMBERS)
    assert len(files(spilling)) == 1
    with Publisher(engine_url, settings=spilling) as publisher:
        until(lambda: stored.kinds(execution_id)[-1:] == ["end"], "it was replayed")
        until(lambda: not files(spilling), "the file is deleted")
        assert publisher.counters.stored == publisher.counters.accepted == 20
    assert stored.messages(execution_id) == NUMBERS
    assert stored.statuses(execution_id) == ["running", "completed"]


def test_a_short_process_deletes_what_it_stored(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    proxy.refuse()
    leave_behind(proxy.url, spilling, execution_id, NUMBERS)
    with Publisher(engine_url, settings=replace(spilling, held_seconds=600.0)) as publisher:
        until(lambda: stored.kinds(execution_id)[-1:] == ["end"], "it was replayed")
        journals = publisher._courier._journals
        until(lambda: all(journal.has_left for journal in journals), "it was told so")
    assert not files(spilling)


def test_two_publishers_that_want_one_file_store_it_once(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    proxy.refuse()
    leave_behind(proxy.url, spilling, execution_id, NUMBERS)
    with Publisher(engine_url, settings=spilling), Publisher(engine_url, settings=spilling):
        until(lambda: not files(spilling), "the file is deleted")
    assert stored.messages(execution_id) == NUMBERS


def test_a_file_whose_owner_lives_is_left_alone(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    with Publisher(proxy.url, settings=spilling) as publisher:
        run = publisher.execution(execution_id)
        assert run.opened()
        proxy.refuse()
        run.info("mine")
        until(lambda: publisher.counters.spilled == 1, "it is spilled")
        (path,) = files(spilling)
        assert LockedFile.take_over(path) is None
        with Publisher(engine_url, settings=spilling) as other:
            assert other.flush()
        assert stored.messages(execution_id) == []
        proxy.forward()
        assert publisher.flush()
    assert stored.messages(execution_id) == ["mine"]


def test_a_finished_id_gets_its_number_from_the_file_too(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    with Publisher(engine_url) as publisher:
        with publisher.execution(execution_id):
            pass
        assert publisher.flush()
    proxy.refuse()
    leave_behind(proxy.url, spilling, execution_id, NUMBERS)
    with Publisher(engine_url, settings=spilling):
        until(lambda: not files(spilling), "the file is deleted")
    records = stored.records(f"{execution_id}.2")
    assert {record["execution_id"] for record in records} == {f"{execution_id}.2"}
    assert stored.messages(f"{execution_id}.2") == NUMBERS


def test_records_behind_an_end_are_stored_and_followed_by_a_new_one(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    with Publisher(engine_url) as owner:
        run = owner.execution(execution_id)
        assert run.opened()
        part = Publisher(proxy.url, settings=spilling)
        joined = part.join(execution_id)
        assert joined.opened()
        proxy.refuse()
        joined.info("late")
        part.close(0.1)
        run.finish()
        assert owner.flush()
    with Publisher(engine_url, settings=spilling):
        until(lambda: not files(spilling), "the file is deleted")
    assert stored.messages(execution_id) == ["late"]
    assert stored.kinds(execution_id)[-1] == "end"
    assert stored.statuses(execution_id) == ["running", "completed"]


def test_the_file_holds_what_was_acknowledged_and_a_failover_took(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    settings = replace(spilling, held_seconds=30.0)
    publisher = Publisher(proxy.url, settings=settings)
    with publisher.execution(execution_id) as run:
        assert run.opened()
        older = stored.snapshot(execution_id)
        run.info("acknowledged")
        assert publisher.flush()
        proxy.refuse()
        run.info("unsent")
    assert not publisher.close(0.1)
    stored.go_back(older)
    with Publisher(engine_url, settings=settings):
        until(lambda: stored.kinds(execution_id)[-1:] == ["end"], "it was replayed")
    assert stored.messages(execution_id) == ["acknowledged", "unsent"]
    assert "lost" not in stored.kinds(execution_id)


def test_an_emptied_engine_gets_the_whole_file_again(
    proxy: Proxy, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    settings = replace(spilling, held_seconds=30.0)
    with Publisher(proxy.url, settings=settings) as publisher:
        with publisher.execution(execution_id) as run:
            assert run.opened()
            proxy.refuse()
            for line in NUMBERS:
                run.info(line)
            until(lambda: publisher.counters.spilled == 20, "all is spilled")
            proxy.forward()
            assert publisher.flush()
            stored.redis.delete(*ExecutionKeys.of(execution_id).for_scripts)
            until(lambda: stored.messages(execution_id) == NUMBERS, "it was sent again")
        assert publisher.flush()
    assert "lost" not in stored.kinds(execution_id)


def test_a_torn_tail_loses_nothing_that_was_whole(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    proxy.refuse()
    leave_behind(proxy.url, spilling, execution_id, NUMBERS)
    (path,) = files(spilling)
    with path.open("ab") as file:
        file.write(b"\x00\x00\x01\x00torn")
    with Publisher(engine_url, settings=spilling):
        until(lambda: not files(spilling), "the file is deleted")
    assert stored.messages(execution_id) == NUMBERS


def test_a_file_at_its_bound_counts_what_found_no_room_in_place(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    settings = replace(spilling, max_spill_bytes=40_000, max_frame_bytes=4096)
    proxy.refuse()
    publisher = Publisher(proxy.url, settings=settings)
    with publisher.execution(execution_id) as run:
        for n in range(2000):
            run.info(f"{n} {time.time_ns()} {hash(str(n))}")
    publisher.close(0.1)
    counters = publisher.counters
    assert counters.pending == 0
    assert counters.spilled + counters.dropped == 2000
    assert files(settings)[0].stat().st_size <= 40_000
    with Publisher(engine_url, settings=settings):
        until(lambda: stored.kinds(execution_id)[-1:] == ["end"], "it was replayed")
    kept = [int(message.split()[0]) for message in stored.messages(execution_id)]
    (lost,) = stored.of_kind(execution_id, "lost")
    assert kept == list(range(counters.spilled))
    assert lost["lost"] == counters.dropped
    assert "because its spill file was full" in lost["message"]


def test_a_sealed_batch_that_found_no_room_is_counted_and_told_by_the_next_process(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    settings = replace(
        spilling, beat_seconds=600.0, max_spill_bytes=16_000, spill_after_seconds=600.0
    )
    publisher = Publisher(proxy.url, settings=settings)
    with publisher.execution(execution_id) as run:
        run.info("acknowledged")
        assert publisher.flush()
        proxy.refuse()
        run.info(secrets.token_hex(20_000))  # sealed, because it is tried to send it
        until(lambda: publisher.counters.engine_errors, "it was tried")
    publisher.close(0.1)
    with Publisher(engine_url, settings=replace(settings, beat_seconds=0.2)):
        until(lambda: stored.kinds(execution_id)[-1:] == ["end"], "it was replayed")
    (lost,) = stored.of_kind(execution_id, "lost")
    assert (lost["lost"], lost["reason"]) == (1, "spill file full")
    assert stored.messages(execution_id) == [
        "acknowledged",
        "records that were published before are missing: spill file full",
    ]


def test_a_folder_that_cannot_be_written_leaves_everything_in_memory(
    proxy: Proxy,
    stored: Stored,
    execution_id: str,
    spilling: PublisherSettings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "file").write_text("no folder")
    settings = replace(spilling, spill_folder=str(tmp_path / "file"))
    with Publisher(proxy.url, settings=settings) as publisher:
        with publisher.execution(execution_id) as run:
            assert run.opened()
            proxy.refuse()
            run.info("hello")
            until(lambda: "cannot be written" in caplog.text, "the spill was tried")
            assert publisher.counters.pending == 1
            proxy.forward()
        assert publisher.flush()
    assert stored.messages(execution_id) == ["hello"]


def test_a_disk_that_is_full_leaves_everything_in_memory_and_the_file_whole(
    engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    code = f"""
import resource, sys
from runtail import Publisher, PublisherSettings
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
settings = PublisherSettings(spill_folder={str(spilling.spill_folder)!r}, spill_after_seconds=0.1,
    max_frame_records=10)
publisher = Publisher("redis://127.0.0.1:1", settings=settings)
run = publisher.execution(sys.argv[1])
for n in range(500):
    run.info(f"{{n}} {{hash(str(n))}}")
publisher.close(1)
counters = publisher.counters
assert counters.accepted == 500 == counters.spilled + counters.pending + counters.dropped
print(counters.spilled)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, execution_id], capture_output=True, check=True, timeout=60
    )
    spilled = int(done.stdout)
    assert 0 < spilled < 500
    with Publisher(engine_url, settings=spilling):
        until(lambda: not files(spilling), "the file is deleted")
    kept = [int(message.split()[0]) for message in stored.messages(execution_id)]
    assert kept == list(range(spilled))


@pytest.mark.fault("a spilled batch cannot be read")
def test_a_batch_that_the_disk_spoiled_is_counted_and_told_in_place(
    proxy: Proxy, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    with Publisher(proxy.url, settings=spilling) as publisher:
        with publisher.execution(execution_id) as run:
            assert run.opened()
            proxy.refuse()
            run.info("spoiled")
            until(lambda: publisher.counters.spilled == 1, "it is spilled")
            (path,) = files(spilling)
            data = path.read_bytes()
            with path.open("r+b") as file:
                file.seek(len(data) - 1)
                file.write(bytes([data[-1] ^ 255]))
            proxy.forward()
            run.info("new")
        assert publisher.flush()
        counters = publisher.counters
        assert (counters.stored, counters.dropped, counters.spilled) == (1, 1, 0)
    assert stored.messages(execution_id)[-1] == "new"
    (lost,) = stored.of_kind(execution_id, "lost")
    assert (lost["lost"], lost["reason"]) == (1, "unreadable in the spill file")


@pytest.mark.fault("a spilled batch cannot be read")
def test_a_batch_that_the_disk_spoiled_is_counted_by_the_next_process_too(
    proxy: Proxy, engine_url: str, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    proxy.refuse()
    settings = replace(spilling, max_frame_records=5)
    leave_behind(proxy.url, settings, execution_id, NUMBERS)
    (path,) = files(settings)
    places = entries(lambda offset, length: path.read_bytes()[offset : offset + length])
    second = [entry for entry in places if isinstance(entry.written, Sealed)][1]
    with path.open("r+b") as file:
        file.seek(second.offset + second.length - 1)
        file.write(b"\xff")
    with Publisher(engine_url, settings=settings):
        until(lambda: stored.kinds(execution_id)[-1:] == ["end"], "it was replayed")
    assert stored.messages(execution_id) == NUMBERS[:5] + NUMBERS[10:]
    (lost,) = stored.of_kind(execution_id, "lost")
    assert (lost["lost"], lost["reason"]) == (5, "unreadable in the spill file")
    assert stored.statuses(execution_id) == ["running", "completed"]


def test_a_buffer_that_fills_is_spilled_before_it_drops(
    proxy: Proxy, stored: Stored, execution_id: str, spilling: PublisherSettings
) -> None:
    settings = replace(spilling, max_buffer_records=1000, spill_after_seconds=600.0)
    with Publisher(proxy.url, settings=settings) as publisher:
        with publisher.execution(execution_id) as run:
            assert run.opened()
            proxy.refuse()
            for n in range(900):
                run.info(str(n))
            until(lambda: publisher.counters.spilled == 900, "all is spilled")
            proxy.forward()
        assert publisher.flush()
    assert stored.messages(execution_id) == [str(n) for n in range(900)]


def test_a_killed_process_leaves_what_it_spilled() -> None:
    with folder() as place, start_engine(place / "data", appendonly="no") as engine:
        code = f"""
import os, signal, sys, time
from runtail import Publisher, PublisherSettings
settings = PublisherSettings(spill_folder={str(place)!r}, spill_after_seconds=0.1)
publisher = Publisher("redis://127.0.0.1:1", settings=settings)
run = publisher.execution("exec-1")
for n in range(100):
    run.info(str(n))
while publisher.counters.spilled < 100:
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""
        done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
        assert done.returncode == -9
        reader = Stored(engine.url)
        settings = PublisherSettings(spill_folder=str(place))
        with Publisher(engine.url, settings=settings):
            until(lambda: len(reader.messages("exec-1")) == 100, "it was replayed")
        assert reader.messages("exec-1") == [str(n) for n in range(100)]
        assert reader.statuses("exec-1") == ["running"]  # nobody knows how it ended
        reader.close()

"""The guide's table of faults of the worker's own process, row by row, on a real engine."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engines import folder
from tests.polling import until
from tests.producers.faults import (
    AFTER,
    AMID,
    AT_ONCE_SECONDS,
    BEFORE,
    CALLS,
    assert_whole,
    ended,
    program,
    reading,
    start,
)
from tests.producers.stored import Stored
from tests.proxy import Proxy, proxy_to

from runtail_broker.engines.engine import Engine, start_engine
from runtail_broker.keys import ExecutionKeys

LAST = 'run.info("last words")\n'
SLEEP = "time.sleep(60)"


@pytest.fixture
def own_engine() -> Iterator[Engine]:
    """An empty engine."""
    with folder() as place, start_engine(place / "data", appendonly="no") as engine:
        yield engine


@pytest.fixture
def reader(own_engine: Engine) -> Iterator[Stored]:
    with reading(own_engine.url) as reader:
        yield reader


@pytest.fixture
def way(own_engine: Engine) -> Iterator[Proxy]:
    """A proxy in front of the engine."""
    with proxy_to(own_engine.url) as proxy:
        yield proxy


@pytest.mark.fault("SIGKILL")
@pytest.mark.fault("`os._exit`")
@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", -9),
        ("os._exit(3)", 3),
        ("os.kill(os.getpid(), signal.SIGTERM)\n" + SLEEP, -15),
    ],
)
def test_the_worker_dies_without_a_word(
    own_engine: Engine, reader: Stored, how: str, code: int
) -> None:
    assert ended(start(program(LAST + how), own_engine.url)) == (code, "")
    assert reader.messages("exec-1")[:CALLS] == BEFORE
    assert reader.messages("exec-1")[CALLS:] in ([], ["last words"])
    # a gateway calls it lost, and ends it: tests/gateway/keeping/test_sweeper.py
    assert reader.statuses("exec-1") == ["running"]
    assert reader.state("exec-1")["open"] == "1"


@pytest.mark.fault("SIGTERM, with `handle_sigterm=True`")
def test_sigterm_stores_everything_and_cancels(own_engine: Engine, reader: Stored) -> None:
    terminate = "os.kill(os.getpid(), signal.SIGTERM)\n"
    process = start(program(LAST + terminate + SLEEP, handle_sigterm=True), own_engine.url)
    assert ended(process) == (-signal.SIGTERM, "")
    assert reader.messages("exec-1") == [*BEFORE, "last words", "interrupted by SIGTERM"]
    assert reader.statuses("exec-1") == ["running", "cancelled"]
    assert reader.kinds("exec-1")[-1] == "end"


@pytest.mark.fault("SIGTERM, with `handle_sigterm=True`")
def test_sigterm_while_the_engine_is_away_ends_in_time(way: Proxy, reader: Stored) -> None:
    how = LAST + 'print("ready", flush=True)\n' + SLEEP
    more = "exit_seconds=0.3"
    process = start(program(how, handle_sigterm=True, more=more), way.url)
    assert process.stdout is not None
    until(lambda: reader.messages("exec-1")[:CALLS] == BEFORE, "it runs")
    assert process.stdout.readline() == "ready\n"
    way.refuse()
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, _ = ended(process)
    assert code == -signal.SIGTERM
    assert time.monotonic() - began < 0.3 + AT_ONCE_SECONDS
    assert reader.messages("exec-1")[:CALLS] == BEFORE


@pytest.mark.fault("the program ends, by itself or by an exception")
@pytest.mark.parametrize(
    ("how", "code", "status"),
    [("sys.exit(0)", 0, "completed"), ("raise ValueError('boom')", 1, "failed")],
)
def test_the_worker_ends_in_order(
    own_engine: Engine, reader: Stored, how: str, code: int, status: str
) -> None:
    assert ended(start(program(LAST + how), own_engine.url))[0] == code
    messages = reader.messages("exec-1")
    assert messages[: CALLS + 1] == [*BEFORE, "last words"]
    assert messages[CALLS + 1 :] == (["ValueError: boom"] if status == "failed" else [])
    assert reader.statuses("exec-1") == ["running", status]
    assert reader.kinds("exec-1")[-1] == "end"


@pytest.mark.fault("an exception in a step")
def test_an_exception_leaves_a_step(own_engine: Engine, reader: Stored) -> None:
    how = LAST + 'with run.step("load"):\n    raise ValueError("boom")'
    code, errors = ended(start(program(how), own_engine.url))
    assert code == 1
    assert errors.startswith("Traceback (most recent call last):\n")
    assert errors.endswith("\nValueError: boom\n")
    assert "runtail" not in errors
    assert reader.messages("exec-1")[CALLS:] == ["last words", "ValueError: boom"]
    running, failed = reader.of_kind("exec-1", "step")
    assert (running["status"], failed["status"]) == ("running", "failed")
    assert failed["error_message"].endswith("ValueError: boom\n")
    assert "Traceback" in failed["error_message"]
    told = [r for r in reader.records("exec-1") if "Traceback" in r.get("error_message", "")]
    assert told == [failed]
    assert reader.state("exec-1")["reason"] == "ValueError: boom"
    assert reader.kinds("exec-1")[-1] == "end"


FORK = """
log("m")
child = os.fork()
if child == 0:
    with run:
        run.info("child")
    os._exit(0 if publisher.flush(20) and publisher.counters.accepted == 1 else 1)
log("a")
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


@pytest.mark.fault("the worker forks")
def test_the_worker_forks_amid_a_burst(own_engine: Engine, reader: Stored) -> None:
    assert ended(start(program(FORK, flush=""), own_engine.url))[0] == 0
    messages = reader.messages("exec-1")
    assert [m for m in messages if m != "child"] == [*BEFORE, *AMID, *AFTER]
    assert messages.count("child") == 1
    assert reader.statuses("exec-1") == ["running", "completed"]
    assert reader.kinds("exec-1")[-1] == "end"


CLOCK = """
real, real_ns, back = time.time, time.time_ns, 0
time.time = lambda: real() - back
time.time_ns = lambda: real_ns() - back * 10**9
"""
JUMP = """
with run.step("across"):
    back = 3600
    log("m")
assert publisher.flush(20)
print("jumped", flush=True)
while not run.cancel_requested and time.monotonic() < began + 20:
    time.sleep(0.01)  # it hears of it by a beat
log("a")
"""


@pytest.mark.fault("the worker's clock jumps back an hour")
def test_the_clock_jumps_back(own_engine: Engine, reader: Stored) -> None:
    process = start(program(JUMP, clock=CLOCK), own_engine.url)
    assert process.stdout is not None
    assert process.stdout.readline() == "jumped\n"
    began = time.monotonic()
    reader.redis.hset(ExecutionKeys.of("exec-1").state, "cancel", "1")
    assert ended(process) == (0, "")
    assert time.monotonic() - began < 0.1 + AT_ONCE_SECONDS
    assert_whole(reader)
    ids = [entry.id for entry in reader.entries("exec-1")]
    assert ids == sorted(set(ids))
    times = {r["message"]: r["timestamp"] for r in reader.records("exec-1") if "message" in r}
    assert times["m 0"] < times["b 99"]  # as the worker saw it; the order is the ids'
    assert 0 <= reader.of_kind("exec-1", "step")[-1]["duration_ms"] < 20_000


FULL = """
print("ready", flush=True)
input()
log("m")
while not publisher.counters.spill_errors and time.monotonic() < began + 20:
    time.sleep(0.01)
print(publisher.counters.spilled, flush=True)
log("a")
"""


@pytest.mark.fault("the disk of the spill folder is full")
def test_the_disk_is_full_until_the_engine_is_back(
    way: Proxy, reader: Stored, tmp_path: Path
) -> None:
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))"
    more = f"spill_after_seconds=0.1, max_frame_records=10, spill_folder={str(tmp_path)!r}"
    process = start(program(FULL, clock=limit, more=more), way.url)
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    way.refuse()
    process.stdin.write("\n")
    process.stdin.flush()
    assert 0 < int(process.stdout.readline()) < CALLS
    way.forward()
    assert ended(process)[0] == 0
    assert_whole(reader)
    assert not list(tmp_path.iterdir())

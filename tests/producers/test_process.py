"""What a process does to its publishers: it forks, it gets SIGTERM, it ends."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from tests.polling import until
from tests.producers.stored import Stored
from tests.proxy import Proxy

from runtail import AsyncPublisher, Execution, Publisher, PublisherSettings
from runtail.process import may_wait
from runtail_broker.keys import ExecutionKeys

FAST = PublisherSettings(beat_seconds=0.1, retry_max_seconds=0.1, exit_seconds=2.0)


def in_fork(work: Callable[[], object]) -> int:
    """Do *work* in a forked child, which then ends as a program does; return its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def script(code: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Run *code* as a program; it says when it is ready by a line."""
    head = "import os, signal, sys, threading, time\nfrom runtail import Publisher\n"
    command = [sys.executable, "-c", head + code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def said(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


def ended(process: subprocess.Popen[bytes], seconds: float = 15.0) -> int:
    """Wait for the end; nothing may have been written to stderr."""
    try:
        _, errors = process.communicate(timeout=seconds)
    finally:
        process.kill()
    assert errors.decode() == ""
    return process.returncode


# ---- fork


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_publishes_under_its_own_name_and_the_parent_goes_on(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url, settings=FAST) as publisher:
        with publisher.execution(execution_id) as run:
            run.info("parent before")
            assert publisher.flush()

            def work() -> None:
                with run:
                    run.info("child")
                assert publisher.flush()
                assert publisher.counters.accepted == publisher.counters.stored == 1

            assert in_fork(work) == 0
            assert stored.state(execution_id)["status"] == "running"
            run.info("parent after")
        assert publisher.flush()
    assert stored.messages(execution_id) == ["parent before", "child", "parent after"]
    roles = sorted(packed.split()[-1] for packed in stored.publishers(execution_id).values())
    assert roles == ["owner", "participant"]
    assert stored.kinds(execution_id)[-1] == "end"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_what_the_parent_had_not_sent_is_sent_by_the_parent_only(
    proxy: Proxy, stored: Stored, execution_id: str
) -> None:
    with Publisher(proxy.url, settings=FAST) as publisher:
        run = publisher.execution(execution_id)
        assert run.opened()
        proxy.refuse()
        run.info("unsent")

        def work() -> None:
            assert publisher.counters.pending == 0
            assert publisher.flush(0.2)  # there is nothing to wait for
            assert publisher.close()

        assert in_fork(work) == 0
        proxy.forward()
        assert publisher.flush()
    assert stored.messages(execution_id) == ["unsent"]
    assert len(stored.publishers(execution_id)) == 1  # the child used nothing, and opened nothing


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_locks_that_other_threads_held_do_not_bind_the_child(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url, settings=FAST) as publisher:
        run = publisher.execution(execution_id)
        assert run.opened()

        def work() -> None:
            run.info("child")
            assert publisher.flush()

        with publisher._buffer._lock, publisher._lock, publisher._courier._starting:
            taken = threading.Thread(target=lambda: codes.append(in_fork(work)))
            codes: list[int] = []
            taken.start()
            taken.join(15)
        assert codes == [0]
    assert stored.messages(execution_id) == ["child"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_no_socket_of_the_parent_is_used_by_the_child(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url, settings=FAST) as publisher:
        run = publisher.execution(execution_id)
        assert run.opened()

        def work() -> None:
            for n in range(200):
                run.info(f"child {n}")
                publisher.flush()

        child = threading.Thread(target=lambda: codes.append(in_fork(work)))
        codes: list[int] = []
        child.start()
        for n in range(200):
            run.info(f"parent {n}")
            assert publisher.flush()
        child.join(30)
        assert codes == [0]
        assert publisher.counters.retried == 0
    messages = stored.messages(execution_id)
    for name in ("parent", "child"):
        mine = [message for message in messages if message.startswith(name)]
        assert mine == [f"{name} {n}" for n in range(200)]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_progress_that_waits_for_its_turn_is_sent_by_the_parent_only(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url, settings=PublisherSettings(progress_seconds=600)) as publisher:
        run = publisher.execution(execution_id)
        run.progress(1)
        run.progress(2)

        def work() -> None:
            run.info("child")
            assert publisher.flush()

        assert in_fork(work) == 0
        assert publisher.flush()
    records = stored.records(execution_id)
    assert [r["progress"] for r in records if r.get("kind") == "progress"] == [1, 2]


def pool_work(publisher: Publisher, execution_id: str, number: int) -> None:
    with publisher.join(execution_id) as run:
        run.info(f"child {number}")  # the end of the process flushes


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.full)])
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_processes_of_multiprocessing_take_part_and_flush_at_their_end(
    engine_url: str, stored: Stored, execution_id: str, method: str
) -> None:
    context = multiprocessing.get_context(method)
    with Publisher(engine_url, settings=FAST) as publisher:
        with publisher.execution(execution_id) as run:
            assert run.opened()
            children = [
                context.Process(target=pool_work, args=(publisher, execution_id, n))  # type: ignore[attr-defined]
                for n in range(3)
            ]
            for child in children:
                child.start()
            for child in children:
                child.join(30)
            assert [child.exitcode for child in children] == [0, 0, 0]
        assert publisher.flush()
    assert sorted(stored.messages(execution_id)) == [f"child {n}" for n in range(3)]
    assert stored.kinds(execution_id)[-1] == "end"


def use_inherited(run: Execution) -> None:
    run.info("child")


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_an_execution_that_a_multiprocessing_fork_inherits_is_flushed_at_its_end(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    with Publisher(engine_url, settings=FAST) as publisher:
        run = publisher.execution(execution_id)
        assert run.opened()
        child = multiprocessing.get_context("fork").Process(target=use_inherited, args=(run,))
        child.start()
        child.join(30)
    assert stored.messages(execution_id) == ["child"]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_prefork_server_may_make_its_publisher_before_the_workers(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    publisher = Publisher(engine_url, settings=FAST)  # as with gunicorn --preload

    def work(number: int) -> None:
        with publisher.execution(f"{execution_id}-{number}") as run:
            run.info("request")
        assert publisher.flush()

    for number in range(2):
        assert in_fork(partial(work, number)) == 0
        assert stored.messages(f"{execution_id}-{number}") == ["request"]
        assert stored.kinds(f"{execution_id}-{number}")[-1] == "end"


def test_a_pickled_publisher_is_made_anew_once(engine_url: str) -> None:
    with Publisher(engine_url, settings=FAST) as publisher:
        pickled = pickle.dumps(publisher)
        one, two = pickle.loads(pickled), pickle.loads(pickled)
        assert one is two
        assert one.id != publisher.id
        one.close()


# ---- SIGTERM and the end

TERMINATED = """
publisher = Publisher(sys.argv[1], handle_sigterm=True)
run = publisher.execution(sys.argv[2])
run.info("working")
print("ready", flush=True)
time.sleep(60)
"""


def test_sigterm_stores_what_there_is_and_cancels_the_execution(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    process = script(TERMINATED, engine_url, execution_id)
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert ended(process) == -signal.SIGTERM
    assert stored.messages(execution_id) == ["working", "interrupted by SIGTERM"]
    state = stored.state(execution_id)
    assert (state["status"], state["reason"]) == ("cancelled", "SIGTERM")
    assert stored.kinds(execution_id)[-1] == "end"


def test_sigterm_then_does_what_it_did_before(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    before = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
    process = script(before + TERMINATED, engine_url, execution_id)
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert ended(process) == 7
    assert stored.state(execution_id)["status"] == "cancelled"


def test_sigterm_while_the_main_thread_holds_a_lock_does_not_hang(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    code = TERMINATED.replace(
        "time.sleep(60)",
        "while True:\n    with publisher._buffer._lock:\n        for _ in range(50000): pass\n",
    )
    process = script(code, engine_url, execution_id)
    assert said(process) == "ready"
    process.send_signal(signal.SIGTERM)
    assert ended(process) == -signal.SIGTERM
    assert stored.state(execution_id)["status"] == "cancelled"


def test_a_signal_handler_may_log_wherever_it_interrupts(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    code = """
publisher = Publisher(sys.argv[1])
run = publisher.execution(sys.argv[2])
handled = 0
def handle(*_):
    global handled
    handled += 1
    run.info("handled")
signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
logged, end = 0, time.monotonic() + 1.5
while time.monotonic() < end:
    run.info("worked")
    logged += 1
signal.setitimer(signal.ITIMER_REAL, 0)
assert publisher.flush(20)
counters = publisher.counters
assert counters.accepted == counters.stored + counters.dropped == handled + logged, counters
assert handled > 100, handled
publisher.close()
"""
    assert ended(script(code, engine_url, execution_id), 40) == 0


@pytest.mark.fault("the engine stays away until the process ends")
def test_the_end_of_a_process_is_bounded_when_the_engine_is_away(execution_id: str) -> None:
    code = """
from runtail import PublisherSettings
publisher = Publisher("redis://127.0.0.1:1", settings=PublisherSettings(exit_seconds=0.3))
publisher.execution(sys.argv[1]).info("hello")
"""
    began = time.monotonic()
    process = script(code, execution_id)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert time.monotonic() - began < 10


def test_a_first_connection_by_name_is_made_at_the_exit_too(
    proxy: Proxy, stored: Stored, execution_id: str
) -> None:
    code = """
publisher = Publisher(sys.argv[1])
publisher.execution(sys.argv[2]).info("last words")
"""
    url = proxy.url.replace("127.0.0.1", "localhost")
    assert ended(script(code, url, execution_id)) == 0
    assert stored.messages(execution_id) == ["last words"]


def test_a_prefork_worker_of_celery_flushes_when_celery_says_that_it_ends(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    code = """
from celery import signals
publisher = Publisher(sys.argv[1])
with publisher.execution(sys.argv[2]) as run:
    run.info("last words")
signals.worker_process_shutdown.send(sender=None, pid=os.getpid(), exitcode=0)
assert publisher.counters.stored == 1
os._exit(0)  # as billiard does
"""
    assert ended(script(code, engine_url, execution_id)) == 0
    assert stored.messages(execution_id) == ["last words"]
    assert stored.kinds(execution_id)[-1] == "end"


def test_the_thread_does_not_keep_the_process_alive(engine_url: str, execution_id: str) -> None:
    with Publisher(engine_url) as publisher:
        publisher.execution(execution_id)
        thread = publisher._courier._thread
        assert thread is not None
        assert thread.daemon


async def test_a_thread_in_which_a_loop_runs_may_not_wait() -> None:
    assert not may_wait()
    assert await asyncio.to_thread(may_wait)


# ---- receipts and cancellation


def cancel(stored: Stored, execution_id: str) -> None:
    stored.redis.hset(ExecutionKeys.of(execution_id).state, "cancel", "1")


def test_a_cancel_request_calls_back_once(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    calls: list[str] = []
    with Publisher(engine_url, settings=FAST) as publisher:
        run = publisher.execution(execution_id)
        run.on_cancel(lambda: calls.append(threading.current_thread().name))
        assert run.opened()
        assert calls == []
        cancel(stored, execution_id)
        until(lambda: calls, "it was called")
        run.info("more")
        assert publisher.flush()
        run.on_cancel(lambda: calls.append("late"))
        until(lambda: "late" in calls, "who asks later is told as well")
    assert calls == ["runtail", "late"]


def test_a_callback_that_raises_is_counted_and_told(
    engine_url: str, stored: Stored, execution_id: str, caplog: pytest.LogCaptureFixture
) -> None:
    with Publisher(engine_url, settings=FAST) as publisher:
        run = publisher.execution(execution_id)
        run.on_cancel(lambda: 1 / 0)
        assert run.opened()
        cancel(stored, execution_id)
        until(lambda: publisher.counters.callback_errors == 1, "it was counted")
        run.info("alive")
        assert publisher.flush()
    assert "ZeroDivisionError" in caplog.text


async def test_draining_waits_until_all_is_stored(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    async with AsyncPublisher(engine_url) as publisher:
        run = publisher.execution(execution_id)
        run.info("one")
        await run.drain()
        assert stored.messages(execution_id) == ["one"]
        run.info("two")
        await publisher.drain()
        assert stored.messages(execution_id) == ["one", "two"]

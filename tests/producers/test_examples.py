"""Every example runs as it stands, and its log says what it did."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.engines import folder, free_port
from tests.polling import until
from tests.producers.stored import Stored
from tests.proxy import Proxy

from runtail_broker.keys import ExecutionKeys

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "producers" / "examples"
TESTED_ELSEWHERE = {"build.sh": "commands/test_log.py"}  # the others are named in this file


def environment(url: str, **more: str) -> dict[str, str]:
    return {**os.environ, "RUNTAIL_REDIS_URL": url, "PYTHONUNBUFFERED": "1", **more}


def run(name: str, url: str, *arguments: str) -> str:
    """Run an example to its end; return what it printed. It has nothing to complain about."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env=environment(url),
        check=True,
        timeout=30,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


@contextmanager
def server(
    *command: str, env: dict[str, str], stop: signal.Signals = signal.SIGTERM
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in the folder of the examples; it must end by itself at the signal *stop*."""
    program, *words = command
    process = subprocess.Popen(
        [Path(sys.executable).with_name(program), *words],
        cwd=EXAMPLES,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
        process.send_signal(stop)
        process.wait(15)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def asked(url: str, method: str = "GET") -> str:
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:
        return str(answer.read().decode())


def answers(url: str) -> bool:
    try:
        return bool(asked(url))
    except OSError:
        return False


def assert_ended(stored: Stored, execution_id: str, status: str = "completed") -> None:
    assert stored.statuses(execution_id) == ["running", status]
    assert stored.kinds(execution_id)[-1] == "end"


def steps(stored: Stored, execution_id: str) -> list[tuple[str, str]]:
    """Name the steps that ended, in order, and how."""
    found = stored.of_kind(execution_id, "step")
    return [(r["step_name"], r["status"]) for r in found if r["status"] != "running"]


def test_every_example_has_a_test() -> None:
    here = Path(__file__).read_text()
    for path in EXAMPLES.iterdir():
        if path.name in TESTED_ELSEWHERE:
            assert path.name in (Path(__file__).parent / TESTED_ELSEWHERE[path.name]).read_text()
        elif path.is_file():
            assert path.stem in here, path.name


def test_ten_lines_publish_a_complete_execution(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    run("ten_lines.py", engine_url, execution_id)
    assert stored.messages(execution_id) == [f"row {n} of 10" for n in range(1, 11)]
    assert stored.state(execution_id)["progress"] == "100.0"
    assert_ended(stored, execution_id)


def test_a_script_names_its_execution_and_shows_its_plan_steps_and_progress(
    engine_url: str, stored: Stored
) -> None:
    execution_id = run("nightly.py", engine_url).strip()
    assert re.fullmatch(r"nightly-\d{8}-\d{6}-\w{6}", execution_id)
    assert stored.messages(execution_id) == ["fetching", "a row is empty"]
    assert steps(stored, execution_id) == [("extract", "completed"), ("load", "completed")]
    (metric,) = stored.of_kind(execution_id, "metric")
    assert metric["value"] == 49
    assert len(stored.of_kind(execution_id, "link")) == 1
    assert stored.of_kind(execution_id, "progress")[-1]["progress"] == 100
    assert_ended(stored, execution_id)


def test_tasks_of_one_event_loop_do_not_mix(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    assert run("fetch_pages.py", engine_url, execution_id) == ""
    logs = [r for r in stored.records(execution_id) if "kind" not in r]
    assert [r["step_name"] for r in logs] == [f"page {r['page']}" for r in logs]
    assert {r["page"] for r in logs} == {1, 2, 3, 4}
    assert_ended(stored, execution_id)


def test_the_agent_tries_again_and_links_its_answer(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    run("agent_loop.py", engine_url, execution_id)
    ended = [pair for pair in steps(stored, execution_id) if pair[0] in ("search", "read", "write")]
    assert ended == [
        ("search", "completed"),
        ("read", "retried"),
        ("read", "completed"),
        ("write", "completed"),
    ]
    assert [r["value"] for r in stored.of_kind(execution_id, "metric")] == [250, 500, 750]
    assert len(stored.of_kind(execution_id, "link")) == 1
    assert_ended(stored, execution_id)


def test_the_agent_stops_when_it_is_asked_to(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    code = f"""
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
import agent_loop, runtail
with runtail.execution({execution_id!r}, workflow_id="agent") as run:
    assert run.opened()
    input("cancel it now")
    runtail.info("the answer to this one says so")
    assert runtail.flush()
    agent_loop.loop(run, "write a summary")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment(engine_url), stdin=subprocess.PIPE
    )
    until(lambda: stored.statuses(execution_id), "it runs")
    stored.redis.hset(ExecutionKeys.of(execution_id).state, "cancel", "1")
    process.communicate(b"\n", timeout=20)
    assert process.returncode == 0
    assert steps(stored, execution_id) == []
    assert_ended(stored, execution_id, "cancelled")


def test_processes_of_a_pool_take_part(engine_url: str, stored: Stored, execution_id: str) -> None:
    run("pool.py", engine_url, execution_id)
    pictures = sorted(r["picture"] for r in stored.records(execution_id) if "picture" in r)
    assert pictures == list(range(6))
    assert sorted(steps(stored, execution_id)) == [(f"picture {n}", "completed") for n in range(6)]
    assert stored.of_kind(execution_id, "metric")[0]["value"] == 150
    assert_ended(stored, execution_id)


CELERY = """
from celery_tasks import app

app.conf.update(
    broker_url="filesystem://",
    broker_transport_options={
        "data_folder_in": FOLDER, "data_folder_out": FOLDER, "control_folder": FOLDER,
        "polling_interval": 0.05,
    },
)
"""


@contextmanager
def celery(url: str, stop: signal.Signals) -> Iterator[tuple[str, str]]:
    """Run the tasks of the example in a prefork worker; yield the ids of its two executions.

    Tell the worker to *stop* at the end of the block, and wait for its end.
    """
    with folder() as place:
        (place / "with_files.py").write_text(CELERY.replace("FOLDER", repr(str(place))))
        env = environment(url, PYTHONPATH=f"{place}:{EXAMPLES}")
        # what `python celery_tasks.py` does, but for the broker
        send = "import with_files, celery_tasks; celery_tasks.main()"
        sent = subprocess.run(
            [sys.executable, "-c", send], env=env, check=True, capture_output=True, text=True
        )
        good, empty = (line.split()[-1] for line in sent.stdout.splitlines())
        said = place / "said"
        worker = ("celery", "-A", "with_files:app", "worker", "-P", "prefork", "-c", "2")
        options = ("-l", "info", "-f", str(said), "--without-gossip", "--without-mingle")
        with server(*worker, *options, env=env, stop=stop):
            until(lambda: said.exists() and "succeeded in" in said.read_text(), "one is done", 30)
            until(lambda: "ValueError" in said.read_text(), "the other one has failed")
            yield good, empty


def test_celery_tasks_in_prefork_workers_are_executions(engine_url: str, stored: Stored) -> None:
    # killed once all is stored: its own way to stop takes Celery some seconds
    with celery(engine_url, signal.SIGKILL) as (good, empty):
        until(lambda: stored.kinds(good)[-1:] == stored.kinds(empty)[-1:] == ["end"], "all ended")
    assert stored.messages(good) == ["importing"]
    assert steps(stored, good) == [("check", "completed"), ("load", "completed")]
    assert stored.of_kind(good, "progress")[-1]["progress"] == 100
    assert_ended(stored, good)
    assert steps(stored, empty) == [("check", "failed")]
    assert stored.state(empty)["reason"] == "ValueError: empty.csv is empty"
    assert_ended(stored, empty, "failed")


@pytest.mark.full
def test_a_prefork_worker_of_celery_flushes_at_its_end(proxy: Proxy, stored: Stored) -> None:
    proxy.refuse()
    with celery(proxy.url, signal.SIGTERM) as (good, empty):
        assert not stored.statuses(good)
        forwarding = threading.Timer(4.5, proxy.forward)  # Celery itself takes 3.5 s to end
        forwarding.start()
    forwarding.join()
    assert_ended(stored, good)
    assert_ended(stored, empty, "failed")


def test_a_background_job_of_fastapi_is_an_execution_that_outlasts_its_request(
    engine_url: str, stored: Stored
) -> None:
    port = free_port()
    command = ("uvicorn", "fastapi_app:app", "--port", str(port), "--log-level", "warning")
    with server(*command, env=environment(engine_url)) as process:
        until(lambda: answers(f"http://127.0.0.1:{port}/openapi.json"), "it listens", 30)
        answer = asked(f"http://127.0.0.1:{port}/reports?rows=300", "POST")
    assert process.returncode in (0, -signal.SIGTERM)
    (execution_id,) = re.findall(r'^{"execution_id":"(report-[^"]+)"}$', answer)
    assert stored.messages(execution_id) == ["ordered"]
    assert steps(stored, execution_id) == [("render", "completed")]
    assert stored.of_kind(execution_id, "progress")[-1]["progress"] == 100
    assert_ended(stored, execution_id)


def test_a_publisher_made_before_gunicorn_forks_works_in_both_workers(
    engine_url: str, stored: Stored
) -> None:
    port = free_port()
    command = ("gunicorn", "--preload", "-w", "2", "-b", f"127.0.0.1:{port}", "gunicorn_app:app")
    told: dict[str, str] = {}

    def both_have_answered() -> bool:
        for _ in range(20):
            execution_id, worker = asked(f"http://127.0.0.1:{port}/orders/17").split()
            told[execution_id] = worker
        return len(set(told.values())) == 2

    with server(*command, env=environment(engine_url)) as process:
        until(lambda: answers(f"http://127.0.0.1:{port}/"), "it listens", 30)
        until(both_have_answered, "both workers have answered")
    assert process.returncode == 0
    for execution_id, worker in told.items():
        (log,) = [r for r in stored.records(execution_id) if "kind" not in r]
        assert str(log["worker"]) == worker
        assert_ended(stored, execution_id)


@pytest.mark.full
def test_examples_are_typed_for_a_user_who_is_strict(tmp_path: Path) -> None:
    """Without the project's settings, and with runtail's own types as they are installed."""
    strictly = ("--strict", "--config-file", os.devnull, "--cache-dir", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *strictly, *map(str, EXAMPLES.glob("*.py"))],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr

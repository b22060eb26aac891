"""What the SDK imports, and when: no web framework, and the engine's client in the thread only."""

from __future__ import annotations

import subprocess
import sys

from tests.producers.stored import Stored

FOREIGN = {"starlette", "uvicorn", "prometheus_client", "fastapi", "runtail_gateway", "celery"}
MOST_MODULES = 150  # beside those of asyncio; the client alone would be another hundred
USE = "from runtail import Publisher; import runtail; runtail.execution, runtail.step"

# a client that takes its time, and a thread that is in the middle of importing it
SLOWLY = """
import os, sys, threading, time
from runtail import Publisher

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "redis.asyncio":
            importing.set()
            time.sleep(0.5)

importing = threading.Event()
sys.meta_path.insert(0, Slow())
publisher = Publisher(sys.argv[1])
run = publisher.execution(sys.argv[2])
run.info("parent")
assert importing.wait(20)
"""


def imported_by(code: str) -> set[str]:
    command = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return set(done.stdout.split())


def test_the_sdk_imports_no_web_framework_and_no_client_before_it_connects() -> None:
    roots = {name.split(".")[0] for name in imported_by(USE)}
    assert "runtail" in roots
    assert not roots & FOREIGN
    assert "redis" not in roots
    assert "runtail.delivery.http_nodes" not in imported_by(USE)


def test_the_sdk_imports_little_beside_asyncio() -> None:
    assert len(imported_by(USE) - imported_by("import asyncio")) < MOST_MODULES


def test_the_package_alone_imports_next_to_nothing() -> None:
    found = imported_by("import runtail")
    assert {name for name in found if name.startswith("runtail")} == {"runtail"}
    assert "asyncio" not in found


def test_a_process_that_ends_while_the_client_is_imported_stores_what_it_logged(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    subprocess.run([sys.executable, "-c", SLOWLY, engine_url, execution_id], check=True, timeout=30)
    assert stored.messages(execution_id) == ["parent"]


def test_a_child_that_is_forked_while_the_client_is_imported_publishes(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    fork = """
child = os.fork()
if child == 0:
    run.info("child")
    os._exit(0 if publisher.flush(10) else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""
    command = [sys.executable, "-c", SLOWLY + fork, engine_url, execution_id]
    subprocess.run(command, check=True, timeout=30)
    assert sorted(stored.messages(execution_id)) == ["child", "parent"]

"""Run the tests: `python -m tests.run [--full]`, as `make test` and `make test-full` do.

Everything that this machine can run is run; the last line but pytest's own says what was left out,
and why. With CI=true nothing may be left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests import web

_PROGRAMS = {  # program → (mark of the tests that need it, how it is said)
    "chromium": ("browser", "the browser tests: no chromium on PATH"),
    "redis-server": ("redis_server", "the tests on Debian's redis-server: none on PATH"),
    "nginx": ("nginx", "the tests behind Debian's nginx: none on PATH"),
    "haproxy": ("haproxy", "the tests behind Debian's haproxy: none on PATH"),
    "promtool": (
        "promtool",
        "the tests of metrics and alerts with Debian's prometheus: none on PATH",
    ),
    "systemd-analyze": ("systemd", "the check of the systemd units: no systemd-analyze on PATH"),
    "curl": ("curl", "the tests with curl: none on PATH"),
}
_SOME_FAILED = 1  # pytest's exit code
_MOST_AGAIN = 5  # more are no accident
_WORKERS = "6"  # most tests wait for sockets and clocks more than they compute
_CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports",),
    ("mypy", "broker", "gateway", "producers", "tests"),
)


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the checks and tests.

    Hundreds of processes are started, and none shall compile again what they all import. Who wants
    no `__pycache__` beside the sources gets it inside the environment of `make`.
    """
    ours = dict(inherited)
    if ours.pop("PYTHONDONTWRITEBYTECODE", None):
        ours.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix, "pycache").absolute()))
    return ours


def main(arguments: list[str]) -> int:
    """Run the checks, then the tests; return the exit code."""
    full = "--full" in arguments
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    marks = [_PROGRAMS[program][0] for program in missing]
    no_web = web.left_out()
    if no_web:
        marks.append("node")
    with ThreadPoolExecutor(1) as aside:  # the tests wait more than they compute
        installing = None if no_web else aside.submit(web.installed)
        _compile_once()
        if installing and _told("ui: npm ci", *installing.result()):
            return 1
        checking = [aside.submit(_check, command) for command in _CHECKS]
        checking += [] if no_web else [aside.submit(_check_web, name) for name in web.CHECKS]
        tested = _pytest(full, marks)
        checked = [each.result() for each in checking]
    left_out = [_PROGRAMS[program][1] for program in missing] + ([no_web] if no_web else [])
    if not full:
        left_out.append("the long tests: `make test-full` runs them")
    print("left out:", "; ".join(left_out) or "nothing", file=sys.stderr)
    missing += ["node of 20.19 or later"] if no_web else []
    if os.environ.get("CI") and missing:
        print(f"CI may leave nothing out, but has no {', '.join(missing)}", file=sys.stderr)
        return 1
    return tested or max(checked)


def _check(command: tuple[str, ...]) -> int:
    name = " ".join(command[:2])
    done = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=environment(os.environ),
    )
    return _told(name, done.returncode, done.stdout)


def _check_web(name: str) -> int:
    return _told(name, *web.CHECKS[name]())


def _told(name: str, code: int, said: str) -> int:
    print(f"{name}: {'ok' if code == 0 else said}", file=sys.stderr)
    return code


def _pytest(full: bool, without: list[str]) -> int:
    """Run pytest, several processes at once; the long tests run one by one behind the others."""
    if full:
        os.environ.setdefault("RUNTAIL_EXAMPLES", "full")
    marks = [f"not {mark}" for mark in without]
    short = _tested([*marks, "not full"], "-n", _WORKERS, "--dist", "worksteal")
    if not full:
        return short
    return _tested([*marks, "full"], "-n", "1", "--timeout", "1800") or short


def _compile_once() -> None:
    """In a fresh clone, let one process compile the tests, not each of several at once."""
    if not Path(".pytest_cache").exists():
        command = [sys.executable, "-m", "pytest", "--collect-only", "-qq"]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=environment(os.environ))


def _tested(marks: list[str], *options: str) -> int:
    """Run the tests with *marks*; a few that fail beside the others are run once more, alone.

    They have deadlines, and a shared machine may stand still for longer. It is said, never hidden.
    """
    code = _marked(marks, *options)
    failed = _failed()
    if code != _SOME_FAILED or not 0 < len(failed) <= _MOST_AGAIN:
        return code
    print("failed beside the others, run again alone:", *failed, sep="\n  ", file=sys.stderr)
    return _marked(marks, "--last-failed", "-n", "0")


def _failed() -> list[str]:
    """List what failed last, as pytest remembers it."""
    cache = Path(".pytest_cache/v/cache/lastfailed")
    return sorted(json.loads(cache.read_text())) if cache.exists() else []


def _marked(marks: list[str], *options: str) -> int:
    command = [sys.executable, "-m", "pytest", "-q", "-m", " and ".join(marks), *options]
    return subprocess.run(command, check=False, env=environment(os.environ)).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

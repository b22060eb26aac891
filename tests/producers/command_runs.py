"""Run `runtail run` and `runtail log` as processes, as a shell finds them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECONDS = 40.0


@dataclass(frozen=True)
class Commands:
    """The program `runtail`, as it is installed, whose processes find the engine at *url*."""

    url: str
    more: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RUNTAIL_", "PYTHON"))},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RUNTAIL_REDIS_URL": self.url,
            **self.more,
        }

    def run(
        self, *words: str, stdin: bytes = b"", code: int = 0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `runtail WORDS…` to its end; its exit code must be *code*."""
        return self.run_program("runtail", *words, stdin=stdin, code=code)

    def run_program(
        self, *words: str, stdin: bytes = b"", code: int = 0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program that finds `runtail` on its PATH, likewise."""
        done = subprocess.run(
            words, input=stdin, capture_output=True, env=self.env, timeout=SECONDS
        )
        assert done.returncode == code, (done.returncode, done.stderr.decode())
        return done

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start `runtail WORDS…` in a session of its own, without a terminal."""
        return subprocess.Popen(
            ["runtail", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.env,
            start_new_session=True,
        )


def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield *process*, and see to it that it has ended and its pipes are closed afterwards."""
    with process:
        try:
            yield process
        finally:
            process.kill()

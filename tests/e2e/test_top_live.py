"""`runtail top` in a terminal: it shows what begins, says when the gateway is away, and goes on."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.e2e.processes import Gateway, gateways
from tests.polling import until
from tests.producers.command_runs import Commands

from runtail import Publisher
from runtail_broker.engines.engine import Engine

pytestmark = pytest.mark.full


class Terminal:
    """A program that believes to be in a terminal of 120 columns, and all that it wrote."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process, self._master, self.text = process, master, ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        with suppress(OSError):  # the other side has gone
            while data := os.read(self._master, 65_536):
                self.text += data.decode(errors="replace")


@contextmanager
def terminal(env: dict[str, str], *words: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    env = env | {"COLUMNS": "120", "LINES": "30", "TERM": "xterm"}
    with subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
    ) as process:
        os.close(slave)
        try:
            yield Terminal(process, master)
        finally:
            process.kill()
            process.wait(10)
            os.close(master)


@pytest.fixture
def gateway(place: Path, own_engine: Engine) -> Iterator[Gateway]:
    with gateways(own_engine.url, place, 1) as (gateway,):
        yield gateway


def test_what_begins_is_shown_at_once_and_a_gateway_that_was_away_is_found_again(
    gateway: Gateway, own_engine: Engine
) -> None:
    env = Commands(own_engine.url, {"RUNTAIL_URL": gateway.http}).env
    # so seldom a look that only the watch of the list can have brought it
    with terminal(env, "runtail", "top", "--interval", "60") as top:
        until(lambda: "No executions yet" in top.text, "it shows the empty list")
        with Publisher(own_engine.url) as publisher, publisher.execution("first") as run:
            run.info("hello")
            until(lambda: "first" in top.text, "the watch brought it")
        top.process.send_signal(signal.SIGINT)
        assert top.process.wait(10) == 130
    with terminal(env, "runtail", "top", "--interval", "0.2") as top:
        until(lambda: "completed" in top.text, "it shows the list")
        gateway.kill()
        until(lambda: "away: " in top.text, "it says that the gateway is away")
        gateway.start()
        seen = len(top.text)
        until(lambda: "answers in" in top.text[seen:], "it goes on")
        top.process.send_signal(signal.SIGINT)
        assert top.process.wait(10) == 130

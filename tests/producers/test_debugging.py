"""What the SDK says of itself when it is asked to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.debugging import Teller


class Told:
    """A teller with a clock that the test moves."""

    def __init__(self, lines_a_second: int) -> None:
        self.now, self.lines = 0.0, list[str]()
        self.teller = Teller(self.lines.append, lines_a_second, lambda: self.now)


def said(switch: str | None, code: str) -> str:
    """Run *code* in a process of its own; return what it says on stderr."""
    environ = {k: v for k, v in os.environ.items() if k != "RUNTAIL_DEBUG"}
    if switch is not None:
        environ["RUNTAIL_DEBUG"] = switch
    code = "from runtail import debugging\n" + code
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.mark.parametrize("switch", [None, "", "0"])
def test_nothing_is_said_unless_it_is_asked_for(switch: str | None) -> None:
    assert said(switch, "debugging.say('sent', records=3)") == ""


def test_a_line_says_which_process_what_and_its_fields() -> None:
    line = said("1", "debugging.say('sent', batch=2, why='a b\\n', to=None)")
    assert line.startswith("runtail[")
    assert line.endswith(" sent batch=2 why='a b\\n' to=None\n")


def test_it_is_said_on_the_real_stderr_wherever_sys_stderr_goes() -> None:
    assert "sent" in said("1", "import sys, io; sys.stderr = io.StringIO(); debugging.say('sent')")


def test_a_closed_stderr_raises_nothing() -> None:
    said("1", "import sys; sys.stderr.close(); debugging.say('sent')")


def test_what_was_held_back_last_is_told_at_the_exit() -> None:
    lines = said("1", "for n in range(100): debugging.say('sent')").splitlines()
    assert len(lines) <= 2 * 21
    assert "lines were held back here" in lines[-1]


def test_more_lines_than_allowed_in_a_second_are_counted() -> None:
    told = Told(lines_a_second=2)
    for _ in range(5):
        told.teller.tell("sent", {})
    told.now = 1.0
    told.teller.tell("closed", {})
    assert [line.split(" ", 2)[2] for line in told.lines] == [
        "sent\n",
        "sent\n",
        "(3 lines were held back here)\n",
        "closed\n",
    ]


@given(st.lists(st.floats(0, 5), max_size=100), st.integers(1, 5))
def test_what_was_said_is_always_written_or_counted(times: list[float], most: int) -> None:
    told = Told(most)
    for told.now in sorted(times):
        told.teller.tell("sent", {})
    told.teller.close()
    counts = [line.split("(")[1].split()[0] for line in told.lines if "held back" in line]
    written = sum("sent" in line for line in told.lines)
    assert written + sum(map(int, counts)) == len(times)
    assert written <= most * 6


def test_a_value_that_speaks_while_it_is_written_is_counted_and_waits_for_nobody() -> None:
    told = Told(lines_a_second=9)

    class Talkative:
        def __str__(self) -> str:
            told.teller.tell("showing", {})
            return "shown"

    told.teller.tell("sent", {"what": Talkative()})
    told.teller.close()
    assert "sent what=shown" in told.lines[0]
    assert "(1 lines" in told.lines[1]


def test_a_value_that_cannot_be_shown_raises_nothing_and_a_line_is_bounded() -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    told = Told(lines_a_second=9)
    told.teller.tell("sent", {"what": Hostile(), "much": "x" * 10_000})
    assert "RuntimeError" in told.lines[0]
    assert len(told.lines[0]) <= 1001


def test_a_publisher_says_what_it_is_going_through(engine_url: str, execution_id: str) -> None:
    code = f"""
import runtail
with runtail.Publisher({engine_url!r}) as publisher, publisher.execution({execution_id!r}) as run:
    run.info("hello")
    assert publisher.flush(30)
"""
    lines = said("1", code).splitlines()
    for event in ("open", "publish", "close"):
        assert [line for line in lines if f" {event} execution={execution_id} " in line], event
    assert "stored=1" in lines[-1]


def test_a_publisher_says_what_hinders_it() -> None:
    code = """
import runtail
settings = runtail.PublisherSettings(max_buffer_records=2)
publisher = runtail.Publisher("redis://127.0.0.1:1", settings=settings)
run = publisher.execution("run-1")
for number in range(5):
    run.info("hello")
publisher.flush(0.2)
while not publisher.counters.engine_errors:
    publisher.flush(0.2)
publisher.close(0.2)
"""
    told = said("1", code)
    assert "the engine is away" in told
    assert "records were dropped count=" in told

"""`runtail log`: what a shell script says is stored when the command returns 0, and told if not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from tests.producers.command_runs import Commands
from tests.producers.stored import Stored

from runtail.commands.log import options_first

EXAMPLE = Path(__file__).parents[3] / "producers" / "examples" / "build.sh"
NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
def commands(engine_url: str) -> Commands:
    return Commands(engine_url)


def test_several_calls_add_to_one_execution_that_stays_open(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    commands.run("log", execution_id, "one")
    commands.run("log", execution_id, "two")
    assert stored.messages(execution_id) == ["one", "two"]
    assert stored.statuses(execution_id) == ["running"]
    assert stored.is_listed(execution_id)


def test_options_say_what_the_record_carries(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    options = ("--level", "error", "--step", "load", "--field", "rows=3", "--field", "a=b=c")
    commands.run("log", execution_id, *options, "no\ndisk")
    (record,) = (r for r in stored.records(execution_id) if "kind" not in r)
    del record["timestamp"]
    assert record == {
        "execution_id": execution_id,
        "level": "error",
        "message": "no\ndisk",
        "step_name": "load",
        "rows": "3",
        "a": "b=c",
    }


def test_finish_ends_the_execution(commands: Commands, stored: Stored, execution_id: str) -> None:
    commands.run("log", execution_id, "one")
    commands.run("log", execution_id, "--finish", "failed", "--reason", "no disk")
    status = stored.of_kind(execution_id, "status")[-1]
    assert (status["status"], status["reason"]) == ("failed", "no disk")
    assert stored.kinds(execution_id)[-1] == "end"


def test_a_late_line_is_kept_behind_the_end(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    commands.run("log", execution_id, "one", "--finish", "completed")
    commands.run("log", execution_id, "late")
    assert stored.messages(execution_id) == ["one", "late"]
    assert stored.statuses(execution_id) == ["running", "completed"]
    assert stored.kinds(execution_id)[-1] == "end"


def test_the_surrounding_execution_needs_no_name(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    commands.more["RUNTAIL_EXECUTION"] = execution_id
    commands.run("log", "one")
    commands.run("log", "--finish", "cancelled")
    assert stored.messages(execution_id) == ["one"]
    assert stored.statuses(execution_id) == ["running", "cancelled"]


def test_stdin_is_taken_line_by_line(commands: Commands, stored: Stored, execution_id: str) -> None:
    text = b"one\n10%\r100%\ntwo \xff"
    commands.run("log", execution_id, "-", "--level", "warning", stdin=text)
    assert stored.messages(execution_id) == ["one", "100%", "two \\xff"]
    assert stored.state(execution_id)["warning"] == "3"


def test_a_large_input_is_stored_whole(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    numbers = [str(n) for n in range(30_000)]
    commands.run("log", execution_id, "-", "--timeout", "30", stdin="\n".join(numbers).encode())
    assert stored.messages(execution_id) == numbers


def test_what_is_not_stored_is_told_in_one_line_and_by_the_code(execution_id: str) -> None:
    commands = Commands("redis://user:secret@127.0.0.1:1")
    before = time.monotonic()
    done = commands.run("log", execution_id, "one", "--timeout", "0.3", code=1)
    assert time.monotonic() - before < 30
    what = f"execution {execution_id}: 1 of 1 records not stored within 0.3 s"
    assert done.stderr.decode() == f"runtail: {what} ({NOWHERE})\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "no text is given"),
        (("only text",), "no execution is given beside the text 'only text'"),
        (("no good", "text"), "execution id 'no good' is not valid"),
        (("x", "y", "--field", "rows"), "'rows' is no field, expected NAME=VALUE"),
        (("x", "y", "--level", "loud"), "'loud'"),
        (("x", "y", "--timeout", "0"), "'0' is no time"),
        (("x", "--finish", "splendid"), "'splendid'"),
        (("x", "y", "z"), "z"),
    ],
)
def test_wrong_usage_names_the_value(commands: Commands, words: tuple[str, ...], said: str) -> None:
    done = commands.run("log", *words, code=2)
    assert said in done.stderr.decode()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "ordered"),
    [
        (["id", "text"], ["--", "id", "text"]),
        (["id", "--level", "error", "text"], ["--level", "error", "--", "id", "text"]),
        (["--level=error", "-"], ["--level=error", "--", "-"]),
        (["id", "--", "--level"], ["--", "id", "--level"]),
        (["id", "-5 degrees"], ["--", "id", "-5 degrees"]),
        (["--help"], ["--help", "--"]),
        (["id", "--level"], ["--level", "--", "id"]),
    ],
)
def test_options_may_stand_anywhere_before_the_dashes(words: list[str], ordered: list[str]) -> None:
    assert options_first(words) == ordered


# ---- the example


def test_the_example_runs_in_a_wrapper(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    commands.run("run", "--id", execution_id, "--", "sh", str(EXAMPLE))
    logs = [r for r in stored.records(execution_id) if "kind" not in r]
    assert sorted(r["message"] for r in logs) == sorted(
        [
            "compiling",
            "cc -O2 -o app app.c",
            "warning: unused variable",
            "test 1 ok",
            "test 2 ok",
            "built",
        ]
    )
    assert {r["message"]: r["level"] for r in logs}["warning: unused variable"] == "warning"
    assert stored.statuses(execution_id) == ["running", "completed"]
    assert stored.kinds(execution_id)[-1] == "end"


def test_the_example_runs_by_itself(commands: Commands, stored: Stored, execution_id: str) -> None:
    commands.run_program("sh", os.fspath(EXAMPLE), execution_id)
    assert stored.messages(execution_id) == ["compiling", "test 1 ok", "test 2 ok", "built"]
    assert stored.statuses(execution_id) == ["running", "completed"]
    assert stored.kinds(execution_id)[-1] == "end"

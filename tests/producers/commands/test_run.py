"""`runtail run -- COMMAND`: the program behaves as without it, its execution tells the truth."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.polling import until
from tests.producers.command_runs import Commands, ended
from tests.producers.stored import Stored

from runtail.programs.wrapped import Child, Source
from runtail_broker.keys import ExecutionKeys

Start = Callable[..., "subprocess.Popen[bytes]"]
NOWHERE = "redis://127.0.0.1:1"


@pytest.fixture
def commands(engine_url: str) -> Commands:
    return Commands(engine_url)


@pytest.fixture
def start(commands: Commands) -> Iterator[Start]:
    """Start `runtail run`; whatever a test started has ended after it."""
    with contextlib.ExitStack() as stack:
        yield lambda *words: stack.enter_context(
            contextlib.contextmanager(ended)(commands.start("run", *words))
        )


def last_status(stored: Stored, execution_id: str) -> tuple[str, str | None]:
    status = stored.of_kind(execution_id, "status")[-1]
    return status["status"], status.get("reason")


def logs(stored: Stored, execution_id: str) -> list[dict[str, object]]:
    return [record for record in stored.records(execution_id) if "kind" not in record]


def has(stored: Stored, execution_id: str, message: str) -> Callable[[], bool]:
    return lambda: any(record["message"] == message for record in logs(stored, execution_id))


# ---- what the terminal and the log show


def test_the_output_is_shown_as_it_is_and_recorded_line_by_line(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    script = r"printf 'one\ntwo\377\n'; echo oops >&2; printf '\033[31mred'"
    done = commands.run("run", "--id", execution_id, "--step", "s", "--", "sh", "-c", script)
    assert (done.stdout, done.stderr) == (b"one\ntwo\xff\n\x1b[31mred", b"oops\n")
    found = {(r["message"], r["stream"], r["step_name"]) for r in logs(stored, execution_id)}
    out = {(text, "stdout", "s") for text in ("one", "two\\xff", "\x1b[31mred")}
    assert found == {*out, ("oops", "stderr", "s")}
    assert stored.kinds(execution_id)[-1] == "end"


def test_lines_of_both_streams_keep_the_order_in_which_they_were_written(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    script = "for i in 1 3 5; do echo $i; sleep 0.1; echo $((i+1)) >&2; sleep 0.1; done"
    commands.run("run", "--id", execution_id, "--", "sh", "-c", script)
    assert stored.messages(execution_id) == ["1", "2", "3", "4", "5", "6"]


def test_quiet_shows_nothing_and_records_all(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    done = commands.run("run", "--quiet", "--id", execution_id, "--", "echo", "hi")
    assert (done.stdout, done.stderr) == (b"", b"")
    assert stored.messages(execution_id) == ["hi"]


def test_json_lines_are_records(commands: Commands, stored: Stored, execution_id: str) -> None:
    line = '{"msg":"hi","level":"warn","rows":3}'
    done = commands.run("run", "--json", "--id", execution_id, "--", "echo", line)
    assert done.stdout.decode() == line + "\n"
    (record,) = logs(stored, execution_id)
    assert (record["message"], record["level"], record["rows"]) == ("hi", "warning", 3)


def test_everything_a_fast_program_writes_is_recorded_in_order(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    # more than the publisher's buffer holds, and faster than the engine stores
    commands.run("run", "--quiet", "--id", execution_id, "--", "seq", "250000")
    assert stored.messages(execution_id) == [str(n) for n in range(1, 250_001)]


def test_the_input_reaches_the_program(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    commands.run("run", "--id", execution_id, "--", "cat", stdin=b"typed\n")
    assert stored.messages(execution_id) == ["typed"]


def test_a_reader_that_goes_away_ends_the_program_as_it_would_without_the_wrapper(
    start: Start, stored: Stored, execution_id: str
) -> None:
    process = start("--id", execution_id, "--", "yes")
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(30) == -signal.SIGPIPE
    assert last_status(stored, execution_id) == ("failed", "signal SIGPIPE (13)")


def test_a_partial_line_is_shown_before_it_ends(
    start: Start, stored: Stored, execution_id: str
) -> None:
    start("--id", execution_id, "--", "sh", "-c", "printf 'Name: '; sleep 60")
    until(has(stored, execution_id, "Name: "), "the partial line was stored")
    assert logs(stored, execution_id)[0]["partial"] is True


# ---- how it ends


@pytest.mark.parametrize(
    ("script", "code", "status", "reason"),
    [
        ("exit 0", 0, "completed", None),
        ("exit 3", 3, "failed", "exit code 3"),
        ("kill -KILL $$", -signal.SIGKILL, "failed", "signal SIGKILL (9)"),
        ("kill -TERM $$", -signal.SIGTERM, "failed", "signal SIGTERM (15)"),
        ("kill -INT $$", -signal.SIGINT, "cancelled", "signal SIGINT (2)"),
    ],
)
def test_exit_code_and_signal_are_handed_on_and_are_the_reason(
    commands: Commands,
    stored: Stored,
    execution_id: str,
    script: str,
    code: int,
    status: str,
    reason: str | None,
) -> None:
    commands.run("run", "--id", execution_id, "--", "sh", "-c", script, code=code)
    assert last_status(stored, execution_id) == (status, reason)


@pytest.mark.parametrize(
    ("program", "code", "reason"),
    [
        ("no-such-program", 127, "command not found: no-such-program"),
        ("/etc", 126, "/etc: Permission denied"),
    ],
)
def test_a_command_that_cannot_be_run_is_named(
    commands: Commands, stored: Stored, execution_id: str, program: str, code: int, reason: str
) -> None:
    done = commands.run("run", "--id", execution_id, "--", program, code=code)
    assert done.stderr.decode() == f"runtail: {reason}\n"
    assert last_status(stored, execution_id) == ("failed", reason)


def test_a_grandchild_that_holds_the_output_is_not_waited_for(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    script = "sleep 30 & echo $!"
    before = time.monotonic()
    done = commands.run("run", "--id", execution_id, "--", "sh", "-c", script)
    assert time.monotonic() - before < 25
    os.kill(int(done.stdout), signal.SIGKILL)
    assert b"left behind" in done.stderr
    assert "left behind" in stored.messages(execution_id)[-1]


def test_without_a_command_the_usage_is_wrong(commands: Commands) -> None:
    assert b"expected `runtail run -- COMMAND`" in commands.run("run", code=2).stderr


def test_an_id_that_is_none_is_named(commands: Commands) -> None:
    done = commands.run("run", "--id", "no good", "--", "true", code=2)
    assert b"execution id 'no good' is not valid" in done.stderr


# ---- signals and cancelling

TRAP = """
import signal, sys
def stop(*_):
    print("got", flush=True)
    sys.exit(7)
signal.signal(signal.SIG{signal}, stop)
print("ready", flush=True)
while True:
    signal.pause()
"""


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "USR1", "USR2"])
def test_a_signal_is_handed_on(start: Start, stored: Stored, execution_id: str, name: str) -> None:
    process = start("--id", execution_id, "--", sys.executable, "-c", TRAP.format(signal=name))
    until(has(stored, execution_id, "ready"), "the program is ready")
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.wait(30) == 7
    assert stored.messages(execution_id) == ["ready", "got"]


def test_a_signal_reaches_what_the_program_started(
    start: Start, stored: Stored, execution_id: str, tmp_path: Path
) -> None:
    (tmp_path / "trap.py").write_text(TRAP.format(signal="TERM"))
    script = f"trap 'wait; exit 5' TERM; {sys.executable} {tmp_path}/trap.py & wait"
    process = start("--id", execution_id, "--", "sh", "-c", script)
    until(has(stored, execution_id, "ready"), "the grandchild is ready")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 5
    assert stored.messages(execution_id) == ["ready", "got"]


def cancel(stored: Stored, execution_id: str) -> None:
    stored.redis.hset(ExecutionKeys.of(execution_id).state, "cancel", "1")


def test_a_cancel_request_terminates_the_program(
    start: Start, stored: Stored, execution_id: str
) -> None:
    process = start("--id", execution_id, "--", sys.executable, "-c", TRAP.format(signal="TERM"))
    until(has(stored, execution_id, "ready"), "the program is ready")
    cancel(stored, execution_id)
    assert process.wait(30) == 7
    assert last_status(stored, execution_id) == ("cancelled", "cancel requested, exit code 7")


@pytest.mark.full
def test_a_program_that_does_not_heed_a_cancel_request_is_killed(
    start: Start, stored: Stored, execution_id: str
) -> None:
    script = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
    process = start("--grace", "0.2", "--id", execution_id, "--", "sh", "-c", script)
    until(has(stored, execution_id, "ready"), "the program is ready")
    cancel(stored, execution_id)
    assert process.wait(30) == -signal.SIGKILL
    status, reason = last_status(stored, execution_id)
    assert (status, reason) == ("cancelled", "cancel requested, signal SIGKILL (9)")


# ---- the program's surroundings


def test_the_program_learns_where_its_execution_is(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    script = "echo $RUNTAIL_EXECUTION $RUNTAIL_REDIS_URL $PYTHONUNBUFFERED"
    commands.run("run", "--id", execution_id, "--", "sh", "-c", script)
    assert stored.messages(execution_id) == [f"{execution_id} {commands.url} 1"]


def test_buffering_that_is_set_stays_set(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    commands.more["PYTHONUNBUFFERED"] = "0"
    commands.run("run", "--id", execution_id, "--", "sh", "-c", "echo $PYTHONUNBUFFERED")
    assert stored.messages(execution_id) == ["0"]


def test_a_finished_id_is_not_reopened_and_the_program_gets_the_new_one(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    words = ("run", "--id", execution_id, "--", "sh", "-c", "echo $RUNTAIL_EXECUTION")
    commands.run(*words)
    done = commands.run(*words)
    assert done.stdout.decode() == f"{execution_id}.2\n"
    assert f"see {execution_id}.2" in done.stderr.decode()
    assert stored.messages(execution_id) == [execution_id]


def test_an_id_is_made_and_told_when_none_is_given(commands: Commands, stored: Stored) -> None:
    told = commands.run("run", "--workflow", "w", "--", "echo", "hi").stderr.decode()
    assert told.startswith("runtail: execution w-2")
    made = told.split()[-1]
    assert stored.messages(made) == ["hi"]
    assert stored.state(made)["workflow"] == "w"


def test_an_inner_wrapper_joins_the_outer_ones_execution(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    inner = "runtail run --step inner -- sh -c 'echo in; exit 4'; echo out $?"
    commands.run("run", "--id", execution_id, "--", "sh", "-c", inner)
    found = [(r["message"], r.get("step_name")) for r in logs(stored, execution_id)]
    assert ("in", "inner") in found
    assert ("sh: failed, exit code 4", None) in found
    assert found[-1] == ("out 4", None)
    assert last_status(stored, execution_id) == ("completed", None)


def test_without_an_engine_the_program_runs_all_the_same(execution_id: str) -> None:
    commands = Commands(NOWHERE)
    before = time.monotonic()
    words = ("--timeout", "0.5", "--id", execution_id, "--", "sh", "-c", "echo hi; exit 3")
    done = commands.run("run", *words, code=3)
    assert time.monotonic() - before < 30
    assert done.stdout == b"hi\n"
    told = done.stderr.decode()
    what = "1 of 1 records not stored within 0.5 s"
    assert told == f"runtail: execution {execution_id}: {what} ({NOWHERE})\n"


# ---- secrets

SECRETIVE = """
import os, sys, time
secret = os.environ["DB_PASSWORD"]
out = sys.stdout
out.write("whole " + secret + "\\n")
out.write("first " + secret[:8]); out.flush(); time.sleep(0.6)
out.write(secret[8:] + " rest\\n"); out.flush()
out.write("x" * 21_845 + secret + "y" * 40_000 + "\\n")
out.write("mine " + os.environ["PIN"] + "\\n")
"""


def test_secrets_of_the_environment_never_leave_however_they_are_split(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    commands.more.update(DB_PASSWORD="correct-horse-battery", PIN="314159265")
    words = ("run", "--mask", "PIN", "--id", execution_id, "--", sys.executable, "-c", SECRETIVE)
    done = commands.run(*words)
    assert b"whole correct-horse-battery" in done.stdout  # the terminal shows what it would
    told = "".join(str(record) for record in stored.records(execution_id))
    for part in ("correct", "horse", "battery", "314159265"):
        assert part not in told
    messages = stored.messages(execution_id)
    assert "whole ***DB_PASSWORD***" in messages
    assert messages[1:3] == ["first ", "***DB_PASSWORD*** rest"]
    assert messages[-1] == "mine ***PIN***"


# ---- on a terminal


def on_terminal(commands: Commands, *words: str) -> tuple[int, int]:
    """Start `runtail WORDS…` on a terminal of its own; return its process and our side of it."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe("runtail", ["runtail", *words], commands.env)
    return pid, terminal


def read_until(terminal: int, wanted: bytes) -> bytes:
    seen = b""
    deadline = time.monotonic() + 30
    while wanted not in seen:
        assert select.select([terminal], [], [], deadline - time.monotonic())[0], seen
        seen += os.read(terminal, 1000)
    return seen


def exit_of(pid: int) -> int:
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def test_a_pty_lets_the_program_see_a_terminal(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    script = "test -t 1 && test -t 2 && echo yes; echo more >&2"
    done = commands.run("run", "--pty", "--id", execution_id, "--", "sh", "-c", script)
    assert done.stdout == b"yes\r\nmore\r\n"
    found = [(r["message"], r["stream"]) for r in logs(stored, execution_id)]
    assert found == [("yes", "pty"), ("more", "pty")]


@pytest.mark.parametrize("option", [(), ("--pty",)])
def test_the_interrupt_key_reaches_the_program_exactly_once(
    commands: Commands, stored: Stored, execution_id: str, option: tuple[str, ...]
) -> None:
    program = (
        "import select,signal\n"
        "signal.signal(signal.SIGINT, lambda *_: print('got', flush=True))\n"
        "print('ready', flush=True)\n"
        # a signal that comes just before input() begins to read is handled after it only
        "while not select.select([0], [], [], 0.05)[0]: pass\n"
        "input()\n"
    )
    words = ("run", *option, "--id", execution_id, "--", sys.executable, "-c", program)
    pid, terminal = on_terminal(commands, *words)
    read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    read_until(terminal, b"got")
    os.write(terminal, b"done\n")
    assert exit_of(pid) == 0
    os.close(terminal)
    assert "".join(stored.messages(execution_id)).count("got") == 1


@pytest.mark.parametrize(
    ("own_group", "number", "ends"),
    [
        (False, signal.SIGINT, False),  # the terminal has told the program itself
        (False, signal.SIGTERM, True),
        (True, signal.SIGINT, True),
    ],
)
def test_what_the_terminal_tells_a_program_is_not_told_twice(
    own_group: bool, number: int, ends: bool
) -> None:
    sleeping = [sys.executable, "-c", "import time; time.sleep(60)"]
    with subprocess.Popen(sleeping, process_group=0) as process:
        Child(process, (Source(0, "stdout", 1),), own_group=own_group).forward(number)
        try:
            process.wait(20 if ends else 0.5)
        except subprocess.TimeoutExpired:
            assert not ends
        else:
            assert ends
        finally:
            process.kill()


@pytest.mark.parametrize("option", [(), ("--pty",)])
def test_the_interrupt_key_ends_wrapper_and_program_alike(
    commands: Commands, stored: Stored, execution_id: str, option: tuple[str, ...]
) -> None:
    words = ("run", *option, "--id", execution_id, "--", "sh", "-c", "echo ready; exec sleep 60")
    pid, terminal = on_terminal(commands, *words)
    read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    assert exit_of(pid) == -signal.SIGINT
    os.close(terminal)
    assert last_status(stored, execution_id) == ("cancelled", "signal SIGINT (2)")


def test_a_pty_has_the_size_of_the_terminal_around_it(
    commands: Commands, stored: Stored, execution_id: str
) -> None:
    pid, terminal = on_terminal(
        commands, "run", "--pty", "--id", execution_id, "--", "stty", "size"
    )
    read_until(terminal, b"0 0")
    assert exit_of(pid) == 0
    os.close(terminal)

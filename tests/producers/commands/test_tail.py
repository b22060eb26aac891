"""`runtail tail` against a gateway that follows a script."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

import pytest
from tests.producers.fake_gateway import (
    Close,
    Cut,
    FakeGateway,
    Hold,
    Step,
    cursor,
    end,
    hello,
    log,
    records,
)

from runtail.command import main
from runtail.watching.listening import Cut as LinkCut
from runtail.watching.listening import listen, logs_address

Captured = pytest.CaptureFixture[str]


def tail(gateway: FakeGateway, *options: str) -> int:
    return main(["tail", "run-1", "--url", gateway.url, *options])


def messages_of(text: str) -> list[int]:
    """List the numbers in the messages `line <n>` that were printed."""
    return [int(line.rpartition("line ")[2]) for line in text.splitlines() if " extract " in line]


def started(url: str, *options: str) -> subprocess.Popen[str]:
    """Run `python -m runtail tail` as a process of its own, its output buffered as usual."""
    return subprocess.Popen(
        [sys.executable, "-m", "runtail", "tail", "run-1", "--url", url, *options],
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for *process*; return its exit code and what is left of its error output."""
    try:
        with process:
            assert process.stderr is not None
            return process.wait(20), process.stderr.read()
    finally:
        process.kill()


@pytest.mark.parametrize(
    ("status", "code"), [("completed", 0), ("failed", 1), ("lost", 1), ("cancelled", 3)]
)
def test_the_exit_code_is_the_executions(status: str, code: int, capsys: Captured) -> None:
    with FakeGateway([hello(), records(log(1)), end(1, status), Close(1000)]) as gateway:
        assert tail(gateway) == code
    assert f"--- {status}: 1 lines, complete ---" in capsys.readouterr().out


def test_after_a_cut_it_resumes_with_the_last_cursor_and_prints_nothing_twice(
    capsys: Captured,
) -> None:
    first: list[Step] = [hello(), records(log(1), log(2)), Cut()]
    second: list[Step] = [hello(2), records(log(2), log(3)), end(3), Close(1000)]
    with FakeGateway(first, second) as gateway:
        assert tail(gateway) == 0
    shown = capsys.readouterr()
    assert messages_of(shown.out) == [1, 2, 3]
    assert gateway.queries[1]["after"][0] == cursor(2)
    assert "reconnecting, try 1" in shown.err


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 4000, 4321])
def test_a_close_that_may_pass_is_followed_by_a_reconnect(code: int, capsys: Captured) -> None:
    with FakeGateway([hello(), Close(code)], [hello(), end(0)]) as gateway:
        assert tail(gateway) == 0
    assert len(gateway.queries) == 2


def test_an_unknown_execution_stops_with_4(capsys: Captured) -> None:
    told = {"type": "error", "code": 4404, "message": "execution 'run-1' does not exist"}
    with FakeGateway([told, Close(4404)]) as gateway:
        assert tail(gateway) == 4
    assert capsys.readouterr().err == "runtail: execution 'run-1' does not exist (code 4404)\n"
    assert len(gateway.queries) == 1


def test_an_address_that_is_no_gateways_stops_with_4(capsys: Captured) -> None:
    with FakeGateway() as gateway:
        gateway.url += "/elsewhere"
        assert tail(gateway) == 4
    assert "HTTP 404 instead of a WebSocket" in capsys.readouterr().err


def test_an_undeclared_hole_makes_it_ask_again(capsys: Captured) -> None:
    first: list[Step] = [hello(), records(log(1)), records(log(3)), Hold()]
    second: list[Step] = [hello(1), records(log(2), log(3)), end(3)]
    with FakeGateway(first, second) as gateway:
        assert tail(gateway) == 0
    assert messages_of(capsys.readouterr().out) == [1, 2, 3]


def test_a_message_that_is_none_makes_it_ask_again(capsys: Captured) -> None:
    with FakeGateway([hello(), "{nonsense", Hold()], [hello(), end(0)]) as gateway:
        assert tail(gateway) == 0
    assert "'{nonsense' is not of the viewers' protocol" in capsys.readouterr().err


def test_gaps_and_resets_stand_among_the_lines(capsys: Captured) -> None:
    gap = {"type": "gap", "cursor": cursor(4), "after_seq": 0, "before_seq": 5, "lost": 4}
    reset = {"type": "reset", "cursor": cursor(4), "reason": "failover"}
    script: list[Step] = [hello(), gap, records(log(5)), reset, records(log(5)), end(5)]
    with FakeGateway(script) as gateway:
        tail(gateway)
    marks = [line[:20] for line in capsys.readouterr().out.splitlines() if "---" in line]
    assert marks == ["--- 4 lines are miss", "--- from line 5 on t", "--- completed: 5 lin"]


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_control_sequences_never_reach_the_output(
    options: tuple[str, ...], capsys: Captured
) -> None:
    evil = "\x1b]0;title\x07\x1b[2J\x9b31m\x7f\u202egnp.exe\u2028"
    record = log(1, evil, step_name=evil, id=evil, error_message=evil, input_data={evil: evil})
    status = log(2, evil, kind="status", status=evil, reason=evil)
    script: list[Step] = [hello(), records(record, status), end(2, evil)]
    with FakeGateway(script) as gateway:
        tail(gateway, *options)
    shown = capsys.readouterr()
    assert not set(shown.out + shown.err) & (set(evil) - set("0;title[2J31mgnp.exe]"))


def test_json_lines_equal_what_was_sent(capsys: Captured) -> None:
    sent = [
        log(1, "tab\t\x1b\x9b\u202e\ud800 ü", unknown={"n": 2**70, "x": 1.5e-7}),
        log(2, kind="progress", progress=1),
        log(3, kind="progress", progress=1),
    ]
    with FakeGateway([hello(), records(*sent), end(3)]) as gateway:
        assert tail(gateway, "--json") == 0
    shown = capsys.readouterr()
    assert [json.loads(line) for line in shown.out.splitlines()] == sent
    assert shown.err == "runtail: --- completed: 3 lines, complete ---\n"


@pytest.mark.parametrize(
    ("options", "query"),
    [
        ((), {}),
        (("--tail", "5"), {"tail": ["5"]}),
        (("--after", cursor(3), "--wait"), {"after": [cursor(3)], "wait": ["true"]}),
        (("--after", "$"), {"after": ["$"]}),
    ],
)
def test_options_become_the_query(
    options: tuple[str, ...], query: dict[str, Any], capsys: Captured
) -> None:
    with FakeGateway([hello(3), end(3)]) as gateway:
        assert tail(gateway, *options) == 0
    assert gateway.queries == [query]


def test_the_address_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    with FakeGateway([hello(), end(0)]) as gateway:
        monkeypatch.setenv("RUNTAIL_URL", gateway.url + "/")
        assert main(["tail", "run-1"]) == 0


def test_every_connection_signs_in_with_the_token(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    with FakeGateway([hello(), Cut()], [hello(), end(0)]) as gateway:
        assert tail(gateway, "--token", "a.b.c") == 0
        assert gateway.tokens == ["Bearer a.b.c"] * 2
    monkeypatch.setenv("RUNTAIL_TOKEN", "d.e.f")
    with FakeGateway([hello(), end(0)]) as gateway:
        assert tail(gateway) == 0
        assert gateway.tokens == ["Bearer d.e.f"]


@pytest.mark.parametrize("code", [4401, 4402, 4403])
def test_who_may_not_read_it_stops_with_4(code: int, capsys: Captured) -> None:
    refusal: Step = {"type": "error", "code": "forbidden", "message": "the token grants no 'read'"}
    with FakeGateway([refusal, Close(code, "forbidden")]) as gateway:
        assert tail(gateway) == 4
        assert gateway.tokens == [None]
    assert capsys.readouterr().err == "runtail: the token grants no 'read'\n"


@pytest.mark.parametrize("token", ["", "a b", "a\nX: y", "ü"])
def test_what_cannot_be_a_token_is_wrong_usage_and_not_shown(token: str, capsys: Captured) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["tail", "run-1", "--token", token])
    assert raised.value.code == 2
    told = capsys.readouterr().err
    assert "that is no token" in told
    assert not token or token not in told.partition("error:")[2]


@pytest.mark.parametrize(
    "words",
    [
        ["bad id"],
        [],
        ["run-1", "--after", "x"],
        ["run-1", "--tail", "-1"],
        ["run-1", "--tail", "3", "--after", "$"],
        ["run-1", "--url", "gateway:8000"],
        ["run-1", "--url", "http://h:99999"],
    ],
)
def test_wrong_usage_is_2(words: list[str], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["tail", *words])
    assert raised.value.code == 2


def test_help_lists_the_exit_codes(capsys: Captured) -> None:
    with pytest.raises(SystemExit):
        main(["tail", "--help"])
    shown = capsys.readouterr().out
    assert all(f"\n  {code} " in shown for code in (0, 1, 2, 3, 4, 130, 141))


def test_an_https_gateway_is_followed_over_wss() -> None:
    address = logs_address("https://host/base", "a@b")
    assert address == "wss://host/base/ws/executions/a%40b/logs"


def test_a_silent_link_counts_as_dead() -> None:
    with FakeGateway([hello(), Hold()]) as gateway:
        heard = list(listen(logs_address(gateway.url, "run-1"), silence_seconds=0.1))
    assert heard[1:] == [LinkCut(None, "nothing was heard for 0.1 s")]


def test_ctrl_c_ends_with_130() -> None:
    with FakeGateway([hello(), records(log(1)), Hold()]) as gateway:
        process = started(gateway.url)
        assert process.stdout is not None
        assert "line 1" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert finished(process) == (130, "")


def test_ctrl_c_between_two_tries_ends_with_130() -> None:
    process = started("http://127.0.0.1:1")
    assert process.stderr is not None
    assert "reconnecting, try 1" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, complaint = finished(process)
    assert code == 130
    assert "Traceback" not in complaint


def test_a_broken_pipe_ends_quietly() -> None:
    gone = threading.Event()
    with FakeGateway([hello(), records(log(1)), gone, records(log(2)), Hold()]) as gateway:
        process = started(gateway.url)
        assert process.stdout is not None
        assert "line 1" in process.stdout.readline()
        process.stdout.close()
        gone.set()
        assert finished(process) == (141, "")


def test_it_waits_for_a_gateway_that_is_away_at_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = started(f"http://127.0.0.1:{port}")
    assert process.stderr is not None
    assert "Connection refused; reconnecting, try 1" in process.stderr.readline()
    with FakeGateway([hello(), records(log(1)), end(1)], port=port):
        code, notices = finished(process)
    assert code == 0
    assert notices.endswith("connected again\n")


def test_a_locale_that_lacks_a_character_does_not_stop_it() -> None:
    with FakeGateway([hello(), records(log(1, "Ω")), end(1)]) as gateway:
        process = subprocess.run(
            [sys.executable, "-m", "runtail", "tail", "run-1", "--url", gateway.url],
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            capture_output=True,
            timeout=20,
        )
    assert process.returncode == 0
    assert rb"\u03a9" in process.stdout

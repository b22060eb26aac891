"""`runtail alerts`: check a file of rules, and send a test to a receiver that answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.alerts.test_alerts import taken, verifier
from tests.gateway.receiver import SECRET, Receiver, receiver

from runtail.command import main

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("ALERT_SECRET", SECRET)
    with receiver() as here:
        yield here


@pytest.fixture
def file(hook: Receiver, tmp_path: Path) -> Path:
    path = tmp_path / "alerts.toml"
    path.write_text(
        f'[webhook.ops]\nurl = "{hook.url}"\nsecret_env = "ALERT_SECRET"\n'
        f'[webhook.chat]\nurl = "{hook.url}"\nformat = "slack"\n'
        '[[rule]]\nwhen = "failed"\nto = "ops"\nsilence = "1m"\n'
    )
    return path


def test_a_test_reaches_the_receivers_of_a_rule_signed(
    hook: Receiver, file: Path, capsys: Captured
) -> None:
    hook.body = b"thank \x1b[31myou"
    assert main(["alerts", "test", "failed", "--alerts", str(file)]) == 0
    out = capsys.readouterr().out
    assert out == "ok    ops (127.0.0.1) took it, HTTP 200: thank \\x1b[31myou\n"
    (message,) = hook.came
    assert (message.json["test"], message.json["rule"]) == (True, "failed")
    assert taken(verifier(), message)


def test_without_a_rule_every_webhook_gets_a_test_and_a_refusal_is_shown(
    hook: Receiver, file: Path, capsys: Captured
) -> None:
    hook.answers, hook.body = [404, 200], b"no such hook"
    assert main(["alerts", "test", "--alerts", str(file)]) == 1
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "FAIL  ops (127.0.0.1) did not take it, HTTP 404: no such hook"
    assert out[1].startswith("ok    chat (127.0.0.1) took it")
    assert set(hook.came[1].json) == {"text"}


def test_a_check_says_what_each_rule_does(file: Path, capsys: Captured) -> None:
    assert main(["alerts", "check", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "rule failed: failed → ops, silent afterwards for 60 s",
        "webhook ops: json to 127.0.0.1, signed",
        "webhook chat: slack to 127.0.0.1, not signed",
        "no `page` is set: messages carry no link",
    ]


def test_a_check_names_the_place_of_an_error(file: Path, capsys: Captured) -> None:
    file.write_text(file.read_text().replace('"failed"', '"fails"'))
    assert main(["alerts", "check", str(file)]) == 2
    told = f"runtail alerts: {file}:8: when is 'fails', expected one of failed"
    assert capsys.readouterr().err.startswith(told)


def test_a_rule_that_is_not_there_is_named(file: Path, capsys: Captured) -> None:
    assert main(["alerts", "test", "lost", "--alerts", str(file)]) == 2
    assert "no rule is named 'lost', expected one of failed" in capsys.readouterr().err


def test_a_gateway_with_a_bad_file_does_not_start(file: Path, capsys: Captured) -> None:
    file.write_text("[[rule]")
    assert main(["gateway", "--port", "0", "--alerts", str(file)]) == 1
    assert f"{file}:1: " in capsys.readouterr().err

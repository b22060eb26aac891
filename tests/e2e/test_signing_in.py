"""A gateway where one signs in, as operators start it; tokens as they make them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.processes import gateways, status_of

from runtail import Publisher
from runtail.command import main
from runtail_broker.engines.engine import Engine

SECRET = "a secret that nobody guesses, no one"
Captured = pytest.CaptureFixture[str]


def run(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "runtail", *words], capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stdout, done.stderr


def test_only_who_holds_a_token_watches(
    place: Path, own_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Publisher(own_engine.url) as publisher, publisher.execution("nightly-1") as execution:
        execution.info("hello")
    monkeypatch.setenv("RUNTAIL_AUTH_SECRET", SECRET)
    code, token, _ = run("token", "--scope", "read", "--execution", "nightly-*")
    assert code == 0
    with gateways(own_engine.url, place, 1) as (gateway,):
        assert status_of(f"{gateway.http}/executions") == 401
        code, _, said = run("ls", "--url", gateway.http)
        assert (code, "sign in by --token or $RUNTAIL_TOKEN" in said) == (4, True)
        monkeypatch.setenv("RUNTAIL_TOKEN", token.strip())
        assert "nightly-1" in run("ls", "--url", gateway.http)[1]
        code, seen, _ = run("tail", "nightly-1", "--url", gateway.http)
        assert (code, "hello" in seen) == (0, True)
        code, _, said = run("tail", "other-1", "--url", gateway.http)
        assert (code, "grants no 'read' of execution 'other-1'" in said) == (4, True)
        assert token.strip() not in gateway.words + said
        assert SECRET not in gateway.words


FAR = ("gateway", "--redis-url", "redis://127.0.0.1:1", "--host", "192.0.2.1")  # nobody's


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        (None, "is open to others and nobody signs in"),
        (SECRET, "of 192.0.2.1 is taken"),  # it tried
        ("", "RUNTAIL_AUTH_SECRET is empty"),
        ("short", "secret has 5 bytes, expected at least 32"),
    ],
)
def test_only_with_a_good_secret_it_listens_to_others(
    secret: str | None, said: str, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.delenv("RUNTAIL_AUTH_SECRET", raising=False)
    if secret is not None:
        monkeypatch.setenv("RUNTAIL_AUTH_SECRET", secret)
    assert main(list(FAR)) == 1
    assert said in capsys.readouterr().err


def test_a_demo_takes_no_notice_of_the_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.setenv("RUNTAIL_AUTH_SECRET", SECRET)
    assert main(["demo", *FAR[1:]]) == 1
    assert "is open to others and nobody signs in" in capsys.readouterr().err

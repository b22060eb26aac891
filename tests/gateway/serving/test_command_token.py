"""`runtail token`: a token that the gateway of the same secret believes, and nothing else."""

from __future__ import annotations

import time

import pytest
from tests.gateway.signing import SECRET

from runtail.command import main
from runtail_gateway.access.auth import Grant
from runtail_gateway.access.auth_settings import AuthSettings
from runtail_gateway.access.tokens import SharedSecret, Tokens
from runtail_gateway.serving.command_token import seconds

Captured = pytest.CaptureFixture[str]
USUAL = ("token", "--scope", "read")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNTAIL_AUTH_SECRET", SECRET)


async def granted(captured: Captured, *words: str, **settings: str) -> Grant:
    assert main([*USUAL, *words]) == 0
    auth = AuthSettings(secret=SECRET, **settings)  # type: ignore[arg-type]
    return await Tokens(SharedSecret(SECRET), auth).grant(captured.readouterr().out.strip())


async def test_the_gateway_believes_it(capsys: Captured) -> None:
    grant = await granted(capsys)
    assert (grant.subject, grant.scopes) == ("operator", frozenset({"read"}))
    assert (grant.executions, grant.workflows) == (None, None)
    assert 8 * 3600 - 60 < grant.expires_at - time.time() <= 8 * 3600


async def test_it_grants_what_is_asked_for(capsys: Captured) -> None:
    words = ("--scope", "publish", "--execution", "a*", "--execution", "", "--workflow", "etl")
    grant = await granted(capsys, *words, "--expires", "90s", "--subject", "ci")
    assert grant.scopes == {"read", "publish"}
    assert (grant.executions, grant.workflows, grant.subject) == (("a*", ""), ("etl",), "ci")
    assert 60 < grant.expires_at - time.time() <= 90


async def test_audience_and_issuer_are_those_of_the_gateway(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTAIL_AUTH_AUDIENCE", "runtail")
    monkeypatch.setenv("RUNTAIL_AUTH_ISSUER", "me")
    assert (await granted(capsys, audience="runtail", issuer="me")).has("read")


@pytest.mark.parametrize(
    ("text", "wanted"), [("1s", 1), ("15m", 900), ("8h", 28_800), ("30d", 2_592_000)]
)
def test_a_span_of_time_has_a_unit(text: str, wanted: int) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize(
    "words", [("--expires", "0h"), ("--expires", "8"), ("--expires", "1w"), ("--scope", "all")]
)
def test_what_makes_no_sense_is_wrong_usage(words: tuple[str, ...], capsys: Captured) -> None:
    with pytest.raises(SystemExit) as raised:
        main([*USUAL, *words])
    assert raised.value.code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("secret", "said"),
    [(None, "$RUNTAIL_AUTH_SECRET is not set"), ("", "is empty"), ("short", "has 5 bytes")],
)
def test_without_a_good_secret_there_is_no_token(
    secret: str | None, said: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RUNTAIL_AUTH_SECRET")
    if secret is not None:
        monkeypatch.setenv("RUNTAIL_AUTH_SECRET", secret)
    assert main(list(USUAL)) == 2
    told = capsys.readouterr()
    assert (told.out, said in told.err) == ("", True)

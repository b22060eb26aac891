"""Names that hold credentials, in both directions; and what a text gives away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtail.masks.credentials import (
    _CLUES,
    LONG_CHARS,
    Names,
    _has_clue,
    _long_has_clue,
    is_credential,
)

NAMES = Names.of(())
YES = """password db_password DB_PASSWORD userPassword password2 new-password passwd passphrase pwd
secret clientSecret client_secret secret_key AWS_SECRET_ACCESS_KEY access_key
aws_access_key_id token auth_token GITHUB_TOKEN accessToken refresh_tokens api_key apikey
API-Key X-Api-Key apiKeys openai_api_key APIKey authorization Proxy-Authorization cookie
Set-Cookie private_key ssh_private_key session_key signing_key connection_string
ConnectionString dsn SENTRY_DSN credentials db_pass jwt secrets password_hash"""
NO = """token_count tokens max_tokens prompt_tokens total_tokens next_page_token eos_token tokenizer
secret_santa_count monkey key keys primary_key cache_key public_key keyboard turkey pass
passed first_pass bypass passenger passport compass author authors authority cookie_count
cookies_enabled connection connections token_type expires_in secretary password_length
password_changed_at has secret_name private_key_path 7 _ message step_name input_data"""


@pytest.mark.parametrize("name", YES.split())
def test_the_name_holds_a_credential(name: str) -> None:
    assert is_credential(name)


@pytest.mark.parametrize("name", [*NO.split(), "", "ключ"])
def test_the_name_holds_none(name: str) -> None:
    assert not is_credential(name)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://bob:hunter2@db:6379/0", "redis://bob:***@db:6379/0"),
        ("postgresql+psycopg://u:p@ss@h/d?x=1", "postgresql+psycopg://u:***@h/d?x=1"),
        ("redis://:hunter2@db", "redis://:***@db"),
        ("https://host:8080/a@b", "https://host:8080/a@b"),
        ("Authorization: Bearer abcdefgh123 next", "Authorization: Bearer *** next"),
        ("Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic ***"),
        ("sent Bearer eyJhbGciOi.J9 to x", "sent Bearer *** to x"),
        ("the bearer of news", "the bearer of news"),
        ("Cookie: sid=abc; b=c\nnext", "Cookie: ***\nnext"),
        ("?api_key=abc&page=2", "?api_key=***&page=2"),
        ("DB_PASSWORD=hunter2 make", "DB_PASSWORD=*** make"),
        ("--password=hunter2", "--password=***"),
        ("password: hunter2", "password: ***"),
        ("{'token': 'x y', 'n': 1}", "{'token': '***', 'n': 1}"),
        ('{"password": "a\\"b c", "n": 1}', '{"password": "***", "n": 1}'),
        ('{\\"password\\": \\"a b\\"}', '{\\"password\\": \\"***\\"}'),
        ("Login(user='a', password='x y')", "Login(user='a', password='***')"),
        ("password=None", "password=None"),
        ("token: expected ')'", "token: expected ')'"),
        ("syntax error at token: password=x", "syntax error at token: password=***"),
        ("token_count=12 max_tokens=5", "token_count=12 max_tokens=5"),
        ("if token == 'abc'", "if token == 'abc'"),
        ("invalid key: 12", "invalid key: 12"),
    ],
)
def test_a_text_is_masked_where_it_names_a_credential(text: str, shown: str) -> None:
    assert NAMES.mask(text) == shown
    assert NAMES.mask(shown) == shown


@pytest.mark.parametrize("name", ["iban", "IBAN", "patient_name", "Patient-Name", "x.secret!"])
def test_a_workers_own_patterns_count_too(name: str) -> None:
    assert Names.of(("iban", "patient_*", "*secret!")).hold(name)
    assert not Names.of(("iban", "patient_*")).hold("ibandage")


def test_own_patterns_are_found_in_data_and_in_text() -> None:
    names = Names.of(("patient_*",))
    assert names.may_be_in(b'{"Patient-Name":"x"}', '{"patient-name":"x"}')
    assert names.mask("patient_id=7") == "patient_id=***"


def test_harmless_words_are_no_reason_to_look_closer() -> None:
    for json in (b'{"token_count":1,"keyboard":"a","message":"the key, the token"}', b'{"ok":1}'):
        assert not NAMES.may_be_in(json, json.decode().lower())


PARTS = st.sampled_from(
    [
        "token",
        "cookie",
        "key",
        "jwt",
        "pwd",
        "authoriz",
        "secret",
        "credential",
        "conn",
        "bearer",
        "pass",
        "dsn",
    ]
)


@given(st.text("abcdkjwzps ", max_size=20), PARTS, st.integers(1, 12), st.booleans())
def test_a_clue_is_found_in_a_short_text_and_in_a_long_one(
    around: str, part: str, length: int, in_long: bool
) -> None:
    text = around + part[:length] + around
    if in_long:
        text += "x" * LONG_CHARS
    quick, slow = _has_clue(text), any(clue in text for _, clue in _CLUES)
    assert quick == slow == _long_has_clue(text)
    assert all(letter in clue for letter, clue in _CLUES)


def test_what_is_long_is_looked_at_as_closely() -> None:
    long = b'{"message":"' + b"x" * LONG_CHARS + b'","password":"a"}'
    assert NAMES.may_be_in(long, long.decode())

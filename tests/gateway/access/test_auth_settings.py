"""Settings of signing in: what is refused at start, and that secrets are in no text."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import pytest
from tests.gateway.signing import AUTH, OTHER_SECRET, SECRET

from runtail_gateway.access.auth_settings import AuthSettings

README = Path(__file__).parents[3] / "gateway" / "README.md"
FIELDS = {field.name: field.default for field in fields(AuthSettings)}
BOUNDS = [n for n, d in FIELDS.items() if isinstance(d, int | float) and d is not True]


@pytest.mark.parametrize("name", set(BOUNDS) - {"leeway_seconds"})
def test_a_bound_that_is_not_positive_is_refused_with_its_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} is 0, expected more than 0$"):
        replace(AUTH, **cast(Any, {name: 0}))


@pytest.mark.parametrize("name", FIELDS)
def test_the_readme_documents_each_setting_with_its_default(name: str) -> None:
    rows = [row for row in README.read_text().splitlines() if row.startswith(f"| `{name}` |")]
    default: Any = FIELDS[name]
    shown = f"{default:,}".removesuffix(".0") if name in BOUNDS else default or "none"
    shown = ", ".join(shown) if isinstance(shown, tuple) else str(shown)
    assert [row.split("|")[2].strip() for row in rows] == [shown]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "either a secret or a jwks_url"),
        ({"secret": SECRET, "jwks_url": "https://a.example/keys"}, "expected one of the two"),
        ({"secret": "short"}, "secret has 5 bytes, expected at least 32"),
        ({"secret": SECRET[:31]}, "secret has 31 bytes"),
        ({"secret": SECRET, "share_secret": "short"}, "share_secret has 5 bytes"),
        ({"secret": "-----BEGIN PUBLIC KEY-----\nabcdefgh"}, "a key of another kind"),
        ({"jwks_url": "http://issuer.example/keys"}, "expected https, or http on this machine"),
        ({"jwks_url": "file:///etc/passwd"}, "expected https"),
        ({"jwks_url": "keys"}, "expected https"),
        ({"secret": SECRET, "jwks_algorithms": ("HS256",)}, "jwks_algorithms has 'HS256'"),
        ({"secret": SECRET, "leeway_seconds": -1}, "leeway_seconds is -1, expected 0 or more"),
    ],
)
def test_settings_that_would_let_anybody_in_are_refused(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AuthSettings(**given)


@pytest.mark.parametrize("url", ["https://a.example/k", "http://127.0.0.1:8/k", "http://[::1]/k"])
def test_keys_come_by_https_or_from_this_machine(url: str) -> None:
    assert AuthSettings(jwks_url=url).jwks_url == url


def test_the_environment_names_the_settings() -> None:
    read = AuthSettings.from_environment(
        {
            "RUNTAIL_AUTH_SECRET": f"{SECRET}\n",
            "RUNTAIL_AUTH_AUDIENCE": "runtail",
            "RUNTAIL_AUTH_ISSUER": "me",
            "RUNTAIL_SHARE_SECRET": OTHER_SECRET,
            "HOME": "/",
        }
    )
    wanted = {"audience": "runtail", "issuer": "me", "share_secret": OTHER_SECRET}
    assert read == AuthSettings(secret=SECRET, **cast(Any, wanted))
    assert AuthSettings.from_environment({"HOME": "/"}) is None


@pytest.mark.parametrize("name", ["RUNTAIL_AUTH_SECRET", "RUNTAIL_AUTH_JWKS_URL"])
def test_a_variable_that_is_empty_does_not_open_the_gateway(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} is empty"):
        AuthSettings.from_environment({name: " "})


def test_an_audience_alone_does_not_open_the_gateway() -> None:
    with pytest.raises(ValueError, match="either a secret or a jwks_url"):
        AuthSettings.from_environment({"RUNTAIL_AUTH_AUDIENCE": "runtail"})


def test_no_secret_is_in_any_text_of_it() -> None:
    auth = replace(AUTH, share_secret=OTHER_SECRET)
    assert SECRET not in repr(auth)
    assert OTHER_SECRET not in repr(auth)
    with pytest.raises(ValueError, match="secret") as raised:
        AuthSettings(secret="guess me")
    assert "guess me" not in str(raised.value)

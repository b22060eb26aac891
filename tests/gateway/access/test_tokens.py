"""Tokens that are refused, each with its own words, and what good ones grant."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.signing import AUTH, OTHER_SECRET, SECRET, Issuer, key_set, token

from runtail_gateway.access.auth import Grant
from runtail_gateway.access.jwks import public_keys
from runtail_gateway.access.tokens import HS256, Key, SharedSecret, Tokens, claims_of, sign
from runtail_gateway.protocol.refused import Refused

RSA = Issuer.of("r", "RS256")
PEM = RSA.public.public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


class OneKey:
    """The keys of an issuer that has a single one."""

    def __init__(self, issuer: Issuer) -> None:
        (self._key,) = public_keys(key_set(issuer.jwk), (issuer.algorithm,))

    async def of(self, kid: str | None) -> tuple[Key, str]:
        return self._key, self._key.algorithm_name


SECRETLY = Tokens(SharedSecret(SECRET), AUTH)


async def refusal(text: str, tokens: Tokens = SECRETLY) -> tuple[int, str]:
    with pytest.raises(Refused) as raised:
        await tokens.grant(text)
    return raised.value.close_code, raised.value.message


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).decode().rstrip("=")


def unsigned(**header: object) -> str:
    body = segment({"sub": "eve", "scope": "admin", "exp": time.time() + 600})
    return f"{segment({'typ': 'JWT', **header})}.{body}."


def with_public_key_as_secret() -> str:
    """What a careless verifier believes: HS256, keyed with the text of the issuer's public key."""
    head = f"{segment({'alg': 'HS256', 'kid': 'r'})}.{unsigned().split('.')[1]}"
    mac = hmac.new(PEM, head.encode(), hashlib.sha256).digest()  # jwt.encode refuses to
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


ALGORITHM = "the token is signed by another algorithm, expected HS256"
REFUSED: list[tuple[str, Callable[[], str], int, str]] = [
    ("none", lambda: unsigned(alg="none"), 4401, ALGORITHM),
    ("None", lambda: unsigned(alg="None"), 4401, ALGORITHM),
    ("no algorithm", lambda: unsigned(), 4401, ALGORITHM),
    ("RS256 here", RSA.token, 4401, ALGORITHM),
    ("bad signature", lambda: token(OTHER_SECRET), 4401, "the token's signature is not valid"),
    ("no signature", lambda: unsigned(alg="HS256"), 4401, "the token's signature is not valid"),
    ("expired", lambda: token(lives=-60), 4402, "the token has expired, expected a new one"),
    (
        "early",
        lambda: token(nbf=time.time() + 600),
        4401,
        "the token is not valid yet (nbf, iat)",
    ),
    ("issued later", lambda: token(iat=time.time() + 600), 4401, "the token is not valid yet"),
    ("no expiry", lambda: sign({"scope": "read"}, SECRET), 4401, "the token has no 'exp'"),
    ("null expiry", lambda: token(exp=None), 4401, "the token has no 'exp'"),
    ("odd expiry", lambda: token(exp="soon"), 4401, "the token is no JWT whose claims"),
    ("audience", lambda: token(aud="elsewhere"), 4401, "the token's audience (aud) is another"),
    ("share link", lambda: token(typ="runtail-share+jwt"), 4401, "a share link is no token"),
    ("Share Link", lambda: token(typ="RUNTAIL-share+JWT"), 4401, "a share link is no token"),
    ("scope", lambda: token(scope=3), 4401, "the token's 'scope' is neither"),
    ("scopes", lambda: token(scope=["read", 3]), 4401, "the token's 'scope' is neither"),
    (
        "pattern",
        lambda: token(runtail_executions="*"),
        4401,
        "the token's 'runtail_executions' is something else, expected a list of patterns",
    ),
    (
        "null patterns",
        lambda: token(runtail_workflows=None),
        4401,
        "the token's 'runtail_workflows' is something else",
    ),
    (
        "patterns",
        lambda: token(runtail_executions=["a"] * 101),
        4401,
        "the token's 'runtail_executions' is something else, expected at most 100 patterns",
    ),
    ("subject", lambda: token(sub=3), 4401, "the token is no JWT whose claims"),
    ("crit", lambda: unsigned(alg="HS256", crit=["x"]), 4401, "the token is no JWT"),
    ("kid", lambda: unsigned(alg="HS256", kid=3), 4401, "the token is no JWT"),
    ("long", lambda: "x" * 16_385, 4401, "the token has 16385 bytes, expected at most 16384"),
    ("deep", lambda: segment("").join(["W1tb" * 4000, ".", "."]), 4401, "the token is no JWT"),
]


@pytest.mark.parametrize(
    ("make", "code", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_a_bad_token_is_refused_in_its_own_words(
    make: Callable[[], str], code: int, said: str
) -> None:
    text = make()
    refused, message = await refusal(text)
    assert (refused, message[: len(said)]) == (code, said)
    assert not [part for part in text.split(".") if len(part) > 8 and part in message]


@given(st.one_of(st.text(), st.text("ey.J0=_-", max_size=90)))
async def test_what_is_no_token_is_always_refused(text: str) -> None:
    assert (await refusal(text))[0] == 4401


async def test_a_public_key_is_no_shared_secret() -> None:
    tokens = Tokens(OneKey(RSA), AUTH)
    assert (await tokens.grant(RSA.token())).subject == "ann"
    said = (4401, "the token is signed by another algorithm, expected RS256")
    assert await refusal(with_public_key_as_secret(), tokens) == said
    assert await refusal(unsigned(alg="none", kid="r"), tokens) == said


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_each_kind_of_key_verifies_its_own_tokens_alone(algorithm: str) -> None:
    mine, other = Issuer.of("k", algorithm), Issuer.of("k", algorithm)
    tokens = Tokens(OneKey(mine), AUTH)
    assert (await tokens.grant(mine.token())).has("read")
    assert await refusal(other.token(), tokens) == (4401, "the token's signature is not valid")


async def test_a_weak_key_is_refused() -> None:
    weak = Issuer("k", "RS256", rsa.generate_private_key(65537, 1024))
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        text = weak.token()
    said = "the key of the token is too weak, or of another kind"
    assert await refusal(text, Tokens(OneKey(weak), AUTH)) == (4401, said)


async def test_audience_and_issuer_must_be_those_of_the_settings() -> None:
    auth = replace(AUTH, audience="runtail", issuer="https://issuer.example")
    tokens = Tokens(SharedSecret(SECRET), auth)
    good: dict[str, Any] = {"aud": ["runtail", "more"], "iss": "https://issuer.example"}
    assert (await tokens.grant(token(**good))).subject == "ann"
    assert "no 'aud'" in (await refusal(token(iss=good["iss"]), tokens))[1]
    assert "expected runtail" in (await refusal(token(**good | {"aud": "x"}), tokens))[1]
    assert "no 'iss'" in (await refusal(token(aud="runtail"), tokens))[1]
    assert "(iss) is another" in (await refusal(token(**good | {"iss": "x"}), tokens))[1]


async def test_a_token_may_be_late_by_the_leeway() -> None:
    late = Tokens(SharedSecret(SECRET), replace(AUTH, leeway_seconds=60.0))
    assert (await late.grant(token(lives=-30))).has("read")
    assert (await refusal(token(lives=-90), late))[0] == 4402


async def test_without_an_expiry_it_lasts_for_ever_if_the_settings_say_so() -> None:
    tokens = Tokens(SharedSecret(SECRET), replace(AUTH, require_expiry=False))
    grant = await tokens.grant(sign({"scope": "read"}, SECRET))
    assert (grant.expires_at, grant.subject) == (math.inf, "")


async def test_an_expiry_beyond_all_dates_is_the_last_of_them() -> None:
    assert (await SECRETLY.grant(token(exp=10**300))).expires_at == 253402300799


@pytest.mark.parametrize("scope", ["openid publish read", ["read", "publish", "profile"]])
async def test_scopes_come_as_text_or_list_among_others(scope: object) -> None:
    assert (await SECRETLY.grant(token(scope=scope))).scopes == {"read", "publish"}


async def test_a_token_without_scopes_is_good_for_nothing() -> None:
    assert (await SECRETLY.grant(token(scope="openid"))).scopes == frozenset()


async def test_a_grant_survives_being_signed() -> None:
    grant = Grant("bo", frozenset({"read"}), ("a*", "b"), (), float(int(time.time()) + 60))
    assert await SECRETLY.grant(sign(claims_of(grant), SECRET)) == grant


async def test_the_algorithm_of_a_secret_is_fixed() -> None:
    assert await SharedSecret(SECRET).of("whatever") == (SECRET, HS256)
    text = jwt.encode({"exp": time.time() + 60}, SECRET * 2, "HS512")
    assert (await refusal(text))[1] == ALGORITHM

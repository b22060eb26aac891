"""Verify tokens (JWT, RFC 7519) and sign them; what they may is a `Grant`.

The algorithm is the key's, never the token's: what a token says of itself only picks among keys.
No text that is made here holds a token.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol, cast

import jwt
from jwt import exceptions as wrong

from runtail_gateway.access.auth import SCOPES, Grant, Scope, expired, signed_out
from runtail_gateway.access.auth_settings import AuthSettings
from runtail_gateway.protocol.refused import Refused

SHARE_TYPE: Final = "runtail-share+jwt"
SHARE_AUDIENCE: Final = "runtail:share"
EXECUTIONS, WORKFLOWS = "runtail_executions", "runtail_workflows"
HS256: Final = "HS256"
_LATEST: Final = 253402300799  # the last second that a date can name
Key = jwt.PyJWK | str


class Keys(Protocol):
    """Where the key of a token comes from."""

    async def of(self, kid: str | None) -> tuple[Key, str]:
        """Find the key named *kid* and its algorithm; raise Refused if there is none."""


class SharedSecret:
    """One key for all tokens."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def of(self, kid: str | None) -> tuple[Key, str]:
        """Return the secret, whatever the token calls it."""
        return self._secret, HS256


class Tokens:
    """Verify tokens by *keys* and *settings*. Raises Refused, each failing with its own words."""

    def __init__(self, keys: Keys, settings: AuthSettings) -> None:
        self._keys, self._settings = keys, settings

    async def grant(self, token: str) -> Grant:
        """Verify *token* and read what it grants."""
        header = header_of(token, self._settings.token_bytes)
        if str(header.get("typ")).lower() == SHARE_TYPE:
            raise signed_out("a share link is no token, expected it as `share` in an address")
        key, algorithm = await self._keys.of(header.get("kid"))
        claims = self._verified(token, key, algorithm)
        return grant_of(claims, self._settings.patterns)

    def _verified(self, token: str, key: Key, algorithm: str) -> dict[str, Any]:
        settings = self._settings
        return verified(
            token,
            key,
            algorithm,
            audience=settings.audience or None,
            issuer=settings.issuer or None,
            leeway_seconds=settings.leeway_seconds,
            required=("exp",) if settings.require_expiry else (),
        )


def header_of(token: str, most_bytes: int) -> dict[str, Any]:
    """Read the header of *token*, which nobody has verified; raise Refused if it is none."""
    if len(token) > most_bytes:
        raise signed_out(f"the token has {len(token)} bytes, expected at most {most_bytes}")
    if not token.isascii():
        raise signed_out("the token is no JWT")
    try:
        return jwt.get_unverified_header(token)
    except wrong.InvalidTokenError as error:
        raise signed_out("the token is no JWT") from error


def verified(
    token: str,
    key: Key,
    algorithm: str,
    *,
    audience: str | None,
    issuer: str | None,
    leeway_seconds: float,
    required: Iterable[str],
) -> dict[str, Any]:
    """Return the claims of *token* if all about it is right; raise Refused with what is not."""
    try:
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer,
            leeway=leeway_seconds,
            options={"require": list(required), "enforce_minimum_key_length": True},
        )
    except wrong.ExpiredSignatureError as error:
        raise expired("the token has expired, expected a new one") from error
    except wrong.PyJWTError as error:
        raise signed_out(_said(error, algorithm, audience, issuer)) from error


def _said(error: wrong.PyJWTError, algorithm: str, audience: str | None, issuer: str | None) -> str:
    """Say what is wrong with a token, in words that hold nothing of it."""
    match error:
        case wrong.InvalidAlgorithmError():
            return f"the token is signed by another algorithm, expected {algorithm}"
        case wrong.InvalidSignatureError():
            return "the token's signature is not valid"
        case wrong.ImmatureSignatureError():
            return "the token is not valid yet (nbf, iat)"
        case wrong.MissingRequiredClaimError(claim=claim):
            return f"the token has no {claim!r}, expected one"
        case wrong.InvalidAudienceError():
            return f"the token's audience (aud) is another, expected {audience or 'none'}"
        case wrong.InvalidIssuerError():
            return f"the token's issuer (iss) is another, expected {issuer}"
        case wrong.InvalidKeyError():
            return "the key of the token is too weak, or of another kind"
    return "the token is no JWT whose claims can be read"


def grant_of(claims: Mapping[str, Any], most_patterns: int) -> Grant:
    """Read the verified *claims* of a token; raise Refused for what says nothing.

    Scopes that are not runtail's are left out: an issuer has others too.
    """
    return Grant(
        str(claims.get("sub", "")),
        _scopes(claims.get("scope", "")),
        _patterns(claims, EXECUTIONS, most_patterns),
        _patterns(claims, WORKFLOWS, most_patterns),
        min(int(claims["exp"]), _LATEST) if "exp" in claims else math.inf,
    )


def claims_of(grant: Grant) -> dict[str, object]:
    """Spell *grant* as claims."""
    claims: dict[str, object] = {"sub": grant.subject, "scope": " ".join(sorted(grant.scopes))}
    for name, patterns in ((EXECUTIONS, grant.executions), (WORKFLOWS, grant.workflows)):
        if patterns is not None:
            claims[name] = list(patterns)
    if grant.expires_at != math.inf:
        claims["exp"] = int(grant.expires_at)
    return claims


def sign(claims: Mapping[str, object], secret: str, *, type_name: str = "JWT") -> str:
    """Sign *claims* with HS256."""
    return jwt.encode(dict(claims), secret, HS256, headers={"typ": type_name})


def _scopes(value: object) -> frozenset[Scope]:
    words = value.split() if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise signed_out("the token's 'scope' is neither a text nor a list of texts")
    return frozenset(cast(Scope, word) for word in words if word in SCOPES)


def _patterns(claims: Mapping[str, Any], name: str, most: int) -> tuple[str, ...] | None:
    if name not in claims:
        return None
    value = claims[name]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _bad_patterns(name, "a list of patterns")
    if len(value) > most or any(len(each) > 256 for each in value):
        raise _bad_patterns(name, f"at most {most} patterns of 256 characters")
    return tuple(value)


def _bad_patterns(name: str, wanted: str) -> Refused:
    return signed_out(f"the token's {name!r} is something else, expected {wanted}")

"""How people and programs sign in: every setting of it, in one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Final
from urllib.parse import urlsplit

from runtail_gateway.access.addresses import is_loopback

SECRET_BYTES: Final = 32  # what RFC 7518, section 3.2, asks of a key for HS256
ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
SECRET_NAME: Final = "RUNTAIL_AUTH_SECRET"
_VARIABLES: Final = {
    "secret": SECRET_NAME,
    "jwks_url": "RUNTAIL_AUTH_JWKS_URL",
    "audience": "RUNTAIL_AUTH_AUDIENCE",
    "issuer": "RUNTAIL_AUTH_ISSUER",
    "share_secret": "RUNTAIL_SHARE_SECRET",
}


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Whose tokens are believed: those of one shared secret, or of one address of public keys.

    Raises ValueError for both or neither, for a secret of fewer than 32 bytes, an address that
    others could answer for, and a bound that is not positive. Secrets are in no text of it.
    """

    secret: str = field(default="", repr=False)
    """Signs and verifies tokens with HS256, which is then the only algorithm."""
    jwks_url: str = ""
    """Where the public keys of the issuer are (RFC 7517): https, or http on loopback."""
    jwks_algorithms: tuple[str, ...] = ALGORITHMS
    """What keys from there may be for; a token never chooses."""
    audience: str = ""
    """What tokens must name as `aud`; without it, tokens that name one are refused."""
    issuer: str = ""
    """What tokens must name as `iss`; without it, any."""
    require_expiry: bool = True
    """Refuse tokens without `exp`."""
    leeway_seconds: float = 5.0
    """How far the issuer's clock may be off; 0 is allowed."""
    token_bytes: int = 16 * 1024
    """Longest token that is looked at."""
    patterns: int = 100
    """Most patterns in one claim of a token."""
    wait_seconds: float = 10.0
    """How long a WebSocket may take to send its token as first message."""
    failures_per_minute: int = 60
    """How often one client address may fail to sign in: as many at once, and again as many a
    minute; one more failure is 429 or close 4329."""
    expiry_notice_seconds: float = 60.0
    """How long before its token runs out an open WebSocket is told, so that it can be renewed."""
    jwks_refresh_seconds: float = 600.0
    """Mean time between two fetches of the keys; each is up to a tenth earlier or later."""
    jwks_retry_seconds: float = 10.0
    """Shortest time between two fetches, whatever tokens name."""
    jwks_timeout_seconds: float = 5.0
    """Longest that one fetch may take, and that a token waits for one."""
    jwks_bytes: int = 256 * 1024
    """Longest answer with keys that is read."""
    share_secret: str = field(default="", repr=False)
    """Signs share links; where there is a `secret`, that does unless this is set."""
    ticket_seconds: float = 60.0
    """Longest that a share link may live which somebody with `read` makes, to download."""
    share_seconds: float = 7 * 86400.0
    """Longest that a share link may live."""

    def __post_init__(self) -> None:
        if bool(self.secret) == bool(self.jwks_url):
            raise ValueError("auth needs either a secret or a jwks_url, expected one of the two")
        for name in ("secret", "share_secret"):
            _check_secret(name, getattr(self, name))
        if self.jwks_url:
            _check_address(self.jwks_url)
        if unknown := set(self.jwks_algorithms) - set(ALGORITHMS):
            raise ValueError(f"jwks_algorithms has {min(unknown)!r}, expected {ALGORITHMS}")
        if self.leeway_seconds < 0:
            raise ValueError(f"leeway_seconds is {self.leeway_seconds}, expected 0 or more")
        self._check_bounds()

    def _check_bounds(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "leeway_seconds" or isinstance(value, bool):
                continue
            if isinstance(value, int | float) and value <= 0:
                raise ValueError(f"{each.name} is {value}, expected more than 0")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> AuthSettings | None:
        """Read what is set; None when nothing is. Raises ValueError, also for what is set empty.

        An empty secret is what a forgotten one looks like: it must not open the gateway.
        """
        given = {name: environment.get(var) for name, var in _VARIABLES.items()}
        for name, value in given.items():
            if value is not None and not value.strip():
                raise ValueError(f"{_VARIABLES[name]} is empty, expected a value, or none at all")
        secret, url, audience, issuer, share = ((value or "").strip() for value in given.values())
        if not any((secret, url, audience, issuer, share)):
            return None
        return cls(
            secret=secret, jwks_url=url, audience=audience, issuer=issuer, share_secret=share
        )


def _check_secret(name: str, secret: str) -> None:
    """Refuse a secret that can be guessed, or that is somebody's public key."""
    size = len(secret.encode())
    if secret and size < SECRET_BYTES:
        raise ValueError(f"{name} has {size} bytes, expected at least {SECRET_BYTES}")
    if secret.lstrip().startswith(("-----BEGIN", "ssh-")):
        raise ValueError(f"{name} is a key of another kind, expected a random text")


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and is_loopback(parts.hostname or ""):
        return
    raise ValueError(f"jwks_url is {url[:200]!r}, expected https, or http on this machine")

"""Read the URL of an engine: one server, a cluster, or a primary that Sentinels name; with TLS.

| URL | leads to |
| --- | --- |
| `redis://host:port/db`, `unix:///path` | one server |
| `redis+cluster://host:port,host:port` | a cluster: any node that answers tells the rest |
| `redis+sentinel://host:port,host:port/service/db` | the primary that Sentinels name |

`rediss…` instead of `redis…` is the same over TLS. Nothing here connects.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

Kind = Literal["server", "cluster", "sentinel"]

_KINDS: Final[Mapping[str, tuple[Kind, bool]]] = {
    "redis": ("server", False),
    "rediss": ("server", True),
    "unix": ("server", False),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
}
_PORTS: Final[Mapping[Kind, int]] = {"server": 6379, "cluster": 6379, "sentinel": 26379}
_FILES: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
_TLS: Final = (*_FILES, "ssl_check_hostname")
_SENTINEL: Final = ("sentinel_username", "sentinel_password")
_SIGN_IN: Final = ("username", "password")
_PLAIN: Final = ("db", "client_name", *_SIGN_IN)
_BOOLEANS: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class EngineUrl:
    """What the URL of an engine says; its *secrets* are not shown.

    *seeds* are the addresses to begin with, none for a socket, whose *path* that is. *service* is
    what Sentinels are asked for. *tls* holds what the client takes for it, and is None without.
    """

    kind: Kind
    seeds: tuple[Address, ...] = ()
    path: str = ""
    service: str = ""
    db: int = 0
    client_name: str | None = None
    tls: Mapping[str, Any] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, url: str) -> EngineUrl:
        """Read *url*; raise ValueError that says what is wrong with it, without its password."""
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        if scheme != "unix" and (parts.fragment or "@" in parts.path):  # nothing of it may be shown
            raise ValueError("a / ? or # too many: in a password they are %2F %3F %23")
        if scheme not in _KINDS:
            raise ValueError(f"scheme {scheme!r}, expected one of {', '.join(_KINDS)}")
        kind, secure = _KINDS[scheme]
        options = _options(parts, kind, secure)
        who, _, hosts = parts.netloc.rpartition("@")
        name, _, password = who.partition(":")
        secrets: dict[str, str] = {
            key: options[key] for key in (*_SENTINEL, *_SIGN_IN) if key in options
        }
        if name:
            secrets["username"] = unquote(name)
        if password:
            secrets["password"] = unquote(password)
        if scheme == "unix":
            where: dict[str, Any] = {"path": _socket(hosts, parts.path)}
            path = ""
        else:
            where = {"seeds": _seeds(hosts, kind)}
            path = unquote(parts.path).strip("/")
        if kind == "sentinel":
            where["service"], _, path = path.partition("/")
            if not where["service"]:
                raise ValueError("no service, expected redis+sentinel://host:port,…/service")
        db = _db(options.get("db", path))
        if kind == "cluster" and db:
            raise ValueError(f"database {db}, but a cluster has only database 0")
        return cls(
            kind,
            db=db,
            client_name=options.get("client_name"),
            tls=_tls(options) if secure else None,
            secrets=secrets,
            **where,
        )

    @property
    def sentinel_secrets(self) -> dict[str, str]:
        """What a Sentinel wants to be told: it has users of its own."""
        told = self.secrets
        return {key.removeprefix("sentinel_"): told[key] for key in _SENTINEL if key in told}

    @property
    def server_secrets(self) -> dict[str, str]:
        """Who signs in at the servers themselves."""
        return {key: self.secrets[key] for key in _SIGN_IN if key in self.secrets}


def _options(parts: SplitResult, kind: Kind, secure: bool) -> dict[str, str]:
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    known = [*_PLAIN, *(_SENTINEL if kind == "sentinel" else ()), *(_TLS if secure else ())]
    for name in options:
        if name in _TLS and not secure:
            raise ValueError(f"{name} is for TLS, expected a scheme that begins with rediss")
        if name not in known:
            raise ValueError(f"option {name!r}, expected one of {', '.join(known)}")
    return options


def _socket(hosts: str, path: str) -> str:
    if not path.strip("/"):
        raise ValueError("no path, expected unix:///path/to/socket")
    return unquote(hosts + path)


def _seeds(hosts: str, kind: Kind) -> tuple[Address, ...]:
    seeds = tuple(_address(text, kind) for text in hosts.split(","))
    if kind == "server" and len(seeds) > 1:
        raise ValueError(
            f"{len(seeds)} addresses, expected one, or redis+cluster:// or redis+sentinel://"
        )
    return seeds


def _address(text: str, kind: Kind) -> Address:
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port or _PORTS[kind]
    except ValueError as error:
        raise ValueError(f"address {text!r}, expected host:port ({error})") from error
    if not parts.hostname:
        if kind == "server" and not text:
            return Address("localhost", port)
        raise ValueError(f"address {text!r}, expected host:port")
    return Address(unquote(parts.hostname), port)


def _db(text: str) -> int:
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"database {text!r}, expected a number")
    return int(text)


def _tls(options: Mapping[str, str]) -> dict[str, Any]:
    tls: dict[str, Any] = {}
    for name in _FILES:
        if name in options:
            tls[name] = _readable(name, options[name])
    if ("ssl_keyfile" in tls) != ("ssl_certfile" in tls):
        raise ValueError("one of ssl_certfile and ssl_keyfile, expected both or none")
    if "ssl_check_hostname" in options:
        text = options["ssl_check_hostname"].lower()
        if text not in _BOOLEANS:
            raise ValueError(f"ssl_check_hostname is {text!r}, expected true or false")
        tls["ssl_check_hostname"] = _BOOLEANS[text]
    return tls


def _readable(name: str, path: str) -> str:
    if not (os.path.isfile(path) and os.access(path, os.R_OK)):
        raise ValueError(f"{name} is {path!r}, expected a file that can be read")
    return path

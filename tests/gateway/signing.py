"""Sign tokens as an issuer does, good ones and bad ones; serve an issuer's public keys."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from runtail_gateway.access.auth_settings import AuthSettings

SECRET = "a secret of the tests, long enough"
OTHER_SECRET = "another secret, as long as the one"
AUTH = AuthSettings(secret=SECRET, wait_seconds=0.5, leeway_seconds=1e-3)


def token(secret: str = SECRET, *, lives: float = 600, typ: str = "JWT", **claims: object) -> str:
    """Sign a token of *ann* that reads everything for *lives* seconds, but for *claims*."""
    usual = {"sub": "ann", "scope": "read", "exp": time.time() + lives}
    return jwt.encode({**usual, **claims}, secret, "HS256", headers={"typ": typ})


def bearer(**claims: Any) -> dict[str, str]:
    """Make the header that carries such a token."""
    return {"Authorization": f"Bearer {token(**claims)}"}


@dataclass(frozen=True, slots=True)
class Issuer:
    """One key pair of an issuer, named *kid*."""

    kid: str
    algorithm: str = "EdDSA"
    private: Any = field(default_factory=ed25519.Ed25519PrivateKey.generate)

    @classmethod
    def of(cls, kid: str, algorithm: str) -> Issuer:
        if algorithm == "RS256":
            return cls(kid, algorithm, rsa.generate_private_key(65537, 2048))
        if algorithm == "ES256":
            return cls(kid, algorithm, ec.generate_private_key(ec.SECP256R1()))
        return cls(kid)

    @property
    def public(self) -> Any:
        return self.private.public_key()

    @property
    def jwk(self) -> dict[str, Any]:
        kinds: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
        return {**kinds[self.algorithm].to_jwk(self.public, as_dict=True), "kid": self.kid}

    def token(self, **claims: object) -> str:
        usual = {"sub": "ann", "scope": "read", "exp": time.time() + 600}
        return jwt.encode(
            {**usual, **claims}, self.private, self.algorithm, headers={"kid": self.kid}
        )


def key_set(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


class KeyServer:
    """The address of an issuer's keys. It answers *body*, *seconds* later.

    One that *drips* sends a header without an end, until it stops serving.
    """

    def __init__(self, body: bytes) -> None:
        self.body, self.status, self.seconds = body, 200, 0.0
        self.drips = False
        self.headers: dict[str, str] = {}
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/keys"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keys = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                keys.asked += 1
                time.sleep(keys.seconds)
                with contextlib.suppress(OSError):
                    while keys.drips:
                        self.wfile.write(b"x")
                        time.sleep(0.02)
                self.send_response(keys.status)
                for name, value in keys.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(OSError):  # whoever asked has given up
                    self.wfile.write(keys.body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    @contextmanager
    def serving(self) -> Iterator[KeyServer]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.drips = False
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)

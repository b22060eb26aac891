"""An authority of our own for tests, and a certificate for servers and one for clients."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.engines import folder


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in *place*: of the authority, and of who was certified by it."""

    place: Path

    @property
    def client_options(self) -> dict[str, str]:
        """What redis-py takes of a client."""
        return {
            "ssl_ca_certs": str(self.place / "authority.crt"),
            "ssl_certfile": str(self.place / "client.crt"),
            "ssl_keyfile": str(self.place / "client.key"),
        }

    @property
    def options(self) -> str:
        """The same as options of a URL."""
        return urlencode(self.client_options)

    def server_lines(self, port: int) -> list[str]:
        """The configuration of a server that takes nobody without a certificate."""
        return [
            f"tls-port {port}",
            f"tls-ca-cert-file {self.place / 'authority.crt'}",
            f"tls-cert-file {self.place / 'server.crt'}",
            f"tls-key-file {self.place / 'server.key'}",
            "tls-auth-clients yes",
            "tls-replication yes",
        ]


@contextmanager
def certificates() -> Iterator[Certificates]:
    """Make an authority, and certificates of 127.0.0.1 and of a client."""
    with folder() as place:
        authority = ec.generate_private_key(ec.SECP256R1())
        _certify(place, "authority", authority, authority)
        for name in ("server", "client"):
            _certify(place, name, ec.generate_private_key(ec.SECP256R1()), authority)
        yield Certificates(place)


def _certify(
    place: Path,
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: ec.EllipticCurvePrivateKey,
) -> None:
    now, own = datetime.now(UTC), name == "authority"
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=own, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(authority, hashes.SHA256())
    )
    (place / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    (place / f"{name}.key").write_bytes(secret)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of the tests")])

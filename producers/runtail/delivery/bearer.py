"""Sign a request to a gateway in. Pure: no I/O."""

from __future__ import annotations


def bearer(token: str | None) -> dict[str, str]:
    """Make the header that signs a request in; none without a *token*."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}

"""Make share links, and believe them: to read one execution, for a time, without signing in.

A link carries a token of its own type and audience, so that neither can be taken for the other.
"""

from __future__ import annotations

from typing import Any, Final

from runtail_gateway.access.auth import Grant, signed_out
from runtail_gateway.access.auth_settings import AuthSettings
from runtail_gateway.access.tokens import (
    HS256,
    SHARE_AUDIENCE,
    SHARE_TYPE,
    grant_of,
    header_of,
    sign,
    verified,
)
from runtail_gateway.protocol.refused import Refused

PARAMETER: Final = "share"
_REQUIRED: Final = ("exp", "aud", "sub")


class ShareLinks:
    """Sign and verify share links by the settings' secret for them."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._secret = settings.share_secret or settings.secret

    @property
    def can_sign(self) -> bool:
        """Whether there is a secret to sign with."""
        return bool(self._secret)

    def make(self, execution_id: str, subject: str, expires_at: int) -> str:
        """Sign a link to *execution_id*, which *subject* made."""
        claims = {
            "sub": execution_id,
            "aud": SHARE_AUDIENCE,
            "exp": expires_at,
            "made_by": subject,
        }
        return sign(claims, self._secret, type_name=SHARE_TYPE)

    def grant(self, token: str) -> Grant:
        """Read what a link grants; raise Refused if it is none, or has expired."""
        if not self.can_sign:
            raise signed_out("this gateway knows no share links")
        try:
            return _grant(self._claims(token))
        except Refused as refused:
            said = refused.message.replace("the token", "the share link")
            raise Refused(refused.close_code, refused.code, said, refused.status) from refused

    def _claims(self, token: str) -> dict[str, Any]:
        header = header_of(token, self._settings.token_bytes)
        if header.get("typ") != SHARE_TYPE:
            raise signed_out("the token is none, expected a token in a header")
        return verified(
            token,
            self._secret,
            HS256,
            audience=SHARE_AUDIENCE,
            issuer=None,
            leeway_seconds=self._settings.leeway_seconds,
            required=_REQUIRED,
        )


def _grant(claims: dict[str, Any]) -> Grant:
    """Read the claims of a link: an execution's id, in which no character is a pattern's."""
    known = {"sub": f"share:{claims['sub']}", "scope": "read", "exp": claims["exp"]}
    return grant_of({**known, "runtail_executions": [claims["sub"]]}, 1)

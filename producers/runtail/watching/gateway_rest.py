"""Ask a gateway over HTTP, from a command: an answer, or one error that says what to do."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from typing import Any, Final

from runtail.delivery.bearer import bearer
from runtail_broker.errors import RuntailError

TIMEOUT_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024

START: Final = "start one with `runtail gateway`, or name another with --url or $RUNTAIL_URL"
_REMEDIES: Final = {
    401: "sign in by --token or $RUNTAIL_TOKEN",
    403: "the token does not allow it: use another one",
}
_MOST_ERROR_BYTES: Final = 64 * 1024


class GatewayRefused(RuntailError):
    """A gateway that was not reached or gave no usable answer; *url* is what was asked.

    *status* is the HTTP status of the answer, 0 for none.
    """

    def __init__(self, url: str, reason: str, remedy: str, status: int = 0) -> None:
        self.url, self.reason, self.status = url, reason, status
        super().__init__(f"{url}: {reason}; {remedy}" if remedy else f"{url}: {reason}")


def opened(
    asked: str, token: str | None, *, method: str = "GET", timeout_seconds: float = TIMEOUT_SECONDS
) -> HTTPResponse:
    """Ask for *asked*, an address; raise GatewayRefused unless it is answered with success."""
    request = urllib.request.Request(asked, method=method)
    for name, value in bearer(token).items():
        request.add_unredirected_header(name, value)  # whoever it is sent on to gets no token
    try:
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=timeout_seconds)
        return answer
    except urllib.error.HTTPError as error:
        with error:
            reason, remedy = f"HTTP {error.code}", _REMEDIES.get(error.code)
            if remedy is None:
                remedy = _detail(error) or "see whether it is a gateway's"
            raise GatewayRefused(asked, reason, remedy, error.code) from error
    except (OSError, HTTPException) as error:
        cause = getattr(error, "reason", None) or error
        reason = getattr(cause, "strerror", None) or str(cause)  # its number helps nobody
        raise GatewayRefused(asked, f"no gateway answers ({reason})", START) from error


def asked_json(asked: str, token: str | None, what: str, *, method: str = "GET") -> dict[str, Any]:
    """Ask for *asked*; raise GatewayRefused if that gives no object, which is called *what*."""
    try:
        with opened(asked, token, method=method) as answer:
            body = answer.read(MAX_ANSWER_BYTES + 1)
        if len(body) > MAX_ANSWER_BYTES:
            raise ValueError(f"answer is longer than {MAX_ANSWER_BYTES} bytes")
        told = json.loads(body)
        if not isinstance(told, dict):
            raise TypeError("no object")
        return told
    except (OSError, HTTPException) as error:
        raise GatewayRefused(asked, f"the answer broke off ({error})", START) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise GatewayRefused(asked, f"the answer is no {what}", START) from error


def _detail(error: urllib.error.HTTPError) -> str:
    """Read what a gateway says of a refusal, in its own words."""
    try:
        told = json.loads(error.read(_MOST_ERROR_BYTES))
        return str(told.get("detail") or "").rstrip(".") if isinstance(told, dict) else ""
    except (OSError, HTTPException, ValueError, RecursionError):
        return ""

"""Send alerts to webhooks: signed, within a time, and again later if that failed."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from runtail.delivery.http_client import HttpClient, Place
from runtail_broker.errors import Unavailable
from runtail_gateway.alerts.rules import Webhook

GIVE_UP_SECONDS: Final = 86_400.0
LONGEST_PAUSE_SECONDS: Final = 900.0
_FIRST_PAUSE_SECONDS: Final = 2.0
_SHOWN_BYTES: Final = 300


@dataclass(frozen=True, slots=True)
class Sent:
    """What a receiver answered: *trouble* is empty if it took the message.

    *pause_seconds* is what it asked for before another try.
    """

    trouble: str
    status: int = 0
    answer: str = ""
    pause_seconds: float = 0.0


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Sign *body* as sent at *timestamp* (seconds since 1970)."""
    signed = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"v1={signed.hexdigest()}"


async def send(webhook: Webhook, alert_id: str, body: bytes) -> Sent:
    """Post *body*, once. Follows no redirect, reads a bounded answer, never raises for either."""
    client, path = _client(webhook)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "runtail",
        "Idempotency-Key": alert_id,
        "Connection": "close",
    }
    if webhook.secret:
        timestamp = str(int(time.time()))
        headers["Runtail-Timestamp"] = timestamp
        headers["Runtail-Signature"] = signature(webhook.secret, timestamp, body)
    try:
        async with asyncio.timeout(webhook.timeout_seconds):
            answer = await client.post(path, body, headers)
    except TimeoutError:
        return Sent(f"no answer within {webhook.timeout_seconds:g} s")
    except Unavailable as error:
        return Sent(str(error))
    finally:
        await client.close()
    shown = answer.body[:_SHOWN_BYTES].decode("utf-8", "replace")
    if 200 <= answer.status < 300:
        return Sent("", answer.status, shown)
    pause = answer.headers.get("retry-after", "")
    seconds = min(float(pause), LONGEST_PAUSE_SECONDS) if pause.isascii() and pause.isdigit() else 0
    return Sent(f"HTTP {answer.status}", answer.status, shown, seconds)


def pause(attempts: int, asked_seconds: float) -> float:
    """How long to wait after so many *attempts* that failed: twice as long each time."""
    longest = min(LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(attempts, 20))
    wait: float = longest * random.uniform(0.5, 1.0)
    return max(asked_seconds, wait)


def _client(webhook: Webhook) -> tuple[HttpClient, str]:
    parts = urlsplit(webhook.url)
    secure = parts.scheme == "https"
    place = Place(parts.hostname or "", parts.port or (443 if secure else 80), secure, "")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return HttpClient(place, webhook.timeout_seconds), path

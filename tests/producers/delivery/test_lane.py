"""One round trip for several executions: what the engine refuses of one holds up no other."""

from __future__ import annotations

import logging
import time

from tests.producers.stored import Stored

from runtail.delivery.backoff import RareWarnings
from runtail.delivery.buffer import Buffer
from runtail.delivery.journal import Journal
from runtail.delivery.lane import Lane
from runtail.delivery.link import Link
from runtail.settings import DEFAULTS
from runtail_broker.keys import index_of
from runtail_broker.script import Limits


def lane_to(url: str, link: Link | None = None) -> Lane:
    """Make the way to the engine, or the gateway, at *url*."""
    warnings = RareWarnings(logging.getLogger("runtail"), 60)
    link = link or Link(lambda: url, DEFAULTS)
    return Lane(link, Buffer(DEFAULTS), DEFAULTS, warnings, lambda _: None, None)


def elsewhere(execution_id: str) -> str:
    """Name an execution that another key lists."""
    names = (f"{execution_id}-{n}" for n in range(1000))
    return next(name for name in names if index_of(name) != index_of(execution_id))


async def test_an_engine_that_refuses_one_execution_holds_up_no_other(
    engine_url: str, stored: Stored, execution_id: str
) -> None:
    """Neither the list nor the keys of the refused one are open to this user of the engine."""
    allowed, refused = Journal("p", execution_id), Journal("p", elsewhere(execution_id))
    keys = [f"~runtail:{{{execution_id}}}*", f"~{index_of(execution_id)}", "~runtail:settings*"]
    rights = ["reset", "on", ">pw", "+@all", "&*", *keys]
    stored.redis.execute_command("ACL", "SETUSER", "narrow", *rights)
    url = engine_url.replace("://", "://narrow:pw@")
    link = Link(lambda: url, DEFAULTS)
    lane = lane_to(url, link)
    try:
        await lane.round([refused, allowed])
    finally:
        await link.close()
        stored.redis.execute_command("ACL", "DELUSER", "narrow")
    now = time.monotonic()
    assert (allowed.ever_opened, refused.ever_opened) == (True, False)
    assert lane.free_at(allowed) <= now < lane.free_at(refused)
    assert allowed.asks(0.0, Limits()) == []

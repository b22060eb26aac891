"""What the publisher's tests share: an engine's contents, a proxy in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.producers.running import Running
from tests.producers.stored import Stored
from tests.proxy import Proxy, proxy_to

from runtail import Publisher, PublisherSettings


@pytest.fixture
def stored(engine_url: str) -> Iterator[Stored]:
    """What the embedded engine holds."""
    reader = Stored(engine_url)
    yield reader
    reader.close()


@pytest.fixture
def proxy(engine_url: str) -> Iterator[Proxy]:
    """A proxy in front of the embedded engine."""
    with proxy_to(engine_url) as proxy:
        yield proxy


@pytest.fixture
def running(engine_url: str, stored: Stored, execution_id: str) -> Iterator[Running]:
    """An execution that is open, whose progress waits for minutes unless something sends it."""
    with Publisher(engine_url, settings=PublisherSettings(progress_seconds=600)) as publisher:
        yield Running(publisher.execution(execution_id), publisher, stored)

"""What the publisher's tests share: an engine's contents, a proxy in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.producers.stored import Stored
from tests.proxy import Proxy, proxy_to


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

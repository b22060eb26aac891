"""A private place and an engine of its own for each test; nobody's real engine is touched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.broker.engine_place import private_place

from runtail_broker.engines.engine import Engine, start_engine


@contextmanager
def private_folder() -> Iterator[Path]:
    """Make a short folder under /tmp to which all XDG folders lead."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("RUNTAIL_REDIS_URL", raising=False)
        patch.delenv("RUNTAIL_URL", raising=False)
        yield from private_place(patch)


@pytest.fixture
def place() -> Iterator[Path]:
    """A private folder of the test's own."""
    with private_folder() as place:
        yield place


@pytest.fixture
def own_engine(place: Path) -> Iterator[Engine]:
    """An engine that writes its data to disk."""
    with start_engine(place / "data") as engine:
        yield engine

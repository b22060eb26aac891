"""Which keys name an execution, and which do not."""

from __future__ import annotations

import pytest

from runtail_broker.keys import found


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (b"runtail:{a}:state", "a"),
        (b"runtail:{a.b:c}:stream", "a.b:c"),
        (b"runtail:{a}:notes", "a"),
        (b"runtail:{a}:viewers", None),
        (b"runtail:{a}:status", None),
        (b"runtail:{a}:streams", None),
        (b"runtail:{}:state", None),
        (b"runtail:{a{b}}:state", None),
        (b"runtail:{a\xff}:state", None),
        (b"xruntail:{a}:state", None),
    ],
)
def test_only_what_holds_something_of_a_valid_id_names_an_execution(
    key: bytes, name: str | None
) -> None:
    assert found(key) == name

from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from runtail.bundle import Given, bundled
from runtail.pending import Bundle


def ready(n: int, level: str = "info") -> bytes:
    return orjson.dumps(
        {"execution_id": "run-1", "timestamp": "2026-01-01T00:00:00Z", "level": level, "n": n}
    )


def of(records: list[Given], most: int = 3, max_bytes: int = 10_000) -> list[Bundle | Given]:
    return list(bundled("run-1", records, most=most, max_bytes=max_bytes, max_record_bytes=65_536))


def test_ready_records_travel_in_bundles_of_at_most_so_many() -> None:
    assert [len(b.json) for b in of([ready(n) for n in range(7)]) if isinstance(b, Bundle)] == [
        3,
        3,
        1,
    ]


def test_a_bundle_counts_its_records_by_level() -> None:
    (bundle,) = of([ready(1), ready(2, "error"), ready(3, "error")])
    assert isinstance(bundle, Bundle)
    assert bundle.levels == (0, 1, 0, 2)


def test_a_bundle_holds_no_more_bytes_than_a_frame_may() -> None:
    size = len(ready(1))
    bundles = of([ready(n) for n in range(4)], max_bytes=2 * size)
    assert [bundle.size for bundle in bundles if isinstance(bundle, Bundle)] == [2 * size] * 2


def test_what_is_not_ready_comes_out_as_it_was_in_its_place() -> None:
    odd: list[Given] = [b"nonsense", {"message": "a mapping"}, b'{"id":1}', b"{}", b"[1]"]
    for one in odd:
        before, between, behind = of([ready(1), one, ready(2)])
        assert between == one
        assert isinstance(before, Bundle)
        assert isinstance(behind, Bundle)


@given(st.lists(st.sampled_from([ready(1), ready(2, "debug"), b"none", b"{}"])), st.integers(1, 5))
def test_everything_always_comes_out_once_and_in_order(records: list[Given], most: int) -> None:
    out: list[Given] = []
    for item in of(records, most):
        out += item.json if isinstance(item, Bundle) else [item]
    assert out == records

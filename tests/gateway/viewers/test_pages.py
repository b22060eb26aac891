"""The page cache: bounded, the least used page dropped first, forgotten by execution."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtail_broker.cursor import Cursor, RecordId
from runtail_gateway.protocol.message import Message, Packed
from runtail_gateway.viewers.pages import Page, PageCache, Unrendered

MAX_BYTES = 20_000


def at(seq: int) -> Cursor:
    return Cursor(RecordId(1, seq), seq, 1)


def page(size: int) -> Page:
    return Page(Message((b"x" * size,)))


def unrendered(size: int) -> Unrendered:
    return Unrendered(Packed(at(1), [], 1), at(9), size // 2, size - size // 2)


def size_of(cache: PageCache, name: str, seq: int) -> int:
    held = cache.get(name, at(seq))
    if isinstance(held, Page):
        return held.message.size if held.message else 0
    return held.frame_bytes + held.waiting_bytes if held else 0


def found(cache: PageCache, names: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(name, seq) for name, seq in names if cache.get(name, at(seq)) is not None]


def test_the_page_that_was_used_least_lately_goes_first() -> None:
    cache = PageCache(MAX_BYTES)
    for seq in (1, 2):
        cache.put("run", at(seq), page(7_000))
    cache.get("run", at(1))
    cache.put("run", at(3), page(7_000))
    assert found(cache, [("run", 1), ("run", 2), ("run", 3)]) == [("run", 1), ("run", 3)]


def test_a_page_larger_than_the_bound_is_not_kept() -> None:
    cache = PageCache(MAX_BYTES)
    cache.put("run", at(1), page(MAX_BYTES + 1))
    assert cache.get("run", at(1)) is None


def test_forgetting_an_execution_leaves_the_others() -> None:
    cache = PageCache(MAX_BYTES)
    cache.put("one", at(1), page(100))
    cache.put("two", at(1), page(100))
    cache.forget("one")
    assert found(cache, [("one", 1), ("two", 1)]) == [("two", 1)]


def test_a_page_is_of_its_very_cursor_tag_included() -> None:
    cache = PageCache(MAX_BYTES)
    cache.put("run", at(1), page(100))
    assert cache.get("run", Cursor(RecordId(1, 1), 1, 2)) is None


@given(
    puts=st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.integers(1, 5),
            st.integers(0, MAX_BYTES * 2),
            st.booleans(),
        )
    ),
    forgotten=st.sampled_from("abc"),
)
def test_what_is_kept_never_exceeds_the_bound_and_is_always_the_newest(
    puts: list[tuple[str, int, int, bool]], forgotten: str
) -> None:
    cache = PageCache(MAX_BYTES)
    newest: dict[tuple[str, int], int] = {}
    for name, seq, size, rendered in puts:
        cache.put(name, at(seq), page(size) if rendered else unrendered(size))
        newest[name, seq] = size
        assert sum(size_of(cache, *key) for key in newest) <= MAX_BYTES
    for (name, seq), size in newest.items():
        assert cache.get(name, at(seq)) is None or size_of(cache, name, seq) == size
    cache.forget(forgotten)
    assert not any(name == forgotten for name, _ in found(cache, list(newest)))

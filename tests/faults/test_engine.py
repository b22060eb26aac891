"""What the suite does to its engine does happen."""

from __future__ import annotations

import pytest
from redis.exceptions import ResponseError
from tests.faults.engine import engine
from tests.polling import until


def test_on_a_full_disk_the_engine_refuses_and_with_room_again_it_takes_what_comes() -> None:
    with engine() as running:

        def takes() -> bool:
            try:
                running.ask("SET", "key", "x" * 200)
            except ResponseError:
                return False
            return True

        assert takes()
        running.fill_disk()
        until(lambda: not takes(), "it refuses")
        running.empty_disk()
        until(takes, "it takes what comes")


@pytest.mark.parametrize("cut", [0, 20])
def test_a_killed_engine_has_what_it_took_but_for_what_was_cut_off_its_file(cut: int) -> None:
    with engine() as running:
        running.ask("SET", "key", "x")
        running.restart(cut_bytes=cut)
        running.ask("SET", "key", "y", *(["XX"] if not cut else ["NX"]))
        assert running.resident_bytes > 1 << 20

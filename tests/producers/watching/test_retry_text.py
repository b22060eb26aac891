"""What is told of a gateway that is away: where, then less and less, and once what to do."""

from __future__ import annotations

from runtail.watching.retry_text import retry_text

ADDRESS = "ws://127.0.0.1:9/ws"


def test_the_first_try_names_the_address_and_the_third_what_to_do() -> None:
    told = [retry_text(ADDRESS, "Connection refused.", n) for n in (1, 2, 3)]
    assert told[0] == f"{ADDRESS}: Connection refused; reconnecting, try 1"
    assert told[1] == "Connection refused; reconnecting, try 2"
    assert told[2] is not None
    assert "start one with `runtail gateway`" in told[2]


def test_a_gateway_that_is_away_all_night_fills_no_screen() -> None:
    told = [n for n in range(1, 1001) if retry_text(ADDRESS, "away", n)]
    assert told == [*range(1, 10), *range(10, 1001, 10)]

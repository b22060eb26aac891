"""So many at once, and as many again a minute, for a bounded number of clients."""

from __future__ import annotations

from runtail_gateway.access.allowance import Allowance, Allowances


def test_as_many_at_once_as_are_allowed_and_no_more() -> None:
    allowance = Allowance(3, 0.0)
    assert [allowance.take(0.0) for _ in range(4)] == [True, True, True, False]


def test_they_come_back_evenly_over_a_minute() -> None:
    allowance = Allowance(3, 0.0)
    for _ in range(3):
        allowance.take(0.0)
    assert [allowance.take(at) for at in (19.0, 20.0, 21.0, 40.1)] == [False, True, False, True]


def test_what_is_not_taken_does_not_pile_up() -> None:
    allowance = Allowance(2, 0.0)
    assert [allowance.take(3600.0) for _ in range(3)] == [True, True, False]


def test_each_client_has_its_own() -> None:
    allowances = Allowances(1, table=10)
    assert [allowances.take(client, 0.0) for client in "aab"] == [True, False, True]


def test_no_more_clients_are_remembered_than_the_table_holds() -> None:
    allowances = Allowances(1, table=3)
    for number in range(100):
        assert allowances.take(f"client {number}", 0.0)
        assert len(allowances) <= 3
    assert not allowances.take("client 99", 0.0)


def test_a_client_that_has_all_of_its_own_again_is_forgotten() -> None:
    allowances = Allowances(1, table=100)
    for number in range(50):
        allowances.take(f"client {number}", 0.0)
    allowances.take("another", 61.0)
    assert len(allowances) == 1


def test_who_could_take_none_has_used_it_up_until_one_is_back() -> None:
    """Asking takes none, and remembers nobody."""
    allowances = Allowances(1, table=10)
    assert not allowances.used_up("a", 0.0)
    assert len(allowances) == 0
    allowances.take("a", 0.0)
    assert [allowances.used_up("a", at) for at in (0.0, 59.0, 60.0, 61.0)] == [True, True] + [
        False
    ] * 2

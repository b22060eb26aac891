"""Whose an address is."""

from __future__ import annotations

import pytest

from runtail_gateway.access.addresses import Networks, client_of


@pytest.mark.parametrize(
    ("address", "within"),
    [
        ("10.1.2.3", True),
        ("11.1.2.3", False),
        ("::ffff:10.1.2.3", True),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8::5", True),
        ("unix:", False),
        ("", False),
    ],
)
def test_networks_hold_addresses_and_ranges_of_both_kinds(address: str, within: bool) -> None:
    networks = Networks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])
    assert (address in networks) is within


def test_what_is_no_network_is_refused_with_its_text() -> None:
    with pytest.raises(ValueError, match=r"'10\.0\.0\.0/99' is no address or network"):
        Networks(["10.0.0.0/99"])


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("a socket", "a socket"),
    ],
)
def test_a_client_of_ipv6_is_its_network(address: str, client: str) -> None:
    assert client_of(address) == client

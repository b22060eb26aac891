"""Know whose an address is: a named proxy's, one of those that are not counted, or one client's."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

_ONE_CLIENT_BITS = 64  # of IPv6: what one household or machine is given


class Networks:
    """Some addresses and networks. Raises ValueError, with the text, for what is neither."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._networks = tuple(_network(text) for text in texts)

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, text: str) -> bool:
        """Whether *text* is the address of one of them; what is no address is in none."""
        address = _address(text)
        return address is not None and any(
            address.version == network.version and address in network for network in self._networks
        )


class Counted:
    """The clients that the bounds of one address count: all but those at *exempt* addresses."""

    def __init__(self, exempt: Iterable[str]) -> None:
        self._exempt = Networks(exempt)

    def client(self, address: str | None) -> str | None:
        """Name the client at *address*; None for one that is not counted."""
        if address is None or address in self._exempt:
            return None
        return client_of(address)


def is_loopback(host: str) -> bool:
    """Whether *host* is an address of this machine that no other one reaches."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def client_of(text: str) -> str:
    """Name the client whose address is *text*: an IPv6 client has a network of its own."""
    address = _address(text)
    if address is None or address.version == 4:
        return text if address is None else str(address)
    return str(ipaddress.ip_network((int(address), _ONE_CLIENT_BITS), strict=False))


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address or network: {error}") from error


@lru_cache(maxsize=4096)  # looked at twice for each connection, 7 µs each time
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address

"""Find what to listen on: sockets that a service manager hands over, or an address of our own."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping, Sequence
from typing import Final

from runtail_gateway.access.addresses import is_loopback

_FIRST_FD: Final = 3  # sd_listen_fds(3)
_BACKLOG: Final = 2048


def handed_over(environ: MutableMapping[str, str]) -> list[socket.socket]:
    """Take the sockets of systemd's socket activation; none if they are not for this process.

    The variables are removed from *environ*: a process that is started later must not take them.
    """
    own = environ.get("LISTEN_PID") == str(os.getpid())
    count = environ.get("LISTEN_FDS", "") if own else ""
    if own:
        for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
            environ.pop(name, None)
    if not count.isdigit():
        return []
    return [socket.socket(fileno=_FIRST_FD + number) for number in range(int(count))]


def listener(host: str, port: int, *, or_any_port: bool = False) -> socket.socket:
    """Listen on *port* of *host*, or on a free one when that is taken and *or_any_port*."""
    try:
        return _listen(host, port)
    except OSError:
        if not or_any_port:
            raise
        return _listen(host, 0)


def address_of(listening: socket.socket) -> str:
    """Spell the address of a socket as a URL, or as its path if it is no network's."""
    name = listening.getsockname()
    if isinstance(name, str):
        return f"unix:{name}"
    host, port = name[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def all_private(sockets: Sequence[socket.socket], host: str) -> bool:
    """Whether only programs on this machine reach *sockets*, or *host* if there are none."""
    names = [listening.getsockname() for listening in sockets]
    hosts = [name[0] for name in names if not isinstance(name, str)] if names else [host]
    return all(map(is_loopback, hosts))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)

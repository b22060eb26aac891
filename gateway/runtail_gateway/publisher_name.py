"""Keep publishers apart by who signed in: what one may number, no other may. Pure: no I/O."""

from __future__ import annotations

import re
from typing import Final

from starlette.requests import HTTPConnection

from runtail_gateway.problem import BadRequest

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+~-]{0,99}", re.ASCII)


def namespaced(publisher: str, connection: HTTPConnection) -> str:
    """Name *publisher* as the engine knows it, apart from those of others who sign in.

    The one place where this is decided; `checked_name` allows no `/`, so that `<sub>/<publisher>`
    can be no other's. Nobody signs in yet: all share one space of names.
    """
    return publisher


def checked_name(publisher: str) -> str:
    """Return *publisher* if it can be a publisher's id; raise BadRequest if not."""
    if not _NAME.fullmatch(publisher):
        raise BadRequest(
            f"publisher is {publisher[:120]!r}, expected 1 to 100 letters, digits or . _ : @ + ~ - "
            "and a letter or digit first"
        )
    return publisher

"""Keep publishers apart by who signed in: what one may number, no other may. Pure: no I/O."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from runtail_gateway.protocol.problem import BadRequest

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@+~-]{0,99}", re.ASCII)


def namespaced(publisher: str, subject: str) -> str:
    """Name *publisher* as the engine knows it, apart from those of others who sign in.

    `checked_name` allows no `/`, so that `<subject>/<publisher>` can be no other's; nor can it be
    a worker's that talks to the engine itself. Who signs in without a subject, or where nobody
    does, shares one space of names. A subject that is no plain name goes by its digest.
    """
    if not subject:
        return publisher
    plain = subject if _NAME.fullmatch(subject) else sha256(subject.encode()).hexdigest()
    return f"{plain}/{publisher}"


def checked_name(publisher: str) -> str:
    """Return *publisher* if it can be a publisher's id; raise BadRequest if not."""
    if not _NAME.fullmatch(publisher):
        raise BadRequest(
            f"publisher is {publisher[:120]!r}, expected 1 to 100 letters, digits or . _ : @ + ~ - "
            "and a letter or digit first"
        )
    return publisher

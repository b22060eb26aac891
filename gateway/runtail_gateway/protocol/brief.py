"""Show a value that came as JSON in a few characters, however large or deep it is. Pure: no I/O."""

from __future__ import annotations

from reprlib import Repr
from typing import Final

_MOST_CHARS: Final = 200
_SHORT: Final = Repr()
_SHORT.maxlevel = 4  # what is inside more than that is shown as `...`
_SHORT.maxother = _SHORT.maxstring = _SHORT.maxlong = 100


def brief(value: object, most: int = 40) -> str:
    """Show *value* in *most* characters, a text as it is.

    `str` would fail on what is nested as deep as JSON may be, and spell megabytes to cut them off.
    """
    return (value if isinstance(value, str) else _SHORT.repr(value))[:most]


def spelled(value: object) -> str:
    """Spell a parameter that came as JSON; what is no text or number is only shown briefly."""
    return value if isinstance(value, str) else brief(value, _MOST_CHARS)

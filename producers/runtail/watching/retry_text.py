"""Say that a gateway is away and tried again: soon, not often, and once what one could do."""

from __future__ import annotations

from typing import Final

from runtail.watching.gateway_rest import START

_ALL_TOLD: Final = 10  # a gateway that is away all night fills no screen: then every tenth
_ADVICE: Final = 3


def retry_text(address: str, reason: str, tries: int) -> str | None:
    """What to tell of try number *tries* in a row at *address*; None if it is one too many."""
    if tries >= _ALL_TOLD and tries % _ALL_TOLD:
        return None
    why = reason.rstrip(".")
    if tries == 1:
        return f"{address}: {why}; reconnecting, try 1"
    advice = f". If no gateway is there, {START}" if tries == _ADVICE else ""
    return f"{why}; reconnecting, try {tries}{advice}"

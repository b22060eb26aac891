"""Read the numbers that stand in addresses. Pure: no I/O."""

from __future__ import annotations

from typing import Final

_MOST_DIGITS: Final = 16  # as many as numbers have that every client holds exactly


def is_number(text: str, most: float) -> bool:
    """Whether *text* is a whole number from 1 to *most*, in digits alone.

    One of more digits is none, zeros in front included: Python would refuse to read thousands.
    """
    readable = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return readable and 1 <= int(text) <= most

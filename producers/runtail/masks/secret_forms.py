"""Know a secret in every form in which it may turn up: percent, JSON, base64, hex. Pure.

A form is a row of atoms; an atom lists the ways to write one character, the longest first, `""` if
it may be missing. All of a form's ways are finite, so that a text that ends in the middle of one
can be told from a text that does not.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable
from itertools import product
from typing import Final

Atom = tuple[str, ...]
Form = tuple[Atom, ...]

_BASE64_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_ENOUGH: Final = 4  # letters and digits in a row that are rare enough to look for
_SHORT_ESCAPES: Final = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_COMMON: Final = frozenset("\"'\\/{}[]()<>:;,.-_+=&% \n\r\t")


def forms_of(secret: str) -> tuple[Form, ...]:
    """List the forms of *secret*, in which surrogates stand for bytes that are no UTF-8."""
    data = _bytes_of(secret)
    plain = tuple(map(_ways, secret))
    in_base64 = (_base64_form(data, before) for before in range(3))
    return (plain, *in_base64, tuple((c, c.upper()) for c in data.hex()))


def clues_of(form: Form) -> tuple[str, ...]:
    """List texts, ASCII letters in lower case, of which each way to write *form* contains one.

    As few as possible, and such that JSON's own escapes do not hide them.
    """
    run = max(_plain_runs(form), key=len, default="")
    if len(run) >= _ENOUGH:
        return (run,)
    rare = [atom for atom in form if "" not in atom and _COMMON.isdisjoint(atom)]
    strange = next((atom for atom in rare if not any(way.isascii() for way in atom[-1:])), None)
    atom = strange or (None if run else next(iter(rare or form)))
    return (run,) if atom is None else tuple({folded(way) for way in atom})


def folded(text: str) -> str:
    """Turn ASCII letters, and no others, into lower case: the same whatever stands around them."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def pattern_of(forms: Iterable[Form]) -> str:
    """Write *forms* as one regular expression without groups."""
    return "|".join("".join(map(_atom_pattern, form)) for form in forms)


def longest(form: Form) -> int:
    """Count the characters of the longest way to write *form*."""
    return sum(max(map(len, atom)) for atom in form)


def may_go_on(form: Form, tail: str) -> bool:
    """Whether *tail*, with more text after it, could be a way to write *form*."""
    todo, seen = [(0, 0)], {(0, 0)}
    while todo:
        at, number = todo.pop()
        if number == len(form):
            continue
        for way in form[number]:
            if len(way) > len(tail) - at:
                if way.startswith(tail[at:]):
                    return True
            elif tail.startswith(way, at) and (after := (at + len(way), number + 1)) not in seen:
                seen.add(after)
                todo.append(after)
    return False


def _bytes_of(secret: str) -> bytes:
    try:
        return secret.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # other surrogates stand for nothing
        return secret.encode("utf-8", "surrogatepass")


def _ways(char: str) -> Atom:
    """List the ways to write *char* in a text, an address, JSON (in JSON), Python's repr, HTML."""
    if char.isascii() and char.isalnum():
        return (char,)
    data, code = _bytes_of(char), ord(char)
    units = char.encode("utf-16-be", "surrogatepass").hex()
    unicode = "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
    escapes = {unicode, unicode.upper().replace("U", "u")}
    if code > 0xFFFF:
        escapes.add(f"\\U{code:08x}")
    if code < 0x100 or len(data) == 1:
        escapes.add(f"\\x{data[0] if len(data) == 1 else code:02x}")
    if char in _SHORT_ESCAPES:
        escapes.add("\\" + _SHORT_ESCAPES[char])
    if char in "\"'/\\":
        escapes |= {"\\" + char, "\\\\\\" + char}
    ways = {char, html.escape(char), *escapes, *(e.replace("\\", "\\\\") for e in escapes)}
    if char == " ":
        ways.add("+")
    if 0xDC80 <= code <= 0xDCFF:
        ways.add("\N{REPLACEMENT CHARACTER}")
    digits = ((f"%{byte:02X}", f"%{byte:02x}") for byte in data)
    ways |= {"".join(each) for each in product(*digits)}
    return tuple(sorted(ways, key=lambda way: (-len(way), way)))


def _base64_form(data: bytes, before: int) -> Form:
    """Encode *data* behind *before* unknown bytes; what only it decides, and the end of it."""
    bits = 8 * (before + len(data))
    digits = base64.b64encode(b"\0" * before + data).decode()[-(-8 * before // 6) : bits // 6]
    form: list[Atom] = [_base64_ways(digit) for digit in digits]
    if bits % 6:
        form += [(*_BASE64_DIGITS, ""), *(2 * [("%3D", "%3d", "=", "")])]
    return tuple(form)


def _base64_ways(digit: str) -> Atom:
    if digit == "+":
        return ("%2B", "%2b", "+", "-")
    return ("%2F", "%2f", "\\/", "/", "_") if digit == "/" else (digit,)


def _plain_runs(form: Form) -> list[str]:
    """List the runs of letters and digits that every way to write *form* contains."""
    text = "".join(folded(atom[0]) if _is_plain(atom) else " " for atom in form)
    return text.split()


def _is_plain(atom: Atom) -> bool:
    return atom[0].isascii() and atom[0].isalnum() and len(set(map(folded, atom))) == 1


def _atom_pattern(atom: Atom) -> str:
    return re.escape(atom[0]) if len(atom) == 1 else f"(?:{'|'.join(map(re.escape, atom))})"

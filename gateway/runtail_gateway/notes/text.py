"""Check what somebody says in a note, and who says it. Pure: no I/O."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

from runtail_broker.notes import Note
from runtail_broker.records.record import now
from runtail_gateway.access.auth import Grant, forbidden
from runtail_gateway.protocol.brief import brief
from runtail_gateway.protocol.problem import BadRequest

KEY_HEADER: Final = "Runtail-Author-Key"
_KEY: Final = re.compile(r"[\x21-\x7e]{16,200}", re.ASCII)
_AUTHOR_CHARS: Final = 100


def mark_of(grant: Grant, key: str | None, execution_id: str) -> str:
    """Say who writes a note: whom the token names, else whoever knows the same *key* again.

    '' for somebody who cannot be known again. Only a digest of the key is kept.
    """
    if grant.subject:
        return f"sub:{grant.subject}"
    if key is None:
        return ""
    if not _KEY.fullmatch(key):
        raise BadRequest(f"{KEY_HEADER} is {brief(key)!r}, expected 16 to 200 visible characters")
    return "key:" + hashlib.sha256(f"{execution_id}\0{key}".encode()).hexdigest()


def require_author(note: Note, mark: str) -> None:
    """Raise Refused unless *mark* is that of the note's author."""
    if not mark or not hmac.compare_digest(note.mark.encode(), mark.encode()):
        raise forbidden("the note is somebody else's, expected its author")


def text_in(given: Mapping[str, object], most: int) -> str:
    """Read the text of a note."""
    text = given.get("text")
    if isinstance(text, str) and text.strip() and len(text) <= most:
        return text
    size = f"has {len(text)} characters" if isinstance(text, str) else f"is {brief(text)}"
    raise BadRequest(f"text {size}, expected a text of 1 to {most} characters")


def new_note(
    note_id: str, given: Mapping[str, object], grant: Grant, last_seq: int, most: int
) -> dict[str, Any]:
    """Make a note of what was sent; raise BadRequest with the field that makes no sense."""
    seq = _seq(given, "seq", 1, last_seq)
    to_seq = None if given.get("to_seq") is None else _seq(given, "to_seq", seq, last_seq)
    return {
        "id": note_id,
        "seq": seq,
        "to_seq": to_seq,
        "text": text_in(given, most),
        "author": grant.subject or _author(given),
        "created_at": now(),
        "edited_at": None,
        "removed": False,
    }


def edited(note: Note, text: str) -> dict[str, Any]:
    """Make the note with other words."""
    return note.fields | {"text": text, "edited_at": now()}


def removed(note: Note) -> dict[str, Any]:
    """Make what is told of a note that is not there any more."""
    return note.fields | {"text": "", "removed": True}


def _seq(given: Mapping[str, object], name: str, least: int, most: int) -> int:
    value = given.get(name)
    if type(value) is int and least <= value <= most:
        return value
    raise BadRequest(f"{name} is {brief(value)}, expected a line's number from {least} to {most}")


def _author(given: Mapping[str, object]) -> str | None:
    author = given.get("author")
    if author is None or (isinstance(author, str) and len(author) <= _AUTHOR_CHARS):
        return author or None
    raise BadRequest(f"author is {brief(author)}, expected at most {_AUTHOR_CHARS} characters")

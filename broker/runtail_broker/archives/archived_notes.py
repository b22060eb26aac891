"""Write an execution's notes as one small object beside its archived log, and read them. Pure.

The object is compressed NDJSON: a line that says what it holds, then a line a note, as note.lua
keeps it. It is a copy: people write notes also when a log is archived; the engine has the newest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson

from runtail_broker.archives.archive_format import compressed, expanded
from runtail_broker.archives.archived import folder_of
from runtail_broker.errors import ArchiveDamaged, NewerFormat, RuntailError
from runtail_broker.notes import Note

_VERSION: Final = 1
_NAME: Final = "notes.ndjson.zst"
_FORM: Final = "runtail.notes"
MOST_BYTES: Final = 64 * 1024 * 1024
"""More than all notes of an execution can take."""


@dataclass(frozen=True, slots=True)
class ArchivedNotes:
    """The notes of one history as they were after change number *noted* (see note.lua)."""

    execution_id: str
    epoch: int
    noted: int
    notes: tuple[Note, ...]


def notes_name(execution_id: str, epoch: int) -> str:
    """Name the object."""
    return f"{folder_of(execution_id, epoch)}/{_NAME}"


def write_notes(archived: ArchivedNotes) -> bytes:
    """Make the object."""
    head = {
        "format": _FORM,
        "version": _VERSION,
        "execution_id": archived.execution_id,
        "epoch": archived.epoch,
        "noted": archived.noted,
    }
    lines = [{"entry": note.entry, "by": note.mark, "note": note.fields} for note in archived.notes]
    return compressed(b"".join(orjson.dumps(line) + b"\n" for line in [head, *lines]))


def read_notes(name: str, data: bytes) -> ArchivedNotes:
    """Read the object *name*; raises ArchiveDamaged, or NewerFormat for a later version's."""
    try:
        head, *lines = [orjson.loads(line) for line in expanded(name, data).splitlines()]
        _require(name, head)
        notes = tuple(_note(line) for line in lines)
        return ArchivedNotes(head["execution_id"], head["epoch"], head["noted"], notes)
    except RuntailError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise ArchiveDamaged(name, f"it holds no notes: {error!r}") from error


def _require(name: str, head: dict[str, Any]) -> None:
    if head["format"] != _FORM:
        raise ArchiveDamaged(name, f"it says {head['format']!r}, expected {_FORM!r}")
    if head["version"] > _VERSION:
        raise NewerFormat(f"archive {name!r}", head["version"], _VERSION)


def _note(line: dict[str, Any]) -> Note:
    return Note(line["note"]["id"], line["entry"], line["by"], line["note"])

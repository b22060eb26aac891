"""Give the records of a frame their id and seq, all of them in a few steps of C. Pure: no I/O.

The text of a frame is its records in the form in which viewers read them, joined by SEPARATOR,
which stands in no record.
"""

from __future__ import annotations

from runtail_broker.cursor import RecordId
from runtail_broker.errors import InvalidFrame

SEPARATOR = b",\n"


def splice(lines: bytes, count: int, last: RecordId, first_seq: int) -> bytes:
    """Make the text of a frame of *count* records out of its *lines* (see `frame.lines_of`).

    *last* is the frame's entry id, *first_seq* the seq of its first record. Id and seq close each
    record, so that nothing inside it can override them. Raises InvalidFrame if the lines are more
    or fewer than *count*.

    One template for the whole frame, filled in once, took 0.24 µs a record where a format operation
    for each record took 1 µs, and joining the pieces 0.35 µs. For one record it takes 1.2 µs, and
    without a template 0.25.
    """
    if count == 1 and b"\n" not in lines:
        return b'%b,"id":"%d-%d","seq":%d}' % (lines, *last, first_seq)
    ending = b',"id":"%d-%%d","seq":%%d}' % last.ms
    if b"%" in lines:
        lines = lines.replace(b"%", b"%%")
    template = lines.replace(b"\n", ending + SEPARATOR) + ending
    places = [0] * (2 * count)
    places[::2] = range(last.n - count + 1, last.n + 1)
    places[1::2] = range(first_seq, first_seq + count)
    try:
        return template % tuple(places)
    except TypeError:
        found = lines.count(b"\n") + 1
        raise InvalidFrame(f"frame holds {found} records, expected {count}") from None


def records_of(text: bytes) -> list[bytes]:
    """Take the text of a frame apart: the JSON of each record."""
    return text.split(SEPARATOR)

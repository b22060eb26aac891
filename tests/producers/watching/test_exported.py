"""An exported file knows how far it goes, and which lines are missing."""

from __future__ import annotations

import io
import json

import pytest

from runtail.watching.exported import Exported, NotAnExport, read_export


def lines(*seqs: int, end: bool = False) -> bytes:
    rows = [{"id": f"9-{seq}", "seq": seq, "execution_id": "a"} for seq in seqs]
    if end:
        rows[-1] |= {"kind": "end", "status": "completed"}
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def read(data: bytes) -> Exported:
    return read_export(io.BytesIO(data))


def test_the_end_makes_it_complete() -> None:
    assert read(lines(1, 2, 3)).summary() == "not ended: 3 lines, nothing is missing so far"
    assert read(lines(1, 2, 3, end=True)).summary() == "completed: 3 lines, complete"


def test_missing_lines_are_named_each_run_of_them() -> None:
    summary = read(lines(3, 4, 6, end=True)).summary()
    assert summary == "completed: 3 lines, lines 1 to 2, 5 are missing: they are not kept any more"


def test_a_line_that_was_cut_does_not_count() -> None:
    whole = lines(1, 2)
    for cut in range(len(whole)):
        exported = read(whole[:cut])
        assert exported.size in (0, len(lines(1)))
        assert whole[: exported.size].endswith(b"\n") or not exported.size
    assert read(whole).last_id == "9-2"


def test_records_after_an_end_take_a_new_one() -> None:
    data = lines(1, 2, end=True) + lines(3)
    assert read(data).status is None
    assert read(data + lines(4, end=True)).status == "completed"


@pytest.mark.parametrize("line", [b"hello\n", b"[]\n", b"3\n", b'{"seq": 1}\n'])
def test_another_file_is_refused_with_its_line(line: bytes) -> None:
    with pytest.raises(NotAnExport, match="line 2 is no record"):
        read(lines(1) + line)

"""What a viewer has in the end: folded from the wire, or from what its client showed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.faults.witness import Record, ViewerWord

from runtail.watching.viewer_event import Gap, Records, Reset
from runtail_broker.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Told:
    """Records between two seqs of which a viewer was told that they are gone."""

    after_seq: int
    before_seq: int
    proved: bool = True


@dataclass(slots=True)
class Picture:
    """Records by seq and gaps; *broken* lists what was wrong on the way, by promise.

    *place* is the seq up to which everything was received or told; None before the first word.
    """

    where: str
    records: dict[int, Record] = field(default_factory=dict)
    gaps: list[Told] = field(default_factory=list)
    broken: list[tuple[int, str]] = field(default_factory=list)
    begun: int = 0
    place: int | None = None
    end: dict[str, Any] | None = None

    def begin(self, seq: int) -> None:
        """Stand after *seq*, which was the first that the viewer heard of."""
        if self.place is None:
            self.begun = self.place = seq

    def take(self, records: Iterable[Record]) -> None:
        """Take records, which must follow what is here."""
        for record in records:
            seq = record["seq"]
            self.begin(seq - 1)
            assert self.place is not None
            if seq in self.records:
                self.broken.append((3, f"record {seq} came again"))
            elif seq <= self.place:
                self.broken.append((1, f"record {seq} came after {self.place}"))
            elif seq > self.place + 1:
                self.broken.append((2, f"record {seq} came after {self.place}, no gap was told"))
            self.records[seq] = record
            self.place = seq

    def lose(self, told: Told, lost: int | None) -> None:
        """Take a gap, which must begin where this stands and count what it hides."""
        if self.place not in (None, told.after_seq) or lost != told.before_seq - told.after_seq - 1:
            self.broken.append((2, f"{told} of {lost} was told at {self.place}"))
        self.begin(told.after_seq)
        self.gaps.append(told)
        self.place = told.before_seq - 1

    def go_back(self, seq: int) -> None:
        """Drop what lies beyond *seq*, as a reset says."""
        if self.place is not None and seq > self.place:
            self.broken.append((2, f"a reset from {self.place} onward to {seq}"))
        self.records = {at: record for at, record in self.records.items() if at <= seq}
        self.gaps = [gap for gap in self.gaps if gap.before_seq <= seq + 1]
        self.begun = min(self.begun, seq)
        self.place = seq


def wire_picture(viewer: ViewerWord) -> Picture:
    """Fold what came over all connections of *viewer*."""
    picture = Picture("the wire")
    for message in viewer.heard:
        _hear(picture, message)
    return picture


def _hear(picture: Picture, message: dict[str, Any]) -> None:
    if picture.end is not None and message["type"] != "connect":
        picture.broken.append((8, f"{message['type']} came after the end"))
    match message["type"]:
        case "connect":
            if message["after"]:
                picture.place = Cursor.parse(message["after"][0]).number
        case "hello":
            picture.begin(Cursor.parse(message["cursor"]).number)
        case "records":
            picture.take(message["records"])
            _stands(picture, message)
        case "gap":
            told = Told(message["after_seq"], message["before_seq"], message["proved"])
            picture.lose(told, message["lost"])
        case "reset":
            picture.go_back(Cursor.parse(message["cursor"]).number)
        case "caught_up" | "beat":
            _stands(picture, message)
        case "end":
            picture.end = message


def _stands(picture: Picture, message: dict[str, Any]) -> None:
    place = Cursor.parse(message["cursor"]).number
    if place != (picture.place or 0):
        picture.broken.append((2, f"{message['type']} says {place}, received {picture.place}"))


def client_picture(viewer: ViewerWord) -> Picture:
    """Fold what the client of *viewer* showed; it begins where the wire did."""
    picture, wire = Picture("its client"), wire_picture(viewer)
    if (began := _began(viewer)) is not None:
        picture.begin(began)
    unproved = {(gap.after_seq, gap.before_seq) for gap in wire.gaps if not gap.proved}
    for event in viewer.shown:
        match event:
            case Records(records):
                picture.take(records)
            case Gap(after_seq, before_seq, lost, _):
                after = before_seq - 1 if after_seq is None else after_seq
                picture.lose(Told(after, before_seq, (after, before_seq) not in unproved), lost)
            case Reset(seq, _):
                picture.go_back(seq)
    picture.begun = max(picture.begun, wire.begun) if not viewer.shown else picture.begun
    return picture


def _began(viewer: ViewerWord) -> int | None:
    """Say where the connection began that brought the first records or the first gap."""
    began = None
    for message in viewer.heard:
        if message["type"] == "hello":
            began = Cursor.parse(message["cursor"]).number
        elif message["type"] in ("records", "gap"):
            return began
    return None

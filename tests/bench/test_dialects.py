"""Each dialect understands what its server said once (`recorded/`), wherever the chunks end.

The recordings are of one viewer of `run-1`, from its connecting to the third of three records.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from tests.bench.contender import PEERS
from tests.bench.dialects import DIALECTS, Nats, masked
from tests.bench.viewers import MARK

RECORDED = {name: Path(__file__).with_name("recorded") / f"{name}.bin" for name in PEERS}
# what a viewer writes after its opening, up to where what is its own choice begins
WRITTEN = {
    "naive": b"",
    "channels": b"",
    "socketio": masked(b"40") + masked(b'42["watch","run-1"]'),
    "nats": b'CONNECT {"verbose":false,',
}
# how that begins which a server says only when it was answered
TURNS = {"socketio": (b"\x81=40{", b'\x81\x1d42["ready"'), "nats": (b"MSG _INBOX.v1.api",)}
UVICORN_PING = b"\x89\x04\x09\x57\xe7\x56"
ENGINE_IO_PING = b"\x81\x012"
PINGS = {
    "naive": (UVICORN_PING, b"\x8a\x84\0\0\0\0\x09\x57\xe7\x56"),
    "channels": (UVICORN_PING, b"\x8a\x84\0\0\0\0\x09\x57\xe7\x56"),
    "socketio": (ENGINE_IO_PING, masked(b"3")),
    "nats": (b"PING\r\n", b"PONG\r\n"),
}


def in_chunks(name: str, *cuts: int) -> list[bytes]:
    """Cut the recording, and wherever its server had waited for an answer."""
    whole = RECORDED[name].read_bytes()
    turns = (whole.index(begin) for begin in TURNS.get(name, ()))
    places = sorted({0, len(whole), *turns, *cuts})
    return [whole[start:end] for start, end in pairwise(places)]


def told(name: str, chunks: Sequence[bytes]) -> tuple[bytes, bool]:
    """What a new viewer answers to *chunks*, and whether it is ready then."""
    Nats._count = 0  # inboxes are numbered
    talk = DIALECTS[name]("run-1", "$")
    answers = b"".join(talk.received(chunk) for chunk in chunks)
    return answers, talk.ready


@pytest.mark.parametrize("name", PEERS)
def test_a_viewer_is_let_in_wherever_the_chunks_end(name: str) -> None:
    """It answers the same to chunks as they came, to one cut anywhere in two, and byte by byte."""
    whole = RECORDED[name].read_bytes()
    expected, _ = told(name, in_chunks(name))
    assert expected.startswith(WRITTEN[name])
    assert bool(expected) == bool(WRITTEN[name])
    for cuts in [*((cut,) for cut in range(0, len(whole), 3)), range(len(whole))]:
        assert told(name, in_chunks(name, *cuts)) == (expected, True)
    assert whole.count(MARK) == 3


@pytest.mark.parametrize("name", PEERS)
def test_a_viewer_is_not_ready_before_its_server_says_so(name: str) -> None:
    """Who is counted as ready too early misses what is published then."""
    whole = RECORDED[name].read_bytes()
    said = {"naive": b"\r\n\r\n", "channels": b"\x05ready", "socketio": b'42["ready"'}
    end = said.get(name, b"consumer_create_response")
    before = whole[: whole.index(end) + len(end) - 1]
    assert not told(name, [before])[1]


@pytest.mark.parametrize("name", PEERS)
def test_a_ping_is_answered_once_wherever_it_stands(name: str) -> None:
    """Between two records, in a chunk of its own, or cut in two: a server closes on silence."""
    whole = RECORDED[name].read_bytes()
    ping, pong = PINGS[name]
    *first, head, rest = in_chunks(name, whole.rindex(b"MSG " if name == "nats" else b"\x81\x7e"))
    for cut in range(len(ping) + 1):
        answers, _ = told(name, [*first, head + ping[:cut], ping[cut:] + rest])
        assert answers.count(pong) == 1
    assert told(name, [*first, head, ping, rest])[0].count(pong) == 1


@pytest.mark.parametrize("name", ["naive", "channels"])
def test_the_length_of_a_message_is_no_ping(name: str) -> None:
    """A message of 393 bytes has 0x0189 in its header."""
    message = b"\x81\x7e\x01\x89" + b"{" * 393
    assert told(name, [RECORDED[name].read_bytes() + message])[0] == b""


def test_a_question_of_flow_control_beside_the_welcome_is_answered() -> None:
    """A replay begins in the chunk that lets the viewer in."""
    asked = (
        b"HMSG _INBOX.v1 1 $JS.FC.logs.one.two 36 36\r\nNATS/1.0 100 FlowControl Request\r\n\r\n"
    )
    first, welcome = in_chunks("nats")
    answers, _ = told("nats", [first, welcome + asked + b"\r\n" + b"." * 900])
    assert answers.endswith(b"PUB $JS.FC.logs.one.two 0\r\n\r\n")


def test_a_new_viewer_of_socketio_names_no_session() -> None:
    """One that comes back does: the server would look for it in vain."""
    welcome = in_chunks("socketio")[0]
    assert told("socketio", [welcome])[0] == masked(b"40")
    again = DIALECTS["socketio"]("run-1", "abc/17-2")
    assert again.received(welcome) == masked(b'40{"pid":"abc","offset":"17-2"}')

"""Registered secrets never leave, in whatever form and however they are split."""

from __future__ import annotations

import base64
import html
import json
import logging
import threading
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.producers.stored import Stored

from runtail import Publisher, PublisherSettings
from runtail.masks.masking import (
    MAX_SECRET_CHARS,
    Masker,
    mask,
    mask_text,
    masker,
    unmask_all,
)
from runtail.masks.stream_masker import BytesMasker, StreamMasker
from runtail_broker.errors import InvalidRecord
from runtail_broker.records.ready import encode_ready
from runtail_broker.records.record import encode

SECRET = 'p4ss/W0rd+"é"&'
SECRETS = (
    SECRET,
    "hunter2hunter",
    "secret1",
    "secret12345",
    "ключ-от-дома",
    "!@#$%^&*()",
    "aaaaaa",
)


@pytest.fixture(autouse=True)
def _no_secrets() -> Iterator[None]:
    unmask_all()
    yield
    unmask_all()


def encoded(fields: dict[str, Any], mask_keys: tuple[str, ...] = ()) -> str:
    return encode("run-1", fields, mask=masker(mask_keys)).json.decode()


def in_base64(text: str, before: int, encode: Any = base64.b64encode) -> str:
    data: bytes = encode(b"x" * before + text.encode() + b"yz")
    return data.decode()


FORMS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": partial(urllib.parse.quote, safe=""),
    "percent but slashes": urllib.parse.quote,
    "percent in lower case": lambda s: urllib.parse.quote(s, safe="").replace("%2F", "%2f"),
    "form": urllib.parse.quote_plus,
    "JSON": json.dumps,
    "JSON of UTF-8": lambda s: orjson.dumps(s).decode(),
    "JSON in JSON": lambda s: json.dumps(json.dumps(s)),
    "JSON with escaped slashes": lambda s: json.dumps(s).replace("/", "\\/"),
    "repr": repr,
    "ascii": ascii,
    "HTML": html.escape,
    "hex": lambda s: s.encode().hex(),
    "hex in capitals": lambda s: s.encode().hex().upper(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64 behind a byte": lambda s: in_base64(s, 1),
    "base64 behind two": lambda s: in_base64(s, 2),
    "base64 behind three": lambda s: in_base64(s, 3),
    "base64url": lambda s: in_base64(s, 1, base64.urlsafe_b64encode),
    "base64, percent": lambda s: urllib.parse.quote(in_base64(s, 2), safe=""),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_masked_in_every_form(form: str, secret: str) -> None:
    written = FORMS[form](secret)
    core = written.strip("\"'\\")
    if "base64" in form:
        core = core[3:-4]  # at each side a digit that is a neighbour's too may stay
    assert mask(secret)
    told = encoded({"message": f"a {written} b", "input_data": {f"k{written}": [written]}})
    assert told.count("***") >= 3
    assert orjson.dumps(core).decode().strip('"') not in told


def test_a_secret_is_masked_wherever_it_is_in_a_record() -> None:
    mask("s3cr3t-value")
    told = encoded(
        {
            "message": "see s3cr3t-value",
            "own": {"s3cr3t-value": ("s3cr3t-value",)},
            "error_message": "Traceback …\nValueError: s3cr3t-value",
            "url": "https://host/?q=s3cr3t-value",
            "s3cr3t-value": b"s3cr3t-value",
            "error": ValueError("s3cr3t-value"),
        }
    )
    assert "s3cr3t" not in told
    assert told.count("***") == 8


def test_a_named_secret_is_known_by_its_name() -> None:
    mask("s3cr3t-value", name='db "x"')
    assert mask_text("a s3cr3t-value b") == "a ***db _x_*** b"


def test_numbers_and_bytes_are_masked() -> None:
    assert mask("83920175")
    assert mask(b"\xff\xfekey-of-bytes")
    told = encoded({"message": 83920175, "input_data": [b"\xff\xfekey-of-bytes", 83920175.5]})
    assert json.loads(told)["message"] == "***"
    assert "key-of" not in told
    assert "83920175" not in told


def test_the_lines_of_a_private_key_are_masked_one_by_one() -> None:
    mask("-----BEGIN KEY-----\nMIIEpAIBAAKCAQEAx4\nabcdefghijklmnop==\n-----END KEY-----\n")
    assert mask_text("line MIIEpAIBAAKCAQEAx4, abcdefghijklmnop==") == "line ***, ***"


@pytest.mark.parametrize(
    "secret", ["", "12345", "  12345  ", b"12345", "x" * (MAX_SECRET_CHARS + 1)]
)
def test_a_secret_too_short_or_long_is_refused_with_one_warning(
    secret: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "runtail"):
        assert not mask(secret)
        assert not mask(secret)
    assert len(caplog.records) == 1
    assert "expected 6 to" in caplog.text
    assert (secret if isinstance(secret, str) and secret.strip() else "12345") not in caplog.text
    assert mask_text("a 12345 b") == "a 12345 b"


def test_what_is_no_text_is_refused() -> None:
    assert not mask(None)  # type: ignore[arg-type]


def test_a_secret_at_a_cut_leaves_no_part() -> None:
    mask("s3cr3t-value-of-forty-characters-in-all!")
    for before in range(960, 1000):
        text = "x" * before + "s3cr3t-value-of-forty-characters-in-all!"
        assert "s3cr" not in encoded({"error": ValueError(text)})
    long = "y" * 500 + "s3cr3t-value-of-forty-characters-in-all!" * 200
    record = encode("run-1", {"message": long}, max_bytes=1024, mask=masker())
    assert b"s3cr" not in record.json


def test_runtails_own_fields_are_never_masked() -> None:
    mask("warning")
    mask("run-12345")
    record = encode("run-12345", {"level": "warning", "message": "warning"}, mask=masker())
    told = orjson.loads(record.json)
    assert (told["execution_id"], told["level"]) == ("run-12345", "warning")
    assert told["message"] == "***"


def test_a_ready_record_is_masked_and_stays_ready() -> None:
    mask("ключ-от-дома")
    fields = {"execution_id": "r", "level": "info", "timestamp": "t", "message": "ключ-от-дома"}
    record = encode_ready("r", json.dumps(fields).encode(), mask=masker())
    assert orjson.loads(record.json) == fields | {"message": "***"}


def test_a_refused_ready_record_does_not_tell_the_secret() -> None:
    mask("s3cr3t-value")
    with pytest.raises(InvalidRecord) as caught:
        encode_ready("r", b'{"message": s3cr3t-value}', mask=masker())
    assert "s3cr3t" not in str(caught.value) + str(caught.value.text)


def test_masking_twice_changes_nothing_more() -> None:
    mask("s3cr3t-value", name="x")
    once = encoded({"message": "s3cr3t-value, redis://u:pw@h", "token": "t"}).encode()
    assert masker()(once) == once


def test_many_threads_may_register_while_others_encode() -> None:
    names = [f"secret-number-{i:03}" for i in range(40)]
    threads = [threading.Thread(target=mask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
        encoded({"message": "while secret-number-001 is registered"})
    for thread in threads:
        thread.join()
    assert "secret-number" not in encoded({"message": " ".join(names)})


@dataclass
class Login:
    user: str
    password: str


def test_what_a_worker_publishes_is_masked_on_every_way(engine_url: str, stored: Stored) -> None:
    mask("s3cr3t-value")
    settings = PublisherSettings(mask_keys=("iban",))
    ready = {"execution_id": "masked", "level": "info", "timestamp": "t", "message": "s3cr3t-value"}
    with Publisher(engine_url, settings=settings) as publisher:
        run = publisher.execution("masked")
        run.info("s3cr3t-value", input_data=Login("bob", "hunter2"), iban="DE12")
        run.write([orjson.dumps(ready), b"{s3cr3t-value", {"message": "s3cr3t-value"}])
        run.progress(1, note="s3cr3t-value")
        run.record("metric", {"s3cr3t-value": 1})
        with pytest.raises(ValueError, match="xx"), run:
            raise ValueError("x" * 970 + " s3cr3t-value" * 4)
        assert publisher.flush(20)
    everything = str(stored.records("masked")) + str(stored.state("masked"))
    assert everything.count("***") >= 10
    assert not [text for text in ("s3cr", "hunter2", "DE12") if text in everything]


def test_what_is_published_many_at_once_is_masked(engine_url: str, stored: Stored) -> None:
    mask("s3cr3t-value")
    fields = {"execution_id": "masked-many", "level": "info", "timestamp": "t", "message": "m"}
    told: list[dict[str, object]] = [{"message": "s3cr3t-value"}, {"password": "hunter2"}]
    with Publisher(engine_url) as publisher:
        run = publisher.execution("masked-many")
        for one in told:
            run.write([orjson.dumps(fields), orjson.dumps(fields | one)] * 200)
        run.write_lines(["a"] * 300 + ["s3cr3t-value", "password=hunter2"], "info", {"s": "a"})
        run.write_lines(["a"], "info", {"step_name": "s3cr3t-value"})
        assert publisher.flush(20)
    everything = str(stored.records("masked-many"))
    assert everything.count("***") == 403
    assert not [text for text in ("s3cr", "hunter2") if text in everything]


def test_the_reason_of_an_end_is_masked(engine_url: str, stored: Stored) -> None:
    mask("s3cr3t-value")
    with Publisher(engine_url) as publisher:
        publisher.execution("masked-end").finish("failed", "no s3cr3t-value, redis://u:pw@h")
        assert publisher.flush(20)
    told = str(stored.records("masked-end")) + str(stored.state("masked-end"))
    assert "no ***, redis://u:***@h" in told
    assert "s3cr3t" not in told


@pytest.mark.parametrize("before", range(975, 1000, 6))
def test_a_secret_at_the_cut_of_a_reason_leaves_no_part(
    before: int, engine_url: str, stored: Stored
) -> None:
    mask("correct-horse-battery")
    with Publisher(engine_url, settings=PublisherSettings(max_error_chars=2000)) as publisher:
        run = publisher.execution(f"cut-{before}-{uuid.uuid4().hex[:8]}")
        with pytest.raises(ValueError, match="x"), run, run.step("connect"):
            raise ValueError("x" * before + "correct-horse-battery" + "x" * 4000)
        assert publisher.flush()
    records = stored.records(run.id)
    told = [str(record.get("reason", record.get("error_message", ""))) for record in records]
    assert any("xxx" in text for text in told)
    assert not any("correct" in text or "battery" in text for text in told)


pieces = st.lists(
    st.sampled_from(["secret1", "secret12345", "ret1 sec", "hunter2", "%2", "aaaaaaa", "\\", "\n"])
    | st.sampled_from([*SECRETS, *(FORMS[form](SECRET) for form in FORMS)])
    | st.text("secr1t2345a hune%2FMx", max_size=9),
    max_size=8,
).map("".join)


@given(pieces, st.lists(st.integers(0, 200), max_size=12))
def test_any_chunking_gives_what_the_whole_gives(text: str, cuts: list[int]) -> None:
    for secret in SECRETS:
        mask(secret)
    stream, ends = StreamMasker(), sorted({*cuts, len(text)})
    chunks = [text[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    shown = "".join([*map(stream.feed, chunks), stream.flush()])
    assert shown == mask_text(text)
    assert not [secret for secret in SECRETS if secret in shown]


@given(st.text(max_size=30), st.sampled_from(SECRETS), st.text(max_size=30), st.data())
def test_a_secret_split_anywhere_is_never_shown(
    before: str, secret: str, after: str, data: st.DataObject
) -> None:
    mask(secret)
    stream, text = StreamMasker(), before + secret + after
    at = data.draw(st.integers(0, len(text)))
    shown = stream.feed(text[:at]) + stream.feed(text[at:]) + stream.flush()
    assert secret not in shown


@given(st.binary(max_size=40), st.integers(0, 70))
def test_bytes_that_are_no_text_pass_and_a_secret_between_them_does_not(
    noise: bytes, cut: int
) -> None:
    mask("пароль-от-дома")
    secret = "пароль-от-дома".encode()
    data, stream = noise + b"\n" + secret + b"\n" + noise, BytesMasker()
    told = stream.feed(data[:cut]) + stream.feed(data[cut:]) + stream.flush()
    assert told == noise + b"\n***\n" + noise


def test_only_the_possible_beginning_of_a_secret_is_held_back() -> None:
    mask("hunter2hunter")
    stream = StreamMasker()
    assert stream.feed("done? [y/n] hun") == "done? [y/n] "
    assert stream.feed("gry") == "hungry"
    assert stream.feed("password: ") == "password: "
    assert stream.feed("hunter2hunt") == ""
    assert stream.feed("er\n") == "***\n"
    assert stream.flush() == ""


def test_without_secrets_a_stream_passes_at_once() -> None:
    assert StreamMasker().feed("anything") == "anything"


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
KEYS = [
    "password",
    "db_password",
    "X-Api-Key",
    "clientSecret",
    "Set-Cookie",
    "my access token",
    "DSN",
]


@given(anything, st.sampled_from(KEYS), anything, st.sampled_from(["str", "list", "dict"]))
def test_what_is_under_a_credentials_name_never_leaves(
    other: Any, key: str, sibling: Any, form: str
) -> None:
    values = {"str": "tell-nobody", "list": ["tell-nobody", 1], "dict": {"a": "tell-nobody"}}
    told = encoded({"message": "m", "own": [other, {"x": sibling, key: values[form]}]})
    assert "tell-nobody" not in told
    assert orjson.loads(told)["own"][1][key] == "***"


harmless = st.recursive(
    st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text('xyz:=/\\"é ', max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("xyz:=é", max_size=5), inner),
    max_leaves=8,
)


@given(harmless)
def test_what_holds_no_secret_is_left_as_it_is(value: Any) -> None:
    json_bytes = orjson.dumps({"message": "m", "own": value})
    assert Masker()(json_bytes) == json_bytes


TOLD = st.sampled_from(
    [
        *({key: "v"} for key in KEYS),
        *({"message": FORMS[form](SECRET)} for form in FORMS),
        {"message": "password=hunter22"},
        {"message": "Authorization: Bearer abcdef12345"},
        {"message": "redis://u:pw@host"},
        {"patient_name": "x"},
        {"message": "the key, the token"},
        {"message": "a"},
    ]
)


@given(st.lists(TOLD | st.dictionaries(st.text(max_size=5), anything), min_size=1, max_size=6))
def test_a_look_at_many_records_sees_what_a_look_at_each_sees(records: list[Any]) -> None:
    mask(SECRET)
    whole, masker = [orjson.dumps(record) for record in records], Masker(("patient_*", "*_id"))
    if not masker.may_be_in(b"\n".join(whole)) or not masker.may_be_in(orjson.dumps(records)):
        assert [masker(record) for record in whole] == whole


@given(st.binary(max_size=60) | anything.map(orjson.dumps))
def test_masking_never_raises(data: bytes) -> None:
    mask("secret1")
    Masker(("*x*", "[", ""))(data + b' "password=secret1')
    Masker(("*",))(data)


def test_hostile_text_takes_little_time() -> None:
    mask("secret1")
    for text in ("key " * 20_000, "token:" * 20_000, 'password="' * 10_000, "a" * 100_000 + "key="):
        encoded({"message": text, "pass": 1})

"""URLs of engines: what each form leads to, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtail_broker.connections.client import Nodes
from runtail_broker.engines.engine_url import Address, EngineUrl

A, B = Address("a", 1), Address("b", 2)


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("redis://a:1", EngineUrl("server", (A,))),
        ("redis://a", EngineUrl("server", (Address("a", 6379),))),
        ("redis://[::1]:7/3", EngineUrl("server", (Address("::1", 7),), db=3)),
        ("redis://a:1?db=3", EngineUrl("server", (A,), db=3)),
        ("redis://", EngineUrl("server", (Address("localhost", 6379),))),
        ("unix:///tmp/a%20b.sock?db=2", EngineUrl("server", path="/tmp/a b.sock", db=2)),
        ("redis+cluster://a:1,b:2", EngineUrl("cluster", (A, B))),
        ("redis+cluster://a", EngineUrl("cluster", (Address("a", 6379),))),
        ("redis+sentinel://a:1,b:2/logs", EngineUrl("sentinel", (A, B), service="logs")),
        (
            "redis+sentinel://a/logs/4?client_name=x",
            EngineUrl("sentinel", (Address("a", 26379),), service="logs", db=4, client_name="x"),
        ),
        ("rediss://a:1", EngineUrl("server", (A,), tls={})),
        (
            "rediss+cluster://a:1?ssl_check_hostname=no",
            EngineUrl("cluster", (A,), tls={"ssl_check_hostname": False}),
        ),
    ],
)
def test_a_url_is_read(url: str, read: EngineUrl) -> None:
    assert EngineUrl.read(url) == read


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://a", "scheme 'http', expected one of redis, rediss, unix"),
        ("a:1", "scheme"),
        ("redis://a:1,b:2", r"2 addresses, expected one, or redis\+cluster"),
        ("redis://a:port", "address 'a:port', expected host:port"),
        ("redis://a:70000", "address 'a:70000'"),
        ("redis+cluster://a,,b", "address '', expected host:port"),
        ("redis+cluster://a/2", "database 2, but a cluster has only database 0"),
        ("redis+sentinel://a:1", "no service"),
        ("redis://a/x", "database 'x', expected a number"),
        ("redis://a?retries=3", "option 'retries', expected one of db"),
        ("redis://a?ssl_ca_certs=x", "ssl_ca_certs is for TLS, expected a scheme that begins with"),
        ("rediss://a?ssl_ca_certs=/no/such", "ssl_ca_certs is '/no/such', expected a file"),
        ("rediss://a?ssl_certfile=/etc/passwd", "expected both or none"),
        ("rediss://a?ssl_check_hostname=perhaps", "'perhaps', expected true or false"),
        ("unix://", "no path"),
    ],
)
def test_what_is_wrong_with_a_url_is_said(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Nodes.connect(url)


def test_who_signs_in_may_stand_in_the_url_or_behind_it() -> None:
    url = "redis+sentinel://me:p%40ss@a:1/logs?sentinel_username=you&sentinel_password=word"
    read = EngineUrl.read(url)
    assert read.server_secrets == {"username": "me", "password": "p@ss"}
    assert read.sentinel_secrets == {"username": "you", "password": "word"}
    assert EngineUrl.read("redis://a?password=word").server_secrets == {"password": "word"}
    assert "word" not in repr(read)


@pytest.mark.parametrize(
    "url",
    ["redis://:secret/word@a", "redis://:secret#w@a", "redis://me:secret@a:b", "x://me:secret@a"],
)
def test_an_error_shows_no_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"^((?!secret).)*$"):
        EngineUrl.read(url)


def test_files_for_tls_are_given_on(tmp_path: Path) -> None:
    for name in ("ca", "crt", "key"):
        (tmp_path / name).touch()
    read = EngineUrl.read(
        f"rediss://a?ssl_ca_certs={tmp_path}/ca&ssl_certfile={tmp_path}/crt&ssl_keyfile={tmp_path}/key"
    )
    assert read.tls == {
        "ssl_ca_certs": f"{tmp_path}/ca",
        "ssl_certfile": f"{tmp_path}/crt",
        "ssl_keyfile": f"{tmp_path}/key",
    }

"""What named proxies say is believed; what anybody else says is not."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from runtail_gateway.access.proxies import Proxies
from runtail_gateway.settings import GatewaySettings

PROXY, STRANGER = "10.0.0.1", "192.0.2.9"


async def seen(
    headers: dict[str, str], peer: str = PROXY, path: str = "/executions", **settings: Any
) -> Scope:
    """The request as the application sees it."""
    found: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope)

    raw = [(name.encode(), value.encode()) for name, value in {"host": "inside", **headers}.items()]
    scope = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 4711),
        "headers": raw,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
    }
    known = GatewaySettings(trusted_proxies=("10.0.0.0/8",), **settings)
    await Proxies(app, known)(scope, None, None)  # type: ignore[arg-type]
    return found[0]


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("198.51.100.1, 192.0.2.7", "192.0.2.7"),  # the first was written by the second
        ("192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("192.0.2.7, nonsense", PROXY),
        ("", PROXY),
    ],
)
async def test_the_client_is_the_nearest_that_is_no_named_proxy(
    forwarded: str, client: str
) -> None:
    assert (await seen({"x-forwarded-for": forwarded}))["client"][0] == client


async def test_host_and_scheme_are_those_that_the_proxy_was_asked_for() -> None:
    scope = await seen({"x-forwarded-host": "logs.example", "x-forwarded-proto": "https"})
    assert scope["scheme"] == "https"
    assert [value for name, value in scope["headers"] if name == b"host"] == [b"logs.example"]


async def test_a_stranger_is_not_believed() -> None:
    headers = {
        "x-forwarded-for": "192.0.2.7",
        "x-forwarded-host": "logs.example",
        "x-forwarded-proto": "https",
        "x-forwarded-prefix": "/logs",
    }
    scope = await seen(headers, peer=STRANGER)
    assert (scope["client"], scope["scheme"], scope["path"]) == (
        (STRANGER, 4711),
        "http",
        "/executions",
    )
    assert (scope["root_path"], dict(scope["headers"])[b"host"]) == ("", b"inside")


@pytest.mark.parametrize("path", ["/executions", "/logs/executions"])
async def test_a_prefix_counts_whether_or_not_the_proxy_cuts_it_off(path: str) -> None:
    for scope in (
        await seen({"x-forwarded-prefix": "/logs/"}, path=path, prefix="/other"),
        await seen({}, path=path, prefix="/logs"),
    ):
        assert (scope["root_path"], scope["path"]) == ("/logs", "/logs/executions")
        assert scope["raw_path"] == b"/logs/executions"


@pytest.mark.parametrize("name", ["x-forwarded-prefix", "x-forwarded-host"])
@pytest.mark.parametrize("value", ["//evil.example", "/a b", "a@b", "/<b>", "javascript:alert(1)"])
async def test_what_is_no_prefix_or_host_is_not_taken(name: str, value: str) -> None:
    scope = await seen({name: value})
    assert (scope["root_path"], dict(scope["headers"])[b"host"]) == ("", b"inside")


@pytest.mark.parametrize("prefix", ["logs", "/logs/", "/"])
def test_a_prefix_that_is_no_path_is_refused_with_its_value(prefix: str) -> None:
    with pytest.raises(ValueError, match=f"^prefix is '{prefix}', expected a path"):
        GatewaySettings(prefix=prefix)


def test_a_proxy_that_is_no_address_is_refused_with_its_setting() -> None:
    with pytest.raises(ValueError, match=r"^trusted_proxies: 'nginx' is no address"):
        GatewaySettings(trusted_proxies=("nginx",))

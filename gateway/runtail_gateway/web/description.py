"""Describe the gateway to programs: its HTTP routes (OpenAPI 3.1) and its messages (JSON Schema).

Both documents are written by hand, in `api/`; tests hold them against the routes and real answers.
What a setting decides is marked there by `x-setting` (a number's maximum), `x-setting-items` (a
list's) or `x-setting-length` (a text's), and is served as this gateway is set.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_gateway.settings import GatewaySettings

_FOLDER: Final = files("runtail_gateway") / "api"
_SETTING: Final = {
    "x-setting": "maximum",
    "x-setting-items": "maxItems",
    "x-setting-length": "maxLength",
}


def protocol() -> dict[str, Any]:
    """Read the schema of the messages over WebSockets and Server-Sent Events."""
    return _read("protocol.schema.json")


def openapi(settings: GatewaySettings) -> dict[str, Any]:
    """Describe the HTTP routes of a gateway with *settings*.

    The schemas of states and records are those of the protocol.
    """
    document = _read("openapi.json")
    shared = orjson.dumps(protocol()["$defs"]).replace(b"#/$defs/", b"#/components/schemas/")
    document["components"]["schemas"] |= orjson.loads(shared)
    document["info"]["version"] = version("runtail")
    document["servers"] = [{"url": settings.prefix or "/"}]
    for schema in bounded(document):
        for mark, bound in _SETTING.items():
            if mark in schema:
                schema[bound] = most(settings, schema[mark]) or schema[bound]
                if "default" in schema:
                    schema["default"] = min(schema["default"], schema[bound])
    return document


def bounded(part: Any) -> Iterator[dict[str, Any]]:
    """Find the schemas in *part* whose bound is a setting."""
    if isinstance(part, dict):
        if _SETTING.keys() & part.keys():
            yield part
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from bounded(each)


def most(settings: GatewaySettings, name: str) -> int | None:
    """Read a bound by its name, `auth.…` for one of signing in; None where nobody signs in."""
    value: Any = settings
    for word in name.split("."):
        value = None if value is None else getattr(value, word)
    return None if value is None else int(value)


class Description:
    """The endpoints that serve both documents."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._openapi = orjson.dumps(openapi(settings), option=orjson.OPT_INDENT_2)
        self._protocol = orjson.dumps(protocol(), option=orjson.OPT_INDENT_2)

    async def openapi(self, _: Request) -> Response:
        """`GET /openapi.json`."""
        return Response(self._openapi, media_type="application/json")

    async def protocol(self, _: Request) -> Response:
        """`GET /protocol.schema.json`."""
        return Response(self._protocol, media_type="application/schema+json")


def _read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads((_FOLDER / name).read_bytes())
    return document

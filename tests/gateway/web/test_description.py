"""The described API is what the gateway does: routes, bounds, codes, answers; and its page."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from importlib.resources import files
from typing import Any, cast

import jsonschema_rs
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.routing import Route
from tests.browser import chromium_page
from tests.gateway.running import Running, running
from tests.gateway.worker import Worker
from tests.polling import eventually

from runtail_broker.connections.client import Nodes
from runtail_gateway.access.auth_settings import AuthSettings
from runtail_gateway.app import create_app
from runtail_gateway.protocol import problem
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.web.description import bounded, most, openapi

DOCUMENT = openapi(GatewaySettings())
ON_DISK = orjson.loads((files("runtail_gateway") / "api" / "openapi.json").read_bytes())


def described() -> set[tuple[str, str]]:
    return {
        (method.upper(), path)
        for path, item in DOCUMENT["paths"].items()
        for method in item
        if method != "parameters"
    }


def routed() -> set[tuple[str, str]]:
    app = create_app(GatewaySettings(), "redis://127.0.0.1:1")
    return {
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route)
        for method in (route.methods or ())
        if method != "HEAD"
    }


def schema_of(path: str, status: int, method: str = "get") -> dict[str, Any]:
    """Find what the document says of an answer's body, ready to validate with."""
    answer = DOCUMENT["paths"][path][method]["responses"][str(status)]
    if "$ref" in answer:
        answer = DOCUMENT["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
    (content,) = answer["content"].values()
    return {"components": DOCUMENT["components"], "allOf": [content["schema"]]}


def fits(path: str, status: int, body: object, method: str = "get") -> None:
    jsonschema_rs.Draft202012Validator(schema_of(path, status, method)).validate(body)


def setting_of(schema: dict[str, Any]) -> str:
    (name,) = (value for mark, value in schema.items() if mark.startswith("x-setting"))
    return str(name)


def test_the_document_is_openapi_3_1() -> None:
    assert [
        error.message for error in OpenAPIV31SpecValidator(cast(Any, DOCUMENT)).iter_errors()
    ] == []


def test_every_route_is_described_and_every_described_one_exists() -> None:
    assert described() == routed()


@pytest.mark.parametrize("schema", [*bounded(ON_DISK)], ids=setting_of)
def test_a_bound_in_the_file_is_the_default_of_its_setting(schema: dict[str, Any]) -> None:
    name = setting_of(schema)
    default = GatewaySettings() if not name.startswith("auth.") else signing_in()
    bounds = [schema[each] for each in ("maximum", "maxItems", "maxLength") if each in schema]
    assert bounds == [most(default, name)]


def signing_in() -> GatewaySettings:
    return GatewaySettings(auth=AuthSettings(secret="s" * 32))


def test_a_gateway_describes_its_own_bounds() -> None:
    document = openapi(replace(GatewaySettings(), list_limit=7, prefix="/runtail"))
    limit = document["paths"]["/executions"]["get"]["parameters"][0]["schema"]
    assert (limit["maximum"], limit["default"]) == (7, 7)
    assert document["servers"] == [{"url": "/runtail"}]


def test_every_code_of_a_problem_is_described_with_its_status() -> None:
    for status, code in problem._STATUS.values():
        answer = DOCUMENT["components"]["responses"][f"problem{status}"]
        schema = answer["content"]["application/problem+json"]["schema"]
        assert code in schema["properties"]["code"]["enum"], (status, code)


def test_what_needs_a_token_says_what_too_many_bad_ones_get() -> None:
    """Wherever 401 may be answered, one failure too many is 429."""
    for method, path in described():
        answers = DOCUMENT["paths"][path][method.lower()]["responses"]
        assert "429" in answers or "401" not in answers, (method, path)


async def test_what_needs_a_scope_says_so(engine_nodes: Nodes, engine_url: str) -> None:
    async with running(signing_in(), engine_url) as gateway:
        for method, path in sorted(described()):
            entry = DOCUMENT["paths"][path][method.lower()]
            url = gateway.address + path.replace("{execution_id}", "a")
            async with gateway.http.request(method, url, allow_redirects=False) as answer:
                assert (answer.status == 401) == ("x-scope" in entry), (method, path)


async def is_ready(gateway: Running) -> bool:
    """Whether its links to the engine are up: a moment after its start they may not be."""
    async with gateway.http.get(f"{gateway.address}/readyz") as answer:
        return answer.status == 200


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/executions", "?limit=2"),
        ("/executions/{execution_id}", ""),
        ("/executions/{execution_id}/logs", ""),
        ("/executions/{execution_id}/logs", "?tail=3"),
        ("/executions/{execution_id}/logs", "?around=2&limit=3"),
        ("/executions/{execution_id}/logs", "?level=info&q=two&context=1"),
        ("/executions/{execution_id}/logs", "?after=1-1:1:00000000"),
        ("/executions/{execution_id}/steps", ""),
        ("/executions/{execution_id}/overview", ""),
        ("/executions/{execution_id}/notes", ""),
        ("/figures", "?window_seconds=60"),
        ("/alerts", "?execution_id=some"),
        ("/healthz", ""),
        ("/readyz", ""),
        ("/openapi.json", ""),
    ],
)
async def test_real_answers_are_as_described(
    pushing: Running, worker: Worker, path: str, query: str
) -> None:
    await worker.open()
    await worker.log("one", "two", "three")
    await worker.end()
    await eventually(partial(is_ready, pushing), "the gateway is ready")
    url = pushing.address + path.replace("{execution_id}", worker.execution_id) + query
    async with pushing.http.get(url) as answer:
        fits(path, answer.status, orjson.loads(await answer.read()))
        assert answer.status == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("get", "/executions/{execution_id}", None, 404),
        ("get", "/executions/{execution_id}/logs", None, 404),
        ("post", "/executions/{execution_id}/share", None, 409),
        ("post", "/executions/{execution_id}/cancel", None, 404),
        ("post", "/executions/{execution_id}/open", {"publisher": "me"}, 200),
        ("post", "/executions/{execution_id}/open", {"publisher": "-"}, 400),
        ("post", "/executions/{execution_id}/logs", [{"message": 5}], 400),
        ("post", "/executions/{execution_id}/logs", {"message": "hello"}, 404),
        ("post", "/executions/{execution_id}/beat", {"publisher": "me"}, 404),
    ],
)
async def test_publishing_and_refusals_are_as_described(
    pushing: Running, engine_nodes: Nodes, method: str, path: str, body: object, status: int
) -> None:
    url = pushing.address + path.replace("{execution_id}", "nobody")
    async with pushing.http.request(method, url, json=body) as answer:
        assert answer.status == status, await answer.text()
        fits(path, status, orjson.loads(await answer.read()), method)


def test_an_answer_that_is_not_as_described_is_noticed() -> None:
    with pytest.raises(jsonschema_rs.ValidationError):
        fits("/executions", 200, {"executions": [{"id": "a"}], "next": None})


@pytest.mark.browser
async def test_the_page_shows_every_operation(pushing: Running) -> None:
    async with chromium_page() as page:
        await page.goto(f"{pushing.address}/docs")
        await page.wait_for_selector("section.operation")
        shown = await page.locator("section.operation h3").all_inner_texts()
        assert {tuple(text.split()) for text in shown} == described()
        links = await page.locator("nav a").evaluate_all("all => all.map(a => a.hash.slice(1))")
        assert (
            await page.locator("section.operation").evaluate_all("all => all.map(s => s.id)")
            == links
        )
        lost = await page.locator("main a").evaluate_all(
            "all => all.filter(a => !document.getElementById(a.hash.slice(1))).map(a => a.hash)"
        )
        assert lost == []

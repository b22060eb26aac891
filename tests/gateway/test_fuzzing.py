"""Schemathesis drives every described operation of a running gateway, with sense and without.

No answer is a 500, or of a status, media type or shape that the description does not name.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import msgpack
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_broker.records.spoken import FRAME_TYPE, MEDIA_TYPE
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.web.description import openapi

# endless streams; a workflow of 20 s for each call
SKIPPED = ("watch_events", "watch_many_events", "start_streaming")
KINDS = ("open", "publish", "beat", "close", "finish", "primary", "nonsense")
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
KNOWN = "known"
_FIELDS = st.one_of(
    st.sampled_from([KNOWN, "owner", "completed", "p-1", "", None, True]),
    st.integers(-1, 2**64 - 1),
    st.binary(max_size=40),
    st.text(max_size=10),
)
_GOOD_CALLS = st.sampled_from(
    [
        ["open", KNOWN, "p-1", "participant", "wf", ""],
        ["beat", KNOWN, "p-1", 0, 5],
        ["close", KNOWN, "p-1", 0, "", "", False],
        ["finish", KNOWN],
        ["primary", KNOWN],
    ]
)
_CALLS = st.lists(_GOOD_CALLS, min_size=1, max_size=3) | st.lists(
    st.lists(_FIELDS, max_size=9).flatmap(
        lambda fields: st.sampled_from(KINDS).map(lambda kind: [kind, *fields])
    ),
    max_size=3,
)
schemathesis.openapi.media_type(MEDIA_TYPE, st.binary(max_size=80) | _CALLS.map(msgpack.packb))
schemathesis.openapi.media_type(FRAME_TYPE, st.binary(max_size=80))


def operations() -> list[APIOperation[Any, Any, Any, Any]]:
    config = SchemathesisConfig()
    schema = schemathesis.openapi.from_dict(openapi(GatewaySettings()), config=config)
    found = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    wanted = [each for each in found if each.definition.raw["operationId"] not in SKIPPED]
    return sorted(wanted, key=lambda each: each.method == "delete")  # what is gone asks no more


def drive(address: str, examples: int) -> int:
    """Send *examples* requests of each operation both ways; return how many were answered."""
    load_all_checks()
    answered = 0
    with requests.Session() as session:
        session.trust_env = False
        for operation in operations():
            for mode in GenerationMode:
                answered += _drive(operation, mode, session, address, examples)
    return answered


def _drive(
    operation: APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    session: requests.Session,
    address: str,
    examples: int,
) -> int:
    answered = 0

    def send(case: Case[Any]) -> None:
        nonlocal answered
        if answered % 2 and "execution_id" in case.path_parameters:
            case.path_parameters["execution_id"] = KNOWN
        case.query.pop(
            "acks", None
        )  # no replica is here: who wants some is told 503, as it should be
        case.headers.pop("Runtail-Acks", None)
        case.call_and_validate(base_url=address, session=session, checks=CHECKS, timeout=10)
        answered += 1

    quick = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    with contextlib.suppress(Unsatisfiable):  # what takes nothing cannot be asked wrongly
        seed(1)(quick(given(operation.as_strategy(mode))(send)))()
    return answered


@pytest.mark.parametrize(
    "examples", [2, pytest.param(100, marks=[pytest.mark.full, pytest.mark.timeout(600)])]
)
# the gateway, which runs in this process too, may throw its dice meanwhile
@pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
async def test_no_request_is_answered_but_as_described(
    pushing: Running, engine_nodes: Nodes, examples: int
) -> None:
    worker = Worker(engine_nodes, KNOWN)
    await worker.open()
    await worker.log("one", "two", "three")
    assert await asyncio.to_thread(drive, pushing.address, examples) > 40

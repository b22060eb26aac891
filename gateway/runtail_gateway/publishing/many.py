"""Publish over HTTP as the SDK does: many calls, of many executions, in one request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.errors import EngineRefused, RuntailError, Unavailable
from runtail_broker.keys import checked
from runtail_broker.records.spoken import (
    MEDIA_TYPE,
    Open,
    Primary,
    Publish,
    Said,
    Spoken,
    Unspoken,
    pack_answers,
    unpack,
)
from runtail_broker.script import Call, Limits
from runtail_gateway.protocol.problem import BadRequest
from runtail_gateway.protocol.refused import Refused
from runtail_gateway.publishing.caller import PublishCaller
from runtail_gateway.publishing.calls import REPLICATED, call_of
from runtail_gateway.publishing.engine import PublishEngine
from runtail_gateway.publishing.request import Admission, body_of
from runtail_gateway.settings import GatewaySettings


class ManyCalls:
    """`POST /publish`: the round trip of one publisher, answered call by call."""

    def __init__(
        self, engine: PublishEngine, admission: Admission, settings: GatewaySettings
    ) -> None:
        self._engine, self._admission, self._settings = engine, admission, settings

    async def serve(self, request: Request) -> Response:
        """Check each call, run those that make sense; the others are refused one by one."""
        async with self._admission.admitted(request) as caller:
            bounds = self._admission.bounds
            try:
                said = unpack(await body_of(request, self._settings), bounds.calls)
            except Unspoken as error:
                raise BadRequest(str(error)) from error
            answers = await self._answers(caller, said)
            return Response(pack_answers(answers, bounds), media_type=MEDIA_TYPE)

    async def _answers(self, caller: PublishCaller, said: Sequence[Spoken]) -> list[Said]:
        answers: list[Said | None] = []
        calls: list[Call] = []
        limits = await self._limits(said)
        for each in said:
            made = await self._made(caller, each, limits)
            answers.append(None if isinstance(made, Call) else made)
            calls += [made] if isinstance(made, Call) else []
        answers, calls = await self._enlisted(answers, calls)
        replicated = any(isinstance(each, REPLICATED) for each in said)
        results = await self._engine.run_all(calls, replicated=replicated, acks=caller.acks)
        ran: Iterator[Said] = iter(results)
        return [next(ran) if answer is None else answer for answer in answers]

    async def _enlisted(
        self, answers: Sequence[Said | None], calls: Sequence[Call]
    ) -> tuple[list[Said | None], list[Call]]:
        """List what opens; what could not be listed is answered so, and the others go on."""
        opening = [each.execution_id for each in calls if each.script.name == "open"]
        failed = await self._engine.enlist_all(opening)
        left = iter(calls)
        answered: list[Said | None] = []
        going: list[Call] = []
        for answer in answers:
            call = next(left) if answer is None else None
            if call is not None and call.script.name == "open" and call.execution_id in failed:
                answer = failed[call.execution_id]
            elif call is not None:
                going.append(call)
            answered.append(answer)
        return answered, going

    async def _limits(self, said: Sequence[Spoken]) -> Limits | Unavailable:
        """Read the limits if somebody opens; why not, if the node that has them is away."""
        if not any(isinstance(each, Open) for each in said):
            return Limits()
        try:
            return await self._engine.limits()
        except Unavailable as error:
            return error

    async def _made(
        self, caller: PublishCaller, said: Spoken, limits: Limits | Unavailable
    ) -> Call | Said:
        try:
            await caller.require(said)
            if isinstance(said, Primary):
                return await self._engine.primary(checked(said.execution_id))
            if isinstance(limits, Unavailable):
                if isinstance(said, Open):
                    return limits
                limits = Limits()
            if isinstance(said, Publish):
                await asyncio.sleep(0)  # each may expand to a megabyte: let viewers have their turn
                self._engine.metrics.published(said.count, len(said.frame))
            return call_of(said, self._admission.bounds, limits, caller.named)
        except Unavailable as error:
            return error
        except (RuntailError, Refused) as error:
            return EngineRefused(str(error))

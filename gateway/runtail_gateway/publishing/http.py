"""Publish over HTTP by hand: open, one batch a request, beat, finish."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.errors import ExecutionNotFound
from runtail_broker.keys import checked
from runtail_broker.records.spoken import FRAME_TYPE, Beat, Close, Finish, Open, Publish, Spoken
from runtail_broker.script import Answer, Batch, Call, Limits
from runtail_gateway.protocol.problem import BadRequest, Unready, problem
from runtail_gateway.publishing.answer import answered
from runtail_gateway.publishing.batch import InvalidRecords, counted, encoded
from runtail_gateway.publishing.body import object_in, objects_in
from runtail_gateway.publishing.caller import PublishCaller
from runtail_gateway.publishing.calls import REPLICATED, call_of, published
from runtail_gateway.publishing.engine import PublishEngine
from runtail_gateway.publishing.fields import Fields
from runtail_gateway.publishing.request import Admission, Numbers, body_of, own_name
from runtail_gateway.settings import GatewaySettings

_TRIES: Final = 3


class Publishing:
    """The endpoints by which anybody publishes with curl. Errors are problem+json."""

    def __init__(
        self,
        engine: PublishEngine,
        admission: Admission,
        contact_seconds: Callable[[], Awaitable[float]],
        settings: GatewaySettings,
    ) -> None:
        self._engine, self._admission, self._settings = engine, admission, settings
        self._contact, self._bounds = contact_seconds, admission.bounds
        self._own = own_name()

    async def open(self, request: Request) -> Response:
        """`POST /executions/{execution_id}/open`: create it, or join it, as a publisher."""
        async with self._admission.admitted(request) as caller:
            name, fields = await self._fields(request)
            publisher, role = fields.text("publisher"), fields.text("role", "owner")
            workflow_id, begun = fields.text("workflow_id", ""), fields.text("begun", "")
            limits = await self._engine.limits()
            said = Open(name, publisher, role, workflow_id, begun, fields.flag("listens"))
            await caller.require(said)
            call = self._call(caller, said, limits)
            await self._engine.enlist([name])
            answer = await self._engine.run(call, replicated=True, acks=caller.acks)
            told = {**asdict(limits), **asdict(self._bounds)}
            return answered(name, answer, limits=told)

    async def logs(self, request: Request) -> Response:
        """`POST /executions/{execution_id}/logs`: one batch of records, all of it or nothing."""
        async with self._admission.admitted(request) as caller:
            said = Numbers(request).publish(checked(request.path_params["execution_id"]))
            await caller.require(said)
            body = await body_of(request, self._settings)
            media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type == FRAME_TYPE:
                return await self._append_frame(caller, said, body)
            records = objects_in(body, media_type, self._bounds.batch_records)
            try:
                json = encoded(said.execution_id, records, self._bounds)
            except InvalidRecords as error:
                faults = [asdict(fault) for fault in error.faults]
                return problem(400, "bad_records", str(error), errors=faults)
            if not said.publisher:
                return await self._append_unnumbered(caller, said.execution_id, json)
            batch = self._counted(said, json)
            call = published(said, batch, caller.named)
            return answered(said.execution_id, await self._engine.run(call, acks=caller.acks))

    async def beat(self, request: Request) -> Response:
        """`POST /executions/{execution_id}/beat`: say that the publisher lives."""
        async with self._admission.admitted(request) as caller:
            name, fields = await self._fields(request, caller)
            publisher, last_batch = fields.text("publisher"), fields.number("last_batch", 0)
            beat = fields.number("beat", time.time_ns() // 1_000_000)
            said = Beat(name, publisher, last_batch, beat, fields.flag("listens"))
            return answered(name, await self._run(caller, said))

    async def finish(self, request: Request) -> Response:
        """`POST /executions/{execution_id}/finish`: leave it, with its final status.

        Without a publisher it is finished by whoever asks, as `Execution.finish` does.
        """
        async with self._admission.admitted(request) as caller:
            name, fields = await self._fields(request, caller)
            status, reason = fields.text("status", "completed"), fields.text("reason", "")
            if "publisher" in fields.given:
                publisher, last_batch = fields.text("publisher"), fields.number("last_batch", 0)
                explicit = fields.flag("explicit")
            else:
                publisher, last_batch, explicit = self._own, 0, True
                await self._join(caller, name)
            close = Close(name, publisher, last_batch, status, reason, explicit)
            answer = await self._run(caller, close)
            if answer.word != "closed":
                return answered(name, answer)
            return answered(name, answer, end=await self._end(caller, name))

    async def _end(self, caller: PublishCaller, name: str) -> str:
        """Do the second step of ending; `later` if it is too early here, and a gateway will."""
        if await self._contact() < self._settings.settle_seconds:
            return "later"  # this may be a primary that lacks who opened the execution
        return (await self._run(caller, Finish(name))).word

    async def _append_frame(self, caller: PublishCaller, said: Publish, frame: bytes) -> Response:
        if not said.publisher:
            raise BadRequest("a frame comes without numbers, expected publisher, batch and before")
        whole = replace(said, frame=frame)
        call = self._call(caller, whole, Limits())
        self._engine.metrics.published(whole.count, len(frame))
        return answered(said.execution_id, await self._engine.run(call, acks=caller.acks))

    async def _append_unnumbered(
        self, caller: PublishCaller, name: str, json: list[bytes]
    ) -> Response:
        """Append under this process's own name and numbers: who retries may store it twice."""
        async with self._engine.turn(name):
            last = await self._join(caller, name)
            for _ in range(_TRIES):
                said = Publish.unnumbered(name, self._own, last + 1)
                call = published(said, self._counted(said, json), caller.named)
                answer = await self._engine.run(call, acks=caller.acks)
                if answer.word == "stored":
                    await self._run(caller, Close(name, self._own, 0, "", "", False))
                    return answered(name, answer)
                last = answer.last_batch  # a failover came between: the number was another's
        raise Unready(f"execution {name!r} did not take the records, its answer was {answer.word}")

    def _counted(self, said: Publish, json: list[bytes]) -> Batch:
        batch = counted(said, json)
        self._engine.metrics.published(batch.count, len(batch.frame))
        return batch

    async def _join(self, caller: PublishCaller, name: str) -> int:
        """Open under this process's own name; return its last batch. Never creates an execution."""
        beat = await self._run(caller, Beat(name, self._own, 0, time.time_ns() // 1_000_000))
        if beat.word == "unknown":
            raise ExecutionNotFound(name)
        answer = await self._run(caller, Open(name, self._own, "participant", "", ""))
        if answer.word == "full":
            raise Unready(f"execution {name!r} has as many publishers as it may have")
        return answer.last_batch

    async def _fields(
        self, request: Request, caller: PublishCaller | None = None
    ) -> tuple[str, Fields]:
        """Read name and body; what *caller* may not publish to is refused before its body."""
        name = checked(request.path_params["execution_id"])
        if caller is not None:
            await caller.require_execution(name)
        return name, Fields(object_in(await body_of(request, self._settings)))

    async def _run(self, caller: PublishCaller, said: Spoken) -> Answer:
        limits = await self._engine.limits() if isinstance(said, Open) else Limits()
        call = self._call(caller, said, limits)
        replicated = isinstance(said, REPLICATED)
        return await self._engine.run(call, replicated=replicated, acks=caller.acks)

    def _call(self, caller: PublishCaller, said: Spoken, limits: Limits) -> Call:
        return call_of(said, self._bounds, limits, caller.named)

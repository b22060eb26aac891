"""Answer `POST /executions/{execution_id}/start-streaming`: begin a demo run, or a trial."""

from __future__ import annotations

from dataclasses import asdict

import orjson
from starlette.requests import Request
from starlette.responses import Response

from runtail_broker.executions import Executions
from runtail_broker.keys import checked
from runtail_gateway.access.access import Access
from runtail_gateway.access.origin import require_allowed
from runtail_gateway.protocol.problem import BadRequest, Conflict, TooMany, problem
from runtail_gateway.publishing.request import body_of
from runtail_gateway.settings import GatewaySettings
from runtail_gateway.trials.demo import DEMO_WORKFLOW, DemoRuns
from runtail_gateway.trials.trial import BadDefinition, Trial, TrialBounds, read_trial


class StartStreaming:
    """The endpoint. Errors are problem+json (see protocol/problem.py)."""

    def __init__(
        self, executions: Executions, settings: GatewaySettings, access: Access, demo: DemoRuns
    ) -> None:
        self._executions, self._settings = executions, settings
        self._access, self._demo = access, demo
        self._bounds = TrialBounds(
            settings.trial_steps,
            settings.trial_seconds,
            settings.trial_total_seconds,
            settings.trial_logs_per_second,
        )

    async def start(self, request: Request) -> Response:
        """Simulate the workflow that the body defines, under that id; without a body the demo."""
        require_allowed(request, self._settings.allowed_origins)
        execution_id = checked(request.path_params["execution_id"])
        # before its body is read; once more when it is known of which workflow it is to be
        await self._access.require(request, "publish")
        try:
            trial = self._trial(await body_of(request, self._settings))
        except BadDefinition as error:
            mistakes = [asdict(mistake) for mistake in error.mistakes]
            return problem(400, "bad_definition", str(error), errors=mistakes)
        workflow_id = DEMO_WORKFLOW if trial is None else trial.name
        await self._access.require(request, "publish", execution_id, workflow_id=workflow_id)
        state = await self._executions.state(execution_id)
        if state is not None:
            raise Conflict(f"execution {execution_id!r} is {state.status}, expected a new id")
        if not self._demo.start(execution_id, trial):
            raise TooMany(f"{self._settings.demo_runs} demo runs, the most allowed at once")
        body = orjson.dumps({"execution_id": execution_id, "status": "pending"})
        return Response(body, 202, media_type="application/json")

    def _trial(self, body: bytes) -> Trial | None:
        if not body.strip():
            return None
        try:
            given = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"body is no JSON: {error}") from error
        return read_trial(given, self._bounds)

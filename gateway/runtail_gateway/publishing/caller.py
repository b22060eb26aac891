"""Know who publishes over HTTP: what that may be, and under which names."""

from __future__ import annotations

from dataclasses import dataclass

from runtail_broker.acks import MEMORY, Acks
from runtail_broker.records.spoken import Open, Spoken
from runtail_gateway.access.access import Access
from runtail_gateway.access.auth import Grant
from runtail_gateway.publishing.publisher_name import namespaced


@dataclass(frozen=True, slots=True)
class PublishCaller:
    """Who made a request, which has the scope `publish` already, and how safe it is to be made."""

    grant: Grant
    access: Access
    acks: Acks = MEMORY

    def named(self, publisher: str) -> str:
        """Name *publisher* as the engine knows it: apart from those of others who sign in."""
        return namespaced(publisher, self.grant.subject)

    async def require(self, said: Spoken) -> None:
        """Raise Refused unless the caller may publish to the execution that *said* is about."""
        workflow_id = said.workflow_id or None if isinstance(said, Open) else None
        await self.require_execution(said.execution_id, workflow_id)

    async def require_execution(self, execution_id: str, workflow_id: str | None = None) -> None:
        """Do it for an execution, which may not exist yet."""
        await self.access.check(self.grant, "publish", execution_id, workflow_id=workflow_id)

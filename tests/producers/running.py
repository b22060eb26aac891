"""A run under test, and what the engine holds of it once it is flushed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.producers.stored import Stored

from runtail import Execution, Publisher


@dataclass(frozen=True, slots=True)
class Running:
    """An execution that is open, its publisher, and the engine behind."""

    run: Execution
    publisher: Publisher
    stored: Stored

    def records(self, kind: str) -> list[dict[str, Any]]:
        """List the records of one kind, in order, after all is stored."""
        assert self.publisher.flush()
        found = self.stored.records(self.run.id)
        return [record for record in found if record.get("kind", "log") == kind]

    def steps(self) -> list[tuple[str, str]]:
        """Name the steps and their statuses, in order."""
        return [(record["step_name"], record["status"]) for record in self.records("step")]

    def last_step(self) -> dict[str, Any]:
        return self.records("step")[-1]

    def steps_of_logs(self) -> dict[str, str | None]:
        """Say for each message in which step it was logged."""
        return {record["message"]: record.get("step_name") for record in self.records("log")}

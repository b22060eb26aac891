"""Count what one gateway at a time does for all: sweeping, keeping house, archiving."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from runtail_gateway.keeping.housekeeping import REASONS, Reason
from runtail_gateway.metrics.metric_families import Families

ENDS: Final = ("completed", "failed", "cancelled")


class ClaimedMetrics(Families):
    """What the sweeper and the housekeeper show; 0 where another process does it."""

    def __init__(self) -> None:
        super().__init__()
        self._sweeping()
        self._housekeeping()
        self._archiving()

    def _sweeping(self) -> None:
        self.sweeping = self._gauge(
            "runtail_gateway_sweeping", "1 while this process looks for lost publishers"
        )
        self.running = self._gauge(
            "runtail_executions_running", "Executions that run, as far as the sweeper has looked"
        )
        self.silent = self._gauge(
            "runtail_executions_silent", "Those of them that have a publisher marked lost"
        )
        ended = self._counter(
            "runtail_executions_ended", "Executions that the sweeper saw end, by status", "status"
        )
        self._ended = {status: ended.labels(status) for status in (*ENDS, "other")}
        self.lost = self._counter(
            "runtail_gateway_lost", "Publishers and executions that this process marked lost"
        )
        self.ends = self._counter("runtail_gateway_ends", "Executions that the sweeper ended")

    def _housekeeping(self) -> None:
        self.housekeeping = self._gauge(
            "runtail_gateway_housekeeping", "1 while this process keeps house"
        )
        self.housekept = self._gauge(
            "runtail_gateway_housekeeping_timestamp_seconds",
            "When this process last kept house",
            mode="max",
        )
        rounds = self._counter(
            "runtail_gateway_housekeeping_rounds",
            "Times that this process has looked at all there is",
            "of",
        )
        self.rounds_of_keys, self.rounds_of_list = rounds.labels("keys"), rounds.labels("list")
        self.relisted = self._counter(
            "runtail_gateway_relisted", "Executions put back on the list, which had lost them"
        )
        self.ghosts = self._counter(
            "runtail_gateway_ghosts_removed", "Places of the list that led nowhere, taken off it"
        )
        self.bytes_kept = self._gauge(
            "runtail_gateway_kept_bytes",
            "Bytes of frames that the engine keeps, as far as this process has looked; 0 where it "
            "does not keep house",
        )
        self.bytes_cap = self._gauge(
            "runtail_gateway_kept_bytes_cap", "What `max_total_bytes` allows, where it keeps house"
        )
        removals = self._counter(
            "runtail_gateway_executions_removed", "Executions that housekeeping removed", "reason"
        )
        self._removals = {reason: removals.labels(reason) for reason in REASONS}

    def _archiving(self) -> None:
        self.archived = self._counter("runtail_gateway_archived", "Parts archived by this process")
        self.archived_bytes = self._counter(
            "runtail_gateway_archived_bytes", "Bytes of the parts that it archived, compressed"
        )
        self.released = self._counter(
            "runtail_gateway_released", "Streams removed by it because all lies in the archive"
        )
        self.archive_errors = self._counter(
            "runtail_gateway_archive_errors", "Failed attempts to archive, to verify or to erase"
        )

    def ended(self, statuses: Iterable[str]) -> None:
        """Count executions that were seen to end."""
        for status in statuses:
            self._ended.get(status, self._ended["other"]).inc()

    def removed(self, reason: Reason) -> None:
        """Count an execution that housekeeping removed."""
        self._removals[reason].inc()

"""Count what the gateway does, for Prometheus. An execution id is never a label."""

from __future__ import annotations

from collections.abc import Set

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge

from runtail_broker.engine_health import SUBJECTS
from runtail_gateway.housekeeping import REASONS, Reason

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The metrics of one gateway process, in a registry of their own.

    Children are kept in attributes: finding one by its labels costs more than counting.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.viewers = self._gauge("runtail_viewers", "Viewers connected now")
        self.tails = self._gauge("runtail_tails", "Executions that this process tails now")
        self.probe_age = self._gauge(
            "runtail_probe_age_seconds", "Time since the live link last heard its own probe"
        )
        self.live_messages = self._counter("runtail_live_messages", "Frames heard live")
        self.stream_reads = self._counter("runtail_stream_reads", "Reads of history")
        self.ring_hits = self._counter("runtail_ring_hits", "Pages served without a read")
        self.deliveries = self._counter("runtail_records_delivered", "Records sent to viewers")
        self.sent_bytes = self._counter("runtail_sent_bytes", "Bytes of messages sent to viewers")
        self.gaps = self._counter("runtail_gaps", "Gaps that were told to viewers")
        self.resets = self._counter("runtail_resets", "Resets that were told to viewers")
        self._closes = Counter(
            "runtail_viewer_closes", "Viewers gone, by close code", ["code"], registry=self.registry
        )
        self._cuts = Counter(
            "runtail_gateway_cuts",
            "Connections cut by this process, by the setting that they went beyond",
            ["bound"],
            registry=self.registry,
        )
        self.waiting = self._gauge("runtail_waiting_bytes", "Bytes that wait for all clients")
        unsafe = Gauge(
            "runtail_engine_unsafe",
            "1 while something in the engine is not as safe as it should be, by what that is",
            ["subject"],
            registry=self.registry,
        )
        self._unsafe = {subject: unsafe.labels(subject) for subject in SUBJECTS}
        self.sweeping = self._gauge(
            "runtail_gateway_sweeping", "1 while this process looks for lost publishers"
        )
        self.lost = self._counter(
            "runtail_gateway_lost", "Publishers and executions that this process marked lost"
        )
        self.ends = self._counter("runtail_gateway_ends", "Executions that the sweeper ended")
        self.housekeeping = self._gauge(
            "runtail_gateway_housekeeping", "1 while this process keeps house"
        )
        self.housekept = self._gauge(
            "runtail_gateway_housekeeping_timestamp_seconds", "When this process last kept house"
        )
        rounds = Counter(
            "runtail_gateway_housekeeping_rounds",
            "Times that this process has looked at all there is",
            ["of"],
            registry=self.registry,
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
        removals = Counter(
            "runtail_gateway_executions_removed",
            "Executions that housekeeping removed",
            ["reason"],
            registry=self.registry,
        )
        self._removals = {reason: removals.labels(reason) for reason in REASONS}

    def unsafe(self, subjects: Set[str]) -> None:
        """Say which *subjects* are not as they should be at some primary."""
        for subject, gauge in self._unsafe.items():
            gauge.set(subject in subjects)

    def closed(self, code: int) -> None:
        """Count a viewer that is gone; codes that nobody knows share one label."""
        known = 1000 <= code <= 1015 or 4300 <= code <= 4499
        self._closes.labels(str(code) if known else "other").inc()

    def cut(self, bound: str) -> None:
        """Count a connection that was cut for going beyond *bound*, a setting's name."""
        self._cuts.labels(bound).inc()

    def removed(self, reason: Reason) -> None:
        """Count an execution that housekeeping removed."""
        self._removals[reason].inc()

    def text(self) -> bytes:
        """Write all of it in Prometheus' text format."""
        return prometheus_client.generate_latest(self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

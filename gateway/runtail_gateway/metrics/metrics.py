"""Count what the gateway does, for Prometheus. An execution id is never a label.

`gateway/README.md` has the table of all of them, which a test holds to this. What one gateway at a
time does for all is in `claimed_metrics`, several processes of one gateway in `shared_metrics`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence, Set
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.exposition import choose_encoder

from runtail_broker.engines.engine_health import SUBJECTS
from runtail_broker.tail import Rendered
from runtail_gateway.metrics import shared_metrics
from runtail_gateway.metrics.claimed_metrics import ClaimedMetrics
from runtail_gateway.metrics.tracing import exemplar
from runtail_gateway.protocol.message import Message
from runtail_gateway.viewers.pages import Page

_SHORT: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_DELIVERY: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_PAUSES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
PROTOCOLS: Final = ("websocket", "frames", "events", "many", "many_events")
OUTCOMES: Final = ("continued", "gap", "reset")
CALLS: Final = ("open", "publish", "beat", "close", "finish")
CLOSES: Final = (1000, 1001, 1005, 1006, 1012)
CUTS: Final = ("connections", "connects_per_minute", "stall_seconds", "waiting_bytes")
REFUSALS: Final = ("signed_out", "expired", "forbidden", "too_many", "not_found", "unavailable")
GAP_REASONS: Final = ("trimmed", "removed")


class Metrics(ClaimedMetrics):
    """The metrics of one gateway process, in a registry of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.engine_ahead_seconds = 0.0
        """How far the engine's clock is ahead of this process's."""
        self._viewing()
        self._reading()
        self._publishing()
        self._engine()
        self._process()

    # --- what there is ------------------------------------------------------------------------

    def _viewing(self) -> None:
        self.viewers = self._gauge("runtail_viewers", "Viewers connected now")
        self.viewers_most = self._gauge(
            "runtail_viewers_limit", "Viewers that may be connected (`viewers`)"
        )
        spoken = self._gauge(
            "runtail_viewers_connected", "Viewers connected now, by what they speak", "protocol"
        )
        self._spoken = {name: spoken.labels(name) for name in PROTOCOLS}
        reading = self._gauge(
            "runtail_viewers_reading",
            "Executions that viewers read now: at the head, or behind, where they pull",
            "state",
        )
        self.at_the_head, self.behind = reading.labels("at_the_head"), reading.labels("behind")
        self.stalled = self._gauge(
            "runtail_viewers_stalled", "Clients that have taken nothing of what waits for them"
        )
        self.waiting = self._gauge("runtail_waiting_bytes", "Bytes that wait for all clients")
        self.deliveries = self._quick("runtail_records_delivered", "Records sent to viewers")
        self.sent_bytes = self._quick("runtail_sent_bytes", "Bytes of messages sent to viewers")
        self._delivery = self._quick_histogram(
            "runtail_delivery_seconds",
            "From the append in the engine, by the engine's clock, until a message was written to "
            "the last viewer at the head; to the millisecond",
            _DELIVERY,
        )
        self._batches = self._quick_histogram(
            "runtail_delivered_batch_records", "Records of a message to viewers at the head", _SIZES
        )
        self.gaps = self._counter("runtail_gaps", "Gaps that were told to viewers")
        lost = self._counter(
            "runtail_gap_records", "Records that were told to be gone, as far as known", "reason"
        )
        self._lost = {reason: lost.labels(reason) for reason in (*GAP_REASONS, "other")}
        self.resets = self._counter("runtail_resets", "Resets that were told to viewers")
        resumes = self._counter(
            "runtail_resumes", "Viewers that came back with a cursor, by what they got", "outcome"
        )
        self._resumes = {outcome: resumes.labels(outcome) for outcome in OUTCOMES}
        self._closes = self._counter("runtail_viewer_closes", "Viewers gone, by close code", "code")
        _begin(self._closes, map(str, CLOSES))
        self._refusals = self._counter(
            "runtail_refusals", "Viewers and requests that were refused, by why", "code"
        )
        _begin(self._refusals, REFUSALS)
        self._cuts = self._counter(
            "runtail_gateway_cuts",
            "Connections cut by this process, by the setting that they went beyond",
            "bound",
        )
        _begin(self._cuts, CUTS)

    def _reading(self) -> None:
        self.tails = self._gauge("runtail_tails", "Executions that this process tails now")
        self.live_messages = self._quick("runtail_live_messages", "Frames heard live")
        self._frames_in = self._quick("runtail_frames_received", "Frames that tails took in")
        self._records_in = self._quick("runtail_records_received", "Records that tails took in")
        self._bytes_in = self._quick(
            "runtail_received_bytes", "Bytes of frames that tails took in, as they are stored"
        )
        self.stream_reads = self._counter("runtail_stream_reads", "Reads of history")
        self.ring_hits = self._quick("runtail_ring_hits", "Pages served without a read")

    def _publishing(self) -> None:
        self._published = self._histogram(
            "runtail_published_batch_records", "Records of a batch published over HTTP", _SIZES
        )
        self._published_bytes = self._counter(
            "runtail_published_bytes", "Bytes of frames published over HTTP"
        )
        self._publish_calls = self._counter(
            "runtail_publish_calls", "Calls of publishers over HTTP, by answer", "call", "answer"
        )
        for call in CALLS:
            self._publish_calls.labels(call, "error")

    def _engine(self) -> None:
        self.probe_age = self._gauge(
            "runtail_probe_age_seconds",
            "Time since the live link last heard its own probe",
            mode="livemax",
        )
        self.round_trip = self._gauge(
            "runtail_probe_round_trip_seconds",
            "From publishing the last probe until it was heard live, by this process's clock; the "
            "slowest primary's",
            mode="livemax",
        )
        self.clock_ahead = self._gauge(
            "runtail_engine_clock_ahead_seconds",
            "How far the engine's clock is ahead of this process's; the farthest primary's",
            mode="livemax",
        )
        self._calls = self._histogram(
            "runtail_engine_call_seconds", "Time of a call to the engine", _SHORT, "call"
        )
        self._known_calls: dict[str, Histogram] = {}
        self._call_errors = self._counter(
            "runtail_engine_errors", "Calls to the engine that failed", "call"
        )
        _begin(self._call_errors, ("read", *CALLS))
        unsafe = self._gauge(
            "runtail_engine_unsafe",
            "1 while something in the engine is not as safe as it should be, by what that is",
            "subject",
            mode="livemax",
        )
        self._unsafe = {subject: unsafe.labels(subject) for subject in SUBJECTS}

    def _process(self) -> None:
        build = self._gauge("runtail_gateway_info", "1, by the version of runtail", "version")
        self.version = build
        self.processes = self._gauge("runtail_gateway_processes", "Processes that serve")
        self.ready = self._gauge("runtail_gateway_ready", "Those that are ready for viewers")
        self.started = self._gauge(
            "runtail_gateway_start_timestamp_seconds", "When the youngest process began", mode="max"
        )
        self.resident = self._gauge("runtail_gateway_resident_bytes", "Memory in use")
        self.cpu = self._counter("runtail_gateway_cpu_seconds", "Processor time, user and system")
        self.open_files = self._gauge(
            "runtail_gateway_open_files", "Open files of the process with most", mode="livemax"
        )
        self.open_files_most = self._gauge(
            "runtail_gateway_open_files_limit", "Files that a process may open", mode="livemin"
        )
        self.loop_lag = self._histogram(
            "runtail_loop_lag_seconds", "How much too late the event loop came to a timer", _PAUSES
        )
        self._pauses = self._histogram(
            "runtail_gc_pause_seconds", "Pauses of the garbage collector", _PAUSES, "generation"
        )
        self.pauses = [self._pauses.labels(str(generation)) for generation in range(3)]
        self.keys_age = self._gauge(
            "runtail_auth_keys_age_seconds",
            "Time since the keys that sign tokens were last fetched; 0 where there is a secret",
            mode="livemax",
        )

    # --- what happens -------------------------------------------------------------------------

    def took_in(self, arrived: Sequence[Rendered]) -> None:
        """Count the frames that a tail took in during one turn of the loop."""
        self._frames_in.added += len(arrived)
        for held in arrived:
            self._records_in.added += held.entry.count
            self._bytes_in.added += len(held.entry.frame)

    def delivered(self, message: Message) -> None:
        """Observe that *message* was written to the last viewer at the head."""
        if message.pieces:
            now = time.time() + self.engine_ahead_seconds
            self._delivery.observe(max(0.0, now - message.pieces[0].entry.id.ms / 1000))
            self._batches.observe(message.count)

    def gap(self, reason: str, lost: int | None) -> None:
        """Count a gap that is told."""
        self.gaps.inc()
        self._lost.get(reason, self._lost["other"]).inc(lost or 0)

    def resumed(self, first: Page) -> None:
        """Count a viewer that came with a cursor, by the *first* page that it gets."""
        outcome = "continued"
        if first.notices:
            outcome = "gap" if first.reset is None else "reset"
        self._resumes[outcome].inc()

    def connected(self, protocol: str, more: int) -> None:
        """Count a viewer in (1) or out (-1)."""
        self._spoken[protocol].inc(more)

    def closed(self, code: int) -> None:
        """Count a viewer that is gone; codes that nobody knows share one label."""
        known = 1000 <= code <= 1015 or 4300 <= code <= 4499
        self._closes.labels(str(code) if known else "other").inc()

    def refused(self, code: str) -> None:
        """Count a viewer or request that was refused with *code*, one of those in the README."""
        self._refusals.labels(code).inc()

    def cut(self, bound: str) -> None:
        """Count a connection that was cut for going beyond *bound*, a setting's name."""
        self._cuts.labels(bound).inc()

    def published(self, records: int, size: int) -> None:
        """Count a batch that came over HTTP; what became of it counts `publish_answered`."""
        self._published.observe(records, exemplar())
        self._published_bytes.inc(size)

    def publish_answered(self, call: str, answer: str) -> None:
        """Count a publisher's call over HTTP: the script's name, and its answer's word."""
        self._publish_calls.labels(call, answer).inc()

    def engine_call(self, call: str, seconds: float, *, failed: bool) -> None:
        """Observe a call to the engine: a script's name, or `read`."""
        known = self._known_calls.get(call)
        if known is None:
            known = self._known_calls[call] = self._calls.labels(call)
        known.observe(seconds, exemplar())
        if failed:
            self._call_errors.labels(call).inc()

    def unsafe(self, subjects: Set[str]) -> None:
        """Say which *subjects* are not as they should be at some primary."""
        for subject, gauge in self._unsafe.items():
            gauge.set(subject in subjects)

    # --- what is told -------------------------------------------------------------------------

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """Write all of it, of all processes that share it, as *accept* wants; and the media type.

        OpenMetrics for who takes that: only there is room for exemplars.
        """
        self.settle()
        write, media_type = choose_encoder(accept)
        return write(shared_metrics.of_all(self.registry)), media_type


def _begin(counter: Counter, labels: Iterable[str]) -> None:
    """Begin what is likely to happen at 0: the first time would be no increase to Prometheus."""
    for label in labels:
        counter.labels(label)

"""Every bound of the gateway, in one frozen value."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

from runtail_gateway.access.addresses import Networks
from runtail_gateway.access.auth_settings import AuthSettings
from runtail_gateway.alerts.rules import AlertRules

# as it stands in a Content-Security-Policy, where a space or a semicolon would end it
_LEAST_PROBE_TIMEOUT: Final = 0.3  # then ten probes a second
_ORIGIN: Final = re.compile(
    r"\*|https?://(?:\*\.)?[A-Za-z0-9.-]+(?::\d{1,5})?|https?://\[[0-9a-f:]+\](?::\d{1,5})?"
)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Settings of one gateway process; gateway/README.md lists them with what each one costs.

    Raises ValueError for a bound that is not positive.
    """

    message_bytes: int = 256 * 1024
    """Most bytes of records in one message to a viewer."""
    write_mark_bytes: int = 256 * 1024
    """Most bytes that wait here for one slow viewer, beside the one message on its way."""
    ring_bytes: int = 1024 * 1024
    """Rendered records that one tail keeps, so that viewers near the head need no read."""
    page_cache_bytes: int = 16 * 1024 * 1024
    """Rendered pages of history that all viewers of the process share."""
    page_entries: int = 256
    """Most frames that one read of history asks the engine for."""
    viewers: int = 10_000
    """Viewers that one process takes; one more is refused with close 4329."""
    viewers_per_address: int = 1000
    """Viewers of one client address (of IPv6: one /64); one more is refused with close 4329."""
    viewers_per_execution: int = 10_000
    """Viewers of one execution in this process; one more is refused with close 4329."""
    connects_per_minute: int = 1200
    """How many connections and viewers one client address may begin: as many at once, and again as
    many a minute; one more connection is cut, one more viewer refused with close 4329."""
    client_table: int = 10_000
    """Client addresses whose attempts are remembered, and tokens that were valid; the one longest
    unheard of is forgotten."""
    exempt_addresses: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses or networks that the bounds of one address do not count: this machine, where
    programs and proxies nobody named come from."""
    connections: int = 12_000
    """Connections of any kind that one process takes; one more is cut."""
    waiting_bytes: int = 256 * 1024 * 1024
    """Bytes that may wait for all clients of the process together. Beyond, new viewers are refused
    with close 4330, and the connection for which most wait is cut, until they are fewer."""
    stall_seconds: float = 300.0
    """How long a client may take nothing of what waits for it; then its connection is cut."""
    received_bytes: int = 64 * 1024
    """Most bytes of one message from a viewer; a larger one is close 1009."""
    url_bytes: int = 16 * 1024
    """Longest address of a request; a longer one is answered 414."""
    head_bytes: int = 64 * 1024
    """Most bytes of a request's address and headers; more are answered 431."""
    head_seconds: float = 10.0
    """How long a request's head may take, from the connection on; then the connection is cut."""
    pipelined_requests: int = 50
    """Requests that may wait on one connection for the answer to one before them; one more is cut.
    Browsers, programs and proxies send none."""
    body_bytes: int = 16 * 1024 * 1024
    """Most bytes of a request's body; more are answered 413."""
    body_seconds: float = 30.0
    """How long a request's body may take; then it is answered 408."""
    idle_seconds: float = 75.0
    """How long a connection may stay without a request, in whole seconds; longer than proxies keep
    theirs, which would use it just when it is closed."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of proxies whose `X-Forwarded-*` headers are believed."""
    prefix: str = ""
    """Path under which a proxy serves this gateway, such as `/runtail`; what a trusted proxy
    forwards counts instead."""
    access_log: bool = False
    """Whether each request and connection is a JSON line of the logger `runtail.access`."""
    drain_seconds: float = 10.0
    """How long it takes, after SIGTERM, until all viewers were sent elsewhere, each at a random
    moment; at most 1 s after Ctrl-C."""
    grace_seconds: float = 5.0
    """How long requests in flight, and viewers that do not read, have after that; at most 1 s after
    Ctrl-C."""
    beat_seconds: float = 17.0
    """Mean time between beats to a viewer, and between comparisons of its tail with the state; each
    is up to 2 s earlier or later."""
    viewers_seconds: float = 5.0
    """Shortest time between two counts of one execution's viewers, which the gateways tell each
    other; a change is told with a beat of its own. A gateway that died is counted for 4 beats."""
    settle_seconds: float = 35.0
    """Uninterrupted contact with the same primary before this gateway ends an execution itself."""
    lease_seconds: float = 15.0
    """How long a publisher's beat may stay the same before it is silent, and marked lost."""
    probe_timeout_seconds: float = 6.0
    """How long the live link may go unheard before it is made anew and readiness fails; at least
    0.3. It is probed every 2 s, or three times in this time."""
    retry_seconds: float = 2.0
    """Longest wait between attempts while the engine is away; the waits are random below it."""
    list_limit: int = 1000
    """Most executions that one answer lists."""
    list_looked: int = 5000
    """Most executions that one filtered list looks at; it says where to go on."""
    figures_looked: int = 20_000
    """Executions that figures look at, the newest ones; they say since when these are all."""
    figures_steps_looked: int = 1000
    """Executions that ended in the time asked for whose steps figures sum up, the newest ones."""
    figures_seconds: float = 2.0
    """How old figures may be that were made for somebody else."""
    figures_remembered_seconds: float = 300.0
    """How long what has ended is believed to be as it was read, for figures."""
    list_watchers: int = 1000
    """Most sockets that may watch the list at a time; one more is told `too_many`."""
    list_remembered: int = 1000
    """Executions that the watch of the list looks after: half of them the newest, half running
    ones. A client that was not told of more changes than that begins anew with a page."""
    list_seconds: float = 5.0
    """How often the watch of the list looks by itself, in case a change was told and not heard."""
    logs_limit: int = 10_000
    """Most records in one page of `GET /executions/{id}/logs`."""
    page_bytes: int = 8 * 1024 * 1024
    """Most bytes of records in one such page; it is cut before the first beyond, and says so."""
    search_records: int = 50_000
    """Most records that one filtered page or one statistic of steps looks at; it says how far."""
    steps_limit: int = 1000
    """Most steps in one statistic; it ends before the first record of one more."""
    overview_runs: int = 1000
    """Runs of steps in one overview; it ends before the first record of one more."""
    overview_items: int = 100
    """Links, metrics and parts in one overview, so many of each; it says how many are left off."""
    overview_samples: int = 200
    """Values of one metric, or of the progress, in one overview; of more they are thinned out."""
    context_limit: int = 100
    """Most records on each side of a match that `context` may ask for."""
    after_limit: int = 16
    """Most `after` parameters that one viewer may send."""
    subscriptions: int = 200
    """Most executions that one socket of `/ws/executions` may be subscribed to at a time."""
    event_executions: int = 20
    """Most executions in one event stream: the id of every event carries a cursor of each."""
    client_messages: int = 100
    """Most messages that a viewer may send: it has nothing to say, so one more is close 4408. On
    `/ws/executions` as many at once, and again as many a minute."""
    filters: int = 50
    """Most distinct filters (level and step) on one execution at a time; one more viewer with
    another is refused with close 4329."""
    demo_runs: int = 20
    """Demo executions that may run at once in this process; one more is refused with 429."""
    notes: int = 200
    """Most notes that may be pinned to one execution; one more is refused with 409."""
    note_chars: int = 4000
    """Most characters in one note."""
    trial_steps: int = 100
    """Most steps in the definition of a workflow that is tried out."""
    trial_seconds: float = 600.0
    """Longest that one attempt of one of its steps may be simulated."""
    trial_total_seconds: float = 3600.0
    """Longest that all of it may take, each step tried as often as it may be."""
    trial_logs_per_second: float = 200.0
    """Most records/s that all its steps may log together."""
    deleted_seconds: float = 86_400.0
    """How long it is remembered that an execution was deleted, for those who come back to it."""
    allowed_origins: tuple[str, ...] = ()
    """Origins beside the gateway's own whose pages may connect or ask for changes; `*` for any."""
    frame_origins: tuple[str, ...] = ()
    """Origins beside those whose pages may embed the page (`?embed=1`), which may do nothing else;
    `*` for any."""
    finality_seconds: float = 900.0
    """How long a lost publisher is waited for before its execution has failed, and ends."""
    sweep_seconds: float = 2.0
    """Mean time between two looks of the sweeper for lost publishers; each is up to a fifth earlier
    or later. One gateway at a time sweeps."""
    sweep_running: int = 250
    """Running executions that one sweep looks at; more take turns."""
    sweep_index: int = 1000
    """Listed executions that one sweep looks at: half of them the newest, half in turn (an eighth
    of that once it has seen all)."""
    claim_seconds: float = 10.0
    """How long after its last sweep a gateway that died keeps others from sweeping."""
    housekeeping_seconds: float = 10.0
    """Mean time between two steps of housekeeping; each is up to a fifth earlier or later. One
    gateway at a time keeps house."""
    housekeeping_batch: int = 1000
    """Keys, and places of the list of executions, that one step looks at."""
    ghost_seconds: float = 3600.0
    """How long a place of the list may lead nowhere: it is there before the execution is."""
    keep_finished_seconds: float = 30 * 86_400.0
    """How long after its last record an execution that has ended is kept; `inf` for ever."""
    keep_empty_seconds: float = 86_400.0
    """How long one is kept that has ended and in which no worker ever said anything."""
    archive: str = ""
    """Where executions go that have ended, before the engine lets go of them: a folder, or
    `s3://<bucket>/<prefix>`. Without one they are removed."""
    archive_grace_seconds: float = 60.0
    """How long an execution that was archived stays in the engine too."""
    keep_archived_seconds: float = 365 * 86_400.0
    """How long after its last record an archived execution is kept; `inf` for ever. Longer than any
    spill file lives: what comes late finds its place."""
    archive_cache_bytes: int = 16 * 1024 * 1024
    """Indexes and blocks of the archive that one process keeps in memory."""
    archive_block_bytes: int = 512 * 1024
    """Bytes of records in one block of the archive, before they are compressed: what a reader of
    one line reads, but for one large frame."""
    archive_queue: int = 1000
    """Executions that wait to be archived or released in this process; others are found again."""
    archives_at_once: int = 2
    """Executions that one process archives, or reads again before it removes them, at once."""
    publish_bytes: int = 8 * 1024 * 1024
    """Most bytes of a request that publishes, as it comes and as it expands; more is 413."""
    publish_requests: int = 64
    """Publishing requests under way at once in this process; one more is refused with 429."""
    publish_calls: int = 512
    """Most calls of workers in one request of the SDK; it learns this and sends more of them."""
    batch_records: int = 10_000
    """Most records in one batch that comes over HTTP; more is 413."""
    batch_bytes: int = 1024 * 1024
    """Most bytes of JSON in one such batch; at most half of `publish_bytes`."""
    record_bytes: int = 64 * 1024
    """Most bytes of JSON in one record; a longer one is cut. 1024 up to `batch_bytes`."""
    limits_seconds: float = 60.0
    """How long the limits that operators keep in the engine are remembered."""

    replay_from_replicas: bool = False
    """Whether full pages of history are read from replicas; the proof of each stays on the primary,
    and so does all that is new."""
    engine_check_seconds: float = 60.0
    """Mean time between two looks whether the engine keeps logs safely; each is up to a fifth
    earlier or later."""
    acks_seconds: float = 2.0
    """How long a request that publishes with `acks` waits until what it stored is as safe."""

    alerts: AlertRules | None = None
    """What people are alerted of by webhook (see `runtail alerts`); without it nobody is."""
    auth: AuthSettings | None = None
    """Whose tokens let people in; without it nobody signs in, and everybody may everything."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and value <= 0 and value is not False:
                raise ValueError(f"{field.name} is {value}, expected more than 0")
        if self.probe_timeout_seconds < _LEAST_PROBE_TIMEOUT:
            raise ValueError(
                f"probe_timeout_seconds is {self.probe_timeout_seconds}, "
                f"expected at least {_LEAST_PROBE_TIMEOUT}"
            )
        if self.prefix and (not self.prefix.startswith("/") or self.prefix.endswith("/")):
            raise ValueError(f"prefix is {self.prefix!r}, expected a path such as '/runtail'")
        for origin in self.frame_origins:
            if not _ORIGIN.fullmatch(origin):
                expected = "expected one such as 'https://example.org', or '*'"
                raise ValueError(f"frame_origins holds {origin!r}, {expected}")
        for name in ("exempt_addresses", "trusted_proxies"):
            try:
                Networks(getattr(self, name))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error

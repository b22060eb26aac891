"""Every bound of the gateway, in one frozen value."""

from __future__ import annotations

from dataclasses import dataclass, fields


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
    beat_seconds: float = 17.0
    """Mean time between beats to a viewer, and between comparisons of its tail with the state; each
    is up to 2 s earlier or later."""
    settle_seconds: float = 35.0
    """Uninterrupted contact with the same primary before this gateway ends an execution itself."""
    lease_seconds: float = 15.0
    """How long a publisher's beat may stay the same before it is silent, and marked lost."""
    probe_timeout_seconds: float = 6.0
    """How long the live link may go unheard before it is made anew and readiness fails."""
    retry_seconds: float = 2.0
    """Longest wait between attempts while the engine is away; the waits are random below it."""
    list_limit: int = 1000
    """Most executions that one answer lists."""
    list_looked: int = 5000
    """Most executions that one filtered list looks at; it says where to go on."""
    list_watchers: int = 1000
    """Most sockets that may watch the list at a time; one more is told `too_many`."""
    list_remembered: int = 1000
    """Executions that the watch of the list looks after: half of them the newest, half running
    ones. A client that was not told of more changes than that begins anew with a page."""
    list_seconds: float = 5.0
    """How often the watch of the list looks by itself, in case a change was told and not heard."""
    logs_limit: int = 10_000
    """Most records in one page of `GET /executions/{id}/logs`."""
    search_records: int = 50_000
    """Most records that one filtered page or one statistic of steps looks at; it says how far."""
    steps_limit: int = 1000
    """Most steps in one statistic; it ends before the first record of one more."""
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
    deleted_seconds: float = 86_400.0
    """How long it is remembered that an execution was deleted, for those who come back to it."""
    allowed_origins: tuple[str, ...] = ()
    """Origins beside the gateway's own whose pages may connect or ask for changes; `*` for any."""
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

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and value <= 0:
                raise ValueError(f"{field.name} is {value}, expected more than 0")

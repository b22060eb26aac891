"""The table of bounds in the README: all are there, with their defaults, and have tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.named_tests import missing
from tests.gateway.running import Running, running
from tests.gateway.talking import logs_of, talking
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes
from runtail_gateway.access.auth_settings import AuthSettings
from runtail_gateway.settings import GatewaySettings

README = Path(__file__).parents[2] / "gateway" / "README.md"

ADMISSION, GUARDED = (
    "gateway/access/test_admission.py::test_",
    "gateway/web/test_guarded_http.py::test_",
)
REQUESTS, PUBLISH = (
    "gateway/web/test_request_bounds.py::test_",
    "gateway/publishing/test_http.py::test_",
)
FIGURES = "gateway/executions/test_figures.py::test_"
NOTES = "gateway/notes/test_notes.py::test_"
TRIAL = "gateway/trials/test_trial.py::test_"
HERE = "gateway/test_bounds.py::test_"
EDGE = HERE + "the_last_value_within_a_bound_is_taken_and_the_next_refused"
ONE_MORE = ADMISSION + ("one_viewer_beyond_the_bound_is_refused_and_taken_when_another_has_left")

BOUNDS: dict[str, list[str]] = {
    "viewers": [ONE_MORE, ADMISSION + "over_http_the_refusal_says_when_to_come_again"],
    "viewers_per_address": [ONE_MORE],
    "viewers_per_execution": [ONE_MORE],
    "connects_per_minute": [
        ADMISSION + "who_connects_too_often_is_cut",
        HERE + "who_begins_too_many_viewers_is_told_to_come_later",
    ],
    "connections": [GUARDED + "one_connection_too_many_is_cut_and_taken_when_another_has_left"],
    "auth.failures_per_minute": [
        "gateway/access/test_sign_ins.py::"
        "test_one_failure_too_many_is_429_and_other_addresses_are_not_concerned",
        "gateway/access/test_sign_ins.py::test_a_websocket_is_closed_with_4329",
    ],
    "auth.wait_seconds": [
        "gateway/viewers/test_session.py::test_who_never_signs_in_is_sent_away_in_time"
    ],
    "auth.token_bytes": [
        "gateway/access/test_tokens.py::test_a_bad_token_is_refused_in_its_own_words"
    ],
    "auth.patterns": [
        "gateway/access/test_tokens.py::test_a_bad_token_is_refused_in_its_own_words"
    ],
    "auth.ticket_seconds": [
        "gateway/access/test_share.py::test_who_may_read_makes_a_link_for_a_moment_only"
    ],
    "auth.share_seconds": ["gateway/access/test_share.py::test_how_long_a_link_lives_is_bounded"],
    "subscriptions": [
        "gateway/viewers/test_multiplex.py::test_one_subscription_too_many_is_refused"
    ],
    "event_executions": [EDGE],
    "list_watchers": [
        "gateway/executions/test_list_watch.py::test_one_watch_too_many_is_refused_and_the_socket_goes_on"
    ],
    "list_remembered": [
        "gateway/executions/test_list_watch.py::"
        "test_a_client_with_more_untold_changes_than_the_bound_begins_anew"
    ],
    "filters": [
        "gateway/viewers/test_filtered_tail.py::test_one_filter_too_many_is_refused_and_an_equal_one_is_not"
    ],
    "after_limit": [EDGE, HERE + "one_cursor_too_many_closes_a_viewer"],
    "received_bytes": [REQUESTS + "a_message_of_a_viewer_beyond_the_bound_is_closed_with_1009"],
    "client_messages": [
        "gateway/contract/test_watch.py::test_a_viewer_that_talks_too_much_is_sent_away",
        "gateway/viewers/test_multiplex.py::test_a_client_that_floods_is_sent_away",
        "gateway/viewers/test_session.py::test_many_new_tokens_are_taken_and_a_flood_of_them_is_not",
    ],
    "url_bytes": [
        REQUESTS + "an_address_beyond_the_bound_is_answered_414",
        REQUESTS + "a_viewer_with_an_address_beyond_the_bound_is_told_so",
    ],
    "head_bytes": [
        REQUESTS + "headers_beyond_the_bound_are_answered_431",
        GUARDED + "a_head_without_end_is_answered_431",
    ],
    "pipelined_requests": [
        "gateway/web/test_floods.py::test_as_many_requests_as_may_wait_are_answered_in_order",
        "gateway/web/test_floods.py::test_thousands_of_requests_at_once_are_cut_before_they_pile_up",
    ],
    "body_bytes": [REQUESTS + "a_body_beyond_the_bound_is_answered_413"],
    "head_seconds": [
        GUARDED + "a_head_that_does_not_come_whole_in_time_ends_the_connection",
        GUARDED + "2000_half_open_sockets_do_not_keep_others_from_being_served",
    ],
    "body_seconds": [REQUESTS + "a_body_that_does_not_come_whole_in_time_is_answered_408"],
    "idle_seconds": [GUARDED + "an_idle_connection_ends_after_its_time"],
    "write_mark_bytes": [
        "gateway/viewers/test_slow_viewer.py::"
        "test_a_viewer_that_stops_reading_costs_its_mark_and_a_message_and_gets_the_rest"
    ],
    "stall_seconds": [
        ADMISSION + "a_viewer_that_never_reads_is_let_go_and_gets_the_rest_when_it_comes_back",
        "gateway/web/test_floods.py::test_a_download_that_is_not_read_is_cut_and_read_no_further",
    ],
    "waiting_bytes": [ADMISSION + "while_too_much_waits_nobody_is_taken_and_who_is_slowest_goes"],
    "message_bytes": [
        "gateway/contract/test_watch.py::"
        "test_history_is_replayed_exactly_in_messages_of_the_size_allowed"
    ],
    "logs_limit": [EDGE],
    "page_bytes": [
        "gateway/logs/test_log_pages.py::"
        "test_pages_that_are_cut_for_their_size_leave_nothing_out_either_way"
    ],
    "list_limit": [EDGE],
    "context_limit": [EDGE],
    "search_records": [
        "gateway/logs/test_log_pages.py::"
        "test_a_search_stays_within_its_bound_and_says_how_far_it_looked",
        "gateway/logs/test_steps.py::test_a_long_log_is_summed_up_in_parts_that_leave_nothing_out",
    ],
    "list_looked": [
        "gateway/executions/test_execution_list.py::test_walking_the_pages_lists_each_execution_once"
    ],
    "steps_limit": ["gateway/logs/test_steps.py::test_a_statistic_ends_before_one_step_too_many"],
    "overview_runs": [
        "gateway/logs/test_overview.py::test_one_run_too_many_ends_the_overview_and_changes_nothing"
    ],
    "overview_items": [
        "gateway/logs/test_overview.py::"
        "test_metrics_of_two_steps_are_two_and_what_finds_no_room_is_counted"
    ],
    "overview_samples": [
        "gateway/logs/test_overview.py::test_samples_are_thinned_evenly_and_keep_the_last"
    ],
    "demo_runs": [
        "gateway/logs/test_rest.py::test_a_demo_runs_under_a_new_id_and_one_too_many_is_refused"
    ],
    **{
        name: [
            TRIAL + "an_error_names_the_place_the_value_and_what_was_expected",
            TRIAL + "the_last_value_within_each_bound_is_taken",
        ]
        for name in (
            *("trial_steps", "trial_seconds"),
            *("trial_total_seconds", "trial_logs_per_second"),
        )
    },
    "figures_looked": [FIGURES + "beyond_its_bound_it_says_since_when_it_looked"],
    "figures_steps_looked": [FIGURES + "beyond_its_bound_it_says_since_when_it_looked"],
    "notes": [NOTES + "one_note_too_many_is_refused_until_one_is_removed"],
    "note_chars": [
        NOTES + "what_makes_no_sense_is_refused_with_its_field",
        NOTES + "a_bad_key_is_refused_and_a_text_of_the_greatest_length_taken",
    ],
    "publish_requests": [PUBLISH + "one_request_too_many_is_told_to_come_again"],
    "publish_bytes": [
        PUBLISH + "a_body_has_as_many_bytes_as_allowed_and_no_more",
        PUBLISH + "a_body_that_expands_to_gigabytes_is_refused",
    ],
    "publish_calls": [
        "gateway/publishing/test_many.py::test_a_body_holds_as_many_calls_as_allowed"
    ],
    "batch_records": [PUBLISH + "a_batch_holds_as_many_records_as_allowed_and_no_more"],
    "batch_bytes": [PUBLISH + "a_batch_has_as_many_bytes_as_allowed_and_no_more"],
    "record_bytes": [PUBLISH + "a_record_over_its_limit_is_cut_and_says_so"],
}

INSIDE = {
    *("ring_bytes", "page_cache_bytes", "page_entries", "client_table"),
    *("drain_seconds", "grace_seconds", "beat_seconds", "settle_seconds", "lease_seconds"),
    *("probe_timeout_seconds", "retry_seconds", "list_seconds", "deleted_seconds"),
    *("finality_seconds", "sweep_seconds", "sweep_running", "sweep_index", "claim_seconds"),
    *(
        "limits_seconds",
        "acks_seconds",
        "engine_check_seconds",
        "auth.leeway_seconds",
        "auth.expiry_notice_seconds",
    ),
    *("auth.jwks_refresh_seconds", "auth.jwks_retry_seconds", "auth.jwks_timeout_seconds"),
    *("keep_finished_seconds", "keep_empty_seconds", "ghost_seconds", "housekeeping_seconds"),
    *("housekeeping_batch", "auth.jwks_bytes", "viewers_seconds"),
    *("figures_seconds", "figures_remembered_seconds"),
    *("archive_grace_seconds", "keep_archived_seconds", "archive_cache_bytes"),
    *("archive_block_bytes", "archive_queue", "archives_at_once"),
}
"""Settings that are numbers and bound no client: caches, clocks, and what the engine is asked."""


def defaults() -> dict[str, int | float]:
    """All settings that are numbers, those of signing in by `auth.…`."""
    found = {each.name: each.default for each in fields(GatewaySettings)}
    found |= {f"auth.{each.name}": each.default for each in fields(AuthSettings)}
    return {
        name: value
        for name, value in found.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def rows() -> dict[str, str]:
    """The README's table: the default that it tells of each setting."""
    table = README.read_text().split("\n## Bounds\n")[1].split("\n## ")[0]
    cells = [row.split("|")[1:-1] for row in table.splitlines() if row.startswith("| ")][2:]
    assert all(len(row) == 4 and row[3].strip() for row in cells)
    return {row[1].strip().strip("`"): row[2].strip() for row in cells}


def shown(name: str, value: float) -> str:
    """Spell a default as people read it."""
    if name.endswith("_bytes"):
        units = (value / 1024**2, "MiB") if value >= 1024**2 else (value / 1024, "KiB")
        return f"{units[0]:g} {units[1]}"
    unit = {"_seconds": " s", "_minute": " a minute"}
    return f"{value:,.0f}" + next((u for end, u in unit.items() if name.endswith(end)), "")


def test_every_bound_is_in_the_table_with_its_default_and_no_other() -> None:
    """A new setting is one or the other: a bound with a row and tests, or named as none."""
    numbers = defaults()
    assert set(numbers) == BOUNDS.keys() | INSIDE
    assert not BOUNDS.keys() & INSIDE
    assert rows() == {name: shown(name, numbers[name]) for name in BOUNDS}


@pytest.mark.parametrize("name", BOUNDS)
def test_each_bound_names_tests_that_exist(name: str) -> None:
    assert BOUNDS[name]
    assert missing(BOUNDS[name]) == []


# --- edges that no other file tries --------------------------------------------------------------

FOUR = replace(
    QUICK, logs_limit=4, list_limit=4, context_limit=4, event_executions=4, after_limit=4
)


@pytest.fixture
async def narrow(engine_nodes: Nodes, engine_url: str, worker: Worker) -> AsyncIterator[Running]:
    """A gateway whose bounds are four, with an execution that has ended."""
    await worker.open()
    await worker.log_many(batches=1, records=9)
    await worker.end()
    async with running(FOUR, engine_url) as gateway:
        yield gateway


async def test_the_last_value_within_a_bound_is_taken_and_the_next_refused(
    narrow: Running, worker: Worker
) -> None:
    """Pages, lists, contexts, cursors and executions of one request: four are taken, not five."""
    one = f"/executions/{worker.execution_id}"
    asked: list[Callable[[int], str]] = [
        lambda n: f"/executions?limit={n}",
        lambda n: f"{one}/logs?limit={n}",
        lambda n: f"{one}/logs?tail={n}",
        lambda n: f"{one}/logs?around=3&limit={n}",
        lambda n: f"{one}/logs?q=1&context={n}",
        lambda n: f"{one}/events?" + "&".join(["after=1-1"] * n),
        lambda n: "/events?" + "&".join(f"execution=e{i}" for i in range(n)),
    ]
    for at in asked:
        for count, status in ((4, 200), (5, 400)):
            async with narrow.http.get(narrow.address + at(count)) as answer:
                body = await answer.read()
            assert answer.status == status, at(count)
            if status == 400:
                assert orjson.loads(body)["code"] == "bad_request"


async def test_one_cursor_too_many_closes_a_viewer(narrow: Running, worker: Worker) -> None:
    """Over a WebSocket the same bound is a close that says not to come again."""
    path = logs_of(worker.execution_id) + "?" + "&".join(["after=1-1"] * 5)
    async with talking(narrow, path) as talk:
        assert await talk.refused(4400) == "5 after, expected at most 4"


async def test_who_begins_too_many_viewers_is_told_to_come_later(
    engine_nodes: Nodes, engine_url: str, worker: Worker
) -> None:
    """Behind a proxy whose own connections are not counted, each client's viewers are."""
    await worker.open()
    settings = replace(QUICK, connects_per_minute=2, trusted_proxies=("127.0.0.1",))
    client: dict[str, Any] = {"headers": {"X-Forwarded-For": "192.0.2.7"}}
    other: dict[str, Any] = {"headers": {"X-Forwarded-For": "192.0.2.8"}}
    async with running(settings, engine_url) as gateway:
        for path in (logs_of(worker.execution_id), "/ws/executions"):
            async with talking(gateway, path, **client):
                pass
        async with talking(gateway, logs_of(worker.execution_id), **client) as talk:
            assert "2 viewers a minute from 192.0.2.7" in await talk.refused(4329)
        url = f"{gateway.address}/executions/{worker.execution_id}/events"
        async with gateway.http.get(url, **client) as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        async with talking(gateway, logs_of(worker.execution_id), **other) as talk:
            await talk.until("caught_up")

"""The tables of close codes and HTTP errors: they tell what the gateway says, and have tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import orjson
import pytest
from tests.gateway.conftest import QUICK
from tests.gateway.logs.test_rest import refused
from tests.gateway.named_tests import missing
from tests.gateway.publishing.test_http import Caller
from tests.gateway.running import Running, running
from tests.gateway.talking import logs_of, talking

import runtail_gateway
from runtail_broker.connections.client import Nodes
from runtail_broker.keys import SETTINGS
from runtail_gateway.protocol import problem

SOURCE = Path(runtail_gateway.__file__).parent
README = (SOURCE.parent / "README.md").read_text()
NEVER_CLOSES = {(4400, "subscribed")}  # a subscription is refused, the socket goes on
BEFORE_ACCEPT = {1008}  # becomes an HTTP 403

ADMITTED = "gateway/access/test_admission.py::test_"
SESSION, WATCH = "gateway/viewers/test_session.py::test_", "gateway/contract/test_watch.py::test_"
PUBLISH, REST = "gateway/publishing/test_http.py::test_", "gateway/logs/test_rest.py::test_"
REQUESTS, HERE = "gateway/web/test_request_bounds.py::test_", "gateway/test_codes.py::test_"
ONE_MORE = ADMITTED + "one_viewer_beyond_the_bound_is_refused_and_taken_when_another_has_left"
FULL = ADMITTED + "while_too_much_waits_nobody_is_taken_and_who_is_slowest_goes"
NOT_ANSWERED = REST + "what_cannot_be_answered_is_a_problem_with_its_own_code"
FORGED = "gateway/access/test_forged_tokens.py::test_a_forged_token_opens_nothing"
DELETION, DRAIN = "gateway/keeping/test_deletion.py::test_", "gateway/viewers/test_drain.py::test_"
ARCHIVE = "gateway/keeping/test_archive.py::test_"
DELETED = DELETION + "it_is_heard_at_once_and_the_close_code_says_not_to_come_again"
DRAINING = DRAIN + "a_gateway_that_drains_is_unready_and_takes_no_new_viewer_but_answers"

CLOSES: dict[str, list[str]] = {
    "1000": ["gateway/contract/test_end.py::test_a_finished_execution_is_replayed_whole_and_ends"],
    "1001, 1006, 1011, 1012": [
        "gateway/viewers/test_drain.py::test_a_viewer_of_a_gateway_that_ends_is_told_to_go_elsewhere",
        "gateway/viewers/test_slow_viewer.py::"
        "test_a_viewer_that_answers_no_ping_is_let_go_however_much_waits_for_it",
    ],
    "1007": ["gateway/test_odd_values.py::test_invalid_text_in_a_message_closes_that_socket_alone"],
    "1009": [REQUESTS + "a_message_of_a_viewer_beyond_the_bound_is_closed_with_1009"],
    "4329": [
        ONE_MORE,
        "gateway/viewers/test_filtered_tail.py::test_one_filter_too_many_is_refused_and_an_equal_one_is_not",
        "gateway/access/test_sign_ins.py::test_a_websocket_is_closed_with_4329",
    ],
    "4330": [FULL, HERE + "a_viewer_is_told_to_come_again_while_the_engine_is_away"],
    "4331": [ARCHIVE + "what_a_newer_runtail_wrote_is_refused_and_never_shown_otherwise"],
    "4400": [WATCH + "what_says_nothing_is_refused_for_good_with_its_name"],
    "4401": [SESSION + "who_never_signs_in_is_sent_away_in_time", FORGED],
    "4402": [SESSION + "a_viewer_is_sent_away_when_its_token_expires"],
    "4403": [SESSION + "another_execution_is_forbidden_whether_it_is_there_or_not"],
    "4404": [WATCH + "without_wait_an_unknown_execution_is_refused_for_good"],
    "4408": [WATCH + "a_viewer_that_talks_too_much_is_sent_away"],
    "4410": [DELETED],
    "4422": [ARCHIVE + "a_damaged_archive_is_an_error_for_everybody"],
}

ERRORS: dict[tuple[int, str], list[str]] = {
    (400, "bad_execution_id"): [NOT_ANSWERED],
    (400, "bad_cursor"): [NOT_ANSWERED],
    (400, "bad_request"): [NOT_ANSWERED],
    (400, "bad_definition"): [
        "gateway/trials/test_trial.py::"
        "test_a_bad_definition_is_refused_with_all_its_places_and_nothing_begins"
    ],
    (400, "bad_records"): [PUBLISH + "errors_name_index_and_field_and_nothing_is_stored"],
    (401, "signed_out"): [FORGED],
    (401, "expired"): [FORGED],
    (403, "forbidden"): ["gateway/access/test_auth.py::test_reading_needs_read_of_that_execution"],
    (403, "foreign_origin"): [PUBLISH + "a_page_of_another_origin_publishes_nothing"],
    (404, "not_found"): [NOT_ANSWERED],
    (404, "http"): [NOT_ANSWERED],
    (405, "http"): [HERE + "a_method_that_a_route_has_not_is_a_problem_too"],
    (408, "too_slow"): [REQUESTS + "a_body_that_does_not_come_whole_in_time_is_answered_408"],
    (409, "conflict"): [
        "gateway/keeping/test_deletion.py::test_one_that_has_not_ended_is_refused_and_stays"
    ],
    (409, "behind"): [PUBLISH + "a_batch_after_a_failover_is_told_what_is_missing"],
    (409, "unopened"): [PUBLISH + "a_publisher_that_never_opened_is_told"],
    (409, "finished"): [PUBLISH + "a_finished_id_names_the_one_to_open_next"],
    (410, "deleted"): [
        "gateway/contract/test_deleted.py::test_who_comes_back_to_it_is_told_too_whatever_it_waits_for"
    ],
    (413, "too_large"): [PUBLISH + "a_body_has_as_many_bytes_as_allowed_and_no_more"],
    (414, "url_too_long"): [REQUESTS + "an_address_beyond_the_bound_is_answered_414"],
    (415, "unknown_coding"): [PUBLISH + "a_damaged_or_unknown_coding_is_refused"],
    (429, "too_many"): [
        PUBLISH + "one_request_too_many_is_told_to_come_again",
        "gateway/access/test_sign_ins.py::"
        "test_one_failure_too_many_is_429_and_other_addresses_are_not_concerned",
    ],
    (429, "full"): [HERE + "one_publisher_too_many_is_told_to_come_again"],
    (431, "head_too_large"): [REQUESTS + "headers_beyond_the_bound_are_answered_431"],
    (500, "damaged"): [ARCHIVE + "a_damaged_archive_is_an_error_for_everybody"],
    (501, "newer_format"): [
        ARCHIVE + "what_a_newer_runtail_wrote_is_refused_and_never_shown_otherwise"
    ],
    (503, "unavailable"): [REST + "a_gateway_without_its_engine_lives_but_is_not_ready"],
    (503, "too_many"): [ADMITTED + "over_http_the_refusal_says_when_to_come_again"],
    (503, "full"): [HERE + "an_event_stream_is_refused_while_too_much_waits"],
    (503, "draining"): [DRAINING],
}


def rows(heading: str) -> list[list[str]]:
    """The rows of the table below *heading*, cell by cell."""
    section = README.split(f"\n{heading}\n")[1]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in table[0].splitlines()[2:]]


def told(heading: str) -> set[tuple[int, str]]:
    """The statuses and codes of a table of HTTP errors."""
    found: set[tuple[int, str]] = set()
    for statuses, codes, *_ in rows(heading):
        named = re.findall(r"`(\w+)`", codes)
        numbers = [int(number) for number in statuses.split(", ")]
        one_each = len(numbers) > 1 and len(numbers) == len(named)
        pairs = zip(numbers, named, strict=True) if one_each else None
        found |= set(pairs or {(number, name) for number in numbers for name in named})
    return {(status, code) for status, code in found if status != 200}


def refusals() -> set[tuple[int, str, int]]:
    """Close code, code and status of every `Refused(…)` that the gateway makes."""
    calls = [
        node
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused"
    ]
    found: set[tuple[int, str, int]] = set()
    for call in calls:
        values = [each.value if isinstance(each, ast.Constant) else None for each in call.args]
        code, name, _, status = [*values, 0, 0][:4] if len(values) < 4 else values[:4]
        if isinstance(code, int) and isinstance(name, str):
            found.add((code, name, status if isinstance(status, int) else 0))
    return found


# --- the tables ----------------------------------------------------------------------------------


def test_every_refusal_of_a_websocket_is_in_the_table_of_close_codes() -> None:
    """With its name; and a code that is in the table has tests."""
    table = {row[0]: row[1] for row in rows("### Close codes")}
    assert list(table) == list(CLOSES)
    meanings = {int(code): text for codes, text in table.items() for code in codes.split(", ")}
    closing = {(code, name) for code, name, _ in refusals()} - NEVER_CLOSES - {(1000, "ended")}
    assert len(closing) > 10
    assert [each for each in closing if f"`{each[1]}`" not in meanings[each[0]]] == []
    written = {int(code) for file in SOURCE.rglob("*.py") for code in closes_in(file)}
    assert written - BEFORE_ACCEPT <= meanings.keys()


def closes_in(file: Path) -> list[str]:
    return re.findall(r"close\((\d{4})\b", file.read_text())


def test_every_http_error_is_in_a_table_and_has_tests() -> None:
    """Those that any route answers, and those of publishing, which have a table of their own."""
    in_tables = told("## Errors") | told_of_publishing()
    assert in_tables == ERRORS.keys()
    by_classes = set(problem._STATUS.values())
    by_refusals = {(status, name) for _, name, status in refusals() if status >= 400}
    assert by_classes | by_refusals <= ERRORS.keys()


def told_of_publishing() -> set[tuple[int, str]]:
    marked = README.replace("| status | word or code | what to do |", "\n#### Words\n&")
    section = marked.split("#### Words\n&")[1].split("\n\n")[0]
    found = [re.findall(r"`(\w+)`", row.split("|")[2]) for row in section.splitlines()[2:]]
    statuses = [int(row.split("|")[1]) for row in section.splitlines()[2:]]
    pairs = {(s, name) for s, names in zip(statuses, found, strict=True) for name in names}
    return {pair for pair in pairs if pair[0] != 200}


@pytest.mark.parametrize("code", CLOSES)
def test_each_close_code_names_tests_that_exist(code: str) -> None:
    assert CLOSES[code]
    assert missing(CLOSES[code]) == []


@pytest.mark.parametrize("error", ERRORS, ids=str)
def test_each_http_error_names_tests_that_exist(error: tuple[int, str]) -> None:
    assert ERRORS[error]
    assert missing(ERRORS[error]) == []


# --- codes that no other file tries --------------------------------------------------------------


async def test_a_viewer_is_told_to_come_again_while_the_engine_is_away() -> None:
    """Close 4330, however it is asked."""
    async with running(QUICK, "redis://127.0.0.1:1") as gateway:
        async with talking(gateway, logs_of("some")) as talk:
            await talk.refused(4330)
            assert talk.of("error")[0]["code"] == "unavailable"
        async with talking(gateway, "/ws/executions") as talk:
            await talk.say(type="subscribe", execution_id="some")
            assert (await talk.until("error"))["code"] == "unavailable"
            assert talk.is_open


async def test_a_method_that_a_route_has_not_is_a_problem_too(pushing: Running) -> None:
    async with pushing.http.delete(f"{pushing.address}/executions") as answer:
        said = orjson.loads(await answer.read())
    assert (answer.status, said["status"], said["code"]) == (405, 405, "http")


async def test_one_publisher_too_many_is_told_to_come_again(
    pushing: Running, engine_nodes: Nodes, execution_id: str
) -> None:
    """As many as the operators' limit allows have the execution open."""
    await engine_nodes.at(SETTINGS, lambda node: node.hset(SETTINGS, "max_publishers", "1"))
    caller = Caller(pushing, execution_id)
    await caller.open()
    body = b'{"publisher":"another","role":"participant"}'
    status, said = await caller.post("open", body)
    assert (status, said["code"]) == (429, "full")


async def test_an_event_stream_is_refused_while_too_much_waits(pushing: Running) -> None:
    """Over HTTP too, with the time after which to come again."""
    pushing.server._viewers.full = True  # type: ignore[attr-defined]
    assert (await refused(pushing, "/executions/some/events"))[0] == 503
    async with pushing.http.get(f"{pushing.address}/events?execution=a") as answer:
        assert (await answer.json())["code"] == "full"
        assert answer.headers["Retry-After"]

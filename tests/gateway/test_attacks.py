"""What is tried on a service that strangers reach: the index of attacks, and some of them.

`ATTACKS` names for each attack the tests that try it, over real sockets but where it says otherwise
in the test; a test here fails when one of them is gone. Floods are in test_floods.py, forged tokens
in test_forged_tokens.py, nested and odd values in test_odd_values.py.
"""

from __future__ import annotations

import pytest
from tests.gateway.named_tests import missing
from tests.gateway.raw import ask
from tests.gateway.running import Running
from tests.gateway.worker import Worker

from runtail_broker.connections.client import Nodes

ATTACKS: dict[str, list[str]] = {
    "cross-site WebSocket": [
        "gateway/access/test_origin.py::test_a_foreign_page_is_refused_with_403",
        "gateway/access/test_origin.py::test_a_page_of_another_port_is_foreign",
        "gateway/viewers/test_multiplex.py::test_a_foreign_page_is_refused",
    ],
    "cross-site change": [
        "gateway/logs/test_rest.py::test_a_foreign_page_may_ask_for_no_change",
        "gateway/publishing/test_http.py::test_a_page_of_another_origin_publishes_nothing",
        "gateway/publishing/test_many.py::test_a_page_of_another_origin_sends_no_calls",
        "gateway/notes/test_notes.py::test_a_page_of_another_origin_writes_no_note",
        "gateway/viewers/test_events.py::test_only_pages_that_may_are_served",
    ],
    "token of another execution": [
        "gateway/access/test_auth.py::test_reading_needs_read_of_that_execution",
        "gateway/viewers/test_session.py::test_another_execution_is_forbidden_whether_it_is_there_or_not",
        "gateway/viewers/test_session.py::test_subscriptions_are_judged_one_by_one",
        "gateway/access/test_forged_tokens.py::test_an_event_stream_of_many_shows_none_of_anothers",
        "gateway/publishing/test_signed.py::test_an_execution_beyond_the_patterns_is_refused",
        "gateway/access/test_share.py::test_a_link_is_good_for_no_other_execution",
        "gateway/notes/test_notes.py::test_writing_needs_publish_and_reading_read_of_that_execution",
        "gateway/executions/test_figures.py::test_a_token_with_patterns_sees_figures_of_its_executions_only",
        "gateway/trials/test_trial.py::test_a_trial_needs_publish_of_that_execution_and_workflow",
    ],
    "a note of somebody else": [
        "gateway/notes/test_notes.py::test_nobody_else_edits_or_removes_a_note",
        "gateway/notes/test_notes.py::test_signed_in_the_author_is_who_the_token_names",
        "gateway/notes/test_notes.py::test_a_key_is_not_kept_and_does_not_open_notes_of_another_execution",
    ],
    "a workflow to try out that is none": [
        "gateway/trials/test_trial.py::test_any_json_is_read_or_refused_in_few_words",
        "gateway/trials/test_trial.py::test_an_error_names_the_place_the_value_and_what_was_expected",
    ],
    "a page that embeds the page and may not": [
        "gateway/web/test_answer_headers.py::"
        "test_an_origin_that_may_embed_does_so_where_it_is_asked_for_and_nothing_else",
        "gateway/web/test_answer_headers.py::test_what_is_no_origin_may_not_embed",
    ],
    "token with alg: none": [
        "gateway/access/test_forged_tokens.py::test_a_forged_token_opens_nothing"
    ],
    "key confusion": [
        "gateway/access/test_forged_tokens.py::test_a_public_key_signs_nothing",
        "gateway/access/test_tokens.py::test_a_public_key_is_no_shared_secret",
        "gateway/access/test_share.py::test_a_link_is_no_token_and_a_token_is_no_link",
    ],
    "expired and not-yet-valid tokens": [
        "gateway/access/test_forged_tokens.py::test_a_forged_token_opens_nothing",
        "gateway/viewers/test_session.py::test_a_viewer_is_sent_away_when_its_token_expires",
        "gateway/viewers/test_session.py::test_an_event_stream_ends_when_its_token_expires",
    ],
    "guessing tokens": [
        "gateway/access/test_sign_ins.py::test_one_failure_too_many_is_429_and_other_addresses_are_not_concerned",
        "gateway/access/test_sign_ins.py::test_a_websocket_is_closed_with_4329",
        "gateway/access/test_sign_ins.py::test_a_renewal_that_fails_counts_and_leaves_the_viewer_as_it_was",
        "gateway/access/test_sign_ins.py::test_a_share_link_that_fails_counts",
    ],
    "a publisher id of somebody else": [
        "gateway/publishing/test_signed.py::test_publishers_are_kept_apart_by_who_signs_in",
        "gateway/publishing/test_signed.py::test_a_subject_cannot_be_made_to_name_anothers_publisher",
    ],
    "path traversal in ids": [
        "gateway/test_attacks.py::test_an_id_leads_to_no_file_and_to_no_other_key"
    ],
    "header injection by ids": ["gateway/test_attacks.py::test_an_id_writes_no_header"],
    "2,000 half-open sockets": [
        "gateway/web/test_guarded_http.py::test_2000_half_open_sockets_do_not_keep_others_from_being_served"
    ],
    "slow headers": [
        "gateway/web/test_guarded_http.py::test_a_head_that_does_not_come_whole_in_time_ends_the_connection",
        "gateway/web/test_guarded_http.py::test_a_head_that_comes_byte_by_byte_has_no_longer",
    ],
    "slow bodies": [
        "gateway/publishing/test_http.py::test_a_body_that_trickles_is_let_go",
        "gateway/web/test_request_bounds.py::test_a_body_that_does_not_come_whole_in_time_is_answered_408",
    ],
    "bodies that nobody reads": [
        "gateway/web/test_floods.py::test_a_body_that_no_route_reads_costs_no_memory_and_is_cut",
    ],
    "answers that nobody reads": [
        "gateway/web/test_floods.py::test_a_download_that_is_not_read_is_cut_and_read_no_further",
        "gateway/access/test_admission.py::test_a_viewer_that_never_reads_is_let_go_and_gets_the_rest_when_it_comes_back",
    ],
    "pipelined requests": [
        "gateway/web/test_floods.py::test_a_stream_with_a_request_behind_it_ends_with_its_connection",
        "gateway/web/test_floods.py::test_a_websocket_behind_a_request_that_is_under_way_is_cut",
        "gateway/web/test_floods.py::test_as_many_requests_as_may_wait_are_answered_in_order",
        "gateway/web/test_floods.py::test_thousands_of_requests_at_once_are_cut_before_they_pile_up",
    ],
    "compressed bombs (zstd and gzip)": [
        "gateway/publishing/test_http.py::test_a_body_that_expands_to_gigabytes_is_refused",
        "gateway/publishing/test_http.py::test_a_window_of_gigabytes_is_not_made_room_for",
        "gateway/publishing/test_body.py::test_a_bomb_takes_no_more_memory_than_its_bound",
    ],
    "frames that expand to gigabytes": [
        "gateway/publishing/test_http.py::test_a_frame_that_expands_beyond_the_bounds_is_refused",
        "gateway/test_odd_values.py::test_a_stored_frame_that_expands_to_gigabytes_becomes_lost_records",
    ],
    "deep JSON": [
        "gateway/test_odd_values.py::test_a_deep_message_is_told_and_breaks_nothing",
        "gateway/test_odd_values.py::test_a_deep_body_is_refused_and_breaks_nothing",
        "gateway/test_odd_values.py::test_a_deep_record_in_a_frame_is_refused",
        "gateway/test_odd_values.py::test_a_deep_record_that_is_stored_is_read_in_every_way",
        "gateway/publishing/test_http.py::test_a_deep_value_and_a_huge_number_are_stored_readably",
    ],
    "huge numbers": [
        "gateway/test_odd_values.py::test_a_number_beyond_its_bound_is_refused_however_it_is_spelled",
        "gateway/test_odd_values.py::test_a_length_with_zeros_in_front_is_bounded_too",
        "gateway/publishing/test_http.py::test_a_deep_value_and_a_huge_number_are_stored_readably",
    ],
    "NUL and invalid UTF-8": [
        "gateway/test_odd_values.py::test_nul_and_invalid_text_in_an_address_is_no_error_of_ours",
        "gateway/test_odd_values.py::test_invalid_text_in_a_message_closes_that_socket_alone",
        "gateway/test_odd_values.py::test_invalid_text_in_a_body_is_refused_and_nul_is_kept",
    ],
    "an enormous around": ["gateway/test_odd_values.py::test_an_enormous_around_is_the_last_page"],
    "a regular expression in q taken literally": [
        "gateway/test_odd_values.py::test_a_pattern_in_q_is_a_text",
        "gateway/logs/test_log_pages.py::test_walking_filtered_pages_either_way_yields_each_match_once",
    ],
    "log text with markup": [
        "gateway/notes/test_notes.py::test_markup_and_odd_characters_are_data",
        "gateway/page/test_log_view.py::test_markup_in_a_message_stays_text",
        "gateway/test_odd_values.py::test_markup_is_never_of_a_type_that_a_browser_runs",
    ],
    "bidi controls and terminal sequences": [
        "gateway/logs/test_log_pages.py::test_a_text_reads_well_and_holds_no_control_sequences",
        "producers/commands/test_tail.py::test_control_sequences_never_reach_the_output",
    ],
    "records with their own id, seq and kind": [
        "gateway/publishing/test_http.py::test_fields_of_runtails_own_are_renamed",
        "gateway/publishing/test_http.py::test_a_frame_with_a_record_that_no_worker_seals_is_refused",
        "gateway/test_odd_values.py::test_a_stored_record_with_its_own_id_and_seq_has_runtails",
    ],
    "tokens in logs": [
        "gateway/access/test_auth.py::test_no_token_and_no_secret_is_in_any_log",
        "gateway/web/test_access_log.py::test_a_token_is_in_no_line_however_it_came",
    ],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_names_tests_that_exist(attack: str) -> None:
    """A test that is renamed or removed takes its place in the index with it."""
    assert ATTACKS[attack]
    assert missing(ATTACKS[attack]) == []


# --- ids that are more than ids ------------------------------------------------------------------

WAYS_OUT = [
    b"/executions/..%2f..%2f..%2fetc%2fpasswd/logs",
    b"/executions/%2e%2e/logs",
    b"/executions/..%5c..%5cetc/logs.txt",
    b"/executions/%252e%252e%252fapp.py",
    b"/executions/a%7d:stream/logs",
    b"/executions/*/logs",
    b"/executions/a%00b/logs",
    b"/executions/a%0ab/events",
    b"/monitoring/..%2fapp.py",
    b"/monitoring/%2e%2e%2fapp.py",
    b"/monitoring/../app.py",
    b"/monitoring/....//app.py",
    b"/monitoring/%2fetc%2fpasswd",
    b"/monitoring/index.html%00.js",
    b"//etc/passwd",
    b"/monitoring//etc/passwd",
]


async def test_an_id_leads_to_no_file_and_to_no_other_key(
    pushing: Running, engine_nodes: Nodes
) -> None:
    """Whatever stands where an id or a file's name belongs is refused, and no key comes of it."""
    for target in WAYS_OUT:
        for method in (b"GET", b"DELETE", b"POST"):
            answer = await ask(pushing, target, method, b"Content-Length: 0\r\n")
            assert answer.status in (400, 404, 405), (method, target)
            assert b"create_app" not in answer.body
            assert b"root:" not in answer.body
    (shard,) = await engine_nodes.shards()
    keys = [key async for key in shard.node.scan_iter("*")]
    assert [key for key in keys if b"{..}" in key or b"}:stream}" in key or b"\0" in key] == []


async def test_an_id_writes_no_header(pushing: Running, worker: Worker) -> None:
    """A line end in an id, a query or a header's value ends no line of ours."""
    await worker.open()
    name = worker.execution_id.encode()
    evil = b"%0d%0aX-Evil:%201%0d%0a%0d%0a<script>"
    for target in (
        b"/executions/a%b/logs.txt" % evil,
        b"/executions/a%%22;filename=%%22b%b/logs.ndjson" % evil,
        b"/executions/%b/logs.txt?after=%b" % (name, evil),
        b"/executions/%b/logs?q=%b" % (name, evil),
        b"/%b" % evil,
        b"/monitoring/%b.js" % evil,
    ):
        answer = await ask(pushing, target, more=b"Origin: http://x\r\nX-Forwarded-Prefix: /a\r\n")
        assert "x-evil" not in answer.headers, target
        assert b"\r\nX-Evil" not in answer.head + answer.body
        assert b"text/html" not in answer.head

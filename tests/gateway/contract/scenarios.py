"""The contract: which tests of this folder run a scenario, and over which ways.

Every test here that is served by `gateway` runs over all ways (see ways.py), but those that
`NOT_OVER` and `OWN_WAYS` name. One way of each, and all of `SPOT_CHECK`, run in `make test`; the
others in `make test-full`.
"""

from __future__ import annotations

from tests.gateway.ways import ALL, Way

SPOT_CHECK = "test_a_viewer_that_comes_and_goes_gets_every_record_once"

SCENARIOS = {
    "replay": (
        "test_history_is_replayed_exactly_in_messages_of_the_size_allowed",
        "test_a_record_larger_than_a_message_goes_alone",
        "test_hello_comes_first_and_says_where_the_execution_stands",
        "test_tail_gives_the_last_records_then_live",
    ),
    "live": (
        "test_live_records_reach_viewers_at_the_head",
        "test_replay_goes_over_into_live_without_a_hole_or_a_repeat",
        "test_viewers_that_come_one_after_another_share_one_tail_and_all_get_everything",
        "test_a_gateway_serves_two_executions_apart",
        "test_after_dollar_gives_only_what_is_new",
    ),
    "slow": (
        "test_a_viewer_that_stops_reading_gets_the_rest_later_and_holds_nobody_up",
        "test_a_viewer_that_was_outrun_by_trimming_while_watching_is_told_and_goes_on",
    ),
    "resume in mid-history": (
        SPOT_CHECK,
        "test_the_cursor_of_the_very_start_gets_everything_whatever_the_epoch",
    ),
    "resume inside a frame": (
        "test_a_cursor_anywhere_in_a_frame_resumes_exactly",
        "test_a_bare_record_id_resumes_after_that_record",
    ),
    "resume at the end": ("test_a_cursor_at_the_end_gets_nothing_but_what_comes",),
    "`after=$` cut before the first record": (
        "test_a_wait_for_what_is_new_that_is_cut_before_the_first_record_misses_none",
    ),
    "trimmed": (
        "test_a_trimmed_cursor_is_told_exactly_how_many_records_are_gone",
        "test_a_cursor_just_before_what_is_kept_is_told_of_no_gap",
        "test_from_the_beginning_of_a_trimmed_execution_the_gap_is_proved",
    ),
    "diverged": (
        "test_a_cursor_of_another_history_is_told_to_start_over",
        "test_a_cursor_beyond_the_end_is_told_to_start_over",
        "test_the_start_of_another_epoch_is_told_to_start_over",
        "test_of_several_cursors_the_first_that_can_be_proved_counts",
        "test_a_viewer_whose_execution_was_removed_waits_for_its_new_beginning",
    ),
    "finished": (
        "test_a_finished_execution_is_replayed_whole_and_ends",
        "test_viewers_at_the_head_get_the_end_when_it_comes",
        "test_the_end_carries_the_status_of_the_owner",
        "test_who_resumes_behind_the_end_is_told_the_end_again",
        "test_viewers_stay_while_a_participant_still_writes",
    ),
    "late records after the end": (
        "test_late_records_are_shown_and_followed_by_a_new_end",
        "test_a_failover_that_takes_back_late_records_ends_the_viewers_again",
    ),
    "unknown": (
        "test_without_wait_an_unknown_execution_is_refused_for_good",
        "test_what_says_nothing_is_refused_for_good_with_its_name",
        "test_a_wait_that_says_neither_yes_nor_no_is_refused",
    ),
    "forbidden": ("test_what_a_token_does_not_cover_is_forbidden_whether_it_is_there_or_not",),
    "expired in mid-stream": (
        "test_a_viewer_whose_token_expires_is_sent_away_and_goes_on_with_a_new_one",
    ),
    "deleted": (
        "test_whoever_watches_is_told_and_sent_away",
        "test_who_comes_back_to_it_is_told_too_whatever_it_waits_for",
    ),
    "filter": (
        "test_history_and_live_alike_are_filtered_and_the_rest_is_counted",
        "test_a_cursor_moves_although_nothing_passes",
        "test_pages_find_what_passes_and_the_rest_is_counted",
    ),
    "wait for a run that does not exist yet": (
        "test_who_waits_for_an_execution_gets_it_from_the_very_first_record",
        "test_waiting_for_an_execution_costs_the_engine_next_to_nothing",
    ),
    "more than a gateway allows": (
        "test_a_viewer_that_talks_too_much_is_sent_away",
        "test_one_viewer_too_many_is_told_to_come_again",
    ),
}
OWN_WAYS = {  # test → why it names its ways itself
    "test_a_viewer_that_talks_too_much_is_sent_away": "it talks over a socket of its own",
    "test_one_viewer_too_many_is_told_to_come_again": "each gateway counts its own viewers",
}

_PAGES_FILTER = "a page finds single records, a viewer's filter lets all pass that tells its state"
_FRAMES_FILTER = "stored frames go with no filter: close 4400, in test_frames.py"
NOT_OVER = {  # test → transport → why not, and what is answered instead
    "test_a_record_larger_than_a_message_goes_alone": {
        "pages": "a page is counted in records, not in bytes"
    },
    "test_hello_comes_first_and_says_where_the_execution_stands": {
        "pages": "there is no hello: `GET /executions/{id}` says it"
    },
    "test_a_viewer_whose_execution_was_removed_waits_for_its_new_beginning": {
        "pages": "what is not there is 404; the page after its new beginning has the reset"
    },
    "test_waiting_for_an_execution_costs_the_engine_next_to_nothing": {
        "pages": "a script that polls costs what its polling costs"
    },
    "test_a_wait_that_says_neither_yes_nor_no_is_refused": {
        "pages": "a page does not wait, it is 404 until it is there"
    },
    "test_history_and_live_alike_are_filtered_and_the_rest_is_counted": {
        "frames": _FRAMES_FILTER,
        "pages": _PAGES_FILTER,
    },
    "test_a_cursor_moves_although_nothing_passes": {"frames": _FRAMES_FILTER},
    "test_pages_find_what_passes_and_the_rest_is_counted": dict.fromkeys(
        ("socket", "many", "events", "frames"), _PAGES_FILTER
    ),
}


def ways_of(test: str) -> list[str]:
    """List the ways over which *test* runs."""
    return [way for way in ALL if Way.named(way).transport not in NOT_OVER.get(test, ())]

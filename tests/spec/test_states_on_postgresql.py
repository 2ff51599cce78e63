"""What meets in one moment, every legal move, and the statute's acts once more with this node's records in PostgreSQL.

SQLite lets one writer in at a time; here two transactions really run beside each other, a row is locked when a query
says so, and a comparison with JSON, a bound of a text or an order of rows is the server's own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.postgres import new_database

ROOT = Path(__file__).resolve().parent.parent.parent
# Of each part the acts that write most, or that ask the database in a way of its own. All in one run: a database with
# its tables and a started process cost more than most of what is run in it.
CHOSEN = {
    "spec/test_two_at_once": (),
    "generative/test_both_state_machines": ("test_every_legal_move_can_be_made_by_either_side",),
    "unit/test_correcting": (),
    "unit/test_conduct": (),
    "unit/test_statute": (
        "test_the_shorter_of_national_and_local_rule_holds_from_its_day_on",
        "test_a_past_decision_replays_with_the_version_and_the_calendar_of_its_day",
        "test_refusals_are_counted_by_rule_and_day",
    ),
    "unit/test_clocks": (
        "test_a_clock_that_runs_is_not_started_twice_and_runs_anew_after_its_end",
        "test_a_late_clock_is_found_once_and_those_concerned_are_told",
        "test_an_extension_needs_the_supervisors_consent_and_moves_the_day_once",
        "test_a_department_sees_its_own_clocks_and_the_supervisor_all",
    ),
    "unit/test_demands": (
        "test_an_element_published_by_an_operator_is_at_once_usable_in_a_demand_and_finds_what_a_person_mapped_to_it",
        "test_a_demand_of_an_element_that_was_replaced_is_met_by_its_successor_and_the_decision_replays",
    ),
    "unit/test_three_lists": (
        "test_a_member_that_joins_after_the_publication_gets_the_list_of_duties_once",
        "test_another_nodes_duties_are_found_and_give_way_to_its_next_version",
    ),
    "unit/test_disputes": (
        "test_a_refused_request_is_agreed_to_when_it_comes_again_after_the_decision",
        "test_the_same_message_again_changes_nothing",
        "test_d809_28_negotiation_overdue_brings_it_to_the_common_superior",
    ),
    "unit/test_returns": (
        "test_return_flow_is_agreed_by_law_with_just_the_areas_rows_and_every_item",
        "test_reconciliation_opens_a_ticket_and_closes_it_after_the_repair",
    ),
    "unit/test_standards": (
        "test_a_further_version_replaces_the_last_from_its_first_day_on_and_a_refused_one_nothing",
        "test_a_member_takes_what_the_keeper_signed_part_by_part_and_the_same_again_changes_nothing",
    ),
    "unit/test_replies": (
        "test_incomplete_request",
        "test_request_reply_clock_is_extended_once_with_the_supervisors_consent_and_the_applicant_is_told",
        "test_delivery",
    ),
    "unit/test_reviewing": (
        "test_d809_17_change_filing_catalog_change_clock",
        "test_two_open_submissions_of_a_resource_cannot_be_stored",
        "test_codes_are_given_at_submission_and_never_twice",
    ),
    "unit/test_requesting": ("test_the_requests_of_a_merged_department_go_to_its_successor_which_acts_on_them",),
    "unit/test_subscriptions": (
        "test_the_source_is_told_whole_at_first_and_then_by_its_changes",
        "test_a_copy_that_was_killed_goes_on_where_it_was",
        "test_what_the_consumer_has_is_forgotten_after_its_time_and_on_record",
        "test_a_consumer_asks_for_what_follows_a_position_while_it_is_kept",
        "test_what_is_acknowledged_is_held_once_with_one_receipt",
        "test_two_that_take_the_same_batch_at_once_store_it_once",
        "test_what_was_lost_here_is_asked_for_again",
    ),
    "unit/test_metering": (
        "test_every_exchange_of_a_day_is_counted_once_by_what_it_was_and_how_it_ended",
        "test_a_file_is_signed_told_to_the_partner_and_its_digest_is_in_the_ledger",
        "test_a_day_whose_register_changed_gets_a_further_version_and_keeps_the_first",
        "test_two_sides_that_counted_the_same_agree_and_what_differs_is_named",
        "test_what_is_due_is_made_for_every_partner_of_the_last_days",
    ),
    "unit/test_oversight": (
        "test_the_tally_is_the_register_however_often_it_runs_and_the_tail_is_added",
        "test_a_statement_holds_and_a_recount_gives_the_same",
        "test_d809_39_stale_resources_are_those_behind_their_cycle_and_those_whose_source_is_dead",
    ),
}


def chosen() -> Iterator[str]:
    for file, names in CHOSEN.items():
        yield from [f"tests/{file}.py::{name}" for name in names] or [f"tests/{file}.py"]


def test_the_same_tests_pass_on_postgresql(postgres_url: str) -> None:
    environment = {**os.environ, "DATABASE_URL": new_database(postgres_url, "states")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen()]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-5000:]

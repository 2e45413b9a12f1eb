"""What an incident meant, read from the run: since when and until when, what state production is in, what was lost."""

from dataclasses import replace
from datetime import datetime

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.fold import initial
from console.domain.impact import (
    counted_loss,
    first_sign,
    harmed_at,
    lost,
    noticed,
    offered,
    restored_at,
    undecided_rows,
    way_back_sentence,
)
from console.domain.plan import Json
from console.domain.standing import Schema, Way
from console.domain.summary import production_sentence
from tests.domain.history import History
from tests.domain.incidents import LOSS, MIGRATED, broken, channel_plan, choose, declared, go

UNDER_WAY = "Production is on its way back, {} of {} steps are done: service is not known to be restored."


def at(history: History, step: str) -> datetime | None:
    return history.state.steps[step].ended_at


def test_users_can_have_noticed_since_the_push_began() -> None:
    history = broken()
    assert harmed_at(history.state) == history.state.steps["push"].started_at
    assert first_sign(history.state) == history.state.alerts["step:test"].at


def test_before_anything_reached_production_the_first_word_counts() -> None:
    history = History(channel_plan()).begin()
    assert harmed_at(history.state) is None
    history.ask(i.DeclareIncident("the site is slow"))
    assert harmed_at(history.state) == history.state.incidents[0].at
    assert noticed(history.state) == "Nothing: the release has not reached production."


def test_what_users_notice_follows_what_reached_production() -> None:
    history = History(channel_plan()).begin().succeed("backup", "proof")
    history.confirm("merge").succeed("merge", commit="c" * 40).confirm("push").start("push")
    assert noticed(history.state) == "Nothing: the release has not reached production."
    history.happen(Kind.STEP_UNCERTAIN, "push", why="the answer was lost")
    assert noticed(history.state) == "It is not yet known whether users are affected."
    assert noticed(broken().state) == "Parts of the application may fail or show errors."


def test_an_open_run_without_incident_has_no_window() -> None:
    state = initial(channel_plan())
    assert (harmed_at(state), first_sign(state), restored_at(state)) == (None, None, None)
    assert way_back_sentence(state) == ""


def test_production_is_told_as_the_way_back_leaves_it() -> None:
    history = declared()
    choose(history, Way.SCHEMA)
    total = len(history.state.active)
    assert production_sentence(history.state) == UNDER_WAY.format(0, total)
    go(history, until="push")
    assert production_sentence(history.state) == UNDER_WAY.format(3, total)
    go(history, until="deploy.backend")
    assert restored_at(history.state) == at(history, "back.deploy.backend")
    restored = (
        "Service is restored: production runs the code from before the release (ddddddd) on the schema from before"
    )
    assert production_sentence(history.state) == f"{restored} the migration."


def test_another_instance_is_named_and_users_are_out_until_it_is_opened() -> None:
    history = go(choose(declared(), Way.DATABASE), until="fence")
    assert production_sentence(history.state).endswith("users are kept out until it is gone to its end.")
    go(history, until="open")
    assert production_sentence(history.state).endswith("the schema from before the migration, in the instance dpg-2.")


def test_a_failure_on_the_way_back_says_more_than_the_release_did() -> None:
    history = declared()
    choose(history, Way.SCHEMA).fail("back.hold", "it did not answer", production="Autodeploy is on.")
    assert production_sentence(history.state) == "Autodeploy is on."


def test_a_way_that_was_given_up_leaves_what_it_has_done() -> None:
    history = go(choose(declared(), Way.SCHEMA), until="push").ask(i.DropWay("the lock was not given"))
    told = "A way back was given up after “Push the revert to main”: where production stands has to be looked at anew."
    assert way_back_sentence(history.state) == told
    untouched = choose(declared(), Way.SCHEMA).ask(i.DropWay("another way"))
    assert way_back_sentence(untouched.state) == ""


def test_a_way_with_nothing_to_undo_is_over_when_that_is_proven() -> None:
    nothing = replace(MIGRATED, pushed=False, schema=Schema.OLD, services=())
    history = choose(History(channel_plan()).begin().ask(i.DeclareIncident("no")), Way.NOTHING, nothing)
    assert restored_at(history.state) is None
    go(history, "prove")
    assert restored_at(history.state) == at(history, "back.prove")
    assert way_back_sentence(history.state).startswith("Production is as it was before the release")


@pytest.mark.parametrize(
    ("way", "found", "restored"),
    [
        (Way.CODE, {"schema": "old", "differs": ["other.js"]}, True),  # another team's commit: it stays
        (Way.CODE, {"schema": "new", "differs": []}, False),
        (Way.CODE, {}, False),  # by hand: nobody looked at the schema
        (Way.FIX_ONLY, {"schema": "old", "differs": []}, True),
        (Way.FIX_ONLY, {"schema": "old", "differs": ["a.js"]}, False),
    ],
)
def test_a_way_that_may_leave_service_broken_restores_it_only_when_that_was_found(
    way: Way, found: dict[str, Json], restored: bool
) -> None:
    history = go(choose(declared(), way, replace(MIGRATED, fix_is_all=True)), prove=found)
    assert (restored_at(history.state) is not None) is restored
    assert ("turned:1" in history.state.messages) is restored


def test_the_loss_is_told_as_stated_until_it_is_counted() -> None:
    history = choose(declared(), Way.DATABASE)
    rollback = history.state.rollback
    assert rollback is not None
    assert lost(history.state, rollback) == (
        "4 changes that users made would be lost, as stated when the way was chosen."
    )
    go(history, until="fence")
    assert counted_loss(history.state, rollback) == LOSS
    assert lost(history.state, rollback) == "4 changes that users made since 2026-02-04 20:00 UTC are lost."


def test_a_loss_that_cannot_be_read_is_none() -> None:
    history = choose(declared(), Way.DATABASE)
    go(history, "hold", "revert", "push").succeed("back.fence", loss={"tables": "many"})
    rollback = history.state.rollback
    assert rollback is not None
    assert counted_loss(history.state, rollback) is None
    assert "as stated" in lost(history.state, rollback)


def test_rows_that_the_inverse_mapping_leaves_open_are_listed() -> None:
    history = go(choose(declared(), Way.SCHEMA), until="schema")
    rollback = history.state.rollback
    assert rollback is not None
    assert undecided_rows(history.state, rollback) == (
        "accounts 17: is cancelled, was given NULL; written since the migration",
    )


def test_a_way_is_told_as_it_was_offered_only_by_the_look_that_it_was_chosen_from() -> None:
    history = choose(declared(), Way.SCHEMA)
    first = history.state.rollbacks[0]
    offer = offered(history.state, first)
    assert offer is not None
    assert offer.recommended
    history.ask(i.DropWay("no"))
    choose(history, Way.DATABASE)
    assert offered(history.state, history.state.rollbacks[0]) is None
    assert offered(history.state, history.state.rollbacks[1]) is not None


def test_what_was_never_counted_is_not_called_nothing() -> None:
    """The dear ways lose rows also where the figure could not be had in time."""
    history = choose(declared(), Way.DATABASE)
    rollback = history.state.rollback
    assert rollback is not None
    assert "has not been counted" in lost(history.state, replace(rollback, rows=None))
    assert "Nothing that users entered is lost." in lost(history.state, replace(rollback, way=Way.SCHEMA, rows=None))

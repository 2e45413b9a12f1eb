"""A record that is lost: what may start, who may say that it may all the same, and what the record says of it."""

from datetime import UTC, datetime, timedelta

import pytest

from console.actions.catalogue import CATALOGUE, ROLLBACK_CATALOGUE
from console.domain import intents as i
from console.domain.decide import decide
from console.domain.events import Event, Kind
from console.domain.fold import fold
from console.domain.plan import Json
from console.domain.schedule import changes_production, due
from console.domain.state import RunState
from console.errors import Refused
from tests.domain.plans import ASKED, plan, step

RUN = "run-1"
PLAN = plan(step("read"), step("fence", action="rollback.open"), step("push", action="source.push", confirmation=ASKED))
BEGUN = ((Kind.RUN_CREATED, {}), (Kind.RUN_STARTED, {}))
LOST = (Kind.STORE_LOST, {"reason": "no answer"})


def state(*told: tuple[Kind, dict[str, Json]]) -> RunState:
    begin = datetime(2026, 2, 4, 20, tzinfo=UTC)
    events = [
        Event(number, begin + timedelta(seconds=number), RUN, "ops@laptop", kind, None, data)
        for number, (kind, data) in enumerate((*BEGUN, *told), start=1)
    ]
    return fold(PLAN, events)


def waived(now: RunState) -> tuple[Kind, dict[str, Json]]:
    (draft,) = decide(now, i.DriveApart(RUN, "asked everybody"), "ops@laptop")
    return draft.kind, dict(draft.data)


def test_nothing_that_changes_production_is_due_until_it_is_back_or_somebody_says_so() -> None:
    assert due(state()) == ("read", "fence")
    assert due(state(LOST)) == ("read",)
    assert due(state(LOST, (Kind.STORE_REGAINED, {}))) == ("read", "fence")
    assert due(state(LOST, waived(state(LOST)))) == ("read", "fence")


def test_a_word_holds_for_the_loss_that_it_was_given_for() -> None:
    again = state(LOST, waived(state(LOST)), (Kind.STORE_REGAINED, {}), LOST)
    assert due(again) == ("read",)
    assert again.apart is not None
    assert not again.apart.waived


def test_it_is_said_by_typing_the_run_with_how_it_is_known() -> None:
    assert waived(state(LOST)) == (
        Kind.STORE_WAIVED,
        {"reason": "ops@laptop says that nobody else drives: asked everybody"},
    )
    with pytest.raises(Refused, match="must be typed"):
        decide(state(LOST), i.DriveApart("run-2"), "ops@laptop")
    with pytest.raises(Refused, match="is reached"):
        decide(state(), i.DriveApart(RUN), "ops@laptop")
    with pytest.raises(Refused, match="on record already"):
        decide(state(LOST, waived(state(LOST))), i.DriveApart(RUN), "ops@laptop")


def test_every_action_that_changes_production_is_known_as_one() -> None:
    """By the words of the catalogue: what is destructive asks for a yes, and of a way back's others these change it."""
    unasked = {"rollback.hold_deploys", "rollback.deploy", "rollback.restore_deploys", "rollback.open"}
    for spec in (*CATALOGUE.values(), *ROLLBACK_CATALOGUE.values()):
        confirmation = ASKED if spec.least is not None else None
        changes = changes_production(step("a", action=spec.name, confirmation=confirmation))
        assert changes is (spec.least is not None or spec.name in unasked), spec.name
        assert changes or not spec.destructive


def test_a_branch_beside_the_record_is_named_in_it() -> None:
    attached = {"epoch": 1, "actor": "ann@laptop", "first": 41, "events": 3, "kinds": {"note.added": 3}}
    (note,) = state((Kind.BRANCH_ATTACHED, attached)).notes
    assert "ann@laptop had recorded 3 more events" in note.text
    assert "number 41" in note.text

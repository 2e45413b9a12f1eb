"""Which steps start by themselves."""

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.schedule import armable, due, waits_for_person
from tests.domain.history import History, over, pushed
from tests.domain.plans import ASKED, plan, release_plan, signature, step


def test_nothing_starts_before_the_run_has_begun() -> None:
    assert due(History(plan(step("a"))).state) == ()


def test_whatever_needs_no_yes_starts_side_by_side_once_it_is_ready() -> None:
    history = pushed(History(release_plan()))
    assert due(history.state) == ("backend", "frontend")
    assert due(history.start("backend").state) == ("frontend",)


def test_what_needs_a_yes_starts_only_with_it() -> None:
    history = History(plan(step("a", confirmation=ASKED))).begin()
    assert due(history.state) == ()
    assert due(history.confirm("a").state) == ("a",)


def test_an_armed_step_starts_when_the_last_of_its_predecessors_is_over() -> None:
    history = pushed(History(release_plan())).start("backend").start("frontend").confirm("migrate")
    assert due(history.state) == ()
    history.happen(Kind.STEP_SUCCEEDED, "backend", by="action")
    assert due(history.state) == ()
    history.happen(Kind.STEP_SUCCEEDED, "frontend", by="action")
    assert due(history.state) == ("migrate",)


def test_a_yes_may_be_given_ahead_while_all_that_a_step_waits_for_runs_or_is_over() -> None:
    history = pushed(History(release_plan()))
    assert not _armable(history, "migrate"), "the builds have not begun"
    history.start("backend").start("frontend")
    assert _armable(history, "migrate")
    assert not _armable(history, "test"), "it waits for what itself still waits"
    history.happen(Kind.STEP_SUCCEEDED, "backend", by="action")
    assert _armable(history, "migrate")
    assert not _armable(history.confirm("migrate"), "migrate"), "the yes is there"


def test_a_step_that_only_a_guard_keeps_is_not_confirmed_ahead() -> None:
    history = History(plan(step("g"), step("d", after=("g",), guards=("g",), confirmation=ASKED))).begin()
    assert _armable(history.start("g"), "d")
    assert not _armable(history.fail("g"), "d")


def _armable(history: History, step_id: str) -> bool:
    return armable(history.state, history.state.steps[step_id])


def test_an_armed_step_does_not_start_behind_a_failure() -> None:
    history = pushed(History(release_plan())).succeed("frontend").confirm("migrate").fail("backend")
    assert due(history.state) == ()


def test_an_armed_step_does_not_start_without_its_guard() -> None:
    history = History(plan(step("g"), step("d", guards=("g",), confirmation=ASKED))).begin().confirm("d")
    assert due(history.state) == ("g",)
    history.fail("g")
    assert due(history.state) == ()
    assert due(history.ask(i.OverrideGuard("d", "g", "x", typed="g")).state) == ("d",)


@pytest.mark.parametrize(
    "intent", [i.Hold(), i.DeclareIncident("x"), i.Finish("abandoned", "x")], ids=["held", "incident", "finished"]
)
def test_nothing_starts_while_the_run_is_not_running(intent: i.Intent) -> None:
    history = History(plan(step("a"))).begin()
    assert due(history.state) == ("a",)
    assert due(history.ask(intent).state) == ()


def test_manual_steps_and_signatures_never_start() -> None:
    history = History(plan(step("a", action=None), signature("qa", after=()))).begin()
    assert due(history.state) == ()
    assert waits_for_person(history.state)


def test_a_run_that_only_people_can_move_waits_for_them() -> None:
    history = over(History(release_plan()))
    assert waits_for_person(history.state)
    assert not waits_for_person(history.ask(i.Finish("failed", "x")).state)

"""What events do to a run's state."""

from datetime import timedelta

import pytest

from console.domain import intents as i
from console.domain.events import Event, Kind
from console.domain.fold import apply, fold, initial
from console.domain.outcome import Line, Tone
from console.domain.plan import Json
from console.domain.state import RunStatus, StepStatus
from tests.domain.history import ACTOR, BEGIN, History, over, pushed
from tests.domain.plans import ASKED, plan, release_plan, step

TWO = plan(step("a"), step("b", after=("a",)), step("c", after=("b",), confirmation=ASKED))


def statuses(history: History) -> str:
    return " ".join(each.status.value for each in history.state.steps.values())


def test_before_the_first_event_only_what_waits_for_nothing_could_become_ready() -> None:
    state = initial(TWO)
    assert state.status is RunStatus.NOT_STARTED
    assert {each.status for each in state.steps.values()} == {StepStatus.WAITING}
    assert statuses(History(TWO)) == "ready waiting waiting"


def test_a_step_becomes_ready_when_what_it_waits_for_is_over() -> None:
    history = History(TWO).begin().succeed("a")
    assert statuses(history) == "succeeded ready waiting"
    assert history.step("b").ready_at == history.now
    history.ask(i.Skip("b", "not needed"))
    assert statuses(history) == "succeeded skipped ready"
    assert history.step("b").note == "not needed"


def test_a_failed_step_keeps_what_depends_on_it_waiting() -> None:
    history = History(TWO).begin().fail("a", "no disk", production="as before", remedy="make room", lines=["x"])
    assert statuses(history) == "failed waiting waiting"
    failure = history.step("a").failure
    assert failure is not None
    assert (failure.message, failure.production, failure.remedy, failure.lines) == (
        "no disk",
        "as before",
        "make room",
        ("x",),
    )
    assert [each.step.id for each in history.state.attention] == ["a"]


def test_an_attempt_forgets_the_one_before_but_for_its_number() -> None:
    history = History(TWO).begin().fail("a").ask(i.Retry("a"))
    assert (history.step("a").status, history.step("a").failure) == (StepStatus.READY, None)
    history.start("a", tip="abc")
    step = history.step("a")
    assert (step.attempt, step.before, step.progress, step.ended_at) == (2, {"tip": "abc"}, (), None)


def test_durable_progress_of_the_current_attempt_is_kept_in_order() -> None:
    history = History(TWO).begin().start("a")
    for number in (1, 2):
        history.happen(Kind.STEP_PROGRESSED, "a", text=f"part {number}", share=number / 2, data={"part": number})
    step = history.step("a")
    assert step.progress == ({"part": 1}, {"part": 2})
    assert (step.progress_text, step.progress_share) == ("part 2", 1.0)
    history.happen(Kind.STEP_FAILED, "a", message="m").ask(i.Retry("a")).start("a")
    assert history.step("a").progress == ()


def test_a_yes_given_ahead_arms_and_one_given_in_time_is_used_by_the_start() -> None:
    history = History(TWO).begin().confirm("c")
    assert statuses(history) == "ready waiting armed"
    assert history.events[-1].kind is Kind.STEP_ARMED
    yes = history.step("c").yes
    assert yes is not None
    assert (yes.actor, yes.digest) == (ACTOR, history.step("c").preview_digest)
    history.succeed("a", "b")
    assert statuses(history) == "succeeded succeeded armed"
    assert history.start("c").step("c").yes is None


def test_a_void_yes_says_why_until_the_next_one() -> None:
    history = History(TWO).begin().confirm("c")
    history.happen(Kind.STEP_DISARMED, "c", reason="The world has changed", difference=["tip: a → b"])
    assert history.step("c").status is StepStatus.WAITING
    assert history.step("c").void == "The world has changed\ntip: a → b"
    assert history.confirm("c").step("c").void == ""


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"answer": "done", "evidence": {"summary": "found"}, "by": "probe"}, StepStatus.SUCCEEDED),
        ({"answer": "not_done", "why": "no trace", "by": "probe"}, StepStatus.READY),
        ({"answer": "unknown", "known": "two candidates", "by": "probe"}, StepStatus.UNCERTAIN),
    ],
)
def test_an_uncertain_step_is_reconciled(data: dict[str, object], status: StepStatus) -> None:
    history = History(TWO).begin().start("a", tip="x").happen(Kind.STEP_UNCERTAIN, "a", why="killed")
    assert history.step("a").status is StepStatus.UNCERTAIN
    assert history.step("a").before == {"tip": "x"}, "the probe compares with what was before"
    history.happen(Kind.STEP_RECONCILED, "a", **data)  # type: ignore[arg-type]
    assert history.step("a").status is status


def test_what_is_known_of_an_uncertain_step_is_kept_for_the_person() -> None:
    history = History(TWO).begin().start("a").happen(Kind.STEP_UNCERTAIN, "a", why="killed")
    lines: list[Json] = [{"text": "pid 7", "tone": "danger"}]
    history.happen(Kind.STEP_RECONCILED, "a", answer="unknown", known="still running", lines=lines)
    assert history.step("a").unknown == "still running"
    assert history.step("a").unknown_lines == (Line("pid 7", tone=Tone.DANGER),)


def test_reopening_takes_everything_with_it_that_was_built_on_the_step() -> None:
    history = over(History(release_plan()))
    history.ask(i.Sign("owner", "Ada", approve=True))
    assert history.state.criteria["migrated"].met
    history.ask(i.Reopen("migrate", "the wrong file ran"))
    assert statuses(history) == (
        "succeeded succeeded succeeded succeeded succeeded succeeded ready waiting waiting waiting waiting"
    )
    assert history.state.signoffs["owner"].given is None
    assert history.state.criteria["migrated"].met is None
    assert history.state.criteria["deployed"].met
    assert history.step("migrate").preview is None, "it must be looked at again"
    assert history.step("migrate").attempt == 1


def test_what_was_recorded_before_a_success_stays_known_when_it_is_reopened() -> None:
    history = History(TWO).begin().start("a", tip="x")
    history.happen(Kind.STEP_SUCCEEDED, "a", evidence=None, by="action", note="", accepted="")
    history.ask(i.Reopen("a", "it was undone by hand"))
    reopened = history.step("a")
    assert (reopened.undone, reopened.unfinished, reopened.before) == ({"tip": "x"}, None, {})
    history.start("a").happen(Kind.STEP_FAILED, "a", message="no disk").ask(i.Retry("a"))
    assert history.step("a").undone == {"tip": "x"}, "a failure in between forgets nothing"
    history.succeed("a").ask(i.Reopen("a", "again"))
    assert history.step("a").undone == {"tip": "x"}, "nor does an attempt that recorded nothing"


def test_an_attempt_that_was_then_marked_as_done_by_hand_stays_known_when_it_is_reopened() -> None:
    history = History(TWO).begin().start("a", tip="x").happen(Kind.STEP_FAILED, "a", message="no disk")
    history.ask(i.Retry("a")).happen(Kind.STEP_SUCCEEDED, "a", evidence=None, by="hand", note="done", accepted="")
    history.ask(i.Reopen("a", "it was not"))
    assert history.step("a").undone == {"tip": "x"}


def test_a_guard_left_out_blocks_until_it_is_overridden_on_the_step() -> None:
    history = History(release_plan()).begin().succeed("backup").fail("proof")
    history.ask(i.OverrideGuard("merge", "proof", "restored by hand yesterday", typed="proof"))
    assert history.step("proof").status is StepStatus.SKIPPED
    assert history.step("merge").status is StepStatus.READY
    history.confirm("merge").succeed("merge", commit="c" * 40)
    assert history.step("push").status is StepStatus.WAITING, "the push has the same guard and was not asked"
    assert [each.step.id for each in history.state.attention] == ["push"]
    history.ask(i.OverrideGuard("push", "proof", "the same", typed="proof"))
    assert history.step("push").status is StepStatus.READY


def test_reopening_a_guard_takes_its_overrides_back() -> None:
    history = History(release_plan()).begin().succeed("backup").fail("proof")
    history.ask(i.OverrideGuard("merge", "proof", "no time", typed="proof"))
    history.ask(i.Reopen("proof", "there is time after all"))
    assert history.step("merge").overridden_guards == ()
    assert history.step("merge").status is StepStatus.WAITING


def test_a_signature_completes_its_step_and_a_refusal_fails_it_until_it_is_given() -> None:
    history = over(History(release_plan())).ask(i.Sign("owner", "Ada", approve=False, note="no"))
    assert history.step("sign.owner").status is StepStatus.FAILED
    assert history.state.signoffs["owner"].given is False
    history.ask(i.Sign("owner", "Ada", approve=True))
    assert history.step("sign.owner").status is StepStatus.SUCCEEDED
    assert history.step("sign.owner").note == "signed by Ada"


def test_an_incident_holds_the_run_and_its_end_leaves_it_held() -> None:
    history = History(TWO).begin().ask(i.DeclareIncident("dashboards fail"))
    assert history.state.status is RunStatus.HELD
    assert history.state.incident_at == history.state.incidents[0].at
    history.ask(i.CloseIncident("fixed"))
    closed = history.state
    assert closed.incident_at is None
    assert closed.status is RunStatus.HELD
    assert history.ask(i.Resume()).state.status is RunStatus.RUNNING


def test_time_waited_for_people_counts_only_while_nothing_else_could_go_on() -> None:
    history = History(plan(step("a", confirmation=ASKED), step("b", after=("a",)))).wait(500).begin()
    assert history.state.waiting_since == history.now, "the run has begun and waits for a yes"
    digest = history.wait(60).look("a")
    history.ask(i.Confirm("a", digest))
    assert history.state.waited_for_people == pytest.approx(62.0)
    assert history.state.waiting_since is None
    history.succeed("a", "b", seconds=300)
    assert history.state.waited_for_people == pytest.approx(62.0), "the machine's time is not a person's"


def test_a_person_is_not_waited_for_while_something_else_runs() -> None:
    history = History(plan(step("a"), step("b", confirmation=ASKED))).begin().start("a").wait(100)
    history.happen(Kind.NOTE_ADDED, text="x")
    assert history.state.waiting_since is None
    history.happen(Kind.STEP_SUCCEEDED, "a", by="action")
    assert history.state.waiting_since == history.now


def test_the_record_of_alerts_deploys_notes_and_findings() -> None:
    history = History(TWO).begin()
    history.happen(Kind.ALERT_RAISED, alert="x", severity="danger", message="m", offer="incident")
    history.happen(Kind.DEPLOY_OBSERVED, service="backend", deploy="d", status="live", commit="c", trigger="api")
    history.happen(Kind.FINDING_RECORDED, code="f", severity="blocker", message="m", evidence="e", remedy="r")
    history.happen(Kind.NOTE_ADDED, text="hello")
    state = history.state
    assert (state.alerts["x"].offer, state.alerts["x"].cleared) == ("incident", "")
    assert state.deploys["backend"].status == "live"
    assert state.findings["f"].remedy == "r"
    assert [(each.text, each.actor) for each in state.notes] == [("hello", ACTOR)]
    history.happen(Kind.ALERT_CLEARED, alert="x", reason="gone")
    assert history.state.alerts["x"].cleared == "gone"


def test_the_fold_of_all_events_is_the_state_that_grew_with_them() -> None:
    history = over(History(release_plan()))
    assert fold(history.plan, history.events) == history.state


def test_a_state_never_changes_under_who_holds_it() -> None:
    history = History(TWO).begin()
    before, text = history.state, repr(history.state)
    history.succeed("a", "b").happen(Kind.NOTE_ADDED, text="x")
    assert repr(before) == text


def test_an_event_about_a_step_that_the_plan_lacks_is_named() -> None:
    event = Event(7, BEGIN, "r", ACTOR, Kind.STEP_STARTED, "nowhere")
    with pytest.raises(ValueError, match=r"event 7 \(step\.started\) names the step 'nowhere'"):
        apply(initial(TWO), event)


def test_data_of_another_type_reads_as_missing() -> None:
    """An old or foreign journal replays, whatever its data hold."""
    history = History(TWO).begin().start("a")
    history.happen(Kind.STEP_FAILED, "a", message=5, lines="x", stopped="yes", reopens=[1, "b"])
    failure = history.step("a").failure
    assert failure is not None
    assert (failure.message, failure.lines, failure.stopped, failure.reopens) == ("", (), False, ("b",))


def test_the_run_is_pushed_only_by_its_own_events() -> None:
    history = pushed(History(release_plan()))
    assert history.state.seq == len(history.events)
    assert history.state.last_at == history.now
    assert history.state.started_at is not None
    assert history.now - history.state.started_at < timedelta(minutes=1)

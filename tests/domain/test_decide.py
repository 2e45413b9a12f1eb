"""What people may ask for, when, and what they are told otherwise."""

from collections.abc import Callable

import pytest

from console.domain import intents as i
from console.domain.decide import decide, refusal
from console.domain.events import Draft, Kind
from console.domain.outcome import Evidence, Reading
from console.domain.state import RunStatus, StepStatus
from console.domain.wire import encode_evidence, plan_digest
from console.errors import Refused
from tests.domain.history import ACTOR, History, over, pushed
from tests.domain.plans import ASKED, TYPED, plan, release_plan, step

SMALL = plan(
    step("a"),
    step("b", after=("a",), confirmation=TYPED),
    step("hand", action=None),
    step("free"),
)


def small() -> History:
    return History(SMALL).begin()


def small_failed() -> History:
    return small().fail("a")


def uncertain() -> History:
    return small().start("a").happen(Kind.STEP_UNCERTAIN, "a", why="killed")


def release() -> History:
    return History(release_plan())


REFUSED: list[tuple[str, Callable[[], History], i.Intent, str]] = [
    ("starting twice", small, i.Start(), "already begun"),
    ("holding what is held", lambda: small().ask(i.Hold()), i.Hold(), "nothing to hold"),
    ("resuming what runs", small, i.Resume(), "nothing to resume"),
    ("resuming in an incident", lambda: small().ask(i.DeclareIncident("x")), i.Resume(), "incident is open"),
    ("starting in an incident", lambda: History(SMALL).ask(i.DeclareIncident("x")), i.Start(), "incident is open"),
    ("a second incident", lambda: small().ask(i.DeclareIncident("x")), i.DeclareIncident("y"), "already open"),
    ("closing no incident", small, i.CloseIncident("x"), "No incident"),
    ("an empty note", small, i.Note("  "), "empty"),
    ("a note to no step", small, i.Note("x", step="zzz"), "no step zzz"),
    ("looking at a manual step", small, i.Look("hand"), "nothing to preview"),
    ("looking at a running step", lambda: small().start("a"), i.Look("a"), "A is running"),
    ("confirming before the start", lambda: History(SMALL), i.Confirm("b", "x"), "has not begun"),
    ("confirming what needs no yes", small, i.Confirm("a", "x"), "needs no confirmation"),
    ("confirming unseen", small, i.Confirm("b", "x", typed="main"), "Nobody has looked"),
    ("disarming nothing", small, i.Disarm("b"), "nothing to take back"),
    ("ticking an action", small, i.Tick("a"), "machine can know"),
    ("ticking before the start", lambda: History(SMALL), i.Tick("hand"), "has not begun"),
    ("skipping without reason", small, i.Skip("a", " "), "needs a reason"),
    ("skipping what runs", lambda: small().start("a"), i.Skip("a", "x"), "is running"),
    ("skipping the uncertain", uncertain, i.Skip("a", "x"), "not known"),
    ("skipping what is over", lambda: small().succeed("a"), i.Skip("a", "x"), "already succeeded"),
    ("skipping a guard", lambda: release().begin(), i.Skip("proof", "no time"), "is a guard"),
    ("skipping a required signature", lambda: over(release()), i.Skip("sign.owner", "ill"), "requires the signature"),
    ("retrying what did not fail", small, i.Retry("a"), "only a failed step"),
    ("by hand before the start", lambda: History(SMALL), i.DoneByHand("a", "x"), "has not begun"),
    ("by hand without a note", small, i.DoneByHand("a", ""), "needs a note"),
    ("by hand out of order", small, i.DoneByHand("b", "x"), "not over"),
    ("by hand what a person ticks", small, i.DoneByHand("hand", "x"), "no action"),
    ("by hand what is uncertain", uncertain, i.DoneByHand("a", "x"), "not known"),
    ("reopening what has not begun", small, i.Reopen("b", "x"), "nothing to do again"),
    ("reopening without reason", lambda: small().succeed("a"), i.Reopen("a", ""), "needs a reason"),
    ("reconciling what is certain", small, i.Reconcile("a", "done", "x"), "nothing to decide"),
    ("reconciling with no answer", uncertain, i.Reconcile("a", "maybe", "x"), "“maybe” is no answer"),
    ("reconciling without a note", uncertain, i.Reconcile("a", "done"), "needs a note"),
    ("aborting nothing", small, i.Abort(), "Nothing runs"),
    ("aborting twice", lambda: small().start("a").ask(i.Abort()), i.Abort(), "already stopping"),
    ("a signature nobody asked for", small, i.Sign("ceo", "Eve", approve=True), "no signature of ceo"),
    ("a nameless signature", lambda: over(release()), i.Sign("qa", " ", approve=True), "needs a name"),
    ("an early signature", lambda: pushed(release()), i.Sign("qa", "Grace", approve=True), "signs when"),
    ("a signature before the start", release, i.Sign("qa", "Grace", approve=True), "has not begun"),
    ("a wordless refusal", lambda: over(release()), i.Sign("qa", "Grace", approve=False), "needs a reason"),
    ("a silent voice", lambda: over(release()), i.Sign("qa", "Ada", approve=True, by_voice=False), "by voice"),
    ("a machine's name in earnest", lambda: over(release()), i.Sign("qa", "rehearsal:qa", approve=True), "rehearsals"),
    ("overriding no finding", small, i.OverrideFinding("nothing", "x"), "no finding nothing"),
    ("an exception from no verdict", release, i.OverrideFinding("criterion:deployed", "x"), "needs no exception"),
    ("an unknown end", small, i.Finish("perfect"), "not as perfect"),
    ("ending what runs", lambda: small().start("a"), i.Finish("failed", "x"), "Still running"),
    ("ending without reason", small, i.Finish("abandoned"), "needs a reason"),
    ("completing what is open", small, i.Finish("completed"), "cannot be closed as completed"),
    ("an unknown step", small, i.Retry("zzz"), "no step zzz"),
]


@pytest.mark.parametrize(("make", "intent", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(make: Callable[[], History], intent: i.Intent, says: str) -> None:
    with pytest.raises(Refused, match=says):
        decide(make().state, intent, ACTOR)


ALLOWED: list[tuple[str, Callable[[], History], i.Intent, list[Kind]]] = [
    ("start", lambda: History(SMALL), i.Start(), [Kind.RUN_STARTED]),
    ("hold", small, i.Hold("lunch"), [Kind.RUN_PAUSED]),
    ("resume", lambda: small().ask(i.Hold()), i.Resume(), [Kind.RUN_RESUMED]),
    ("look ahead", small, i.Look("b"), []),
    ("tick", small, i.Tick("hand"), [Kind.STEP_TICKED]),
    ("skip", small, i.Skip("free", "not here"), [Kind.STEP_SKIPPED]),
    ("skip the failed", small_failed, i.Skip("a", "x"), [Kind.STEP_SKIPPED]),
    ("retry", small_failed, i.Retry("a"), [Kind.STEP_REOPENED]),
    ("by hand", small_failed, i.DoneByHand("a", "typed it myself"), []),
    ("reopen", lambda: small().succeed("a"), i.Reopen("a", "x"), [Kind.STEP_REOPENED]),
    ("probe again", uncertain, i.Reconcile("a", "probe"), []),
    ("decide done", uncertain, i.Reconcile("a", "done", "seen it"), []),
    ("decide not done", uncertain, i.Reconcile("a", "not_done", "looked"), [Kind.STEP_RECONCILED]),
    ("abort", lambda: small().start("a"), i.Abort("a"), [Kind.RUN_PAUSED, Kind.RUN_ABORTING]),
    ("abort all", lambda: small().start("a").start("free"), i.Abort(), [Kind.RUN_PAUSED, *[Kind.RUN_ABORTING] * 2]),
    ("note", small, i.Note("words", step="a"), [Kind.NOTE_ADDED]),
    ("incident", small, i.DeclareIncident("x"), [Kind.INCIDENT_DECLARED]),
    ("end as failed", small_failed, i.Finish("failed", "enough"), [Kind.RUN_FINISHED]),
    ("end before the start", lambda: History(SMALL), i.Finish("abandoned", "no"), [Kind.RUN_FINISHED]),
    ("sign", lambda: over(release()), i.Sign("qa", "Grace", approve=True), [Kind.SIGNOFF_GIVEN]),
    ("refuse early", lambda: pushed(release()), i.Sign("qa", "G", approve=False, note="no"), [Kind.SIGNOFF_REFUSED]),
]


@pytest.mark.parametrize(("make", "intent", "kinds"), [row[1:] for row in ALLOWED], ids=[row[0] for row in ALLOWED])
def test_allowed(make: Callable[[], History], intent: i.Intent, kinds: list[Kind]) -> None:
    assert [each.kind for each in decide(make().state, intent, ACTOR)] == kinds


def test_every_refusal_says_what_to_do_or_why() -> None:
    for _, make, intent, _ in REFUSED:
        refused = refusal(make().state, intent, ACTOR)
        assert refused is not None
        assert refused.message.endswith("."), refused.message
        assert refused.message[0].isupper() or refused.message[0] == "“", refused.message


def test_a_closed_run_takes_nothing_more() -> None:
    history = small().ask(i.Finish("abandoned", "rain"))
    assert history.state.status is RunStatus.FINISHED
    for intent in (i.Start(), i.Note("x"), i.Retry("a"), i.Finish("failed", "x")):
        with pytest.raises(Refused, match=r"closed \(abandoned\)"):
            history.ask(intent)


class TestConfirm:
    def test_a_yes_is_bound_to_what_was_shown_last(self) -> None:
        history = small().succeed("a")
        old = history.look("b", "1")
        new = history.look("b", "2")
        with pytest.raises(Refused, match="has changed since it was shown"):
            history.ask(i.Confirm("b", old, typed="main"))
        assert history.ask(i.Confirm("b", new, typed="main")).events[-1].kind is Kind.STEP_CONFIRMED

    @pytest.mark.parametrize("typed", ["", "Main", "main ", "master"])
    def test_what_must_be_typed_must_be_typed_exactly(self, typed: str) -> None:
        history = small().succeed("a")
        with pytest.raises(Refused, match="not what must be typed"):
            history.ask(i.Confirm("b", history.look("b"), typed=typed))

    def test_ahead_of_its_time_it_arms(self) -> None:
        history = small().start("a").confirm("b")
        assert history.events[-1].kind is Kind.STEP_ARMED
        assert history.step("b").status is StepStatus.ARMED

    def test_twice_is_refused_unless_something_else_was_shown(self) -> None:
        history = small().confirm("b")
        digest = history.step("b").preview_digest or ""
        with pytest.raises(Refused, match="already confirmed"):
            history.ask(i.Confirm("b", digest, typed="main"))
        assert history.ask(i.Confirm("b", history.look("b", "2"), typed="main")).step("b").yes is not None

    def test_it_accepts_the_limits_that_were_shown(self) -> None:
        history = History(plan(step("a", confirmation=ASKED))).begin()
        digest = history.look("a", readings=(Reading("rows lost", "12", limit=40, amount=12), Reading("clock", "1")))
        draft = decide(history.state, i.Confirm("a", digest), ACTOR)[0]
        assert draft.data["limits"] == {"rows lost": 40}
        draft = decide(history.state, i.Confirm("a", digest, limits={"rows lost": 15}), ACTOR)[0]
        assert draft.data["limits"] == {"rows lost": 15}
        with pytest.raises(Refused, match="no limit for clock"):
            history.ask(i.Confirm("a", digest, limits={"clock": 1}))

    def test_it_can_be_taken_back(self) -> None:
        history = small().confirm("b").ask(i.Disarm("b", "changed my mind"))
        assert history.step("b").status is StepStatus.WAITING
        assert history.step("b").void == "changed my mind"


class TestGuards:
    def test_a_guard_is_overridden_by_typing_on_the_step_that_depends_on_it(self) -> None:
        history = release().begin().succeed("backup").fail("proof")
        with pytest.raises(Refused, match="not what must be typed"):
            history.ask(i.OverrideGuard("merge", "proof", "x", typed="yes"))
        with pytest.raises(Refused, match="needs a reason"):
            history.ask(i.OverrideGuard("merge", "proof", "", typed="proof"))
        with pytest.raises(Refused, match="no guard of"):
            history.ask(i.OverrideGuard("merge", "backup", "x", typed="backup"))
        drafts = decide(history.state, i.OverrideGuard("merge", "proof", "x", typed="proof"), ACTOR)
        assert drafts == (
            Draft(Kind.GUARD_OVERRIDDEN, "merge", {"guard": "proof", "reason": "x"}),
            Draft(Kind.STEP_SKIPPED, "proof", {"reason": "x", "guard_overridden_by": "merge"}),
        )

    def test_dying_between_the_two_events_of_an_override_leaves_it_repeatable(self) -> None:
        history = release().begin().succeed("backup").fail("proof")
        intent = i.OverrideGuard("merge", "proof", "x", typed="proof")
        history.append(decide(history.state, intent, ACTOR)[0])
        assert history.ask(intent).step("merge").status is StepStatus.READY
        with pytest.raises(Refused, match="already overridden"):
            history.ask(intent)

    @pytest.mark.parametrize("status", [StepStatus.SUCCEEDED, StepStatus.RUNNING])
    def test_a_guard_that_succeeded_or_runs_is_not_overridden(self, status: StepStatus) -> None:
        history = release().begin().succeed("backup")
        history = history.succeed("proof") if status is StepStatus.SUCCEEDED else history.start("proof")
        with pytest.raises(Refused):
            history.ask(i.OverrideGuard("merge", "proof", "x", typed="proof"))

    def test_nothing_is_done_by_hand_without_its_guard_either(self) -> None:
        history = History(plan(step("g"), step("d", guards=("g",)))).begin().fail("g")
        with pytest.raises(Refused, match="not done without its guard: G"):
            history.ask(i.DoneByHand("d", "typed it"))
        assert decide(history.ask(i.OverrideGuard("d", "g", "x", typed="g")).state, i.DoneByHand("d", "x"), ACTOR) == ()

    def test_a_guard_may_be_left_out_when_nobody_relies_on_it_any_more(self) -> None:
        history = History(plan(step("g"), step("d", guards=("g",)))).begin().ask(i.Skip("d", "x"))
        assert history.ask(i.Skip("g", "x")).step("g").status is StepStatus.SKIPPED


class TestReopen:
    def test_what_runs_or_is_uncertain_downstream_forbids_it(self) -> None:
        history = pushed(release()).start("backend")
        with pytest.raises(Refused, match="Backend is running"):
            history.ask(i.Reopen("merge", "x"))
        history.happen(Kind.STEP_UNCERTAIN, "backend", why="x")
        with pytest.raises(Refused, match="not known whether Backend"):
            history.ask(i.Reopen("merge", "x"))

    def test_a_refused_push_sends_the_run_back_to_the_merge(self) -> None:
        history = release().begin().succeed("backup", "proof")
        history.confirm("merge").succeed("merge").confirm("push").fail("push", "rejected", reopens=["merge"])
        failure = history.step("push").failure
        assert failure is not None
        assert failure.reopens == ("merge",)
        history.ask(i.Reopen("merge", "the target has moved"))
        assert (history.step("merge").status, history.step("push").status) == (StepStatus.READY, StepStatus.WAITING)

    def test_a_yes_given_ahead_does_not_survive_it(self) -> None:
        history = pushed(release()).start("backend").confirm("migrate")
        history.happen(Kind.STEP_FAILED, "backend", message="x").ask(i.Reopen("push", "again"))
        assert history.step("migrate").yes is None

    def test_a_signature_does_not_stand_for_another_commit(self) -> None:
        history = over(release()).ask(i.Sign("qa", "Grace", approve=True))
        evidence = encode_evidence(Evidence("pushed by hand", {"commit": "d" * 40}))
        history.happen(Kind.STEP_SUCCEEDED, "push", evidence=evidence, by="hand", note="", accepted="")
        assert history.state.signoffs["qa"].given is None
        void = history.state.signoffs["qa"].void
        assert void is not None
        assert (void.name, void.reason) == ("Grace", "it was given for another commit than ddddddd")
        assert history.step("sign.qa").status is StepStatus.READY
        signed = history.ask(i.Sign("qa", "Grace", approve=True)).state.signoffs["qa"]
        assert (signed.commit, signed.void) == ("d" * 40, None)

    def test_a_refusal_stands_until_the_same_role_signs(self) -> None:
        history = over(release()).ask(i.Sign("qa", "Grace", approve=False, note="too slow"))
        evidence = encode_evidence(Evidence("pushed by hand", {"commit": "d" * 40}))
        history.happen(Kind.STEP_SUCCEEDED, "push", evidence=evidence, by="hand", note="", accepted="")
        assert history.state.signoffs["qa"].given is False

    def test_every_signature_is_void(self) -> None:
        history = over(release()).ask(i.Sign("qa", "Grace", approve=True))
        history.ask(i.Reopen("test", "one test was missing"))
        assert history.state.signoffs["qa"].given is None
        void = history.state.signoffs["qa"].void
        assert void is not None
        assert void.reason == "Test is done again"
        assert history.step("sign.qa").status is StepStatus.WAITING


class TestSignatures:
    def test_they_are_bound_to_the_plan_and_the_released_commit(self) -> None:
        history = over(release()).ask(i.Sign("qa", "Grace", approve=True))
        signed = history.state.signoffs["qa"]
        assert (signed.plan, signed.commit) == (plan_digest(history.plan), "c" * 40)

    def test_a_refusal_keeps_the_run_open_until_it_is_given(self) -> None:
        history = over(release()).ask(i.Sign("owner", "Ada", approve=True))
        history.ask(i.Sign("qa", "Grace", approve=False, note="reports are slow"))
        with pytest.raises(Refused, match="QA lead refused to sign"):
            history.ask(i.Finish("completed"))
        with pytest.raises(Refused, match="was refused"):
            history.ask(i.Retry("sign.qa"))
        history.ask(i.Sign("qa", "Grace", approve=True)).ask(i.Finish("completed"))
        assert history.state.outcome == "completed"

    def test_one_that_was_given_can_still_be_withdrawn_but_not_doubled(self) -> None:
        history = over(release()).ask(i.Sign("qa", "Grace", approve=True))
        with pytest.raises(Refused, match="already signed"):
            history.ask(i.Sign("qa", "Grace", approve=True))
        history.ask(i.Sign("qa", "Grace", approve=False, note="saw something"))
        assert history.step("sign.qa").status is StepStatus.FAILED


class TestTheEnd:
    def test_completed_needs_every_required_criterion_or_a_named_exception(self) -> None:
        history = pushed(release()).succeed("backend", "frontend")
        history.confirm("migrate").succeed("migrate").ask(i.Skip("test", "no tester")).ask(i.Tick("call"))
        for role in ("owner", "qa"):
            history.ask(i.Sign(role, role, approve=True))
        assert history.state.criteria["migrated"].evidence == "Test was left out: no tester"
        with pytest.raises(Refused, match="Migration without errors"):
            history.ask(i.Finish("completed"))
        history.ask(i.OverrideFinding("criterion:migrated", "tested by the product lead"))
        history.ask(i.Finish("completed"))
        assert history.state.outcome == "completed"

    def test_no_run_is_completed_in_an_incident(self) -> None:
        history = over(release()).ask(i.Sign("owner", "A", approve=True)).ask(i.Sign("qa", "G", approve=True))
        history.ask(i.DeclareIncident("x"))
        with pytest.raises(Refused, match="an incident is open"):
            history.ask(i.Finish("completed"))

    def test_it_says_what_state_production_is_in(self) -> None:
        history = small().ask(i.Finish("abandoned", "rain"))
        assert history.state.production.startswith("Production is as it was before the release")


class TestPreflight:
    def test_a_blocker_keeps_the_run_from_beginning_until_somebody_answers_for_it(self) -> None:
        history = History(SMALL)
        history.happen(Kind.FINDING_RECORDED, code="branch", severity="blocker", message="wrong branch")
        history.happen(Kind.FINDING_RECORDED, code="tls", severity="warning", message="no TLS")
        with pytest.raises(Refused, match="no-go: branch: wrong branch"):
            history.begin()
        history.ask(i.OverrideFinding("branch", "the service is being moved")).begin()
        assert history.state.status is RunStatus.RUNNING

"""No sequence of intents, events and deaths leads to a state from which nothing is possible.

Random plans are driven by random people over a random world. After every event: something runs, or starts by
itself, or there is something that a person can ask for that moves the run on. And from wherever the run got to,
a patient person brings it to an end.
"""

import random
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.domain import intents as i
from console.domain.decide import refusal
from console.domain.decide_run import missing_for_completion
from console.domain.events import Kind
from console.domain.fold import fold
from console.domain.plan import Confirmation, Criterion, Plan, SignOff, Step, StepKind, Strength
from console.domain.schedule import due
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from tests.domain.history import ACTOR, History
from tests.domain.plans import plan, step

CONFIRMATIONS = (None, None, Confirmation(Strength.ASK), Confirmation(Strength.TYPE, "main"))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Plans of up to seven steps of every kind, with guards, reopens, criteria and signatures."""
    count = draw(st.integers(1, 7))
    steps: list[Step] = []
    for number in range(count):
        earlier = [each.id for each in steps]
        after = tuple(draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True))) if earlier else ()
        kind = draw(
            st.sampled_from((StepKind.ACTION, StepKind.ACTION, StepKind.ACTION, StepKind.MANUAL, StepKind.SIGNOFF))
        )
        guards = draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)) if earlier else []
        steps.append(
            step(
                f"s{number}",
                kind=kind,
                action=draw(st.sampled_from(("fake", "source.push", "build.follow", "migrate.run")))
                if kind is StepKind.ACTION
                else None,
                role=f"r{number}" if kind is StepKind.SIGNOFF else None,
                after=after,
                guards=tuple(guards) if kind is StepKind.ACTION else (),
                confirmation=draw(st.sampled_from(CONFIRMATIONS)) if kind is StepKind.ACTION else None,
            )
        )
    roles = tuple(SignOff(each.role, each.role, draw(st.booleans())) for each in steps if each.role is not None)
    proven = tuple(draw(st.lists(st.sampled_from([each.id for each in steps]), min_size=1, max_size=2, unique=True)))
    return plan(*steps, criteria=(Criterion("c", "C", proven),), signoffs=roles)


def wishes(state: RunState, step: StepState) -> list[i.Intent]:
    """Everything that a person could sensibly ask for about a step."""
    name, role = step.step.id, step.step.role or ""
    return [
        i.Confirm(name, step.preview_digest or "", typed="main"),
        i.Disarm(name),
        i.Tick(name),
        i.Skip(name, "because"),
        *(i.OverrideGuard(name, guard, "because", typed=guard) for guard in step.step.guards),
        i.Retry(name),
        i.DoneByHand(name, "by hand"),
        i.Reopen(name, "because"),
        i.Reconcile(name, "not_done", "looked"),
        i.Reconcile(name, "done", "looked"),
        i.Abort(name),
        i.Sign(role, "Ada", approve=True),
        i.Sign(role, "Ada", approve=False, note="because"),
    ]


def possible(state: RunState) -> list[i.Intent]:
    """Everything that is allowed now, but for notes and for giving up."""
    general: list[i.Intent] = [i.Start(), i.Resume(), i.Hold(), i.Finish("completed")]
    general += [i.DeclareIncident("x"), i.CloseIncident("x"), i.OverrideFinding("criterion:c", "because")]
    every = general + [wish for step in state.steps.values() for wish in wishes(state, step)]
    return [each for each in every if refusal(state, each, ACTOR) is None]


def ask(history: History, intent: i.Intent) -> None:
    """Ask, and let happen what the conductor would do about it."""
    history.ask(intent)
    if isinstance(intent, i.DoneByHand):
        history.happen(Kind.STEP_SUCCEEDED, intent.step, evidence={"summary": "x"}, by="hand", accepted="")
    if isinstance(intent, i.Reconcile) and intent.answer == "done":
        history.happen(Kind.STEP_RECONCILED, intent.step, answer="done", by="person", evidence={"summary": "x"})


def machine(history: History, chance: random.Random) -> bool:
    """Let the machine do one thing of its own. False when it has nothing to do."""
    state = history.state
    moves: list[tuple[str, str]] = [("start", each) for each in due(state)]
    for each in state.steps.values():
        if each.status is StepStatus.RUNNING:
            moves += [(how, each.step.id) for how in ("succeed", "fail", "die")]
        elif each.status is StepStatus.UNCERTAIN and not each.unknown:
            moves += [(how, each.step.id) for how in ("done", "not_done", "unknown")]
        elif each.step.confirmation is not None and refusal(state, i.Look(each.step.id), ACTOR) is None:
            moves.append(("look", each.step.id))
    if not moves:
        return False
    how, name = chance.choice(moves)
    if how == "start":
        history.start(name)
    elif how == "look":
        history.look(name, fact=str(chance.randint(1, 2)))
    elif how == "succeed":
        history.happen(Kind.STEP_SUCCEEDED, name, evidence={"summary": "x"}, by="action")
    elif how == "fail":
        history.happen(Kind.STEP_FAILED, name, message="x")
    elif how == "die":
        history.happen(Kind.STEP_UNCERTAIN, name, why="killed")
    else:
        history.happen(Kind.STEP_RECONCILED, name, answer=how, by="probe", evidence={"summary": "x"}, known="k")
    return True


def goes_on_by_itself(state: RunState) -> bool:
    probing = any(each.status is StepStatus.UNCERTAIN and not each.unknown for each in state.steps.values())
    return bool(due(state) or state.running or probing)


@dataclass
class Patience:
    """A person who wants the run completed: skips nothing that can be done, gives every signature."""

    history: History

    def bring_to_an_end(self) -> None:
        """Drive to `completed`. Fails when nothing moves the run on any more."""
        for _ in range(400):
            if self.history.state.status is RunStatus.FINISHED:
                return
            self.one_step()
        raise AssertionError(f"no end: {missing_for_completion(self.history.state)}")

    def one_step(self) -> None:
        state, history = self.history.state, self.history
        for name in due(state):
            history.start(name)
            return
        for each in state.steps.values():
            if each.status is StepStatus.RUNNING:
                history.happen(Kind.STEP_SUCCEEDED, each.step.id, evidence={"summary": "x"}, by="action")
                return
            if each.status is StepStatus.UNCERTAIN:
                ask(history, i.Reconcile(each.step.id, "not_done", "looked"))
                return
            if each.status is StepStatus.READY and each.step.confirmation is not None:
                history.confirm(each.step.id)
                return
        for wish in self.wanted(state):
            if refusal(state, wish, ACTOR) is None:
                ask(history, wish)
                return
        raise AssertionError(f"stuck: {missing_for_completion(state)}")

    def wanted(self, state: RunState) -> list[i.Intent]:
        wanted: list[i.Intent] = [i.Start(), i.CloseIncident("x"), i.Resume(), i.Finish("completed")]
        for each in state.steps.values():
            name, role = each.step.id, each.step.role or ""
            wanted += [i.Retry(name), i.Tick(name), i.Sign(role, "Ada", approve=True)]
            if state.kept_by_guard(each):
                wanted += [i.OverrideGuard(name, guard, "because", typed=guard) for guard in each.step.guards]
        wanted.append(i.OverrideFinding("criterion:c", "because"))
        wanted += [i.Reopen(each.step.id, "sign") for each in state.steps.values() if each.step.role is not None]
        return wanted


@given(plans(), st.integers(0, 2**32), st.integers(0, 40))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_there_is_always_a_way_on(plan: Plan, seed: int, length: int) -> None:
    chance = random.Random(seed)
    history = History(plan).begin()
    for _ in range(length):
        if history.state.status is RunStatus.FINISHED:
            break
        allowed = possible(history.state)
        assert allowed or goes_on_by_itself(history.state), missing_for_completion(history.state)
        if chance.random() < 0.6 and machine(history, chance):
            continue
        if allowed:
            ask(history, chance.choice(allowed))
    assert fold(plan, history.events) == history.state, "the same events give the same state"
    if history.state.status is not RunStatus.FINISHED:
        Patience(history).bring_to_an_end()
    assert history.state.outcome == "completed"


@given(plans(), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whoever_must_act_is_told_so(plan: Plan, seed: int) -> None:
    """A run that waits for a person shows them at least one step, or lacks only its start, resumption or end."""
    chance = random.Random(seed)
    history = History(plan).begin()
    for _ in range(25):
        state = history.state
        if state.status is RunStatus.RUNNING and not goes_on_by_itself(state):
            assert state.attention or all(each.over for each in state.steps.values())
        if not machine(history, chance) and (allowed := possible(history.state)):
            ask(history, chance.choice(allowed))
        if history.state.status is RunStatus.FINISHED:
            return

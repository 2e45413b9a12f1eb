"""What follows from an intent: events, or a refusal that says why and what to do instead.

Pure. `decide` looks at the state alone; whatever needs the outside world (a preview, a probe, a
verification) the conductor does after the intent was allowed, so an allowed intent may have no events here.
Events of one intent are ordered so that a run that dies between two of them is still a run one can go on with.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from console.domain import intents as i
from console.domain.decide_incident import (
    assess,
    choose_way,
    close_incident,
    declare_incident,
    drop_message,
    drop_way,
    plan_postmortem,
    send_message,
)
from console.domain.decide_run import (
    finish,
    hold,
    note,
    override_finding,
    resume,
    start,
)
from console.domain.decide_shared import drive_apart
from console.domain.decide_steps import (
    abort,
    confirm,
    disarm,
    done_by_hand,
    look,
    override_guard,
    reconcile,
    reopen,
    retry,
    skip,
    tick,
)
from console.domain.events import Draft
from console.domain.signing import sign
from console.domain.state import RunState, RunStatus
from console.errors import Refused

T = TypeVar("T")
Decider = Callable[[RunState, i.Intent, str], tuple[Draft, ...]]


def decide(state: RunState, intent: i.Intent, actor: str) -> tuple[Draft, ...]:
    """The events that an intent of `actor` (`user@host`) leads to now. Raises Refused."""
    if state.status is RunStatus.FINISHED:
        raise Refused(
            f"This run is closed ({state.outcome}); nothing more can be done in it.", remedy="Start another run."
        )
    _not_set_aside(state, intent)
    return _DECIDERS[type(intent)](state, intent, actor)


def _not_set_aside(state: RunState, intent: i.Intent) -> None:
    """While a way back is gone, only its own steps are steered; words may be added anywhere."""
    step = getattr(intent, "step", None)
    if isinstance(step, str) and not isinstance(intent, i.Note) and step in state.steps and state.set_aside(step):
        raise Refused(
            f"{state.steps[step].step.title} is set aside: a way back is being gone.",
            remedy="Go the way to its end, or drop it with a reason.",
        )


def refusal(state: RunState, intent: i.Intent, actor: str) -> Refused | None:
    """Why an intent would be refused now; None when it is allowed."""
    try:
        decide(state, intent, actor)
    except Refused as refused:
        return refused
    return None


def _entry(kind: type[T], decider: Callable[[RunState, T, str], tuple[Draft, ...]]) -> tuple[type[T], Decider]:
    """A row of the table. The cast is sound: the table is keyed by the type that the decider takes."""
    return kind, cast(Decider, decider)


_DECIDERS: Mapping[type, Decider] = dict(
    (
        _entry(i.Start, start),
        _entry(i.Hold, hold),
        _entry(i.Resume, resume),
        _entry(i.DriveApart, drive_apart),
        _entry(i.Look, look),
        _entry(i.Confirm, confirm),
        _entry(i.Disarm, disarm),
        _entry(i.Tick, tick),
        _entry(i.Skip, skip),
        _entry(i.OverrideGuard, override_guard),
        _entry(i.Retry, retry),
        _entry(i.DoneByHand, done_by_hand),
        _entry(i.Reopen, reopen),
        _entry(i.Reconcile, reconcile),
        _entry(i.Abort, abort),
        _entry(i.Note, note),
        _entry(i.Sign, sign),
        _entry(i.OverrideFinding, override_finding),
        _entry(i.DeclareIncident, declare_incident),
        _entry(i.CloseIncident, close_incident),
        _entry(i.Assess, assess),
        _entry(i.ChooseWay, choose_way),
        _entry(i.DropWay, drop_way),
        _entry(i.SendMessage, send_message),
        _entry(i.DropMessage, drop_message),
        _entry(i.PlanPostmortem, plan_postmortem),
        _entry(i.Finish, finish),
    )
)

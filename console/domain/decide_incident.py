"""Decisions in an incident: declaring and closing it, the way back, words to the stakeholders, the post-mortem."""

from datetime import date

from console.domain import intents as i
from console.domain.events import Draft, Kind
from console.domain.incident import MessageState
from console.domain.kept_out import kept_out
from console.domain.plan import Json, StepKind
from console.domain.rollback_plan import POSTMORTEM, rollback_plan
from console.domain.standing import Way, WayBack
from console.domain.state import RunState, RunStatus, StepStatus
from console.domain.wire import encode
from console.errors import Refused


def declare_incident(state: RunState, intent: i.DeclareIncident, actor: str) -> tuple[Draft, ...]:
    """Something is wrong in production."""
    if state.incident_at is not None:
        raise Refused("An incident is already open.", remedy="Add a note to it, or close it first.")
    return (Draft(Kind.INCIDENT_DECLARED, data={"reason": intent.reason or "declared without words"}),)


def close_incident(state: RunState, intent: i.CloseIncident, actor: str) -> tuple[Draft, ...]:
    """The incident is over; the run stays held. A way back that was begun is gone to its end first, or dropped."""
    if state.incident_at is None:
        raise Refused("No incident is open.")
    if state.rollback is not None and not state.complete:
        raise Refused("A way back is being gone.", remedy="Go it to its end, or drop it with a reason.")
    users_are_in(state)
    return (Draft(Kind.INCIDENT_CLOSED, data={"reason": intent.reason}),)


def users_are_in(state: RunState) -> None:
    """Raises Refused while a way back may still keep users out."""
    shut = kept_out(state)
    if shut:
        raise Refused(
            shut,
            remedy="Look where production stands; then go a way back that lets users in, or let them in by hand and "
            "look once more.",
        )


def assess(state: RunState, intent: i.Assess, actor: str) -> tuple[Draft, ...]:
    """Anybody at the helm may look; the conductor does it."""
    return ()


def choose_way(state: RunState, intent: i.ChooseWay, actor: str) -> tuple[Draft, ...]:
    """Go a way back, as it was assessed and shown; nothing else may be under way."""
    if state.incident_at is None:
        raise Refused("No incident is open: there is nothing to go back from.", remedy="Declare an incident first.")
    if state.rollback is not None:
        raise Refused("A way back is already chosen.", remedy="Go it to its end, or drop it and choose another.")
    _nothing_under_way(state)
    offer = _offered(state, intent)
    if not offer.applies:
        raise Refused(f"“{offer.title}” cannot be gone from here: {offer.why}", remedy="Choose another way.")
    if not offer.recommended and not intent.reason.strip():
        raise Refused(f"“{offer.title}” is not the recommended way.", remedy="Say why it is chosen all the same.")
    if state.assessment is None:
        return ()
    added = rollback_plan(state.plan, state.assessment.standing, offer.way, number=len(state.rollbacks) + 1)
    data: dict[str, Json] = {
        "way": offer.way.value,
        "price": offer.price,
        "lost": None if offer.loss is None else offer.loss.rows,
        "reason": intent.reason,
        "phases": encode(added.phases),
        "steps": encode(added.steps),
        "rows": encode(added.rows),
    }
    return (Draft(Kind.ROLLBACK_CHOSEN, data=data),)


def drop_way(state: RunState, intent: i.DropWay, actor: str) -> tuple[Draft, ...]:
    """Go the chosen way no further: what it has done stays, and the next assessment sees it."""
    if state.rollback is None:
        raise Refused("No way back is chosen.")
    _nothing_under_way(state)
    if not intent.reason.strip():
        raise Refused("Dropping a way back needs a reason.", remedy="Say why it is gone no further.")
    return (Draft(Kind.ROLLBACK_DROPPED, data={"reason": intent.reason}),)


def send_message(state: RunState, intent: i.SendMessage, actor: str) -> tuple[Draft, ...]:
    """Words may be sent once, and again to the channels that they did not reach; the conductor sends them."""
    message = _message(state, intent.message)
    if not intent.subject.strip() or not intent.text.strip():
        raise Refused("The message is empty.", remedy="Write what the stakeholders should know.")
    if message.dropped:
        raise Refused(f"This message was dropped: {message.dropped}.")
    if (
        message.deliveries
        and not message.undelivered
        and not message.unheard_of(each.name for each in state.plan.channels)
    ):
        raise Refused("This message was delivered on every channel.")
    return ()


def drop_message(state: RunState, intent: i.DropMessage, actor: str) -> tuple[Draft, ...]:
    """A draft is not sent."""
    message = _message(state, intent.message)
    if not message.waits:
        raise Refused("This message is not waiting to be sent.")
    if not intent.reason.strip():
        raise Refused("Not sending a message needs a reason.", remedy="Say why nobody is told.")
    return (Draft(Kind.MESSAGE_DROPPED, data={"message": message.id, "reason": intent.reason}),)


def plan_postmortem(state: RunState, intent: i.PlanPostmortem, actor: str) -> tuple[Draft, ...]:
    """Owner and day of the post-mortem; its step is then done."""
    step = state.steps.get(intent.step)
    if step is None or step.step.params.get("asks") != POSTMORTEM:
        raise Refused(f"{intent.step} is not the step that plans the post-mortem.")
    if step.status is not StepStatus.READY:
        raise Refused(f"{step.step.title} is {step.status}.", remedy="It follows the incident summary.")
    if not intent.owner.strip():
        raise Refused("A post-mortem needs an owner.", remedy="Name who calls it and writes it up.")
    try:
        day = date.fromisoformat(intent.date.strip())
    except ValueError:
        raise Refused(f"“{intent.date}” is no date.", remedy="Write it as 2026-02-11.") from None
    planned = {"owner": intent.owner.strip(), "date": day.isoformat()}
    return (
        Draft(Kind.POSTMORTEM_PLANNED, data=planned),
        Draft(Kind.STEP_TICKED, intent.step, {"note": f"{intent.owner.strip()}, {day.isoformat()}"}),
    )


def asks_more_than_a_tick(state: RunState, step_id: str) -> bool:
    """Whether a manual step is done by naming owner and day of the post-mortem."""
    step = state.steps[step_id].step
    return step.kind is StepKind.MANUAL and step.params.get("asks") == POSTMORTEM


def missing_for_rolled_back(state: RunState) -> tuple[str, ...]:
    """What keeps the run from being closed as rolled back, each point in words; empty when nothing does."""
    if state.rollback is None:
        return ("no way back was gone",)
    return tuple(f"{each.step.title} is {each.status}" for each in state.active if not each.over)


def _offered(state: RunState, intent: i.ChooseWay) -> WayBack:
    assessment = state.assessment
    if assessment is None:
        raise Refused("Nobody has looked where production stands since it may have changed.", remedy="Look first.")
    if assessment.at != intent.assessed:
        raise Refused("Where production stands was looked at anew since.", remedy="Look at the ways back again.")
    try:
        offer = assessment.offer(Way(intent.way))
    except ValueError:
        offer = None
    if offer is None:
        known = ", ".join(each.way.value for each in assessment.ways)
        raise Refused(f"There is no way back called {intent.way!r}.", remedy=f"Ways: {known}.")
    return offer


def _nothing_under_way(state: RunState) -> None:
    running = [each.step.title for each in state.running]
    if running:
        raise Refused(f"Still running: {', '.join(running)}.", remedy="Wait for it, or abort it first.")
    unknown = [each.step.title for each in state.steps.values() if each.status is StepStatus.UNCERTAIN]
    if unknown and state.status is not RunStatus.FINISHED:
        raise Refused(
            f"It is not known whether {', '.join(unknown)} took effect.",
            remedy="Look again, or say whether it was done: the way back depends on it.",
        )


def _message(state: RunState, message_id: str) -> MessageState:
    message = state.messages.get(message_id)
    if message is None:
        raise Refused(f"There is no message {message_id}.")
    return message

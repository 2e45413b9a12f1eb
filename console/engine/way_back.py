"""What an unattended rehearsal does in an incident: declares it, looks, chooses a way, and settles its ends."""

from datetime import timedelta

from console.domain import intents as i
from console.domain.decide_incident import asks_more_than_a_tick
from console.domain.messages import awaits_last_words
from console.domain.signing import REHEARSAL_NAME
from console.domain.standing import Assessment, WayBack
from console.domain.state import RunState, StepState
from console.errors import Refused
from console.ports import Feed, Helm

RECOMMENDED = "recommended"
_DAYS_TO_POSTMORTEM = 7


async def go_back(helm: Helm, feed: Feed, way: str, reason: str) -> None:
    """Declare an incident where none is open, look where production stands, and choose the way. Raises Refused."""
    if feed.state.incident_at is None:
        await helm.send(i.DeclareIncident(reason))
    await helm.send(i.Assess())
    assessment = feed.state.assessment
    if assessment is None:
        raise Refused("Where production stands is not known.", remedy="Look again.")
    offer = _offer(assessment, way)
    why = "" if offer.recommended else "the rehearsal was told to go this way"
    await helm.send(i.ChooseWay(offer.way.value, assessment.at, why))


def to_be_sent(state: RunState) -> i.SendMessage | None:
    """The next message that nobody was told yet, or of which it is not known whether it went out on every channel."""
    channels = [each.name for each in state.plan.channels]
    for message in state.messages.values():
        if not message.dropped and (message.waits or message.unheard_of(channels)):
            return i.SendMessage(message.id, message.subject, message.text)
    return None


def ending(state: RunState) -> i.Intent | None:
    """How a run ends whose steps are all over, an incident first; None while the word of its end is being drafted."""
    rollback = state.rollback
    if rollback is None:
        return i.Finish("completed")
    if state.incident_at is not None:
        return i.CloseIncident(f"rolled back: {rollback.way.value}")
    if awaits_last_words(state):
        return None
    return i.Finish("rolled_back", f"rolled back: {rollback.way.value}")


def for_a_person(state: RunState, step: StepState) -> i.Intent | None:
    """What a person would decide at a step that an unattended run cannot simply confirm or tick; None elsewhere."""
    if asks_more_than_a_tick(state, step.step.id):
        day = (state.last_at or state.incidents[-1].at) + timedelta(days=_DAYS_TO_POSTMORTEM)
        return i.PlanPostmortem(step.step.id, f"{REHEARSAL_NAME}incident-manager", day.date().isoformat())
    if step.step.action == "rollback.discard_copy":
        return i.Skip(step.step.id, "kept: removing it is for a person, later")
    return None


def _offer(assessment: Assessment, way: str) -> WayBack:
    """The way by its name, or the recommended one. Raises Refused."""
    for offer in assessment.ways:
        if offer.recommended if way == RECOMMENDED else offer.way.value == way:
            return offer
    known = ", ".join(f"{each.way.value}: {each.why}" for each in assessment.ways)
    raise Refused(f"No way back is {way}.", remedy=f"Ways: {known}")

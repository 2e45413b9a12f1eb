"""The commands of an incident that end at the helm: declaring it, closing it, the way back, words to be sent."""

from console.domain import intents
from console.domain.state import StepStatus
from screens.command import Command, Weight
from screens.end_of_the_way import close_incident
from screens.going_back import can_drop, choice_label, choice_lead, choosing, drop_lead
from screens.leads import Ask, EditMessage, Lead, Send
from screens.moment import Moment
from screens.not_now import no_incident
from screens.ways import declare_incident


def _tell_label(moment: Moment) -> str:
    message = moment.message
    return "send again" if message is not None and message.undelivered else "edit and send"


def _can_tell(moment: Moment) -> bool:
    message = moment.message
    return moment.unfinished and message is not None and (message.waits or bool(message.undelivered))


def _drop_message(moment: Moment) -> Lead | None:
    message = moment.message
    if message is None:
        return None
    return Ask(
        "Do not send this message",
        (message.subject, "Nobody is told by it. Your reason stands in the record."),
        "Do not send it",
        lambda answer: intents.DropMessage(message.id, answer.text),
        danger=True,
        said="It is not sent.",
    )


def _can_look(moment: Moment) -> bool:
    unknown = any(step.status is StepStatus.UNCERTAIN for step in moment.state.steps.values())
    first = moment.view.assessment is None and not unknown
    return moment.open and choosing(moment.state) and moment.view.looking.since is None and not first


INCIDENT: tuple[Command, ...] = (
    Command(
        "incident",
        ("i",),
        "i",
        "incident",
        "Declare an incident, from any screen: holds the run, starts the incident's clock, shows the ways back.",
        "Incident",
        lambda m: m.open and m.state.incident_at is None,
        lambda m: declare_incident(m.state),
        screens=(),
        weight=Weight.DANGER,
        why_not=no_incident,
    ),
    Command(
        "go-back",
        ("enter", "space"),
        "⏎",
        choice_label,
        "In an incident: look where production stands, then choose the way back that is selected.",
        "Incident",
        lambda m: m.open and choice_lead(m) is not None,
        choice_lead,
        screens=("incident",),
        weight=Weight.NOW,
    ),
    Command(
        "assess",
        ("v",),
        "v",
        "look again",
        "Look anew where production stands and which ways lead back. It changes nothing.",
        "Incident",
        _can_look,
        lambda m: Send(intents.Assess()),
        screens=("incident",),
    ),
    Command(
        "drop-way",
        ("o",),
        "o",
        "leave this way",
        "Leave the way back that is gone; what it has done stays, and another one can be chosen.",
        "Incident",
        lambda m: m.open and can_drop(m),
        drop_lead,
        screens=("run", "incident"),
    ),
    Command(
        "close-incident",
        ("c",),
        "c",
        "close the incident",
        "Close the incident without a way back; the run stays held until it is resumed.",
        "Incident",
        lambda m: m.open and m.state.incident_at is not None and m.state.rollback is None,
        lambda m: close_incident(m.state),
        screens=(),
    ),
    Command(
        "tell",
        ("enter", "space"),
        "⏎",
        _tell_label,
        "Edit the chosen message and send it; again to the channels that it did not reach.",
        "Incident",
        _can_tell,
        lambda m: EditMessage(m.message.id) if m.message is not None else None,
        screens=("messages",),
        weight=Weight.NOW,
    ),
    Command(
        "drop-message",
        ("x",),
        "x",
        "do not send it",
        "Do not send the chosen message; the reason is recorded.",
        "Incident",
        lambda m: m.unfinished and m.message is not None and m.message.waits,
        _drop_message,
        screens=("messages",),
    ),
)

"""The end of a way back: what has time is done or left out, the incident is closed and told, then the run is closed.

Pure. What always holds: the run is closed last, when the stakeholders were told of the incident's end, and nothing that
has time is in the way of it for longer than one key.
"""

from console.domain import intents
from console.domain.messages import awaits_last_words
from console.domain.rollback import TITLES
from console.domain.state import RunState, StepState
from screens.leads import Ask, Choose, ConfirmStep, EditMessage, Lead, Option, Send
from screens.paint import ink

TELL = "send the message to the stakeholders"
_LEFT_OUT = ("Leave it out", "the way comes to its end without it", "left out: it has time")
_KEPT = ("Keep it", "the table stays where it is; it can be removed by hand at any time", "kept: nothing needs it gone")


def end_label(state: RunState) -> str:
    """What Enter does once every step of a way is over; empty while there is nothing to press."""
    if state.incident_at is not None:
        return "close the incident"
    if first_message(state) is not None:
        return TELL
    return "" if awaits_last_words(state) else "close the run as rolled back"


def end_lead(state: RunState) -> Lead | None:
    """Where Enter leads once every step of a way is over: one thing after the other."""
    if state.incident_at is not None:
        return close_incident(state)
    message = tell(state)
    if message is not None:
        return message
    return None if awaits_last_words(state) else close_rolled_back(state)


def first_message(state: RunState) -> str | None:
    """The id of the first message that waits to be sent."""
    return next((message.id for message in state.messages.values() if message.waits), None)


def tell(state: RunState) -> EditMessage | None:
    """Edit and send the first message that waits."""
    message = first_message(state)
    return EditMessage(message) if message is not None else None


def do_or_leave_out(step: StepState) -> Choose:
    """What has time: look at it and say yes, or go on without it."""
    keeps = step.step.action == "rollback.discard_copy"
    label, consequence, reason = _KEPT if keeps else _LEFT_OUT
    body = (ink.line(step.step.help or "Nothing waits for it."),)
    look = Option("Look, then confirm", "shows first what it will do", ConfirmStep(step.step.id))
    return Choose(
        step.step.title, body, (look, Option(label, consequence, Send(intents.Skip(step.step.id, reason), "Left out.")))
    )


def close_incident(state: RunState) -> Ask:
    """The incident is over: after a way back its end is told, and the run is closed next."""
    back = state.rollback is not None
    return Ask(
        "Close the incident",
        (
            f"Declared because: {state.incident_reason}",
            "Then its end is told to the stakeholders, and the run is closed as rolled back."
            if back
            else "The run stays held until you resume it.",
        ),
        "Close it",
        lambda answer: intents.CloseIncident(answer.text),
        label="How it ended",
        proposed=_how_it_ended(state),
    )


def close_rolled_back(state: RunState) -> Ask:
    """Close the run: production is as it was before."""
    return Ask(
        "Close the run as rolled back",
        ("A closed run cannot be opened again.",),
        "Close it",
        lambda answer: intents.Finish("rolled_back", answer.text),
        label="How it ended",
        proposed=_how_it_ended(state),
        said="Closed as rolled back.",
    )


def _how_it_ended(state: RunState) -> str:
    """As the incident was closed, else as the way back is called."""
    closing = state.incidents[-1].closing if state.incidents else ""
    return closing or (TITLES[state.rollback.way] if state.rollback is not None else "")

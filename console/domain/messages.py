"""Words to the stakeholders at the turns of an incident: which are called for, and how they read.

Pure. What always holds: a turn is drafted once, whatever happens in between and however often one asks; and no
template can keep a message from being drafted: what it names wrongly stays in the text as it was written.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from enum import StrEnum

from console.domain import impact
from console.domain.events import Draft, Kind
from console.domain.incident import IncidentState, RollbackState
from console.domain.message_texts import OWN, PLACEHOLDERS, values
from console.domain.plan import MessageTemplate, Plan
from console.domain.state import RunState

_PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")
_LONGEST_SUBJECT = 150


class Turn(StrEnum):
    """What the stakeholders are told of.

    DECLARED: an incident was declared. CHOSEN: a way back was chosen. TURNED: service is restored. CLOSED: the incident
    is over.
    """

    DECLARED = "declared"
    CHOSEN = "chosen"
    TURNED = "turned"
    CLOSED = "closed"


def drafts(state: RunState) -> tuple[Draft, ...]:
    """The messages that the state calls for and that are not there yet: `message.drafted`, oldest turn first.

    Ids are the turn and its number, from 1: of the incident (declared, closed) or of the way back (chosen, turned).
    """
    return tuple(
        _draft(state, message, turn, incident, rollback)
        for message, turn, incident, rollback in _called_for(state)
        if message not in state.messages
    )


def awaits_last_words(state: RunState) -> bool:
    """Whether an incident was closed and the word of its end is not drafted yet."""
    closed = (number for number, each in enumerate(state.incidents, 1) if each.closed_at is not None)
    return any(f"{Turn.CLOSED}:{number}" not in state.messages for number in closed)


def outdated(state: RunState) -> tuple[Draft, ...]:
    """The drafts that were overtaken before anybody sent them: words about a way back that was left since."""
    found = []
    for number, rollback in enumerate(state.rollbacks, 1):
        message = state.messages.get(f"{Turn.CHOSEN.value}:{number}")
        if rollback.dropped and message is not None and message.waits:
            data = {"message": message.id, "reason": "the way back that it tells of was left before it was sent"}
            found.append(Draft(Kind.MESSAGE_DROPPED, data={**data}))
    return tuple(found)


def problems(template: MessageTemplate) -> tuple[str, ...]:
    """What is wrong with a plan's template, a sentence each; nothing when it can be used."""
    found = []
    if template.turn not in OWN:
        found.append(f"There is no turn “{template.turn}”: {', '.join(OWN)}.")
    if not template.subject.strip() or not template.text.strip():
        found.append("A message needs a subject and a text.")
    if len(template.subject.splitlines()) > 1:
        found.append("A subject is one line.")
    named = dict.fromkeys(_PLACEHOLDER.findall(f"{template.subject}\n{template.text}"))
    found += [_unknown(name) for name in named if name not in PLACEHOLDERS]
    return tuple(found)


def _called_for(state: RunState) -> Iterator[tuple[str, Turn, IncidentState | None, RollbackState | None]]:
    for number, incident in enumerate(state.incidents, 1):
        yield f"declared:{number}", Turn.DECLARED, incident, None
    for number, rollback in enumerate(state.rollbacks, 1):
        yield f"chosen:{number}", Turn.CHOSEN, impact.incident_of(state, rollback), rollback
    if state.rollback is not None and impact.restored_at(state) is not None:
        incident_then = impact.incident_of(state, state.rollback)
        yield f"turned:{len(state.rollbacks)}", Turn.TURNED, incident_then, state.rollback
    for number, incident in enumerate(state.incidents, 1):
        if incident.closed_at is not None:
            yield f"closed:{number}", Turn.CLOSED, incident, _way_of(state, incident)


def _way_of(state: RunState, incident: IncidentState) -> RollbackState | None:
    """The way back that was gone in an incident, not dropped; None when there was none."""
    rollback = state.rollback
    return rollback if rollback is not None and impact.incident_of(state, rollback) == incident else None


def _draft(
    state: RunState, message: str, turn: Turn, incident: IncidentState | None, rollback: RollbackState | None
) -> Draft:
    template = _template(state.plan, turn)
    stands_for = values(state, incident, rollback)

    def filled(text: str) -> str:
        return _PLACEHOLDER.sub(lambda found: stands_for.get(found[1], found[0]), text)

    subject = " ".join(filled(template.subject).split())
    if state.rehearsal:
        subject = f"[Rehearsal] {subject}"
    data = {
        "message": message,
        "turn": turn.value,
        "subject": subject[:_LONGEST_SUBJECT],
        "text": filled(template.text),
    }
    return Draft(Kind.MESSAGE_DRAFTED, data={**data})


def _template(plan: Plan, turn: Turn) -> MessageTemplate:
    return next((each for each in plan.messages if each.turn == turn), OWN[turn])


def _unknown(name: str) -> str:
    near = get_close_matches(name, PLACEHOLDERS, n=1)
    meant = (
        f" Did you mean {{{near[0]}}}?" if near else f" There are {', '.join(f'{{{each}}}' for each in PLACEHOLDERS)}."
    )
    return f"There is no placeholder {{{name}}}.{meant}"

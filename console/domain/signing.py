"""Signatures: who may sign, what a signature is bound to, and what makes it void.

What always holds: a signature is bound to the plan and to the commit that is released, and stands for no other. It is
given by voice and recorded by whoever drives; or from the signer's own machine, through the shared record, whose
database vouches for the login: then it is recorded once, however often it is taken from the inbox. Where four eyes are
asked for, nobody who has driven the run has signed it.
"""

from collections.abc import Sequence

from console.domain import intents as i
from console.domain.dependencies import open_predecessors
from console.domain.events import Draft, Kind
from console.domain.plan import Json
from console.domain.released import release_commit
from console.domain.shared import Signature
from console.domain.state import RunState, RunStatus, SignOffState, StepStatus
from console.errors import Refused

REHEARSAL_NAME = "rehearsal:"
"""With this begins the name under which an unattended rehearsal signs."""

LONGEST_NAME, LONGEST_NOTE = 200, 2000
"""Characters of a name, and of the words beside it, that are taken."""


def sign(state: RunState, intent: i.Sign, actor: str) -> tuple[Draft, ...]:
    """A signature given by voice; or, unattended, the rehearsal's own."""
    if not (intent.by_voice or intent.name.startswith(REHEARSAL_NAME)):
        raise Refused(
            "Whoever drives records what others say: a signature by voice.",
            remedy="From their own machine the role signs with `release-console sign`.",
        )
    known = _signable(state, intent.role, intent.name, intent.note, approve=intent.approve)
    _four_eyes(state, known, intent.name)
    return (_draft(state, intent, {"by_voice": intent.by_voice}),)


def sign_from_afar(state: RunState, signature: Signature) -> tuple[Draft, ...]:
    """A signature from the inbox: given with the login that the plan names, for the plan and the commit of now.

    Nothing when it is on record, or was not accepted, already. Raises Refused with what the signer is told.
    """
    if signature.id in state.received:
        return ()
    if state.status is RunStatus.FINISHED:
        raise Refused(f"The run is closed ({state.outcome}): nothing is signed in it any more.")
    known = _signable(state, signature.role, signature.name, signature.note, approve=signature.approve)
    _login(known, _login_of(state, signature.role), signature.login)
    _bound(state, signature)
    _four_eyes(state, known, signature.login, signature.name)
    intent = i.Sign(signature.role, signature.name, signature.approve, signature.note, by_voice=False)
    return (_draft(state, intent, {"by_voice": False, "login": signature.login, "inbox": signature.id}),)


def not_accepted(state: RunState, signature: Signature, reason: str) -> tuple[Draft, ...]:
    """The note for the record that a signature was not accepted; nothing when it stands there, or the run is closed."""
    if signature.id in state.received or state.status is RunStatus.FINISHED:
        return ()
    signed = "signature" if signature.approve else "refusal"
    text = f"Not accepted: the {signed} of {signature.login} as {signature.role} ({signature.name}). {reason}"
    about: dict[str, Json] = {"inbox": signature.id, "role": signature.role, "login": signature.login}
    data: dict[str, Json] = {"text": text, **about, "reason": reason}
    return (Draft(Kind.NOTE_ADDED, data=data),)


def outdated(state: RunState) -> tuple[Draft, ...]:
    """The signatures that are void: another commit is released than they were given for, or, where four eyes are asked
    for, whoever gave them has taken the run up since."""
    return tuple(
        Draft(Kind.SIGNOFF_VOID, data={"role": each.role, "reason": reason})
        for each in state.signoffs.values()
        if each.given and (reason := _why_void(state, each))
    )


def may_not_sign(state: RunState, role: str) -> Refused | None:
    """Why nobody could approve as this role now, whoever they are; None when somebody could."""
    try:
        _approvable(state, _known(state, role))
    except Refused as refused:
        return refused
    return None


def drove(drivers: Sequence[str], *names: str) -> str:
    """The first of these names that is one of the `drivers` (`RunState.drivers`); empty when none is.

    Letters and digits alone are compared, whatever their case: `ada.lovelace` is Ada Lovelace.
    """
    known = {_plain(part) for each in drivers for part in (each, each.partition("@")[0])}
    return next((name for name in names if _plain(name) and _plain(name) in known), "")


def _draft(state: RunState, intent: i.Sign, how: dict[str, Json]) -> Draft:
    words = "note" if intent.approve else "reason"
    data: dict[str, Json] = {
        "role": intent.role,
        "name": intent.name,
        words: intent.note,
        "plan": state.plan_digest,
        "commit": release_commit(state),
        **how,
    }
    return Draft(Kind.SIGNOFF_GIVEN if intent.approve else Kind.SIGNOFF_REFUSED, data=data)


def _signable(state: RunState, role: str, name: str, note: str, *, approve: bool) -> SignOffState:
    """The role, when somebody of this name may sign as it now. Raises Refused."""
    known = _known(state, role)
    if not name.strip():
        raise Refused("A signature needs a name.", remedy=f"Enter the name of {known.title}.")
    if name.startswith(REHEARSAL_NAME) and not state.rehearsal:
        raise Refused("This name signs rehearsals only.", remedy=f"Enter the name of {known.title}.")
    if len(name) > LONGEST_NAME or len(note) > LONGEST_NOTE:
        raise Refused(f"A name has at most {LONGEST_NAME} characters, the words beside it {LONGEST_NOTE}.")
    if not approve and not note.strip():
        raise Refused("A refusal needs a reason.", remedy="Say what must change before it is signed.")
    if approve:
        _approvable(state, known)
    return known


def _known(state: RunState, role: str) -> SignOffState:
    if state.rollback is not None:
        raise Refused("The release is being rolled back: there is nothing to sign for.")
    known = state.signoffs.get(role)
    if known is None:
        roles = ", ".join(state.signoffs) or "none"
        raise Refused(f"The plan asks for no signature of {role}.", remedy=f"Roles that sign: {roles}.")
    return known


def _approvable(state: RunState, known: SignOffState) -> None:
    if known.given:
        raise Refused(f"{known.title} has already signed ({known.name}).")
    if state.status is RunStatus.NOT_STARTED:
        raise Refused("The run has not begun: there is nothing to sign yet.")
    if state.incident_at is not None:
        reason = f"An incident is open: {state.incident_reason}."
        raise Refused(f"Nothing is approved meanwhile. {reason}", remedy="Close the incident first, or refuse to sign.")
    for step in state.steps.values():
        if step.step.role != known.role:
            continue
        before = open_predecessors(state.steps, step.step)
        if before or step.status is StepStatus.WAITING:
            titles = ", ".join(state.steps[each].step.title for each in before)
            raise Refused(f"{known.title} signs when the steps before it are over.", remedy=f"Open: {titles}.")


def _login_of(state: RunState, role: str) -> str:
    return next((each.login for each in state.plan.signoffs if each.role == role), "")


def _login(known: SignOffState, expected: str, login: str) -> None:
    """Only the login that the plan names signs as the role."""
    if not expected:
        raise Refused(
            f"The plan names no login for {known.title}.", remedy="Tell the signature to whoever drives: by voice."
        )
    if login != expected:
        raise Refused(
            f"{known.title} signs with another login than {login}.", remedy=f"The plan names {expected} for this role."
        )


def _bound(state: RunState, signature: Signature) -> None:
    """What was signed is what stands now: anything else was signed unseen."""
    remedy = "Look at the run again, then sign what stands there now."
    if signature.plan != state.plan_digest:
        was, now = signature.plan[:12] or "none", state.plan_digest[:12]
        raise Refused(f"It was given for another plan ({was}) than that of this run ({now}).", remedy=remedy)
    commit = release_commit(state)
    if signature.commit != commit:
        was, now = signature.commit[:7] or "no commit", commit[:7] or "no commit yet"
        raise Refused(f"It was given for {was}, and what is released now is {now}.", remedy=remedy)


def _four_eyes(state: RunState, known: SignOffState, *names: str) -> None:
    driver = drove(state.drivers, *names) if state.plan.four_eyes else ""
    if driver:
        raise Refused(
            f"Four eyes are asked for: {driver} has driven this run and cannot sign it.",
            remedy=f"Let somebody else sign as {known.title}, who has not driven it.",
        )


def _why_void(state: RunState, signoff: SignOffState) -> str:
    commit = release_commit(state)
    if (signoff.plan, signoff.commit) != (state.plan_digest, commit):
        return f"it was given for another commit than {commit[:7]}" if commit else "the commit that was signed is gone"
    driver = drove(state.drivers, signoff.name, signoff.login) if state.plan.four_eyes else ""
    return f"four eyes are asked for, and {driver} has driven this run" if driver else ""


def _plain(name: str) -> str:
    return "".join(each for each in name.casefold() if each.isalnum())

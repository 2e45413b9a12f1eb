"""What the store's refusals mean in the console's words: lost, taken over, not allowed, or not in order.

No message holds a password or a connection string. Whatever is not known to be a refusal is a loss: what was asked may
or may not have been done, and is asked again.
"""

import psycopg

from console.adapters.database.errors import translated
from console.errors import JournalError, StoreLost, TakenOver

PRODUCTION = "What is recorded on the driver's own machine is untouched, and so is production."
_LOOK = "See whether the store's server is up and reached from here; the console tries it again by itself."
_INIT = "Set it up with `release-console journal init`, or check the address of the shared record."
_NOT_SET_UP = frozenset({"3F000", "42P01", "42883", "42703", "22023"})
_NO_RIGHT = "42501"


class NotAllowed(JournalError):
    """The login, or its role, lacks a right."""


def lost(reason: str, remedy: str = "") -> StoreLost:
    """That the store cannot be reached; `reason` continues the sentence, without its full stop."""
    return StoreLost(
        f"The shared record is not reached: {reason.rstrip('.')}.", production=PRODUCTION, remedy=remedy or _LOOK
    )


def late(seconds: float) -> StoreLost:
    """That the store did not answer in the time of a call."""
    return lost(f"it did not answer within {seconds:g} s")


def refused(error: psycopg.Error, secrets: tuple[str, ...]) -> JournalError:
    """What an error of a statement becomes: StoreLost, TakenOver, or JournalError."""
    state = error.sqlstate or ""
    if state in ("RC001", "RC002"):
        return _taken_over(state, error)
    if state == "RC005":
        return lost(error.diag.message_primary or "the lease is held by another session")
    known = translated(error, secrets)
    if state.startswith("RC"):
        said = (error.diag.message_primary or state).rstrip(".")
        return JournalError(
            f"The shared record refuses it: {said}.",
            production=PRODUCTION,
            remedy="`release-console runs` lists the runs of the shared record.",
        )
    if state in _NOT_SET_UP:
        return JournalError(
            f"The shared record is not set up as this console needs it: {known.message}",
            production=PRODUCTION,
            remedy=_INIT,
        )
    if state == _NO_RIGHT or state.startswith(("22", "23", "42")):
        kind = NotAllowed if state == _NO_RIGHT else JournalError
        return kind(f"The shared record does not allow it: {known.message}", production=PRODUCTION, remedy=known.remedy)
    return lost(f"{known.message[:1].lower()}{known.message[1:]}", known.remedy)


def without(text: str, secrets: tuple[str, ...]) -> str:
    """A text without the secrets that it may hold."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def not_a_member(login: str, role: str) -> JournalError:
    """That a login may not do what it is here for."""
    return JournalError(
        f"The shared record does not let {login} in as {role}.",
        production=PRODUCTION,
        remedy=f'An administrator of the store runs: GRANT {role} TO "{login}";',
    )


def other_version(found: object, wanted: int) -> JournalError:
    """That the store's schema is older or newer than this console."""
    older = isinstance(found, int) and found < wanted
    return JournalError(
        f"The shared record has version {found} of its schema; this console works with version {wanted}.",
        production=PRODUCTION,
        remedy="Bring it up to date with `release-console journal init`." if older else "Install a newer console.",
    )


def _taken_over(state: str, error: psycopg.Error) -> TakenOver:
    epoch, _, driver = (error.diag.message_detail or "").partition(" ")
    if state == "RC001":
        message = f"{driver or 'Another driver'} drives this run now: epoch {epoch} of the shared record is theirs."
    else:
        message = "The shared record has another line of the same number: another driver wrote it."
    return TakenOver(
        message,
        epoch=int(epoch) if epoch.isdigit() else 0,
        driver=driver,
        production="Nothing more is begun from here; what ran comes to its next safe point and is looked for by them.",
        remedy="Watch the run; what was recorded here since then is kept beside it.",
    )

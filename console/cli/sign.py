"""Signing from one's own machine: what is signed is shown, the role is typed, the driver's console answers.

What always holds: a signature that nobody types names the plan and the commit that were seen; nobody's login but the
signer's own is used.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from console.cli.exits import Exit
from console.cli.shared import SharedPlace
from console.domain.released import release_commit
from console.domain.shared import Answer, Signature
from console.domain.state import RunState
from console.domain.untrusted import one_line
from console.engine.clock import WallClock
from console.engine.signer import Stores, answered, look, put
from console.errors import ConfigError, Refused
from console.ports import DriverStatus, Driving, SharedStatus, Update
from console.report.signing_text import what_is_signed

if TYPE_CHECKING:
    from console.secrets import Secret

PATIENCE = 60.0
"""Seconds for which the driver's answer is waited for."""

NOTHING_YET = "none"
"""What pins that nothing is released yet."""

_LEAST_PLAN, _LEAST_COMMIT = 12, 7
"""Characters of a digest, and of a commit, that pin it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be signed, and how. `run` may be empty: the one that is open. `refuse` is why it is refused, None when
    it is approved. `plan` and `commit` pin what was seen; empty where a person looks and types."""

    role: str
    name: str
    run: str = ""
    refuse: str | None = None
    note: str = ""
    plan: str = ""
    commit: str = ""
    wait: bool = True

    @property
    def pinned(self) -> bool:
        """Whether it says what was seen."""
        return bool(self.plan and self.commit)


def sign(wish: Wish, place: SharedPlace | None, *, terminal: bool, typed: Callable[[str], str] = input) -> Exit:
    """Show what is signed, have it confirmed, sign, and say what became of it.

    Raises ConfigError, SecretError, StoreLost, JournalError; Refused when it would not be accepted as things stand.
    """
    if place is None:
        raise ConfigError(
            ["The plan names no shared record (`[journal] url_env`) to sign in."],
            remedy="Name the record with --journal env:NAME or file:PATH, or tell the signature to whoever drives.",
        )
    if not wish.pinned and (wish.plan or wish.commit or not terminal):
        raise ConfigError(
            ["A signature that nobody types has to say what was seen: the plan and the commit."],
            remedy="Sign at a terminal, or name both as they were looked at: --plan DIGEST --commit HASH.",
        )
    url = resolved(place)
    signature = asyncio.run(_shown(wish, url, place.tls))
    # Asked between two loops: a person may think for as long as they like, and no connection waits for them.
    if not wish.pinned and not confirmed(wish, typed):
        print("Nothing was signed.", file=sys.stderr)
        return Exit.FAILED
    try:
        return asyncio.run(_signed(signature, url, place.tls, wait=wish.wait))
    except KeyboardInterrupt:
        print(f"Interrupted. `release-console watch {signature.run}` shows whether it is on record.", file=sys.stderr)
        return Exit.OPEN


def resolved(place: SharedPlace) -> "Secret":
    """The signer's own address of the shared record. Raises SecretError."""
    from console.secrets import resolve

    return resolve(place.source)


def as_seen(wish: Wish, state: RunState) -> None:
    """Raises Refused when what was seen, and is pinned, is not what stands there now."""
    commit = release_commit(state)
    plan_fits = len(wish.plan) >= _LEAST_PLAN and state.plan_digest.startswith(wish.plan.lower())
    commit_fits = len(wish.commit) >= _LEAST_COMMIT and commit.startswith(wish.commit.lower())
    if not commit and wish.commit == NOTHING_YET:
        commit_fits = True
    if plan_fits and commit_fits:
        return
    what = "plan" if not plan_fits else "commit"
    now = state.plan_digest if not plan_fits else commit or NOTHING_YET
    given = wish.plan if not plan_fits else wish.commit
    least = _LEAST_PLAN if not plan_fits else _LEAST_COMMIT
    raise Refused(
        f"The {what} that was seen is {given}, and the run has {now} now.",
        production="Production is untouched: nothing was signed.",
        remedy=f"Look at the run again; at least {least} characters pin a {what}.",
    )


def confirmed(wish: Wish, typed: Callable[[str], str]) -> bool:
    """Whether the person types the role that they sign as."""
    doing = "sign" if wish.refuse is None else "refuse"
    try:
        return typed(f"Type {wish.role} to {doing}, anything else to leave it: ").strip() == wish.role
    except (EOFError, KeyboardInterrupt):
        print(file=sys.stderr)
        return False


@asynccontextmanager
async def _opened(url: "Secret", tls: str) -> AsyncIterator[Stores]:
    from console.adapters.journal.observer import PostgresObserverStore
    from console.adapters.journal.signer import PostgresSignerStore
    from console.cli.account import actor

    stores = Stores(PostgresObserverStore(url, tls=tls, person=actor()), PostgresSignerStore(url, tls=tls))
    try:
        yield stores
    finally:
        await stores.signer.close()
        await stores.observer.close()


async def _shown(wish: Wish, url: "Secret", tls: str) -> Signature:
    async with _opened(url, tls) as stores:
        return await drawn_up(wish, stores)


async def drawn_up(wish: Wish, stores: Stores) -> Signature:
    """The signature as it is to be given; what it stands for is printed. Raises Refused, JournalError."""
    looked = await look(stores, wish.run, WallClock())
    print(what_is_signed(looked.state, wish.role, driver=looked.driver), end="\n\n")
    approve = wish.refuse is None
    name, note = one_line(wish.name), one_line(wish.note if wish.refuse is None else wish.refuse)
    signature = looked.signature(wish.role, name, approve=approve, note=note)
    if wish.pinned:
        as_seen(wish, looked.state)
    verb = "signs" if approve else f"refuses to sign ({note})"
    print(one_line(f"{name} ({looked.login}) {verb} as {looked.state.signoffs[wish.role].title}."), flush=True)
    return signature


async def _signed(signature: Signature, url: "Secret", tls: str, *, wait: bool) -> Exit:
    async with _opened(url, tls) as stores:
        return await given(signature, stores, patience=PATIENCE if wait else 0.0)


async def given(signature: Signature, stores: Stores, *, patience: float) -> Exit:
    """Put it into the inbox, wait `patience` seconds for the answer, and print it. Raises StoreLost, JournalError."""
    number, answer = await put(stores, signature), None
    if patience:
        answer = await answered(stores, signature, number, WallClock(), Waiting().hear, patience=patience)
    return _told(signature, number, answer)


class Waiting:
    """What a person should know while they wait, each thing once: that nobody drives, that somebody else does, that the
    record is lost. Who drove when they looked stands above."""

    def __init__(self) -> None:
        self._driver = ""

    def hear(self, update: Update) -> None:
        """Print an update that they should know of."""
        match update:
            case DriverStatus(driving, text) if text != self._driver:
                if self._driver or driving is not Driving.DRIVES:
                    print(one_line(text), file=sys.stderr, flush=True)
                self._driver = text
            case SharedStatus(connected=False, reason=reason):
                print(one_line(reason), file=sys.stderr, flush=True)


def _told(signature: Signature, number: int, answer: Answer | None) -> Exit:
    what = "signature" if signature.approve else "refusal"
    if answer is None:
        print(
            f"Your {what} waits in the inbox (number {number}) until whoever drives takes it; "
            f"`release-console watch {signature.run}` shows when it is on record."
        )
        return Exit.OPEN
    if answer.accepted:
        print(one_line(f"✔ On record: your {what} as {signature.role}, signed as {signature.login}."))
        return Exit.DONE
    print(one_line(f"✗ Not accepted: {answer.reason}"), file=sys.stderr)
    return Exit.FAILED

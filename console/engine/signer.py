"""Signing in a shared record: the run as it stands there, a signature bound to it, and the wait for its answer.

What always holds: a signature carries the plan and the commit of the record that was read to its end, held against its
chain; it is put into the inbox once, and nothing else is written.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from console.domain.released import release_commit
from console.domain.shared import Answer, SharedRun, Signature
from console.domain.signing import sign_from_afar
from console.domain.state import RunState
from console.engine.follow_store import StoreFollower
from console.engine.glance import closed
from console.errors import JournalError, StoreLost
from console.ports import Clock, ObserverStore, SignerStore, Update

ASK_AGAIN = 1.0
"""Seconds between two looks whether an answer is there."""

LAST = "last"
"""Instead of a run's id: the newest that is open."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The shared record as a signer has it open."""

    observer: ObserverStore
    signer: SignerStore


@dataclass(frozen=True, slots=True)
class Looked:
    """A run as it stands in the shared record, who drives it in one sentence, and for whom the database takes us."""

    state: RunState
    driver: str
    login: str

    def signature(self, role: str, name: str, *, approve: bool, note: str) -> Signature:
        """The signature of what stands there now. Raises Refused when it would not be accepted."""
        bound = self.state.plan_digest, release_commit(self.state)
        signature = Signature(0, self.state.run, self.login, role, name, approve, note, *bound, datetime.now(UTC))
        sign_from_afar(self.state, signature)
        return signature


async def look(stores: Stores, name: str, clock: Clock) -> Looked:
    """Read a run, by its id or an unambiguous beginning of one; without a name the only one that is open.

    Raises JournalError, JournalBroken, StoreLost.
    """
    run = _named(await stores.observer.runs(), name)
    follower = await StoreFollower.open(stores.observer, run, clock)
    await follower.catch_up()
    return Looked(follower.state, follower.driver.text, await stores.signer.login())


async def put(stores: Stores, signature: Signature) -> int:
    """Put a signature into the inbox; its number there. Raises StoreLost, JournalError."""
    try:
        return await stores.signer.sign(signature)
    except StoreLost as error:
        raise StoreLost(
            f"{error.message} Whether your signature has arrived is not known.",
            production="Production is untouched: a signature changes nothing there.",
            remedy="Look at the run; when the signature is not on record after a while, give it again.",
        ) from error


async def answered(
    stores: Stores, signature: Signature, number: int, clock: Clock, tell: Callable[[Update], None], *, patience: float
) -> Answer | None:
    """What became of a signature in the inbox; None when it still waits after `patience` seconds, or the run is over.

    `tell` hears of the run meanwhile: who drives, whether the record is reached. Raises JournalError.
    """
    follower = await StoreFollower.open(stores.observer, signature.run, clock)
    await follower.catch_up()
    stop_telling = follower.feed.subscribe(tell)
    following = asyncio.create_task(follower.follow(), name="follow the run")
    answer: Answer | None = None
    try:
        async with asyncio.timeout(patience):
            over = False
            while answer is None and not over:
                over = follower.over
                answer = await _answer(stores.signer, number)
                await asyncio.wait({following}, timeout=0 if answer or over else ASK_AGAIN)
    except TimeoutError:
        answer = None
    finally:
        stop_telling()
        following.cancel()
        await asyncio.wait({following})
    if answer is None and not following.cancelled():
        following.result()
    return answer


async def _answer(signer: SignerStore, number: int) -> Answer | None:
    try:
        return await signer.answer_to(number)
    except StoreLost:
        return None  # the follower says so, and it is asked again


def _named(runs: tuple[SharedRun, ...], name: str) -> str:
    open_ = [each.run for each in runs if not closed(each.last)]
    fitting = open_ if name in ("", LAST) else [each.run for each in runs if each.run.startswith(name)]
    if len(fitting) == 1 or (fitting and name == LAST):
        return fitting[0]
    if name in ("", LAST):
        what = f"{len(fitting)} runs are open" if fitting else "No run is open"
    else:
        what = f"{len(fitting) or 'No'} runs are called {name}"
    remedy = f"Name the run: {', '.join(fitting[:5])}." if fitting else "`release-console runs` lists them."
    raise JournalError(f"{what} in the shared record.", remedy=remedy)

"""A run that waits for a signature, driven over a shared record in memory, with the inbox that its driver serves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from console.domain import intents as i
from console.domain.events import Event, Kind
from console.domain.plan import Plan, SignOff
from console.domain.shared import Answer, Signature
from console.domain.state import RunState, RunStatus, StepStatus
from console.domain.wire import encode_plan, plan_digest
from console.engine.driver import Driver
from console.engine.inbox import Inbox
from console.engine.shared_journal import SharedJournal
from console.engine.shared_opening import create_shared, open_shared
from tests.domain.plans import plan, signature, step
from tests.engine.shared_store import MemoryDriver, Record, Wire
from tests.engine.world import Console, FakeWorld, console_over, until

RUN = "20260204-200000-test"
PLAN = plan(
    step("merge", action="source.merge"),
    signature("qa", after=("merge",)),
    signoffs=(SignOff("qa", "QA lead", login="grace"),),
)
COMMIT = "c" * 40


class Desk:
    """A driver's console over a shared record, with its inbox."""

    def __init__(self, console: Console[SharedJournal], store: MemoryDriver) -> None:
        self.console = console
        self.store = store
        self.inbox = Inbox(store, RUN, lambda: self.state, console.conductor.record)

    @property
    def state(self) -> RunState:
        return self.console.conductor.state

    def events(self, *kinds: Kind) -> list[Event]:
        return [each for each in self.console.journal.events() if each.kind in kinds]


@asynccontextmanager
async def desk(folder: Path, record: Record, world: FakeWorld, *, plan: Plan = PLAN) -> AsyncIterator[Desk]:
    """A run that is driven up to its signature; taken up again when the folder holds it already."""
    store = MemoryDriver(record)
    driver = Driver.here("ops@laptop")
    if (folder / RUN).exists():
        journal = await open_shared(folder / RUN, store, driver)
    else:
        journal = await create_shared(folder / RUN, encode_plan(plan), store, driver)
    run = console_over(plan, journal, world)
    driving = asyncio.create_task(run.conductor.run())
    try:
        if run.conductor.state.status is RunStatus.NOT_STARTED:
            await run.conductor.send(i.Start())
            await until(run.feed, lambda state: state.steps["sign.qa"].status is StepStatus.READY)
        yield Desk(run, store)
    finally:
        store.wire.mend()
        await run.conductor.close()
        await driving
        await journal.close()


def put(record: Record, **other: str) -> int:
    """Grace signs what stands there."""
    bound = {"plan": plan_digest(PLAN), "commit": COMMIT, "login": "grace", "name": "Grace Hopper", "role": "qa"}
    return record.sign(RUN, **(bound | other))  # type: ignore[arg-type] # a table of fields


class MemorySigner:
    """A SignerStore on a Record, with a line of its own."""

    def __init__(self, record: Record, login: str = "grace") -> None:
        self._record = record
        self._login = login
        self.wire = Wire(login)

    async def login(self) -> str:
        return await self.wire.call("login", lambda: self._login)

    async def sign(self, signature: Signature) -> int:
        def work() -> int:
            kept = self._record.of(signature.run)
            number = len(kept.inbox) + 1
            kept.inbox[number] = replace(signature, id=number, login=self._login, at=self._record.now())
            self._record.tell_driver(signature.run)
            return number

        return await self.wire.call("sign", work)

    async def answer_to(self, signature: int) -> Answer | None:
        def work() -> Answer | None:
            mine = [each for each in self._record.kept.values() if signature in each.inbox]
            return mine[0].answers.get(signature) if mine else None

        return await self.wire.call("answer_to", work)

    async def close(self) -> None:
        return None

"""`release-console sign` against a real store: two logins, the driver's console with its keeper, and what the database
lets whom do."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from console.domain import intents as i
from console.domain.plan import SignOff
from console.domain.state import StepStatus
from console.domain.wire import encode_plan, plan_digest
from console.engine.clock import WallClock
from console.engine.driver import Driver
from console.engine.inbox import Inbox
from console.engine.keeper import Keeper
from console.engine.shared_journal import SharedJournal
from console.engine.shared_opening import create_shared
from tests.adapters.journal.conftest import RUN, Store
from tests.engine.signing import COMMIT, PLAN
from tests.engine.world import Console, FakeWorld, console_over, until

SIGNED = replace(PLAN, signoffs=(SignOff("qa", "QA lead", login="quinn"),), journal_url_source="env:JOURNAL_URL")
SEEN = ("--plan", plan_digest(SIGNED), "--commit", COMMIT)


@asynccontextmanager
async def driven(folder: Path, store: Store) -> AsyncIterator[Console[SharedJournal]]:
    """Alice's console, which drives the run up to its signature and keeps its shared record."""
    client = store.driver("alice")
    journal = await create_shared(folder / RUN, encode_plan(SIGNED), client, Driver.here("ops@laptop"))
    run = console_over(SIGNED, journal, FakeWorld())
    inbox = Inbox(client, RUN, lambda: run.conductor.state, run.conductor.record)
    keeper = Keeper(journal, client, run.conductor, run.feed, WallClock(), (inbox.take,))
    driving = asyncio.create_task(run.conductor.run())
    keeping = asyncio.create_task(keeper.run())
    try:
        await run.conductor.send(i.Start())
        await until(run.feed, lambda state: state.steps["sign.qa"].status is StepStatus.READY)
        yield run
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
        await run.conductor.close()
        await driving
        await journal.close()


async def sign(store: Store, login: str, *options: str, which: tuple[str, ...] = ()) -> tuple[int, str, str]:
    """The command as somebody runs it on their own machine: exit code, output, errors."""
    command = (
        "-m",
        "console",
        "sign",
        "qa",
        *which,
        "--journal",
        "env:JOURNAL_URL",
        "--journal-tls",
        "disable",
        *options,
    )
    environment = {**os.environ, "JOURNAL_URL": store.url(login).reveal()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(30):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_whoever_may_sign_is_recorded_and_answered(store: Store, tmp_path: Path) -> None:
    async with driven(tmp_path, store) as run:
        code, out, err = await sign(store, "quinn", *SEEN, "--name", "Quinn Harper", "--note", "reports compared")
        assert (code, err) == (0, ""), out + err
        signed = run.feed.state.signoffs["qa"]
        assert (signed.name, signed.how, signed.note) == ("Quinn Harper", "signed as quinn", "reports compared")
        assert "ops@laptop drives" in out
        assert "✔ On record: your signature as qa, signed as quinn." in out
        code, _, err = await sign(store, "quinn", *SEEN, which=(RUN,))
        assert (code, "has already signed (Quinn Harper)" in err) == (1, True), err


async def test_others_are_refused_before_the_inbox(store: Store, tmp_path: Path) -> None:
    async with driven(tmp_path, store) as run:
        (sam, _, of_sam), (mallory, _, of_mallory) = await asyncio.gather(
            sign(store, "sam", *SEEN), sign(store, "mallory", *SEEN)
        )
        assert (sam, "another login than sam" in of_sam) == (1, True), of_sam
        assert (mallory, "does not let mallory in" in of_mallory) == (1, True), of_mallory
        assert not run.feed.state.received
        assert run.feed.state.signoffs["qa"].given is None


async def test_while_nobody_drives_it_waits_for_the_next_driver(store: Store, tmp_path: Path) -> None:
    async with driven(tmp_path, store):
        pass
    code, out, _ = await sign(store, "quinn", *SEEN, "--refuse", "KPIs are off", "--no-wait")
    assert (code, "waits in the inbox (number 1)" in out) == (3, True), out

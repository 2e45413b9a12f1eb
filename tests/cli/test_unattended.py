"""An unattended run as the command line drives it: what it waits for, and what it says."""

import asyncio
from pathlib import Path
from typing import cast

import pytest

from console.cli.exits import Exit
from console.cli.session import Session
from console.cli.unattended import exit_of, fly
from console.cli.wiring import Wired
from console.domain import intents as i
from console.engine.autopilot import Ending
from console.engine.journal import FileJournal
from console.errors import JournalError
from tests.engine.driving import ONE, in_the_middle_of_it
from tests.engine.world import FakeWorld, console, disk_full, until


async def test_what_runs_comes_to_its_safe_point_when_the_record_cannot_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = FakeWorld(gates={"a": asyncio.Event()})
    run = console(ONE, tmp_path, world=world)
    driving: asyncio.Task[object] = asyncio.create_task(run.conductor.run())
    session = Session(run.plan, cast(FileJournal, run.journal), run.feed, run.conductor, cast(Wired, None), driving)
    await run.conductor.send(i.Start())
    await until(run.feed, in_the_middle_of_it)
    flying = asyncio.create_task(fly(session, as_json=True, retry_failed=False))
    await asyncio.sleep(0)
    run.journal.before = disk_full(0)
    with pytest.raises(JournalError):
        await run.conductor.send(i.Note("x"))
    await asyncio.wait([flying], timeout=0.1)
    assert not flying.done(), "the step is in the middle of something"
    world.gates["a"].set()
    outcome = await flying
    assert outcome.ending is Ending.STOPPED
    assert "No space left on device" in outcome.message
    assert exit_of(session, outcome) is Exit.OPEN
    assert world.done["a"] == 1
    with pytest.raises(JournalError):
        await driving

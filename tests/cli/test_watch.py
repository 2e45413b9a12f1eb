"""`release-console watch` as it is started: over real run folders, beside drivers in processes of their own."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.cli.event_output import event_json
from console.cli.exits import Exit
from console.cli.watch import watch
from console.cli.which_run import run_to_watch
from console.domain.events import Draft, Event, Kind
from console.domain.wire import encode_plan
from console.engine.driver import Driver
from console.engine.feed import RunFeed
from console.engine.journal import JOURNAL_FILE, FileJournal, read
from console.errors import JournalError
from console.ports import Helm
from screens.app import ConsoleApp
from screens.base import ConsoleScreen
from screens.reads import Reads
from screens.widgets.panes import Header
from tests.cli.headless import no_terminal
from tests.engine.following import CREATED, ME, PLAN, other_driver
from tests.engine.test_death import live
from tests.engine.world import FakeWorld, until

OLD, RUN = "20260203-080000-0000", "20260204-201403-a1b2"
COMMAND = (sys.executable, "-m", "console", "watch")


async def kept(state: Path, *drafts: Draft, run: str = RUN, kind: str = "runs") -> Path:
    """A run that is kept, with these events behind its creation."""
    folder = state / kind / run
    journal = FileJournal.create(folder, run, encode_plan(PLAN), Driver.here("ops@laptop"))
    for draft in (CREATED, *drafts):
        await journal.append(draft, at=datetime.now(UTC), actor="ops@laptop")
    await journal.close()
    return folder


def finished(outcome: str) -> Draft:
    return Draft(Kind.RUN_FINISHED, data={"outcome": outcome, "reason": "r", "production": "It runs."})


async def whole(state: Path) -> tuple[Event, ...]:
    """A run that was driven to its end by a real conductor."""
    folder = state / "runs" / RUN
    journal = FileJournal.create(folder, RUN, encode_plan(PLAN), ME)
    await live(journal, FakeWorld())
    await journal.close()
    return tuple(journal.events())


def watched(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = (*COMMAND, *arguments, "--directory", str(state))
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


class Watching:
    """A `watch --json` that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen: list[int] = []

    async def until(self, seq: int) -> None:
        """Read to the event with this number."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while not self.seen or self.seen[-1] < seq:
                self.seen.append(json.loads(await self.process.stdout.readline())["seq"])

    async def says(self, words: str) -> None:
        """Read standard error to a line with these words."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while line := await self.process.stderr.readline():
                if words in line.decode():
                    return
        raise AssertionError(f"it ended without saying {words}")

    async def end(self) -> int:
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while line := await self.process.stdout.readline():
                self.seen.append(json.loads(line)["seq"])
            return await self.process.wait()


@asynccontextmanager
async def watching(state: Path, *arguments: str, **variables: str) -> AsyncIterator[Watching]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "--json",
        "--directory",
        str(state),
        *arguments,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **variables},
    )
    try:
        yield Watching(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


class TestJson:
    async def test_every_event_from_the_first_to_the_last_in_the_form_of_a_rehearsal(self, tmp_path: Path) -> None:
        events = await whole(tmp_path)
        done = await asyncio.to_thread(watched, tmp_path, "--json")
        assert done.returncode == 0
        assert done.stdout.splitlines() == [event_json(event) for event in events]
        assert done.stderr.startswith("The run is over: ops@laptop left at ")

    @pytest.mark.parametrize(
        ("outcome", "code"), [("completed", 0), ("failed", 1), ("abandoned", 1), ("rolled_back", 4), ("?", 1)]
    )
    async def test_the_exit_code_says_how_the_run_ended(self, tmp_path: Path, outcome: str, code: int) -> None:
        await kept(tmp_path, finished(outcome))
        assert (await asyncio.to_thread(watched, tmp_path, "--json")).returncode == code

    async def test_it_follows_a_driver_that_dies_resumes_and_ends(self, tmp_path: Path) -> None:
        folder = await kept(tmp_path)
        async with watching(tmp_path) as watcher:
            await watcher.until(1)
            async with other_driver(folder, "ops@laptop") as ops:
                await ops.does("join", "note")
                await watcher.until(3)
                await watcher.says("ops@laptop drives (process ")
                await ops.ends(killed=True)
                await watcher.says("the console of ops@laptop on ")
            async with other_driver(folder, "eve@desk") as eve:
                await eve.does("join")
                await watcher.says("took over from ops@laptop, whose console died.")
                await eve.does("finish", "leave")
                assert await watcher.end() == 0, "although the console is still open"
        assert watcher.seen == [each.seq for each in read(folder).events] == [1, 2, 3, 4, 5, 6]

    async def test_an_interrupt_leaves_an_open_run_with_3(self, tmp_path: Path) -> None:
        folder = await kept(tmp_path)
        async with other_driver(folder, "ops@laptop") as ops, watching(tmp_path) as watcher:
            await watcher.says("ops@laptop drives")
            watcher.process.send_signal(signal.SIGINT)
            assert await watcher.end() == 3
            await ops.does("join")
        assert len(read(folder).events) == 2, "the run goes on"

    async def test_it_ends_when_nobody_reads_it_any_more(self, tmp_path: Path) -> None:
        folder = await kept(tmp_path)
        receiving, sending = os.pipe()
        watcher = await asyncio.create_subprocess_exec(
            *COMMAND, "--json", "--directory", str(tmp_path), stdin=subprocess.DEVNULL, stdout=sending
        )
        os.close(sending)
        assert b'"seq":1' in await asyncio.to_thread(os.read, receiving, 100_000)
        os.close(receiving)
        async with other_driver(folder, "ops@laptop") as ops:
            await ops.does("join")
            assert await asyncio.wait_for(watcher.wait(), 60) == 1

    async def test_a_record_that_does_not_hold_is_told_by_its_line_behind_what_does(self, tmp_path: Path) -> None:
        folder = await kept(tmp_path, *(Draft(Kind.NOTE_ADDED, data={"text": text}) for text in "abc"))
        journal = folder / JOURNAL_FILE
        journal.write_bytes(journal.read_bytes().replace(b'"b"', b'"x"'))
        done = await asyncio.to_thread(watched, tmp_path, "--json", RUN)
        assert done.returncode == 1
        assert [json.loads(line)["seq"] for line in done.stdout.splitlines()] == [1, 2, 3]
        assert "✗ Line 4 of the journal is broken: it does not follow from line 3" in done.stderr


async def test_without_a_terminal_it_prints_a_readable_line_an_event(tmp_path: Path) -> None:
    events = await whole(tmp_path)
    done = await asyncio.to_thread(watched, tmp_path, RUN[:8])
    lines = done.stdout.splitlines()
    assert len(lines) == len(events)
    assert lines[-1] == "20:00:00 · driver left: it is finished"
    assert "■ run completed" in lines[-2]


class TestWhich:
    async def test_the_last_is_the_newest_that_is_open(self, tmp_path: Path) -> None:
        older = await kept(tmp_path, run=OLD, kind="rehearsals")
        newest = await kept(tmp_path, finished("failed"))
        assert run_to_watch(tmp_path, "last") == older
        assert run_to_watch(tmp_path, "20260204") == newest
        with pytest.raises(JournalError, match="2 runs are called 2026"):
            run_to_watch(tmp_path, "2026")

    async def test_where_none_is_open_it_is_the_newest(self, tmp_path: Path) -> None:
        await kept(tmp_path, finished("completed"), run=OLD)
        newest = await kept(tmp_path, finished("failed"), Draft(Kind.DRIVER_LEFT, data={"reason": "r"}))
        assert run_to_watch(tmp_path, "last") == newest

    async def test_one_that_has_no_event_yet_counts_while_it_is_driven(self, tmp_path: Path) -> None:
        older = await kept(tmp_path, run=OLD)
        journal = FileJournal.create(tmp_path / "runs" / RUN, RUN, encode_plan(PLAN), ME)
        assert run_to_watch(tmp_path, "last") == journal.directory
        await journal.close()
        assert run_to_watch(tmp_path, "last") == older

    async def test_one_that_cannot_be_read_is_not_the_last_and_is_found_by_its_name(self, tmp_path: Path) -> None:
        older = await kept(tmp_path, run=OLD)
        broken = await kept(tmp_path)
        (broken / JOURNAL_FILE).write_bytes(b"no journal\n")
        assert run_to_watch(tmp_path, "last") == older
        assert run_to_watch(tmp_path, RUN) == broken

    async def test_an_end_behind_a_line_that_is_longer_than_a_glance_is_seen(self, tmp_path: Path) -> None:
        older = await kept(tmp_path, run=OLD)
        long = Draft(Kind.DRIVER_LEFT, data={"reason": "x" * 200_000})
        await kept(tmp_path, finished("failed"), long)
        assert run_to_watch(tmp_path, "last") == older

    def test_where_there_are_none_the_way_on_is_said(self, tmp_path: Path) -> None:
        done = watched(tmp_path)
        assert done.returncode == 1
        assert f"✗ There are no runs in {tmp_path}." in done.stderr
        assert "release-console runs" in done.stderr


class TestScreens:
    async def test_the_run_is_shown_live_and_left_without_a_question(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = await kept(tmp_path)
        shown: list[str] = []
        given: list[RunFeed] = []
        taken_up = asyncio.Event()
        take_up = ConsoleApp.take_up

        def take(app: ConsoleApp, feed: RunFeed, helm: Helm | None, reads: Reads | None) -> None:
            assert helm is None
            take_up(app, feed, helm, reads)
            given.append(feed)
            taken_up.set()

        async def look(app: ConsoleApp) -> None:
            try:
                async with other_driver(folder, "ops@laptop") as ops:
                    await asyncio.wait_for(taken_up.wait(), 60)
                    await ops.does("join", "note")
                    await until(given[0], lambda state: state.seq == 3)
                    seen = asyncio.Event()
                    app.call_after_refresh(seen.set)
                    await asyncio.wait_for(seen.wait(), 60)
                    assert isinstance(app.screen, ConsoleScreen)
                    assert not app.screen.desk.steers
                    shown.append(app.screen.query_one(Header).lines[0].plain)
            finally:
                app.exit()

        monkeypatch.setattr(ConsoleApp, "take_up", take)
        looks: list[asyncio.Task[None]] = []
        with no_terminal(monkeypatch, pilot=lambda app: looks.append(asyncio.create_task(look(app)))):
            code = await asyncio.to_thread(watch, "last", Path("config.toml"), tmp_path, as_json=False, terminal=True)
        assert looks[0].exception() is None
        assert code is Exit.OPEN
        assert "WATCHING" in shown[0]
        assert f"Run {RUN} is open." in capsys.readouterr().err

    async def test_a_run_that_cannot_be_read_is_an_error_and_no_picture(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = await kept(tmp_path)
        (folder / "plan.json").unlink()
        with no_terminal(monkeypatch), pytest.raises(JournalError, match=r"frozen plan of .+ cannot be read"):
            await asyncio.to_thread(watch, RUN, Path("config.toml"), tmp_path, as_json=False, terminal=True)

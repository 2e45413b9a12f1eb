"""Following a run on disk: everything once, in order, folded as the driver folds it, whatever happens to the driver."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.domain.events import Event, Kind
from console.domain.fold import fold
from console.domain.wire import GENESIS, encode_event, encode_plan, line_digest
from console.engine.autopilot import Autopilot, Ending
from console.engine.follow import LOOK, JournalFollower
from console.engine.journal import JOURNAL_FILE, FileJournal, read
from console.engine.journal_reader import JournalReader
from console.errors import JournalError
from console.ports import StateChanged
from tests.engine.following import (
    AT,
    CREATED,
    ME,
    PLAN,
    RUN,
    Hooked,
    Told,
    begun,
    chained,
    create,
    note,
    notes,
    watched,
)
from tests.engine.test_death import end_of, half_of_line, live, undisturbed
from tests.engine.world import FakeClock, FakeWorld, console_over


class TestLive:
    async def test_after_every_event_the_state_is_the_drivers(self, tmp_path: Path) -> None:
        journal = create(tmp_path)
        follower, told = watched(journal.directory)
        follower.poll()
        assert follower.state == fold(PLAN, ()), "it is followed from before its first event"

        def compare() -> None:
            follower.poll()
            assert follower.state == fold(PLAN, journal.events())

        run = console_over(PLAN, Hooked(journal, compare), FakeWorld())
        driving = asyncio.create_task(run.conductor.run())
        outcome = await Autopilot(run.conductor, run.feed).drive()
        assert outcome.ending is Ending.COMPLETED
        await run.conductor.close()
        assert follower.state == await driving
        assert told.events == list(journal.events())
        assert len(told.events) > 30
        follower.poll()
        assert follower.over, "the driver left behind the end"
        await journal.close()

    async def test_a_late_joiner_has_the_whole_history_at_once(self, tmp_path: Path) -> None:
        journal = FileJournal.create(tmp_path / RUN, RUN, encode_plan(PLAN), ME)
        state = await live(journal, FakeWorld())
        await journal.close()
        follower = JournalFollower.open(tmp_path / RUN, FakeClock())
        follower.catch_up()
        assert follower.state == follower.feed.state == state
        assert follower.over

    async def test_it_ends_with_the_run(self, tmp_path: Path) -> None:
        journal = create(tmp_path)
        follower, told = watched(journal.directory)
        following = asyncio.create_task(follower.follow())
        await live(journal, FakeWorld())
        await asyncio.wait_for(following, 10)
        assert told.events == list(journal.events())
        assert told.events[-1].kind is Kind.DRIVER_LEFT
        await journal.close()

    async def test_lines_that_come_in_pieces_are_told_when_they_are_whole(self, tmp_path: Path) -> None:
        followers: list[tuple[JournalFollower, Told]] = []

        def dribble(fd: int, line: bytes) -> int:
            written = os.write(fd, line[:23])
            for follower, _ in followers:
                follower.poll()
            return written

        journal = create(tmp_path, write=dribble)
        followers.append(watched(journal.directory))
        await journal.append(CREATED, at=AT, actor="ops@laptop")
        await note(journal, "ä" * 50, "two\nlines", "")
        follower, told = followers[0]
        follower.poll()
        assert told.events == list(journal.events())
        assert follower.state == fold(PLAN, journal.events())
        await journal.close()

    @pytest.mark.parametrize("block", [1, 100, 1000, 100_000])
    async def test_a_line_may_be_longer_than_what_is_read_at_a_time(self, tmp_path: Path, block: int) -> None:
        journal = await begun(tmp_path, "short", "long" * 1000, "short")
        reader = JournalReader(journal.directory / JOURNAL_FILE, block=block)
        events: list[Event] = []
        while reader.behind:
            events += reader.read()
        assert events == list(journal.events())
        assert reader.read() == []
        await journal.close()


WRITE = """
import os, random, sys
from pathlib import Path
content, path = Path(sys.argv[2]).read_bytes(), sys.argv[1]
fd = os.open(path, os.O_WRONLY | os.O_APPEND)
at, dice = 0, random.Random(7)
while at < len(content):
    at += os.write(fd, content[at : at + dice.choice((100, 1000, 5000, 20000))])
    os.fsync(fd)
"""


async def test_ten_thousand_events_of_another_process_are_neither_missed_nor_doubled(tmp_path: Path) -> None:
    journal = await begun(tmp_path)
    await journal.close()
    events, rest, tip = list(journal.events()), b"", line_digest(encode_event(journal.events()[0], GENESIS))
    for number in range(2, 10_002):
        event = Event(number, AT, RUN, "console", Kind.STEP_PROGRESSED, "migrate", {"text": f"row {number}"})
        line = encode_event(event, tip)
        tip, rest = line_digest(line), rest + line + b"\n"
        events.append(event)
    (tmp_path / "rest").write_bytes(rest)
    follower, told = watched(journal.directory)
    arguments = (sys.executable, "-c", WRITE, str(journal.directory / JOURNAL_FILE), str(tmp_path / "rest"))
    writer = await asyncio.create_subprocess_exec(*arguments)
    async with asyncio.timeout(120):
        while follower.state.seq < len(events):
            follower.poll()
            await asyncio.sleep(0)
    assert await writer.wait() == 0
    assert told.events == events
    assert len([each for each in told.updates if isinstance(each, StateChanged)]) > 5, "they came as they were written"
    assert follower.state == fold(PLAN, events)


class TestDeath:
    async def test_killed_in_the_middle_of_every_line_and_taken_up_again(self, tmp_path: Path) -> None:
        expected = end_of((await undisturbed(tmp_path))[0])
        for number in range(1, 40):
            world, directory = FakeWorld(), tmp_path / f"run-{number}"
            journal = FileJournal.create(directory, directory.name, encode_plan(PLAN), ME, write=half_of_line(number))
            follower, told = watched(directory)
            assert await live(journal, world) is None, f"line {number}"
            follower.poll()
            assert [each.seq for each in told.events] == list(range(1, number)), "a torn line is not told"
            await journal.close()
            if number % 2:
                follower.poll()
            journal = FileJournal.open(directory, ME)
            if number % 3:
                follower.poll()
            state = await live(journal, world)
            await journal.close()
            follower.catch_up()
            assert told.events == list(read(directory).events), f"line {number}"
            assert follower.state == state
            assert end_of(follower.state) == expected
            assert follower.over

    async def test_a_line_that_the_disk_refused_to_keep_is_taken_back(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It was whole in the file for a moment, and seen; what replaces it is told with the same number."""
        journal = await begun(tmp_path, "kept")
        follower, told = watched(journal.directory)
        synced = os.fsync

        def refuse(fd: int) -> None:
            follower.poll()
            monkeypatch.setattr(os, "fsync", synced)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(JournalError, match="No space left"):
            await note(journal, "refused")
        assert [each.data.get("text") for each in told.events[1:]] == ["kept", "refused"]
        follower.poll()
        assert follower.state == fold(PLAN, journal.events()), "already before anything replaces it"
        await note(journal, "replaces it")
        follower.poll()
        assert follower.state == fold(PLAN, journal.events())
        assert [(each.seq, each.data.get("text")) for each in told.events[2:]] == [(3, "refused"), (3, "replaces it")]
        await journal.close()

    async def test_a_line_that_was_replaced_between_two_looks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = await begun(tmp_path, "kept")
        follower, _ = watched(journal.directory)
        synced = os.fsync

        def refuse(fd: int) -> None:
            follower.poll()
            monkeypatch.setattr(os, "fsync", synced)
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(JournalError):
            await note(journal, "no")
        await note(journal, "something longer", "and more")
        follower.poll()
        assert follower.state == fold(PLAN, journal.events())
        assert [each.text for each in follower.state.notes] == ["kept", "something longer", "and more"]
        await journal.close()


async def test_nothing_in_the_folder_changes(tmp_path: Path) -> None:
    journal = await begun(tmp_path, "a")
    with (journal.directory / JOURNAL_FILE).open("ab") as file:
        file.write(b'{"torn')
    follower, _ = watched(journal.directory)

    def seen() -> dict[str, tuple[int, int, int, bytes]]:
        files = [each for each in journal.directory.rglob("*") if each.is_file()]
        stats = {each: each.stat() for each in files}
        folder = journal.directory.stat().st_mtime_ns
        return {str(each): (info.st_ino, info.st_mtime_ns, folder, each.read_bytes()) for each, info in stats.items()}

    before = seen()
    follower.catch_up()
    assert follower.state.seq == 2
    assert seen() == before
    await journal.close()


async def test_a_long_history_is_read_block_by_block_and_once(tmp_path: Path) -> None:
    journal = await begun(tmp_path)
    await journal.close()
    events = [journal.events()[0], *notes(*(str(n) for n in range(20_000)))]
    (journal.directory / JOURNAL_FILE).write_bytes(b"".join(chained(events)))
    reader = JournalReader(journal.directory / JOURNAL_FILE)
    taken = 0
    while reader.behind:
        taken += len(reader.read())
    assert taken == len(events)
    follower, _ = watched(journal.directory)
    follower.catch_up()
    assert follower.state == fold(PLAN, events)


async def test_looking_at_an_idle_run_reads_nothing(tmp_path: Path) -> None:
    journal = await begun(tmp_path, "a")
    follower, _ = watched(journal.directory)
    follower.catch_up()
    opened: list[str] = []
    active = True

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if active and event == "open":
            opened.append(str(arguments[0]))

    sys.addaudithook(heard)
    looks = 3
    for _ in range(int(looks * LOOK / 0.001)):
        follower.poll()
    active = False
    assert len(opened) <= looks + 1, "the driver's lock, once a second of the clock, and nothing else"
    await journal.close()


@pytest.mark.parametrize("module", ["follow", "follow_store"])
def test_following_needs_nothing_that_drives(module: str) -> None:
    """No conductor, no action, no adapter is loaded with it."""
    code = (
        f"import sys; import console.engine.{module}; "
        "print(*sorted(m for m in sys.modules if m.startswith('console.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    rooms = {name.split(".")[1] for name in done.stdout.split()}
    assert rooms <= {"domain", "engine", "errors", "ports"}
    assert not {"console.engine.conductor", "console.engine.writer", "console.engine.desk"} & set(done.stdout.split())

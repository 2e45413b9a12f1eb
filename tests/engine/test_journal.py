"""The journal on disk: durable, chained, one writer, and whole after whatever happened to it."""

import asyncio
import errno
import fcntl
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from console.domain.events import Draft, Kind
from console.domain.wire import encode_plan, plan_digest
from console.engine.driver import LOCK_FILE, Driver, driver_of
from console.engine.journal import FileJournal, read
from console.engine.runs import new_run_id, runs, verify
from console.errors import JournalBroken, JournalError, JournalLocked
from tests.domain.plans import release_plan

AT = datetime(2026, 2, 4, 20, 14, 3, 118765, UTC)
ME = Driver.here("ops@laptop")
PLAN = release_plan()
RUN = "20260204-201403-a1b2"


def create(root: Path, *, write: Callable[[int, bytes], int] = os.write) -> FileJournal:
    return FileJournal.create(root / RUN, RUN, encode_plan(PLAN), ME, write=write)


async def fill(journal: FileJournal, count: int) -> None:
    plan = {"name": "small", "environment": "production", "digest": plan_digest(PLAN)}
    for number in range(count):
        kind = Kind.RUN_CREATED if number == 0 else Kind.NOTE_ADDED
        await journal.append(Draft(kind, data={"plan": {**plan}, "text": str(number)}), at=AT, actor="ops@laptop")


async def test_what_was_appended_is_read_again_as_it_was(tmp_path: Path) -> None:
    journal = create(tmp_path)
    await fill(journal, 3)
    await journal.close()
    again = FileJournal.open(tmp_path / RUN, ME)
    assert again.events() == journal.events()
    assert again.plan_json == encode_plan(PLAN)
    assert again.torn == 0
    assert again.events()[0].at == AT.replace(microsecond=118000), "the time is as the line has it"
    await fill(again, 1)
    assert [each.seq for each in read(tmp_path / RUN).events] == [1, 2, 3, 4]
    await again.close()


async def test_a_run_is_its_owners_alone(tmp_path: Path) -> None:
    journal = create(tmp_path / "runs")
    await fill(journal, 1)
    folders = [tmp_path / "runs", journal.directory, journal.directory / "artifacts"]
    assert [stat.S_IMODE(each.stat().st_mode) for each in folders] == [0o700] * 3
    files = [each for each in journal.directory.iterdir() if each.is_file()]
    assert {each.name for each in files} == {"journal.jsonl", "plan.json", "driver.json"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    await journal.close()


async def test_a_run_is_created_once(tmp_path: Path) -> None:
    journal = create(tmp_path)
    with pytest.raises(JournalError, match="File exists"):
        create(tmp_path)
    await journal.close()


async def test_every_event_is_synced_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = create(tmp_path)
    synced: list[int] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        real(fd)
        synced.append(os.fstat(fd).st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    await fill(journal, 2)
    assert len(synced) == 2
    assert synced[-1] == (journal.directory / "journal.jsonl").stat().st_size
    await journal.close()


class TestTornTail:
    @pytest.mark.parametrize("cut", [1, 2, 20, 200])
    async def test_a_torn_last_line_is_cut_off_and_reported(self, tmp_path: Path, cut: int) -> None:
        journal = create(tmp_path)
        await fill(journal, 3)
        await journal.close()
        path = journal.directory / "journal.jsonl"
        whole = path.read_bytes()
        path.write_bytes(whole[:-cut])
        assert len(read(journal.directory).events) == 2, "who only reads leaves it out"
        assert path.read_bytes() == whole[:-cut], "and changes nothing"
        again = FileJournal.open(journal.directory, ME)
        assert len(again.events()) == 2
        assert again.torn > 0
        await fill(again, 1)
        await again.close()
        assert verify(journal.directory).ok
        assert len(read(journal.directory).events) == 3

    async def test_a_file_that_ends_in_nothing_but_zeros_is_torn(self, tmp_path: Path) -> None:
        """Some file systems leave a block of zeros where a write was under way when the power went."""
        journal = create(tmp_path)
        await fill(journal, 2)
        await journal.close()
        with (journal.directory / "journal.jsonl").open("ab") as file:
            file.write(b"\0" * 4096)
        again = FileJournal.open(journal.directory, ME)
        assert (len(again.events()), again.torn) == (2, 4096)
        await again.close()


class TestChain:
    async def edited(self, tmp_path: Path, edit: Callable[[list[bytes]], None]) -> Path:
        journal = create(tmp_path)
        await fill(journal, 5)
        await journal.close()
        path = journal.directory / "journal.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        edit(lines)
        path.write_bytes(b"".join(lines))
        return journal.directory

    @pytest.mark.parametrize(
        ("edit", "line", "says"),
        [
            (lambda lines: lines.__setitem__(1, lines[1].replace(b'"text":"1"', b'"text":"2"')), 3, "does not follow"),
            (lambda lines: lines.pop(2), 3, "does not follow"),
            (lambda lines: lines.insert(2, lines[1]), 3, "does not follow"),
            (lambda lines: lines.__setitem__(3, b"no json\n"), 4, "not a line of a journal"),
            (lambda lines: lines.__setitem__(0, lines[0].replace(b'"seq":1', b'"seq":7')), 1, "numbered 7"),
        ],
        ids=["changed", "removed", "doubled", "garbled", "renumbered"],
    )
    async def test_an_edited_record_is_named_by_its_line(
        self, tmp_path: Path, edit: Callable[[list[bytes]], None], line: int, says: str
    ) -> None:
        directory = await self.edited(tmp_path, edit)
        found = verify(directory)
        assert not found.ok
        assert found.line == line
        assert says in found.problem
        with pytest.raises(JournalBroken) as broken:
            FileJournal.open(directory, ME)
        assert broken.value.line == line
        assert driver_of(directory) is None, "a journal that cannot be opened is not left locked"

    async def test_another_plan_than_the_run_began_with_is_seen(self, tmp_path: Path) -> None:
        directory = await self.edited(tmp_path, lambda lines: None)
        plan = directory / "plan.json"
        plan.write_text(plan.read_text().replace("A small release", "Another release"))
        assert verify(directory).problem == "The frozen plan is not the one that the run began with."


class TestFullDisk:
    @pytest.mark.parametrize("failing", range(1, 5))
    @pytest.mark.parametrize("written", [0, 1, 30])
    async def test_an_event_that_the_disk_refuses_is_not_half_written(
        self, tmp_path: Path, failing: int, written: int
    ) -> None:
        """Whichever append meets the full disk, and however much of the line still fitted."""
        calls = 0

        def write(fd: int, line: bytes) -> int:
            nonlocal calls
            calls += 1
            if calls == failing:
                return os.write(fd, line[:written]) if written else _refuse(errno.ENOSPC)
            if calls == failing + 1 and written:
                return _refuse(errno.ENOSPC)
            return os.write(fd, line)

        journal = create(tmp_path, write=write)
        await fill(journal, failing - 1)
        before = (journal.directory / "journal.jsonl").read_bytes()
        with pytest.raises(JournalError, match="No space left on device") as refused:
            await fill(journal, 1)
        assert "Make room" in refused.value.remedy
        assert (journal.directory / "journal.jsonl").read_bytes() == before
        await fill(journal, 2)
        await journal.close()
        assert len(read(journal.directory).events) == failing + 1
        assert verify(journal.directory).line is None

    async def test_when_even_setting_back_fails_nothing_more_is_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = create(tmp_path, write=lambda fd, line: os.write(fd, line[:10]) and _refuse(errno.EIO))
        monkeypatch.setattr(os, "ftruncate", lambda fd, length: _refuse(errno.EIO))
        with pytest.raises(JournalError):
            await fill(journal, 1)
        with pytest.raises(JournalError, match="nor set back"):
            await fill(journal, 1)
        monkeypatch.undo()
        await journal.close()
        again = FileJournal.open(journal.directory, ME)
        assert (len(again.events()), again.torn) == (0, 10)
        await again.close()

    def test_a_real_limit_on_the_size_of_files(self, tmp_path: Path) -> None:
        """The kernel itself refuses to let the journal grow: it stays whole, and says so."""
        script = f"""
import asyncio, resource, signal
from pathlib import Path
from tests.engine.test_journal import create, fill, read, verify
from console.errors import JournalError
async def main():
    journal = create(Path({str(tmp_path)!r}))
    await fill(journal, 2)
    size = (journal.directory / "journal.jsonl").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50, size + 50))
    try:
        await fill(journal, 1)
    except JournalError as error:
        print(error.message.rpartition(": ")[2], len(read(journal.directory).events), verify(journal.directory).ok)
asyncio.run(main())
"""
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, cwd=Path.cwd(), check=True
        )
        assert done.stdout.strip() == "File too large. 2 True"


def _refuse(number: int) -> int:
    raise OSError(number, os.strerror(number))


HOLD_IT = """
import asyncio, sys
from pathlib import Path
from console.engine.driver import Driver
from console.engine.journal import FileJournal
journal = FileJournal.open(Path(sys.argv[1]), Driver.here("eve@elsewhere"))
print("driving", flush=True)
sys.stdin.read()
"""


class TestOneWriter:
    async def test_a_second_driver_is_told_who_drives_and_may_drive_after_a_kill(self, tmp_path: Path) -> None:
        journal = create(tmp_path)
        await fill(journal, 1)
        await journal.close()
        other = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            HOLD_IT,
            str(journal.directory),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=Path.cwd(),
        )
        try:
            assert other.stdout is not None
            assert await other.stdout.readline() == b"driving\n"
            with pytest.raises(JournalLocked, match=rf"eve@elsewhere \(process {other.pid} on .+\) since 20") as locked:
                FileJournal.open(journal.directory, ME)
            assert "`release-console watch`" in locked.value.remedy
            driver = driver_of(journal.directory)
            assert driver is not None
            assert driver.pid == other.pid
            assert len(read(journal.directory).events) == 1, "reading needs no lock"
        finally:
            other.kill()
            await other.communicate()
        assert driver_of(journal.directory) is None
        again = FileJournal.open(journal.directory, ME)
        assert driver_of(journal.directory) == ME
        await again.close()

    async def test_whoever_only_asks_who_drives_keeps_nobody_from_driving(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = create(tmp_path)
        await journal.close()
        asking = os.open(journal.directory / LOCK_FILE, os.O_RDONLY)
        fcntl.flock(asking, fcntl.LOCK_SH)
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            os.close(asking)

        monkeypatch.setattr("time.sleep", wait)
        await FileJournal.open(journal.directory, ME).close()
        assert len(waits) == 1

    async def test_the_lock_is_given_up_by_closing(self, tmp_path: Path) -> None:
        journal = create(tmp_path)
        with pytest.raises(JournalLocked):
            FileJournal.open(journal.directory, ME)
        await journal.close()
        await journal.close()
        await FileJournal.open(journal.directory, ME).close()
        with pytest.raises(JournalError, match="closed"):
            await fill(journal, 1)


class TestCancelled:
    async def test_a_writer_that_is_cancelled_leaves_whole_lines(self, tmp_path: Path) -> None:
        journal = create(tmp_path)
        for _ in range(20):
            task = asyncio.create_task(fill(journal, 1))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await journal.close()
        assert verify(journal.directory).line is None
        assert len(read(journal.directory).events) == len(journal.events())


class TestRuns:
    async def test_they_are_listed_newest_first_with_how_they_stand(self, tmp_path: Path) -> None:
        open_run = create(tmp_path)
        await fill(open_run, 2)
        closed = FileJournal.create(tmp_path / "20260101-000000-0000", "20260101-000000-0000", encode_plan(PLAN), ME)
        await fill(closed, 1)
        await closed.append(Draft(Kind.RUN_FINISHED, data={"outcome": "failed"}), at=AT, actor="a")
        await closed.close()
        (tmp_path / "20250101-000000-0000").mkdir()
        (tmp_path / "20250101-000000-0000" / "journal.jsonl").write_text("broken\n")
        (tmp_path / "something else").mkdir()
        first, second, third = runs(tmp_path)
        assert (first.run, first.outcome, first.driver, first.events, first.open) == (RUN, "", ME, 2, True)
        assert (second.outcome, second.driver, second.open) == ("failed", None, False)
        assert "Line 1" in third.problem
        assert not third.open
        await open_run.close()

    def test_where_there_are_none_the_list_is_empty(self, tmp_path: Path) -> None:
        assert runs(tmp_path / "nowhere") == ()

    def test_names_sort_by_age_and_are_told_apart(self) -> None:
        names = {new_run_id(AT) for _ in range(20)}
        assert len(names) > 1
        assert all(each.startswith("20260204-201403-") and len(each) == 20 for each in names)
        assert new_run_id(datetime(2027, 1, 1, tzinfo=UTC)) > max(names)

    def test_a_folder_without_a_run_is_said_to_be_none(self, tmp_path: Path) -> None:
        with pytest.raises(JournalError, match="There is no run in"):
            FileJournal.open(tmp_path, ME)

    async def test_the_lines_are_plain_json(self, tmp_path: Path) -> None:
        journal = create(tmp_path)
        await fill(journal, 2)
        await journal.close()
        lines = (journal.directory / "journal.jsonl").read_text().splitlines()
        assert [json.loads(each)["seq"] for each in lines] == [1, 2]

"""Who may read a run: the owner alone, or a group as well; and whether that group can get there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.domain.wire import encode_plan
from console.engine.driver import LOCK_FILE
from console.engine.journal import ARTIFACTS, JOURNAL_FILE, PLAN_FILE, FileJournal
from console.engine.sharing import closed_way, make_run_folder
from console.engine.tail import TAIL_FILE, TailWriter
from tests.engine.following import ME, PLAN, RUN
from tests.engine.test_tail_reader import entry, write

OTHER_GROUP = next((group for group in (*os.getgroups(), 12345) if group != os.getegid()), os.getegid())
AS_ROOT = os.geteuid() == 0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o077], ids=["open umask", "closed umask"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def shared(state: Path) -> FileJournal:
    return FileJournal.create(state / "runs" / RUN, RUN, encode_plan(PLAN), ME, group=True)


@pytest.mark.usefixtures("umask")
async def test_a_group_may_read_the_record_and_nothing_else(tmp_path: Path) -> None:
    journal = shared(tmp_path / "state")
    folder = journal.directory
    tail = TailWriter(folder, max_bytes=2_000)
    for number in range(30):
        await write(tail, entry(number))
    assert [mode(each) for each in (folder, folder.parent, folder.parent.parent)] == [0o750] * 3
    record = {JOURNAL_FILE, PLAN_FILE, TAIL_FILE, LOCK_FILE}
    assert {name: mode(folder / name) for name in record} == dict.fromkeys(record, 0o640)
    assert {each.name for each in folder.iterdir()} == record | {ARTIFACTS}
    assert mode(folder / ARTIFACTS) == 0o700
    await journal.close()
    again = FileJournal.open(folder, ME)
    assert mode(folder / LOCK_FILE) == 0o640
    await again.close()


@pytest.mark.usefixtures("umask")
async def test_otherwise_everything_is_the_owners(tmp_path: Path) -> None:
    journal = FileJournal.create(tmp_path / "runs" / RUN, RUN, encode_plan(PLAN), ME)
    await write(TailWriter(journal.directory), entry(1))
    assert mode(journal.directory) == mode(journal.directory / ARTIFACTS) == 0o700
    assert {mode(each) for each in journal.directory.iterdir() if each.is_file()} == {0o600}
    await journal.close()


@pytest.mark.skipif(os.getegid() == OTHER_GROUP, reason="needs a second group")
@pytest.mark.skipif(not AS_ROOT and OTHER_GROUP not in os.getgroups(), reason="needs a second group")
async def test_the_group_is_that_of_the_folder_in_which_runs_are_kept(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o750)
    os.chown(state, -1, OTHER_GROUP)
    journal = shared(state)
    await write(TailWriter(journal.directory), entry(1))
    paths = (state / "runs", journal.directory, *(each for each in journal.directory.iterdir() if each.is_file()))
    assert {each.stat().st_gid for each in paths} == {OTHER_GROUP}
    await journal.close()


async def test_a_folder_of_runs_that_was_closed_before_is_opened_and_its_runs_are_not(tmp_path: Path) -> None:
    make_run_folder(tmp_path / "runs" / "20250101-000000-0000", group=False)
    assert mode(tmp_path / "runs") == 0o700
    journal = shared(tmp_path)
    assert mode(tmp_path / "runs") == 0o750
    assert mode(tmp_path / "runs" / "20250101-000000-0000") == 0o700
    await journal.close()


class TestTheWay:
    @pytest.fixture
    def state(self, tmp_path: Path) -> Path:
        """A way that is open up to here, with two folders of ours on it."""
        for each in (tmp_path, *tmp_path.parents):
            if each.stat().st_uid == os.geteuid() and each.stat().st_mode & 0o011 != 0o011:
                each.chmod(mode(each) | 0o011)
        (tmp_path / "above" / "state").mkdir(parents=True)
        for each in (tmp_path / "above", tmp_path / "above" / "state"):
            each.chmod(0o750)
        return tmp_path / "above" / "state"

    def test_it_is_open(self, state: Path) -> None:
        assert closed_way(state) is None
        assert closed_way(state / "not" / "there" / "yet") is None

    @pytest.mark.parametrize("missing", [False, True])
    def test_a_folder_that_the_group_cannot_enter_is_named_with_the_command(self, state: Path, missing: bool) -> None:
        state.parent.chmod(0o700)
        closed = closed_way(state / "missing" if missing else state)
        assert closed is not None
        assert (closed.folder, closed.mode, closed.command) == (state.parent, 0o700, f"chmod g+x {state.parent}")
        assert str(closed) == f"the group {closed.group} cannot enter the folder {state.parent} (mode 0700)"

    def test_so_is_the_folder_itself(self, state: Path) -> None:
        state.chmod(0o640)
        closed = closed_way(state)
        assert closed is not None
        assert closed.command == f"chmod g+x {state}"

    @pytest.mark.skipif(not AS_ROOT, reason="needs a second group")
    def test_a_folder_of_another_group_must_let_others_in(self, state: Path) -> None:
        os.chown(state, -1, OTHER_GROUP)
        closed = closed_way(state)
        assert closed is not None
        assert closed.command == f"chmod o+x {state.parent}"
        state.parent.chmod(0o751)
        assert closed_way(state) is None
        os.chown(state.parent, -1, OTHER_GROUP)
        state.parent.chmod(0o701)
        assert closed_way(state) is not None, "whoever is in the group is not one of the others"

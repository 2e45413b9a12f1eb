"""A record that is changed while it is watched, or was before: told by its line, never taken for the same one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.domain.events import Event
from console.domain.fold import fold
from console.domain.wire import decode_plan
from console.engine.follow import JournalFollower
from console.engine.journal import JOURNAL_FILE
from console.errors import JournalBroken, JournalError
from console.ports import JournalFailed
from tests.engine.following import AT, CREATED, PLAN, RUN, begun, chained, notes, watched
from tests.engine.world import FakeClock


def change(path: Path, edit: Callable[[list[bytes]], list[bytes]]) -> None:
    """Change a journal as an editor does: a new file in the place of the old one."""
    new = path.with_suffix(".new")
    new.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))
    new.replace(path)


def rewritten(lines: list[bytes]) -> list[bytes]:
    """Line 2 edited, and all digests made anew, so that the lines hold together."""
    return [
        *chained([Event(1, AT, RUN, "ops@laptop", CREATED.kind, data=CREATED.data), *notes("a", "EDITED", "c")]),
    ]


class TestChanged:
    @pytest.mark.parametrize("line", [1, 2, 4])
    async def test_a_record_that_does_not_hold_is_told_by_its_line(self, tmp_path: Path, line: int) -> None:
        journal = await begun(tmp_path, "a", "b", "c")
        await journal.close()
        change(
            journal.directory / JOURNAL_FILE,
            lambda lines: [
                each.replace(b"laptop", b"lapdog") if n == line else each for n, each in enumerate(lines, 1)
            ],
        )
        follower, told = watched(journal.directory)
        if line < 4:
            with pytest.raises(JournalBroken, match=f"Line {line + 1} ") as broken:
                follower.catch_up()
            assert broken.value.line == line + 1
            assert [each.seq for each in told.events] == list(range(1, line + 1)), "what holds is told before"
            assert isinstance(told.updates[-1], JournalFailed)
        else:
            follower.catch_up()
            assert follower.state.seq == 4, "nothing protects the last line yet"

    async def test_it_is_seen_while_it_is_watched(self, tmp_path: Path) -> None:
        journal = await begun(tmp_path, "a", "b", "c")
        follower, _ = watched(journal.directory)
        follower.catch_up()
        change(journal.directory / JOURNAL_FILE, lambda lines: [lines[0], lines[1].replace(b'"a"', b'"x"'), *lines[2:]])
        with pytest.raises(JournalBroken, match="Line 3 "):
            follower.poll()
        await journal.close()

    @pytest.mark.parametrize("edit", [rewritten, lambda lines: lines[:2]], ids=["chained anew", "cut off"])
    async def test_another_history_that_holds_together_is_not_taken_for_this_one(
        self, tmp_path: Path, edit: Callable[[list[bytes]], list[bytes]]
    ) -> None:
        journal = await begun(tmp_path, "a", "b", "c")
        follower, _ = watched(journal.directory)
        follower.catch_up()
        change(journal.directory / JOURNAL_FILE, edit)
        with pytest.raises(JournalError, match="no longer the one that was read"):
            follower.poll()
        await journal.close()

    async def test_the_same_lines_in_a_new_file_are_the_same_record(self, tmp_path: Path) -> None:
        journal = await begun(tmp_path, "a", "b")
        follower, told = watched(journal.directory)
        follower.catch_up()
        change(journal.directory / JOURNAL_FILE, lambda lines: lines)
        follower.poll()
        assert follower.state == fold(PLAN, journal.events())
        assert len(told.events) == 3
        await journal.close()

    async def test_a_plan_that_is_not_the_runs_is_refused(self, tmp_path: Path) -> None:
        journal = await begun(tmp_path)
        frozen = journal.directory / "plan.json"
        frozen.write_text(frozen.read_text().replace(PLAN.title, "Another"))
        assert decode_plan(frozen.read_text()) != PLAN
        follower, _ = watched(journal.directory)
        with pytest.raises(JournalError, match="not the one that the run began with"):
            follower.poll()
        await journal.close()

    async def test_a_folder_that_goes_away_is_told(self, tmp_path: Path) -> None:
        journal = await begun(tmp_path)
        follower, told = watched(journal.directory)
        follower.poll()
        (journal.directory / JOURNAL_FILE).unlink()
        with pytest.raises(JournalError, match="cannot be read: No such file"):
            follower.poll()
        assert isinstance(told.updates[-1], JournalFailed)
        await journal.close()

    def test_where_there_is_no_run_there_is_nothing_to_follow(self, tmp_path: Path) -> None:
        with pytest.raises(JournalError):
            JournalFollower.open(tmp_path, FakeClock())

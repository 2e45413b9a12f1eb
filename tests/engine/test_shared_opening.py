"""Opening a run whose record is shared, when something is not as it was left: whose it is, and what is kept of it."""

import asyncio
import copy
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from console.domain.events import Draft, Kind
from console.domain.wire import decode_event, encode_plan
from console.engine.branching import lines_of
from console.engine.driver import Driver
from console.engine.journal import FileJournal
from console.engine.shared_opening import create_shared, open_shared
from console.errors import DrivenElsewhere, JournalLocked, StoreLost
from tests.domain.plans import plan, step
from tests.engine.shared_driving import RUN, driver, opened
from tests.engine.shared_store import AT, MemoryDriver, Record, lost
from tests.engine.test_shared_journal import here, left, note

PLAN = plan(step("a"))


async def test_a_folder_that_was_copied_to_another_machine_takes_nothing_over_unasked(tmp_path: Path) -> None:
    record = Record()
    ann, _ = await opened(tmp_path, record, "ann", PLAN)
    await note(ann, "one")
    shutil.copytree(tmp_path / "ann" / RUN, tmp_path / "bob" / RUN)
    with pytest.raises(DrivenElsewhere, match="ann@ann-laptop"):
        await opened(tmp_path, record, "bob", PLAN)
    same_person = Driver("ann@ann-laptop", "another-host", 7, "2026-02-04T21:00:00.000Z")
    with pytest.raises(DrivenElsewhere, match="from ann-laptop"):
        await open_shared(tmp_path / "bob" / RUN, MemoryDriver(record), same_person)
    assert await ann.still_ours()
    await ann.close()


@pytest.mark.parametrize("call", range(1, 9))
async def test_a_take_over_that_did_not_come_about_is_asked_for_again(tmp_path: Path, call: int) -> None:
    """The store is lost on the way: whoever drove drives on, and nobody drives beside them."""
    record = Record()
    ann, _ = await opened(tmp_path, record, "ann", PLAN)
    await note(ann, "one")
    line = MemoryDriver(record, name="bob")
    line.wire.cut_at(call)
    try:
        bob = await open_shared(tmp_path / "bob" / RUN, line, driver("bob"), taking_over=1)
    except StoreLost:
        assert await ann.still_ours(), "nothing was taken over"
        with pytest.raises(DrivenElsewhere, match="ann@ann-laptop"):
            await opened(tmp_path, record, "bob", PLAN, pid=2)
    else:
        assert bob.epoch == 2, "nobody goes on with another's run before it is theirs"
        await bob.close()
    await ann.close()


async def test_a_journal_is_not_brought_in_line_while_somebody_writes_it(tmp_path: Path) -> None:
    """Ann was taken over from, and her console comes to its safe point while she starts another one."""
    record = Record()
    ann, line = await opened(tmp_path, record, "ann", PLAN)
    await note(ann, "one")
    line.wire.cut()
    await note(ann, "apart")
    bob, _ = await opened(tmp_path, record, "bob", PLAN, taking_over=1)
    await note(bob, "mine")
    await left(bob)
    await bob.close()
    with pytest.raises(JournalLocked):
        await opened(tmp_path, record, "ann", PLAN, pid=2)
    assert record.of(RUN).branches == {}, "more may follow"
    await note(ann, "the last word")
    await ann.close()
    again, _ = await opened(tmp_path, record, "ann", PLAN, pid=3)
    (branch,) = record.of(RUN).branches.values()
    assert [decode_event(each)[0].data["text"] for each in branch.lines] == ["apart", "the last word"]
    kept = again.directory / f"branch-{branch.epoch}-{branch.first}.jsonl"
    assert lines_of(again.directory) == record.of(RUN).lines
    assert kept.read_bytes().count(b"\n") == 2
    await again.close()


async def test_what_was_not_sent_is_sent_from_a_machine_that_bears_another_name_now(tmp_path: Path) -> None:
    record = Record()
    ann, line = await opened(tmp_path, record, "ann", PLAN)
    await note(ann, "one")
    line.wire.cut()
    await note(ann, "two")
    await ann.close()
    renamed = Driver("ann@ann-laptop", "another-name", 7, "2026-02-04T21:00:00.000Z")
    folder = tmp_path / "ann" / RUN
    with pytest.raises(DrivenElsewhere, match="has not left it"):
        await open_shared(folder, MemoryDriver(record), renamed)
    again = await open_shared(folder, MemoryDriver(record), renamed, taking_over=1)
    assert here(again) == record.of(RUN).lines
    assert len(record.of(RUN).lines) == 2
    assert record.of(RUN).branches == {}
    await again.close()


async def test_whoever_was_taken_over_from_does_not_go_on_by_themselves_the_next_time(tmp_path: Path) -> None:
    """The shared record is not reached, and says nothing of who drives; that it is somebody else is known here."""
    record = Record()
    ann, _ = await opened(tmp_path, record, "ann", PLAN)
    await note(ann, "one")
    bob, _ = await opened(tmp_path, record, "bob", PLAN, taking_over=1)
    assert not await ann.still_ours()
    await ann.close()
    line = MemoryDriver(record, name="ann")
    line.wire.cut()
    with pytest.raises(StoreLost, match="somebody else's until") as refused:
        await open_shared(tmp_path / "ann" / RUN, line, driver("ann", 2))
    assert "epoch.json" in refused.value.remedy
    line.wire.mend()
    again = await open_shared(tmp_path / "ann" / RUN, line, driver("ann", 2), taking_over=2)
    assert again.epoch == 3
    await again.close()
    line.wire.cut()
    apart = await open_shared(tmp_path / "ann" / RUN, line, driver("ann", 3))
    assert apart.apart, "it is theirs again, also while the record is not reached"
    await apart.close()
    await bob.close()


async def test_a_journal_that_says_something_else_than_the_record_is_kept_as_a_branch(tmp_path: Path) -> None:
    """The machine lost its last line, which had been sent, and wrote another in its place while apart."""
    record = Record()
    ann, _ = await opened(tmp_path, record, "ann", PLAN)
    await note(ann, "one")
    await note(ann, "two")
    await ann.close()
    folder = tmp_path / "ann" / RUN
    (folder / "journal.jsonl").write_bytes(lines_of(folder)[0] + b"\n")
    local = await asyncio.to_thread(FileJournal.open, folder, driver("ann", 2))
    await local.append(Draft(Kind.NOTE_ADDED, data={"text": "another two"}), at=AT, actor="ann")
    await local.close()
    again, _ = await opened(tmp_path, record, "ann", PLAN, pid=3)
    assert here(again) == record.of(RUN).lines
    (branch,) = record.of(RUN).branches.values()
    assert (branch.first, len(branch.lines)) == (2, 1)
    assert again.plan_json == encode_plan(PLAN)
    await again.close()


async def test_whoever_takes_a_run_over_lets_those_read_it_whom_its_plan_names(tmp_path: Path) -> None:
    shared = replace(PLAN, readable_by="group")
    record = Record()
    ann, _ = await opened(tmp_path, record, "ann", shared)
    await note(ann, "one")
    bob, _ = await opened(tmp_path, record, "bob", shared, taking_over=1)
    assert bob.directory.stat().st_mode & 0o777 == 0o750
    modes = {each.name: each.stat().st_mode & 0o777 for each in bob.directory.iterdir() if each.is_file()}
    assert set(modes.values()) == {0o640}, modes
    assert (bob.directory / "artifacts").stat().st_mode & 0o777 == 0o700
    await bob.close()
    await ann.close()


async def test_an_opening_that_is_given_up_lets_go_of_the_run(tmp_path: Path) -> None:
    record = Record()
    store, hanging = MemoryDriver(record), asyncio.Event()

    async def hangs(run: str) -> None:
        hanging.set()
        await asyncio.Event().wait()

    store.find = hangs  # type: ignore[method-assign]
    opening = asyncio.create_task(create_shared(tmp_path / RUN, encode_plan(PLAN), store, driver("ann")))
    await hanging.wait()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    again = await open_shared(tmp_path / RUN, MemoryDriver(record), driver("ann", 2))
    assert again.epoch == 1
    await again.close()


class TestSetBack:
    """The store was restored from a backup of before, or is an empty one by now."""

    @pytest.mark.parametrize("kept", [1, 0], ids=["restored", "empty"])
    @pytest.mark.parametrize("seen_by", ["reaching", "asking"])
    async def test_it_is_told_as_that_and_gets_everything_again(self, tmp_path: Path, kept: int, seen_by: str) -> None:
        record = Record()
        first, _ = await opened(tmp_path, record, "ann", PLAN)
        await note(first, "one")
        await first.close()
        then = copy.deepcopy(record.of(RUN))
        ann, _ = await opened(tmp_path, record, "ann", PLAN, pid=2)
        await note(ann, "two")
        await note(ann, "three")
        record.kept = {RUN: then} if kept else {}
        if seen_by == "reaching":
            ann.lose(lost())
        else:
            assert not await ann.still_ours()
        assert not await ann.reach()
        assert ann.taken_over is not None
        assert "was set back, or is another one: epoch 2 was ours" in ann.taken_over.message
        await note(ann, "four")
        await ann.attach_branch()
        await ann.close()
        again, _ = await opened(tmp_path, record, "ann", PLAN, pid=3, taking_over=1 if kept else None)
        texts = [decode_event(line)[0].data["text"] for line in record.of(RUN).lines]
        assert texts == ["one", "two", "three", "four"]
        assert here(again) == record.of(RUN).lines
        assert record.of(RUN).branches == {}
        await again.close()

"""A run's journal that is shared: the file first, then the store, everything once; and who may go on with it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from console.domain.events import Draft, Kind
from console.domain.wire import decode_event, encode_plan
from console.engine import store_side
from console.engine.branching import lines_of
from console.engine.chain import read_chain
from console.engine.shared_journal import SharedJournal
from console.engine.shared_opening import create_shared
from console.errors import DrivenElsewhere, JournalError, JournalLocked, TakenOver
from tests.domain.plans import plan, step
from tests.engine.shared_driving import RUN, driver, opened
from tests.engine.shared_store import AT, MemoryDriver, Record

PLAN = plan(step("a"))


async def note(journal: SharedJournal, text: str) -> None:
    await journal.append(Draft(Kind.NOTE_ADDED, data={"text": text}), at=AT, actor="ops@laptop")


async def left(journal: SharedJournal) -> None:
    await journal.append(Draft(Kind.DRIVER_LEFT, data={"reason": "tea"}), at=AT, actor="ops@laptop")


def here(journal: SharedJournal) -> list[bytes]:
    return lines_of(journal.directory)


async def test_every_event_stands_in_the_file_and_in_the_store_byte_for_byte(tmp_path: Path) -> None:
    record = Record()
    journal, _ = await opened(tmp_path, record, "ann", PLAN)
    for text in ("one", "two", "drei ☂"):
        await note(journal, text)
    assert here(journal) == record.of(RUN).lines
    assert len(record.of(RUN).lines) == 3
    assert record.of(RUN).plan == encode_plan(PLAN)
    assert (journal.apart, journal.epoch, journal.status.unsent) == ("", 1, 0)
    await journal.close()


@pytest.mark.parametrize("answered", [True, False], ids=["not carried out", "answer lost"])
@pytest.mark.parametrize("call", range(1, 9))
async def test_a_store_cut_at_any_call_loses_and_doubles_nothing(tmp_path: Path, call: int, answered: bool) -> None:
    """Cut at the n-th call from the beginning: at opening, at appending, at being reached again."""
    record = Record()
    store = MemoryDriver(record)
    store.wire.cut_at(call, answered=answered, once=True)
    journal = await create_shared(tmp_path / RUN, encode_plan(PLAN), store, driver("ann"))
    for number in range(5):
        await note(journal, str(number))
        if journal.apart:
            assert journal.status.unsent > 0 or number == 0
        if number == 3:
            await journal.reach()
    assert await journal.reach()
    assert here(journal) == record.of(RUN).lines
    assert [decode_event(line)[0].data["text"] for line in record.of(RUN).lines] == list("01234")
    assert record.of(RUN).lease is not None
    assert journal.epoch == record.of(RUN).lease.epoch
    await journal.close()


async def test_what_was_recorded_apart_is_sent_when_the_store_is_reached_again(tmp_path: Path) -> None:
    record = Record()
    journal, store = await opened(tmp_path, record, "ann", PLAN)
    await note(journal, "one")
    store.wire.cut()
    await note(journal, "two")
    await note(journal, "three")
    assert (journal.status.connected, journal.status.unsent) == (False, 2)
    assert len(record.of(RUN).lines) == 1
    assert not await journal.reach()
    store.wire.mend()
    assert await journal.reach()
    assert here(journal) == record.of(RUN).lines
    assert journal.epoch == 1
    await journal.close()


async def test_a_run_begun_apart_comes_into_the_store_later(tmp_path: Path) -> None:
    record = Record()
    store = MemoryDriver(record)
    store.wire.cut()
    journal = await create_shared(tmp_path / RUN, encode_plan(PLAN), store, driver("ann"))
    await note(journal, "one")
    assert "cut" in journal.apart
    store.wire.mend()
    assert await journal.reach()
    assert here(journal) == record.of(RUN).lines
    await journal.close()


async def test_nothing_that_is_recorded_waits_while_the_store_is_reached_for(tmp_path: Path) -> None:
    """A network that hangs lets each attempt take its whole time; what people do meanwhile is on record at once."""
    record = Record()
    journal, store = await opened(tmp_path, record, "ann", PLAN)
    await note(journal, "one")
    store.wire.cut()
    await note(journal, "two")
    store.wire.mend()
    append, asked, answers = store.append, asyncio.Event(), asyncio.Event()

    async def slowly(run: str, epoch: int, first: int, lines: Sequence[bytes]) -> None:
        asked.set()
        await answers.wait()
        await append(run, epoch, first, lines)

    store.append = slowly  # type: ignore[method-assign]
    reaching = asyncio.create_task(journal.reach())
    await asked.wait()
    async with asyncio.timeout(5):
        await asyncio.gather(*(note(journal, text) for text in ("three", "four", "five")))
    assert (journal.status.connected, journal.status.unsent) == (False, 4)
    answers.set()
    assert await reaching
    assert here(journal) == record.of(RUN).lines
    await asyncio.gather(*(note(journal, text) for text in ("six", "seven", "eight")))
    assert (journal.status.connected, journal.status.unsent) == (True, 0)
    assert here(journal) == record.of(RUN).lines
    assert len(here(journal)) == 8
    await journal.close()


async def test_what_waits_is_sent_a_page_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_side, "PAGE", 3)
    record = Record()
    journal, store = await opened(tmp_path, record, "ann", PLAN)
    store.wire.cut()
    for number in range(10):
        await note(journal, str(number))
    store.wire.mend()
    del store.wire.calls[:]
    assert await journal.reach()
    assert here(journal) == record.of(RUN).lines
    assert store.wire.calls.count("append") == 4
    await journal.close()


class TestGoingOn:
    async def test_on_the_same_machine_after_a_death_nobody_is_asked(self, tmp_path: Path) -> None:
        record = Record()
        journal, _ = await opened(tmp_path, record, "ann", PLAN)
        await note(journal, "one")
        await journal.close()
        again, _ = await opened(tmp_path, record, "ann", PLAN, pid=2)
        assert again.epoch == 2
        await note(again, "two")
        assert here(again) == record.of(RUN).lines
        await again.close()

    @pytest.mark.parametrize("answered", [True, False])
    @pytest.mark.parametrize("call", range(1, 7))
    async def test_a_death_at_any_call_of_the_claim_asks_nobody(
        self, tmp_path: Path, call: int, answered: bool
    ) -> None:
        record = Record()
        first = MemoryDriver(record)
        first.wire.cut_at(call, answered=answered)
        journal = await create_shared(tmp_path / "ann" / RUN, encode_plan(PLAN), first, driver("ann"))
        await note(journal, "one")
        await journal.close()
        again, _ = await opened(tmp_path, record, "ann", PLAN, pid=2)
        assert not again.apart
        assert here(again) == record.of(RUN).lines
        await again.close()

    async def test_a_store_that_refuses_us_keeps_nobody_from_going_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = Record()
        journal, _ = await opened(tmp_path, record, "ann", PLAN)
        await note(journal, "one")
        await journal.close()

        async def refuse(self: MemoryDriver, run: str) -> None:
            raise JournalError("ann is no driver of this store.")

        with monkeypatch.context() as patched:
            patched.setattr(MemoryDriver, "find", refuse)
            again, _ = await opened(tmp_path, record, "ann", PLAN, pid=2)
            assert again.apart == "ann is no driver of this store."
            await note(again, "two")
        assert await again.reach()
        assert here(again) == record.of(RUN).lines
        await again.close()

    async def test_elsewhere_after_it_was_left_nobody_is_asked_and_the_folder_is_made(self, tmp_path: Path) -> None:
        record = Record()
        journal, _ = await opened(tmp_path, record, "ann", PLAN)
        await note(journal, "one")
        await left(journal)
        await journal.close()
        other, _ = await opened(tmp_path, record, "bob", PLAN)
        assert other.epoch == 2
        assert here(other) == record.of(RUN).lines
        assert other.plan_json == encode_plan(PLAN)
        await other.close()

    async def test_elsewhere_while_it_is_driven_or_its_driver_died_it_says_who(self, tmp_path: Path) -> None:
        record = Record()
        journal, _ = await opened(tmp_path, record, "ann", PLAN)
        await note(journal, "one")
        with pytest.raises(DrivenElsewhere, match=r"ann@ann-laptop drives run .* from ann-laptop") as held:
            await opened(tmp_path, record, "bob", PLAN)
        assert (held.value.epoch, held.value.driver, held.value.held) == (1, "ann@ann-laptop", True)
        assert not (tmp_path / "bob").exists()
        await journal.close()
        with pytest.raises(DrivenElsewhere, match="has not left it") as gone:
            await opened(tmp_path, record, "bob", PLAN)
        assert not gone.value.held

    async def test_a_yes_to_another_epoch_than_the_one_that_drives_takes_nothing_over(self, tmp_path: Path) -> None:
        record = Record()
        journal, _ = await opened(tmp_path, record, "ann", PLAN)
        await note(journal, "one")
        bob, _ = await opened(tmp_path, record, "bob", PLAN, taking_over=1)
        with pytest.raises(DrivenElsewhere, match="bob@bob-laptop"):
            await opened(tmp_path, record, "cem", PLAN, taking_over=1)
        await journal.close()
        await bob.close()

    async def test_two_who_take_over_at_once_are_one(self, tmp_path: Path) -> None:
        record = Record()
        journal, _ = await opened(tmp_path, record, "ann", PLAN)
        await note(journal, "one")
        took = await asyncio.gather(
            opened(tmp_path, record, "bob", PLAN, taking_over=1),
            opened(tmp_path, record, "cem", PLAN, taking_over=1),
            return_exceptions=True,
        )
        won = [each for each in took if isinstance(each, tuple)]
        assert len(won) == 1
        (beaten,) = [each for each in took if not isinstance(each, tuple)]
        assert isinstance(beaten, TakenOver | DrivenElsewhere)
        await won[0][0].close()
        await journal.close()

    async def test_on_the_same_machine_the_lock_keeps_a_second_console_out(self, tmp_path: Path) -> None:
        record = Record()
        journal, _ = await opened(tmp_path, record, "ann", PLAN)
        with pytest.raises(JournalLocked, match="already driven"):
            await opened(tmp_path, record, "ann", PLAN, pid=2)
        assert record.of(RUN).lease is not None
        assert record.of(RUN).lease.epoch == 1
        await journal.close()


class TestTakenOver:
    async def test_what_is_recorded_afterwards_stays_here_and_is_kept_beside_the_record(self, tmp_path: Path) -> None:
        record = Record()
        ann, line = await opened(tmp_path, record, "ann", PLAN)
        await note(ann, "one")
        line.wire.cut()
        await note(ann, "apart")
        bob, _ = await opened(tmp_path, record, "bob", PLAN, taking_over=1)
        await note(bob, "mine")
        line.wire.mend()
        assert not await ann.reach()
        assert ann.taken_over is not None
        assert ann.taken_over.driver == "bob@bob-laptop"
        await note(ann, "still apart")
        await ann.attach_branch()
        (branch,) = record.of(RUN).branches.values()
        assert (branch.epoch, branch.first, branch.actor) == (1, 2, "ann@ann-laptop")
        assert [decode_event(each)[0].data["text"] for each in branch.lines] == ["apart", "still apart"]
        assert here(bob) == record.of(RUN).lines
        await ann.close()
        await bob.close()

    async def test_the_one_who_was_beaten_goes_on_later_with_the_record_as_it_is(self, tmp_path: Path) -> None:
        record = Record()
        ann, line = await opened(tmp_path, record, "ann", PLAN)
        await note(ann, "one")
        line.wire.cut()
        await note(ann, "apart")
        await ann.close()
        bob, _ = await opened(tmp_path, record, "bob", PLAN, taking_over=1)
        await note(bob, "mine")
        await left(bob)
        await bob.close()
        again, _ = await opened(tmp_path, record, "ann", PLAN, pid=2)
        assert again.epoch == 3
        assert here(again) == record.of(RUN).lines
        kept = list(again.directory.glob("branch-*.jsonl"))
        assert [each.name for each in kept] == ["branch-1-2.jsonl"]
        assert b"apart" in kept[0].read_bytes()
        assert [each.first for each in record.of(RUN).branches.values()] == [2]
        assert read_chain((again.directory / "journal.jsonl").read_bytes()).torn == 0
        await again.close()

    async def test_a_store_that_lost_its_last_lines_gets_them_again(self, tmp_path: Path) -> None:
        """A server that was restored from a moment ago: what it had said yes to is gone there, and is here."""
        record = Record()
        journal, line = await opened(tmp_path, record, "ann", PLAN)
        for text in "abc":
            await note(journal, text)
        del record.of(RUN).lines[1:]
        line.wire.cut()
        line.wire.mend()
        await note(journal, "d")
        assert journal.apart
        assert await journal.reach()
        assert here(journal) == record.of(RUN).lines
        await journal.close()

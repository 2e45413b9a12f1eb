"""Following a run in the shared record: everything once, in order, whatever happens to the line and to the driver."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from console.domain.events import Draft, Event, Kind
from console.domain.fold import fold
from console.domain.hosting import LogEntry
from console.domain.wire import encode_event, line_digest
from console.engine.chain import read_chain
from console.engine.follow_store import COMPARE, LOOK, StoreFollower
from console.engine.store_reader import StoreReader
from console.errors import JournalBroken, JournalError, StoreLost
from console.ports import Driving, JournalFailed, LogLines, News, SharedStatus, TailStatus
from tests.engine.following import AT, CREATED, PLAN, RUN, Told
from tests.engine.shared_store import MemoryObserver, Record
from tests.engine.sharing import EVE, OPS, PLAN_JSON, Drive, again, driven, observed
from tests.engine.world import FakeClock


@asynccontextmanager
async def following(follower: StoreFollower) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(follower.follow())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


async def settled(until: Callable[[], bool]) -> None:
    """Let the tasks run until something is so."""
    async with asyncio.timeout(10):
        while not until():  # noqa: ASYNC110 - among others for what a fake was asked
            await asyncio.sleep(0)


def of_record(record: Record) -> list[Event]:
    return list(read_chain(b"".join(line + b"\n" for line in record.of(RUN).lines)).events)


def becomes(told: Told) -> list[Driving]:
    """What becomes of the driver, without what was told again to late listeners."""
    return [each.driving for each, before in zip(told.drivers, [None, *told.drivers], strict=False) if each != before]


def overdue(follower: StoreFollower, seconds: float) -> None:
    """Let the follower's clock go on."""
    clock = follower._clock
    assert isinstance(clock, FakeClock)
    clock.time += timedelta(seconds=seconds)


class TestLive:
    @pytest.mark.parametrize("pushes", [True, False])
    async def test_from_before_the_first_event_to_the_end(self, pushes: bool) -> None:
        record = Record(pushes=pushes)
        drive = await Drive(record).begin()
        follower, told, _ = await observed(record)
        await follower.catch_up()
        async with following(follower) as task:
            await driven_on(drive)
            await asyncio.wait_for(task, 10)
        assert told.events == of_record(record)
        assert follower.state == fold(PLAN, of_record(record))
        assert becomes(told) == [Driving.DRIVES, Driving.LEFT]
        assert follower.over

    async def test_pushed_lines_need_no_table(self) -> None:
        record = Record()
        drive = await driven(record)
        follower, told, store = await observed(record)
        await follower.catch_up()
        async with following(follower):
            await settled(lambda: store.wire.calls[-1] == "wait")
            before = store.wire.calls.count("lines")
            await drive.notes(*(str(n) for n in range(50)))
            await settled(lambda: follower.state.seq == 52)
        assert store.wire.calls.count("lines") == before
        assert told.events == of_record(record)

    async def test_a_long_history_comes_page_by_page_and_once(self) -> None:
        record = Record()
        await driven(record, *(str(n) for n in range(18)))
        for page in range(2, 25):
            reader = StoreReader(MemoryObserver(record), RUN, page=page)
            events: list[Event] = []
            while reader.behind:
                events += await reader.read()
            assert events == of_record(record), f"{page} lines a page"

    async def test_log_lines_come_once(self) -> None:
        record = Record()
        drive = await driven(record)
        await drive.store.add_tail(RUN, 1, [LogEntry("1", AT, "web", "before")])
        follower, told, _ = await observed(record)
        await follower.catch_up()
        async with following(follower):
            await drive.store.add_tail(RUN, 1, [LogEntry("2", AT, "web", "after")])
            await settled(lambda: len(told.lines) == 2)
        assert told.lines == ["before", "after"]
        assert isinstance(told.updates[-1], LogLines)


async def driven_on(drive: Drive) -> None:
    """From the first event of a run to its end."""
    await drive.does(CREATED)
    await drive.joins()
    await drive.notes("a", "b", "ä" * 50)
    await drive.finishes()
    await drive.leaves()


class TestPushed:
    """What is pushed is taken in at once and believed no longer than until the table was read."""

    async def told_of(self, *news: News) -> tuple[StoreFollower, Told, Record, MemoryObserver]:
        record = Record(pushes=True)
        drive = await driven(record, "a")
        follower, told, store = await observed(record)
        await follower.catch_up()
        record.deaf = True
        await drive.notes("b", "c", "d")
        for each in news:
            store.told(RUN, each)
        return follower, told, record, store

    async def test_a_gap_is_read_from_the_table(self) -> None:
        follower, told, record, store = await self.told_of()
        store.told(RUN, News(lines=((6, record.of(RUN).lines[5]),)))
        async with following(follower):
            await settled(lambda: follower.state.seq == 6)
        assert told.events == of_record(record)

    async def test_lines_that_are_there_already_are_passed_over(self) -> None:
        follower, told, record, store = await self.told_of()
        lines = tuple(enumerate(record.of(RUN).lines, 1))
        store.told(RUN, News(lines=lines))
        store.told(RUN, News(lines=lines))
        async with following(follower):
            await settled(lambda: follower.state.seq == 6)
        assert told.events == of_record(record)

    async def test_a_line_that_does_not_chain_is_not_shown(self) -> None:
        forged = encode_event(Event(4, AT, RUN, "mallory", Kind.NOTE_ADDED, data={"text": "no"}), "0" * 64)
        follower, told, record, _ = await self.told_of(News(lines=((4, forged),)), News(lines=((4, b"no line"),)))
        async with following(follower):
            await settled(lambda: follower.state.seq == 6)
        assert told.events == of_record(record)

    async def test_what_was_told_of_nothing_is_found_by_comparing(self) -> None:
        follower, told, record, store = await self.told_of()
        async with following(follower):
            await settled(lambda: store.wire.calls[-1] == "wait")
            assert follower.state.seq == 3
            overdue(follower, COMPARE)
            store.nudge()
            await settled(lambda: follower.state.seq == 6)
        assert told.events == of_record(record)

    @pytest.mark.parametrize("kind", [Kind.NOTE_ADDED, Kind.RUN_ABORTING])
    @pytest.mark.parametrize("further", [0, 1, 3])
    async def test_a_forged_line_is_taken_back_and_no_push_believed_again(self, further: int, kind: Kind) -> None:
        """It chains, and yet the table never had it (or does not even fold); `further` lines came there."""
        record = Record()
        drive = await driven(record, "a")
        follower, told, store = await observed(record)
        await follower.catch_up()
        tip = line_digest(record.of(RUN).lines[-1])
        forged = Event(4, AT, RUN, "mallory", kind, data={"text": "forged"})
        async with following(follower):
            await settled(lambda: store.wire.calls[-1] == "wait")
            store.told(RUN, News(lines=((4, encode_event(forged, tip)),)))
            record.deaf = True
            await drive.notes(*(str(n) for n in range(further)))
            record.deaf = False
            lines = store.wire.calls.count("lines")
            overdue(follower, COMPARE)
            store.nudge()
            await settled(lambda: store.wire.calls.count("lines") > lines)
            await settled(lambda: follower.state == fold(PLAN, of_record(record)))
            lines = store.wire.calls.count("lines")
            await drive.notes("true")
            await settled(lambda: follower.state == fold(PLAN, of_record(record)))
            assert store.wire.calls.count("lines") > lines, "it was read from the table"
        true = of_record(record)
        assert [each for each in told.events if each.actor != "mallory"] == true, "each of them told once"

    async def test_a_table_that_is_no_longer_what_was_read_is_an_error(self) -> None:
        record = Record()
        await driven(record, "a", "b")
        follower, told, store = await observed(record)
        await follower.catch_up()
        lines = record.of(RUN).lines
        lines[-1] = lines[-1].replace(b'"b"', b'"x"')
        overdue(follower, COMPARE)
        store.nudge()
        with pytest.raises(JournalError, match="no longer the one that was read"):
            await follower.follow()
        assert isinstance(told.updates[-1], JournalFailed)

    async def test_a_table_that_does_not_hold_together_is_told_by_its_line_behind_what_does(self) -> None:
        record = Record()
        await driven(record, "a", "b", "c")
        lines = record.of(RUN).lines
        lines[3] = lines[3].replace(b'"b"', b'"x"')
        follower, told, _ = await observed(record)
        with pytest.raises(JournalBroken, match="Line 5 of the journal is broken") as broken:
            await follower.catch_up()
        assert broken.value.line == 5
        assert [each.seq for each in told.events] == [1, 2, 3, 4]


class TestLost:
    async def test_it_says_so_keeps_what_it_knew_and_catches_up(self) -> None:
        record = Record()
        drive = await driven(record, "a")
        follower, told, store = await observed(record)
        await follower.catch_up()
        async with following(follower):
            await settled(lambda: store.wire.calls[-1] == "wait")
            store.wire.cut()
            await settled(lambda: follower.state.seq == 3 and isinstance(told.updates[-1], TailStatus))
            shared, tail = told.updates[-2:]
            assert shared == SharedStatus(
                connected=False, reason="The shared record cannot be reached: the line was cut."
            )
            assert isinstance(tail, TailStatus)
            assert not tail.connected
            await drive.notes("b", "c")
            tried = len(store.wire.calls)
            await settled(lambda: len(store.wire.calls) > tried + 20)
            assert told.updates[-2:] == [shared, tail], "said once"
            store.wire.mend()
            await settled(lambda: told.updates[-1] == SharedStatus(connected=True))
            assert follower.state.seq == 5, "caught up before it is said"
            await drive.notes("d")
            await settled(lambda: follower.state.seq == 6)
        assert told.events == of_record(record)

    async def test_a_run_that_ended_meanwhile_is_over_with_the_catching_up(self) -> None:
        record = Record()
        drive = await driven(record)
        follower, _, store = await observed(record)
        async with following(follower) as task:
            await settled(lambda: store.wire.calls[-1] == "wait")
            store.wire.cut()
            await drive.finishes()
            await drive.leaves()
            waits = store.wire.calls.count("wait")
            store.wire.mend()
            await asyncio.wait_for(task, 10)
        assert store.wire.calls.count("wait") == waits

    @pytest.mark.parametrize("answered", [True, False])
    @pytest.mark.parametrize("pushes", [True, False])
    async def test_cut_at_every_call(self, pushes: bool, answered: bool) -> None:
        """Whatever call is lost, before it was carried out or with its answer: all is told, once and in order."""
        for number in range(1, 30):
            record, dice = Record(pushes=pushes), random.Random(number)
            drive = await driven(record, "a")
            follower, told, store = await observed(record)
            store.wire.cut_at(number, answered=answered, once=True)
            async with following(follower) as task:
                for text in "bcdefgh":
                    await drive.notes(text)
                    for _ in range(dice.randrange(8)):
                        await asyncio.sleep(0)
                await drive.finishes()
                await drive.leaves()
                record.tell(RUN, News(more=True))
                await asyncio.wait_for(task, 10)
            assert told.events == of_record(record), f"call {number}"
            assert follower.state == fold(PLAN, of_record(record))
            assert told.drivers[-1].driving is Driving.LEFT

    async def test_catching_up_without_a_line_raises_and_says_so(self) -> None:
        record = Record()
        await driven(record)
        follower, told, store = await observed(record)
        store.wire.cut()
        with pytest.raises(StoreLost):
            await follower.catch_up()
        assert [type(each) for each in told.updates] == [SharedStatus, TailStatus]

    async def test_what_is_known_is_told_again_to_those_who_listen_later(self) -> None:
        record = Record()
        await driven(record)
        follower, _, _ = await observed(record)
        await follower.catch_up()
        late = Told()
        follower.feed.subscribe(late.updates.append)
        async with following(follower):
            await settled(lambda: len(late.updates) == 3)
        assert {type(each).__name__ for each in late.updates} == {"DriverStatus", "TailStatus", "SharedStatus"}


class TestDriver:
    async def test_one_who_lost_the_store_is_not_called_dead(self) -> None:
        record = Record()
        drive = await driven(record, "a")
        follower, _, store = await observed(record)
        await follower.catch_up()
        async with following(follower):
            await settled(lambda: store.wire.calls[-1] == "wait")
            drive.store.wire.cut()
            overdue(follower, LOOK)
            store.nudge()
            await settled(lambda: follower.driver.driving is Driving.APART)
            assert follower.driver.actor == "ops@laptop"
            assert "they may go on elsewhere" in follower.driver.text
            assert "died" not in follower.driver.text
            drive.store.wire.mend()
            await drive.store.hold(RUN, drive.epoch)
            await settled(lambda: follower.driver.driving is Driving.DRIVES)
            assert follower.driver.text.startswith(
                "ops@laptop drives (process 4711 on laptop) since 2026-02-04 20:14:03"
            )
            await drive.notes("b")
            await settled(lambda: follower.state.seq == 4)

    async def test_taken_over_resumed_and_left(self) -> None:
        record = Record()
        ops = await driven(record, "a")
        follower, told, _ = await observed(record)
        await follower.catch_up()
        async with following(follower):
            eve = await Drive(record, EVE).begin()
            await settled(lambda: follower.driver.actor == "eve@desk")
            assert follower.driver.text.endswith(": took over from ops@laptop.")
            await eve.joins()
            await eve.leaves()
            await settled(lambda: follower.driver.driving is Driving.LEFT)
            assert "Nobody drives: eve@desk left at" in follower.driver.text
            back = await Drive(record, again(EVE, 99)).begin()
            await settled(lambda: follower.driver.pid == 99)
            assert follower.driver.text.endswith(": resumed after leaving it.")
            await back.joins()
            await ops.store.close()
            await back.finishes()
            await back.leaves()
            await settled(lambda: follower.over)
        assert becomes(told) == [Driving.DRIVES, Driving.DRIVES, Driving.LEFT, Driving.DRIVES, Driving.LEFT]

    async def test_a_run_whose_driver_is_gone_behind_its_end_is_over(self) -> None:
        record = Record()
        drive = await driven(record)
        await drive.finishes("failed")
        follower, _, _ = await observed(record)
        await follower.catch_up()
        assert not follower.over, "what its driver still has to say is waited for"
        drive.store.wire.cut()
        late, _, _ = await observed(record)
        await late.catch_up()
        assert late.over
        assert "The run is over" in late.driver.text

    async def test_nobody_has_driven_it_yet(self) -> None:
        record = Record()
        await Drive(record, OPS).store.create(RUN, PLAN_JSON)
        follower, _, _ = await observed(record)
        await follower.catch_up()
        assert follower.driver.driving is Driving.NOBODY


async def test_another_plan_is_refused() -> None:
    record = Record()
    drive = await Drive(record).begin()
    await drive.does(Draft(Kind.RUN_CREATED, data={"plan": {"name": "x", "digest": "0" * 64}}))
    follower, _, _ = await observed(record)
    with pytest.raises(JournalError, match="not the one that the run began with"):
        await follower.catch_up()

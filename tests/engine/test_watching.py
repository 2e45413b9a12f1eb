"""Watching production beside the run: deploys, logs, alerts; and the tail on disk."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.domain import intents as i
from console.domain.events import Event, Kind
from console.domain.health import LogClass
from console.domain.hosting import Deploy, DeployStatus, LogEntry
from console.domain.plan import Plan
from console.engine.feed import RunFeed
from console.engine.logwatch import ErrorCounts, LogWatcher
from console.engine.monitor import PATIENCE, Monitor
from console.engine.tail import TailWriter
from console.engine.writer import Decision, Writer
from console.errors import HostingError, Refused
from console.ports import LogLines, TailStatus, Update
from tests.domain.history import History, over, pushed
from tests.domain.plans import plan, release_plan, step
from tests.engine.world import FakeClock, MemoryJournal

AT = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)


class Ship:
    """A run whose writer serves at once: what watching records stands in the feed when it returns."""

    def __init__(self, plan: Plan, directory: Path, events: Sequence[Event] = ()) -> None:
        self.clock = FakeClock()
        self.journal = MemoryJournal(directory, events)
        self.feed = RunFeed(History(plan).state)
        self.writer = Writer(plan, self.journal, self.clock, self.feed, lambda text: text)
        if events:
            self.clock.time = events[-1].at

    async def record(self, decision: Decision) -> tuple[Event, ...]:
        return await self.writer.append(decision(self.writer.state))

    def kinds(self) -> list[Kind]:
        return [each.kind for each in self.journal.events()]


class FakeHosting:
    """Answers with the deploys that a test puts in, or with an error."""

    def __init__(self) -> None:
        self.newest: list[Deploy] = []
        self.error: HostingError | None = None

    async def deploys(self, service_id: str, *, limit: int = 20) -> tuple[Deploy, ...]:
        if self.error is not None:
            raise self.error
        return tuple(self.newest)


def deploy(commit: str, status: DeployStatus = DeployStatus.LIVE) -> Deploy:
    return Deploy("dep-1", "srv-1", status, commit, "subject", "new_commit", AT + timedelta(hours=1))


def monitor(ship: Ship, hosting: FakeHosting) -> Monitor:
    return Monitor(ship.feed, ship.record, ship.clock, hosting)  # type: ignore[arg-type]


class TestMonitor:
    async def test_deploys_are_recorded_when_they_move(self, tmp_path: Path) -> None:
        ship, hosting = Ship(release_plan(), tmp_path, pushed(History(release_plan())).events), FakeHosting()
        watch = monitor(ship, hosting)
        hosting.newest = [deploy("c" * 40, DeployStatus.BUILD)]
        await watch.look()
        await watch.look()
        hosting.newest = [deploy("c" * 40)]
        await watch.look()
        assert ship.kinds().count(Kind.DEPLOY_OBSERVED) == 2
        assert ship.feed.state.deploys["backend"].status == "live"

    async def test_a_provider_that_does_not_answer_is_said_once_and_again_when_it_does(self, tmp_path: Path) -> None:
        ship, hosting = Ship(release_plan(), tmp_path, History(release_plan()).begin().events), FakeHosting()
        watch = monitor(ship, hosting)
        hosting.error = HostingError("503.")
        for _ in range(PATIENCE - 1):
            await watch.look()
        assert ship.feed.state.alerts == {}
        for _ in range(3):
            await watch.look()
        assert ship.feed.state.alerts["provider"].message.startswith("The provider does not answer: 503.")
        assert ship.kinds().count(Kind.ALERT_RAISED) == 1
        hosting.error = None
        await watch.look()
        assert ship.feed.state.alerts["provider"].cleared

    async def test_new_code_that_waits_too_long_for_its_schema_raises_an_alert(self, tmp_path: Path) -> None:
        history = pushed(History(release_plan())).succeed("backend", "frontend")
        ship, hosting = Ship(release_plan(), tmp_path, history.events), FakeHosting()
        watch = monitor(ship, hosting)
        await watch.look()
        assert ship.feed.state.alerts == {}
        await ship.clock.sleep(601)
        await watch.look()
        assert ship.feed.state.alerts["schema-gap"].offer == "incident"

    async def test_it_ends_with_the_run(self, tmp_path: Path) -> None:
        history = History(release_plan()).begin().ask(i.Finish("abandoned", "x"))
        ship = Ship(release_plan(), tmp_path, history.events)
        await monitor(ship, FakeHosting()).run()
        assert len(ship.journal.events()) == len(history.events)

    async def test_it_ends_when_nobody_drives_any_more(self, tmp_path: Path) -> None:
        async def refuse(decision: Decision) -> tuple[Event, ...]:
            raise Refused("let go")

        ship, hosting = Ship(release_plan(), tmp_path, History(release_plan()).begin().events), FakeHosting()
        hosting.newest = [deploy("c" * 40)]
        await Monitor(ship.feed, refuse, ship.clock, hosting).run()  # type: ignore[arg-type]


def line(number: int, text: str = "hello", *, seconds: float = 0.0) -> LogEntry:
    return LogEntry(f"log-{number}", AT + timedelta(seconds=seconds), "srv-1", text)


class FakeTelemetry:
    """Gives one list of lines after the other; an error in between ends a connection."""

    def __init__(self, *connections: Sequence[LogEntry | HostingError]) -> None:
        self._connections = list(connections)
        self.asked_since: list[datetime] = []

    async def follow(self, service_ids: Sequence[str], *, since: datetime) -> AsyncIterator[LogEntry]:
        self.asked_since.append(since)
        if not self._connections:
            await asyncio.Event().wait()
        for each in self._connections.pop(0):
            if isinstance(each, HostingError):
                raise each
            yield each


async def follow(
    ship: Ship,
    telemetry: FakeTelemetry,
    *,
    until: int,
    tail: TailWriter | None = None,
    redact: Callable[[str], str] = lambda text: text,
) -> list[Update]:
    """Let a watcher follow until so many lines were shown; the updates that were heard."""
    heard: list[Update] = []
    enough = asyncio.Event()

    def hear(update: Update) -> None:
        heard.append(update)
        if len(ship.feed.tail) >= until:
            enough.set()

    ship.feed.subscribe(hear)
    watcher = LogWatcher(
        telemetry,  # type: ignore[arg-type]
        ["srv-1"],
        ship.feed,
        ship.record,
        ship.clock,
        tail,
        redact=redact,
    )
    task = asyncio.create_task(watcher.run())
    async with asyncio.timeout(5):
        await enough.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return heard


class TestLogs:
    async def test_lines_reach_the_feed_in_order_and_in_batches(self, tmp_path: Path) -> None:
        ship = Ship(release_plan(), tmp_path)
        lines = [line(number, seconds=number) for number in range(2000)]
        heard = await follow(ship, FakeTelemetry(lines), until=2000)
        assert list(ship.feed.tail) == lines
        assert len([each for each in heard if isinstance(each, LogLines)]) < 50

    async def test_a_log_that_is_lost_is_asked_for_again_where_it_ended_without_doubling_a_line(
        self, tmp_path: Path
    ) -> None:
        ship = Ship(release_plan(), tmp_path)
        telemetry = FakeTelemetry(
            [line(1), line(2, seconds=1), HostingError("gone")], [line(2, seconds=1), line(3, seconds=2)]
        )
        heard = await follow(ship, telemetry, until=3)
        assert [each.id for each in ship.feed.tail] == ["log-1", "log-2", "log-3"]
        told = [each for each in heard if isinstance(each, TailStatus)]
        assert told[0] == TailStatus(connected=False, reason="gone")
        assert not any(each.connected for each in told), "that it is heard is for the telemetry to say"

    async def test_what_a_service_prints_of_our_secrets_is_shown_nowhere(self, tmp_path: Path) -> None:
        ship, tail = Ship(release_plan(), tmp_path), TailWriter(tmp_path)
        secret = replace(line(1, "connecting to s3cret"), labels={"path": "/?key=s3cret", "method": "GET"})
        telemetry = FakeTelemetry([secret, line(2)])
        await follow(ship, telemetry, until=2, tail=tail, redact=lambda text: text.replace("s3cret", "•••"))
        assert [each.text for each in ship.feed.tail] == ["connecting to •••", "hello"]
        assert ship.feed.tail[0].labels == {"path": "/?key=•••", "method": "GET"}
        assert "s3cret" not in (tmp_path / "tail.jsonl").read_text()

    async def test_schema_errors_behind_the_migration_raise_an_alert(self, tmp_path: Path) -> None:
        ship = Ship(release_plan(), tmp_path, over(History(release_plan())).events)
        watcher = LogWatcher(FakeTelemetry(), ["srv-1"], ship.feed, ship.record, ship.clock)  # type: ignore[arg-type]
        migrated = ship.feed.state.steps["migrate"].ended_at
        assert migrated is not None
        before = LogEntry("1", migrated - timedelta(seconds=3), "srv-1", 'column "x" does not exist')
        watcher.counts.add([before], before.at)
        await watcher.judge()
        assert ship.feed.state.alerts == {}, "that was before the migration"
        after = LogEntry("2", migrated + timedelta(seconds=2), "srv-1", 'column "x" does not exist')
        watcher.counts.add([after], after.at)
        await watcher.judge()
        assert "1 schema errors within a minute" in ship.feed.state.alerts["schema-errors:backend"].message
        await ship.clock.sleep(120)
        await watcher.judge()
        assert ship.feed.state.alerts["schema-errors:backend"].cleared

    def test_errors_are_counted_by_service_and_class_and_forgotten_after_a_minute(self) -> None:
        counts = ErrorCounts()
        for entry in (line(1), line(2, "Error: x", seconds=10), line(3, "code: '42703'", seconds=40)):
            counts.add([entry], entry.at)
        assert counts.total == {
            ("srv-1", LogClass.OK): 1,
            ("srv-1", LogClass.ERROR): 1,
            ("srv-1", LogClass.SCHEMA_ERROR): 1,
        }
        assert counts.within(AT + timedelta(seconds=60)).total() == 2
        assert counts.within(AT + timedelta(seconds=60), since=AT + timedelta(seconds=10)).total() == 1
        assert counts.within(AT + timedelta(seconds=80)).total() == 1
        assert counts.within(AT + timedelta(seconds=200)).total() == 0

    @pytest.mark.parametrize("ahead", [-300.0, 0.0, 300.0], ids=lambda ahead: f"{ahead:+g} s")
    def test_a_clock_that_is_wrong_hides_no_error(self, ahead: float) -> None:
        """Ours goes ahead of the services' by so much, or behind; what was logged long before counts as that."""
        counts, ours = ErrorCounts(), timedelta(seconds=ahead)
        old, new = line(1, "Error: x", seconds=-100), line(2, "Error: x", seconds=1)
        counts.add([old, new], new.at + ours + timedelta(milliseconds=200))
        now = AT + ours + timedelta(seconds=5)
        assert counts.within(now).total() == 1
        assert counts.within(now, since=AT + ours).total() == 1
        assert counts.within(now, since=AT + ours + timedelta(seconds=3)).total() == 0


class TestTail:
    async def test_lines_are_written_in_order_for_the_owner_alone(self, tmp_path: Path) -> None:
        ship = Ship(release_plan(), tmp_path)
        tail = TailWriter(tmp_path)
        await follow(ship, FakeTelemetry([line(n, seconds=n) for n in range(100)]), until=100, tail=tail)
        written = [json.loads(each) for each in (tmp_path / "tail.jsonl").read_text().splitlines()]
        assert [each["id"] for each in written] == [f"log-{number}" for number in range(100)]
        assert stat.S_IMODE((tmp_path / "tail.jsonl").stat().st_mode) == 0o600
        assert tail.left_out == 0

    async def test_it_is_bounded_and_keeps_the_latest_whole_lines(self, tmp_path: Path) -> None:
        tail = TailWriter(tmp_path, max_bytes=20_000)
        for start in range(0, 1000, 50):
            tail.add(tuple(line(number) for number in range(start, start + 50)))
            await tail.flush()
            assert (tmp_path / "tail.jsonl").stat().st_size <= 20_000
        written = [json.loads(each)["id"] for each in (tmp_path / "tail.jsonl").read_text().splitlines()]
        assert written == [f"log-{number}" for number in range(1000 - len(written), 1000)]

    async def test_lines_that_come_faster_than_the_disk_are_counted_not_kept(self, tmp_path: Path) -> None:
        tail = TailWriter(tmp_path, pending=10)
        tail.add(tuple(line(number) for number in range(25)))
        await tail.flush()
        assert tail.left_out == 15
        assert len((tmp_path / "tail.jsonl").read_text().splitlines()) == 10

    async def test_a_disk_that_refuses_leaves_the_run_alone(self, tmp_path: Path) -> None:
        (tmp_path / "tail.jsonl").mkdir()
        tail = TailWriter(tmp_path)
        tail.add((line(1),))
        await tail.flush()
        assert (tail.left_out, tail.reason) == (1, "Is a directory")


class TestFeed:
    def test_a_listener_that_fails_disturbs_nobody(self, caplog: pytest.LogCaptureFixture) -> None:
        feed = RunFeed(History(plan(step("a"))).state)
        heard: list[Update] = []

        def broken(update: Update) -> None:
            raise ValueError("broken screen")

        feed.subscribe(broken)
        feed.subscribe(heard.append)
        feed.publish(TailStatus(connected=True))
        assert heard == [TailStatus(connected=True)]
        assert "broken screen" in caplog.text

    def test_whoever_stops_listening_hears_nothing_more(self) -> None:
        feed = RunFeed(History(plan(step("a"))).state)
        heard: list[Update] = []
        stop = feed.subscribe(heard.append)
        stop()
        stop()
        feed.publish(TailStatus(connected=True))
        assert heard == []

    def test_the_tail_is_bounded(self) -> None:
        feed = RunFeed(History(plan(step("a"))).state, tail_lines=3)
        feed.publish(LogLines(tuple(line(number) for number in range(10))))
        assert [each.id for each in feed.tail] == ["log-7", "log-8", "log-9"]

"""Monitoring: whole windows with enough samples, breaches with their numbers, and nothing invented."""

import pytest

from console.actions.baseline import MonitorBaseline
from console.actions.monitor import MonitorActivity, MonitorErrors
from console.actions.monitor_database import MonitorDatabase
from console.actions.monitor_logs import MonitorLogs
from console.actions.own_requests import OwnRequests
from console.domain.databases import Backend
from console.domain.outcome import Evidence, NotDone
from console.errors import StepFailed, Stopped, VerificationFailed
from tests.actions.fakes import FakeClock, FakeDatabase, FakeHosting, FakeTelemetry, FakeWeb, Reports, Run, ok


def backend(pid: int, seconds: float = 0.0, *, state: str = "active", application: str = "crm-backend") -> Backend:
    return Backend(pid, application, "crm", state, seconds, seconds, "", (), "SELECT 1")


class Scene:
    """A run in which users ask the backend ten times a second."""

    def __init__(self, pace: float = 600.0) -> None:
        self.run = Run(clock=FakeClock(pace))
        self.clock = self.run.clock
        plan = self.run.plan
        self.hosting = FakeHosting(self.clock, plan)
        self.telemetry = FakeTelemetry(self.clock)
        self.database = FakeDatabase()
        self.backend, self.frontend = plan.service("backend").id, plan.service("frontend").id
        self.own = OwnRequests(FakeWeb(), self.clock.now)

    def ask_ourselves(self) -> None:
        """A request of the console's own is answered."""
        self.own._asked.setdefault(self.run.plan.service("backend").url, []).append(self.clock.now())
        self.telemetry.count(self.backend, "200", 1)

    def traffic(self, start: float, end: float, ok_: int = 10, errors: int = 0) -> None:
        """Requests of a time, every second."""
        for second in range(int(start), int(end)):
            self.clock.after(second + 0.5, lambda: self.second(ok_, errors))

    def second(self, ok_: int, errors: int) -> None:
        self.telemetry.count(self.backend, "200", ok_)
        self.telemetry.count(self.backend, "500", errors)
        self.telemetry.say(self.backend, "GET /api/accounts 200 4ms")
        self.telemetry.say(self.frontend, "GET / 200 1ms")

    def errors(self) -> MonitorErrors:
        return MonitorErrors(self.hosting, self.telemetry)


@pytest.mark.parametrize(("pace", "least"), [(600.0, 5.0), (1.0, 1800.0)])
async def test_a_window_lasts_its_time_and_holds_its_samples(pace: float, least: float) -> None:
    scene = Scene(pace)
    scene.traffic(0, least + 10)
    evidence = await scene.errors().perform(scene.run.context("monitor.errors"), Reports())
    assert least <= scene.clock.monotonic() < least + 3
    assert isinstance(evidence.data["count"], int)
    assert evidence.data["count"] >= 5
    assert isinstance(evidence.data["samples"], list)
    assert len(evidence.data["samples"]) <= 120
    await scene.errors().verify(scene.run.context("monitor.errors"), evidence)


async def test_errors_over_the_threshold_end_the_window_with_the_numbers() -> None:
    scene = Scene()
    scene.traffic(0, 20, ok_=8, errors=2)
    with pytest.raises(StepFailed, match=r"backend: \d+ of \d+ requests in the window were answered 5xx \(20.0%\)"):
        await scene.errors().perform(scene.run.context("monitor.errors"), Reports())
    assert scene.clock.monotonic() < 5


async def test_a_late_spike_is_not_drowned_in_a_long_window() -> None:
    scene = Scene(pace=1.0)
    scene.traffic(0, 1500)
    scene.traffic(1500, 1600, ok_=7, errors=3)
    with pytest.raises(StepFailed, match="lately were answered 5xx"):
        await scene.errors().perform(scene.run.context("monitor.errors"), Reports())


async def test_one_unlucky_request_among_few_is_no_rate_before_the_end() -> None:
    scene = Scene()
    scene.clock.after(0.5, lambda: scene.second(1, 1))
    with pytest.raises(StepFailed, match="1 of 2 requests"):
        await scene.errors().perform(scene.run.context("monitor.errors"), Reports())
    assert scene.clock.monotonic() >= 5


@pytest.mark.parametrize(
    ("before", "now", "slow"),
    [(100.0, 290.0, False), (100.0, 310.0, False), (200.0, 590.0, False), (200.0, 610.0, True), (None, 9000.0, False)],
)
async def test_latency_is_judged_by_the_baseline_above_the_floor(before: float | None, now: float, slow: bool) -> None:
    scene = Scene()
    scene.run.left("baseline", {"services": {"backend": {"requests": 10, "errors": 0, "p95_ms": before}}})
    scene.telemetry.p95[scene.backend] = now
    scene.traffic(0, 20, ok_=30)
    if slow:
        with pytest.raises(StepFailed, match="95 % of requests take up to 610 ms; before the release it was 200 ms"):
            await scene.errors().perform(scene.run.context("monitor.errors"), Reports())
    else:
        await scene.errors().perform(scene.run.context("monitor.errors"), Reports())


async def test_a_hiccup_is_not_slowness() -> None:
    scene = Scene()
    scene.run.left("baseline", {"services": {"backend": {"requests": 10, "errors": 0, "p95_ms": 100.0}}})
    scene.telemetry.p95[scene.backend] = 900.0
    scene.clock.after(1.5, lambda: scene.telemetry.p95.update({scene.backend: 100.0}))
    scene.traffic(0, 20, ok_=30)
    await scene.errors().perform(scene.run.context("monitor.errors"), Reports())


async def test_samples_that_the_provider_does_not_give_are_missed_and_made_up_for() -> None:
    scene = Scene()
    scene.traffic(0, 20)
    scene.telemetry.fails = 8
    evidence = await scene.errors().perform(scene.run.context("monitor.errors"), Reports())
    assert isinstance(evidence.data["missed"], int)
    assert evidence.data["missed"] > 0
    assert evidence.data["count"] == 5


async def test_a_provider_that_is_silent_throughout_is_not_enough_to_say() -> None:
    scene = Scene()
    scene.telemetry.fails = 10_000
    with pytest.raises(StepFailed, match=r"Not enough to say after .*: 0 of 5 samples") as failed:
        await scene.errors().perform(scene.run.context("monitor.errors"), Reports())
    assert "the provider does not answer" in failed.value.lines[0]
    assert scene.clock.monotonic() < 120


async def test_a_provider_that_is_slow_for_long_still_gives_a_window_its_samples() -> None:
    """Every sample may hang until its time-out: a short window waits for all of them."""
    scene = Scene()
    scene.traffic(0, 120)
    scene.telemetry.fails = 90
    evidence = await scene.errors().perform(scene.run.context("monitor.errors"), Reports())
    assert scene.clock.monotonic() > 40
    assert evidence.data["count"] == 5


async def test_users_are_counted_without_the_consoles_own_requests() -> None:
    scene = Scene()
    monitor = MonitorActivity(scene.hosting, scene.telemetry, scene.own)
    scene.clock.after(2.0, scene.ask_ourselves)
    with pytest.raises(StepFailed, match="0 user requests in"):
        await monitor.perform(scene.run.context("monitor.users"), Reports())
    scene.traffic(scene.clock.monotonic(), scene.clock.monotonic() + 10)
    evidence = await monitor.perform(scene.run.context("monitor.users"), Reports())
    assert evidence.data["own"] == 0
    assert isinstance(evidence.data["requests"], int)
    assert evidence.data["requests"] >= 40


async def test_own_requests_are_counted_by_address_and_time() -> None:
    web, clock = FakeWeb(), FakeClock()
    web.foreseen["GET /health"] = [ok({})]
    own = OwnRequests(web, clock.now)
    began = clock.now()
    await own.request("GET", "https://crm.test/health")
    await clock.sleep(5)
    await own.request("GET", "https://crm.test/health")
    await own.request("GET", "https://other.test/health")
    assert own.count("https://crm.test", began, clock.now()) == 1
    await clock.sleep(1)
    assert own.count("https://crm.test/", began, clock.now()) == 2


@pytest.mark.parametrize(
    ("sessions", "message"),
    [
        ([backend(n) for n in range(81)], "81 sessions in the database; at most 80 expected"),
        ([backend(1, 31.0)], "A query runs for 31 s; at most 30 s expected"),
        ([backend(1, 31.0, state="idle")], ""),
        ([backend(1, 31.0, application="rc/r1/db.migrate")], ""),
    ],
)
async def test_the_database_is_watched(sessions: list[Backend], message: str) -> None:
    scene = Scene()
    scene.database.sessions = tuple(sessions)
    monitor = MonitorDatabase(scene.hosting, scene.database)
    if message:
        with pytest.raises(StepFailed, match=message):
            await monitor.perform(scene.run.context("monitor.database"), Reports())
    else:
        evidence = await monitor.perform(scene.run.context("monitor.database"), Reports())
        assert evidence.data["longest_query"] == 0.0


async def test_the_logs_are_read_line_by_line_and_a_schema_error_ends_the_window() -> None:
    scene = Scene()
    scene.traffic(0, 4)
    monitor = MonitorLogs(scene.hosting, scene.telemetry)
    evidence = await monitor.perform(scene.run.context("monitor.logs"), Reports())
    assert evidence.data["lines"] == {"backend": 4, "frontend": 4}
    scene.clock.after(scene.clock.monotonic() + 1, lambda: _broken(scene))
    with pytest.raises(StepFailed, match="1 schema error in the logs"):
        await monitor.perform(scene.run.context("monitor.logs"), Reports())


def _broken(scene: Scene) -> None:
    scene.telemetry.say(scene.backend, 'record "new" has no field "is_trial"')


async def test_a_service_that_is_not_heard_is_not_enough_to_say() -> None:
    scene = Scene()
    scene.telemetry.say(scene.backend, "GET /api/accounts 200 4ms")
    with pytest.raises(StepFailed, match="crm-frontend not heard"):
        await MonitorLogs(scene.hosting, scene.telemetry).perform(scene.run.context("monitor.logs"), Reports())


async def test_an_interrupted_window_proves_nothing() -> None:
    scene = Scene()
    scene.clock.after(2.0, lambda: setattr(scene.run, "stop", True))
    context = scene.run.context("monitor.errors")
    with pytest.raises(Stopped):
        await scene.errors().perform(context, Reports())
    assert isinstance(await scene.errors().probe(context), NotDone)
    with pytest.raises(VerificationFailed, match="watched no window"):
        await scene.errors().verify(context, Evidence("by hand"))
    with pytest.raises(VerificationFailed, match="with 3 samples"):
        await scene.errors().verify(context, Evidence("short", {"seconds": 9.0, "count": 3}))


async def test_the_baseline_waits_for_a_service_that_has_just_come_up() -> None:
    scene = Scene()
    scene.traffic(0, 20)
    scene.database.sessions = (backend(1, 2.0),)
    monitor = MonitorBaseline(scene.telemetry, scene.hosting, scene.database)
    context = scene.run.context("baseline")
    evidence = await monitor.perform(context, Reports())
    assert scene.clock.monotonic() >= 1.5
    assert evidence.data["connections"] == 1
    await monitor.verify(context, evidence)
    with pytest.raises(VerificationFailed, match="no baseline of"):
        await monitor.verify(context, Evidence("by hand"))


async def test_a_quiet_site_has_a_baseline_too() -> None:
    scene = Scene()
    evidence = await MonitorBaseline(scene.telemetry, scene.hosting, scene.database).perform(
        scene.run.context("baseline"), Reports()
    )
    assert scene.clock.monotonic() < 6
    assert evidence.data["services"] == {
        "backend": {"requests": 0, "errors": 0, "p95_ms": None},
        "frontend": {"requests": 0, "errors": 0, "p95_ms": None},
    }

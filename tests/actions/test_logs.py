"""No schema errors in the logs: pass, fail, or not enough to say."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from console.actions.logs import LogsSchemaErrors
from console.actions.schema_errors import is_schema_error, plain
from console.domain.hosting import LogEntry
from console.domain.outcome import Evidence
from console.errors import ServiceError, StepFailed, VerificationFailed
from tests.actions.fakes import START, FakeClock, FakeHosting, FakeTelemetry, FakeWeb, Reports, Run, ok

STEP = "test.logs"
ERROR = 'ERROR GET /api/accounts SQLSTATE 42703: column "license_status" does not exist'


class Scene:
    """A run after the migration; the services log the requests that they get."""

    def __init__(self, pace: float = 1.0) -> None:
        self.run = Run(clock=FakeClock(pace))
        plan, clock = self.run.plan, self.run.clock
        self.telemetry = FakeTelemetry(clock)
        self.backend, self.frontend = plan.service("backend").id, plan.service("frontend").id
        for key in ("backend", "frontend"):
            moments = {"created_at": START.isoformat(), "live_at": (START + timedelta(seconds=10)).isoformat()}
            self.run.left(f"code.{key}", moments)
        migrated = START + timedelta(seconds=40)
        self.run.left("db.migrate", {"committed_at": migrated.isoformat()})
        self.run.left("db.verify", {"verified_at": (migrated + timedelta(seconds=2)).isoformat()})
        self.web = FakeWeb()
        self.web.foreseen["GET /health"] = [ok({})]
        self.web.on_request = self.log_request
        self.action = LogsSchemaErrors(self.telemetry, FakeHosting(clock, plan), self.web)
        self.mute: set[str] = set()

    def log_request(self, method: str, url: str) -> None:
        service = self.backend if "backend" in url else self.frontend
        if service not in self.mute:
            self.telemetry.say(service, f"[{method}]200 {url}", kind="request")

    async def until_migrated(self) -> None:
        await self.run.clock.sleep(50)

    async def perform(self) -> Evidence:
        return await self.action.perform(self.run.context(STEP), Reports())


async def test_it_passes_when_every_log_was_heard_with_our_own_request_in_it() -> None:
    scene = Scene()
    await scene.run.clock.sleep(20)
    for _ in range(7):
        scene.telemetry.say(scene.backend, ERROR)
    await scene.run.clock.sleep(30)
    evidence = await scene.perform()
    assert (evidence.data["verdict"], evidence.data["errors"]) == ("pass", 0)
    assert (evidence.data["gap_errors"], evidence.data["gap_seconds"]) == (7, 30.0)
    await scene.action.verify(scene.run.context(STEP), evidence)
    scene.telemetry.say(scene.backend, ERROR)
    with pytest.raises(VerificationFailed, match="1 schema error"):
        await scene.action.verify(scene.run.context(STEP), evidence)


async def test_an_error_since_the_migration_fails_with_the_line() -> None:
    scene = Scene()
    await scene.until_migrated()
    scene.telemetry.say(scene.backend, f"{ERROR}\x1b[2J")
    with pytest.raises(StepFailed, match="1 schema error in the logs since 20:00:42 UTC") as failed:
        await scene.perform()
    assert failed.value.lines == (f"20:00:50 UTC crm-backend: {ERROR}\\x1b[2J",)


async def test_an_error_far_behind_in_the_log_is_found() -> None:
    scene = Scene()
    await scene.until_migrated()
    for number in range(20):
        scene.telemetry.say(scene.backend, f"GET /api/accounts/{number} 200 4ms")
        await scene.run.clock.sleep(1)
    scene.telemetry.say(scene.frontend, ERROR)
    with pytest.raises(StepFailed, match="1 schema error"):
        await scene.perform()


async def test_the_last_words_of_the_old_instances_are_counted_apart() -> None:
    scene = Scene()
    scene.telemetry.say(scene.backend, "GET /api/accounts 200 4ms", instance="old")
    await scene.until_migrated()
    scene.telemetry.say(scene.backend, ERROR, instance="old")
    evidence = await scene.perform()
    assert evidence.data["old_instance_errors"] == 1


def silent_frontend(scene: Scene) -> None:
    scene.mute.add(scene.frontend)


def deaf_to_ours(scene: Scene) -> None:
    scene.mute.add(scene.backend)
    scene.telemetry.say(scene.backend, "GET /api/accounts 200 4ms")


def unreachable(scene: Scene) -> None:
    scene.web.on_request = lambda method, url: None
    scene.web.foreseen["GET /health"] = [ServiceError("no answer")]


@pytest.mark.parametrize(
    ("arrange", "message"),
    [
        (silent_frontend, "crm-frontend was not heard since the migration"),
        (deaf_to_ours, "the console's own request has not appeared in the log of crm-backend"),
        (unreachable, "were not heard since the migration"),
    ],
)
async def test_silence_proves_nothing(arrange: Callable[[Scene], None], message: str) -> None:
    scene = Scene(pace=600)
    await scene.until_migrated()
    arrange(scene)
    with pytest.raises(StepFailed, match="Not enough to say: ") as failed:
        await scene.perform()
    assert message in failed.value.message
    assert scene.run.clock.monotonic() < 100


async def test_without_a_migration_there_is_no_window() -> None:
    scene = Scene()
    scene.run.steps = {}
    with pytest.raises(StepFailed, match="no window to look at"):
        await scene.perform()


@pytest.mark.parametrize(
    ("text", "kind", "error"),
    [
        (ERROR, "app", True),
        (ERROR, "request", False),
        ('error: relation "accounts_old" does not exist', "app", True),
        ("function account_health(text) does not exist", "app", True),
        ('record "new" has no field "license_status"', "app", True),
        ("cached plan must not change result type", "app", True),
        ('column "n" is of type integer but expression is of type text', "app", True),
        ("{ code: '42P01' }", "app", True),
        ("sqlState=0A000", "app", True),
        ("GET /api/accounts 200 responseBytes=42703", "app", False),
        ("user 42883 logged in", "app", False),
        ("SQLSTATE 23505: duplicate key", "app", False),
        ("the page does not exist", "app", False),
    ],
)
def test_what_counts_as_a_schema_error(text: str, kind: str, error: bool) -> None:
    assert is_schema_error(LogEntry("1", START, "srv", text, kind)) is error


def test_a_line_is_made_safe_to_show() -> None:
    assert plain("a\tb\nc\x1b[31m\x00") == "a b c\\x1b[31m\\x00"
    assert len(plain("x" * 1000)) == 240

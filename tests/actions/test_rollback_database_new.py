"""The new instance: asked for once, waited for, found again; a yes for a figure does not stand for a larger one."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from console.actions.rollback.database_recover import ROWS_LOST, limit_for
from console.domain.databases import DatabaseIdentity
from console.domain.loss import Loss, TableLoss
from console.domain.outcome import Done, NotDone, Preview, Reading, Unknown
from console.domain.plan import Json
from console.domain.standing import Way
from console.domain.wire import encode
from console.errors import DatabaseError, HostingError, OutcomeUnknown, StepFailed, VerificationFailed
from tests.actions.fakes import START, FakeDatabase, Lost, Reports
from tests.actions.way_back import Chosen, Incident

NEW = "dpg-1"
NAME = "crm-before-020-r1"


def loss(rows: int) -> Json:
    return encode(Loss("2026-02-04T20:00:00Z", "2026-02-04T20:01:00Z", (TableLoss("leads", rows),), "counted"))


def rows_lost(preview: Preview) -> Reading:
    return next(each for each in preview.readings if each.label == ROWS_LOST)


class Scene:
    """A migration that has run, in a database that need not be there; the fence is up, with 10 rows lost."""

    def __init__(self, way: Way = Way.DATABASE, artifacts: Path | None = None) -> None:
        self.database = FakeDatabase()
        self.incident = Incident(self.database, way)  # type: ignore[arg-type]
        self.instances = self.incident.instances
        self.instances.databases[NEW] = self.database
        mark: Json = {"at": (START - timedelta(seconds=0.4)).isoformat(), "snapshot": "10:10:"}
        self.incident.run.left("db.migrate", {"snapshot": "11:11:", "transaction": "10", "mark": mark})
        if artifacts is not None:
            self.archive = artifacts / "exp-1.dir.tar.gz"
            self.archive.write_bytes(b"an archive")
            self.archive.chmod(0o600)
            copy: dict[str, Json] = {"path": str(self.archive), "size": 10, "sha256": sha256(b"an archive").hexdigest()}
            self.incident.run.left("backup.verify", copy)
        self.way: Chosen = self.incident.chosen()
        self.way.succeeded("fence", {"postgres_id": self.incident.old_id, "maintenance": {}, "loss": loss(10)})
        self.reports = Reports()

    async def perform(self) -> dict[str, Json]:
        """Look, and do it; an attempt that fails is on record as unfinished."""
        preview = await self.way.preview_of("recover")
        self.before = preview.before
        try:
            evidence = await self.way.action("recover").perform(
                self.way.context("recover", preview.before), self.reports
            )
        except Exception:
            self.way.interrupted("recover", preview.before, self.reports)
            raise
        await self.way.action("recover").verify(self.way.context("recover", preview.before), evidence)
        return dict(evidence.data)

    async def probe(self) -> object:
        return await self.way.action("recover").probe(self.way.context("recover", self.before, self.reports.durable))


async def test_it_waits_until_the_moment_can_be_reached() -> None:
    scene = Scene()
    preview = await scene.way.preview_of("recover")
    assert "from 20:00:00 UTC on" in next(each.value for each in preview.readings if each.label == "can begin")
    data = await scene.perform()
    assert scene.instances.asked == [NAME]
    assert data["postgres_id"] == NEW
    assert data["from"] == "moment"
    assert scene.instances.moments == [START - timedelta(seconds=0.4)]
    assert any("cannot recover the last ten minutes" in each.text for each in scene.reports.heard)
    assert scene.incident.clock.monotonic() >= 0.6


async def test_a_moment_that_is_too_early_for_the_provider_is_asked_for_again() -> None:
    scene = Scene()
    scene.instances.fates = [Lost(400), Lost(400)]
    assert (await scene.perform())["name"] == NAME
    assert len(scene.instances.asked) == 3


async def test_a_refusal_long_after_the_moment_became_reachable_is_no_matter_of_time() -> None:
    scene = Scene()
    await scene.incident.clock.sleep(600.0)
    scene.instances.fates = [Lost(400)]
    with pytest.raises(HostingError) as refused:
        await scene.perform()
    assert len(scene.instances.asked) == 1
    assert "Users see the maintenance page" in refused.value.production


async def test_an_instance_that_does_not_answer_at_once_is_waited_for() -> None:
    scene = Scene()
    answers = scene.database.identity
    silent = [DatabaseError("no route to the server", retryable=True)] * 2

    async def identity() -> DatabaseIdentity:
        if silent:
            raise silent.pop()
        return await answers()

    scene.database.identity = identity  # type: ignore[method-assign]
    assert (await scene.perform())["postgres_id"] == NEW
    assert not silent


@pytest.mark.parametrize("fate", [Lost(None, done=True), Lost(502, done=True)])
async def test_a_lost_answer_is_looked_for_by_name(fate: Lost) -> None:
    scene = Scene()
    scene.instances.fates = [fate]
    assert (await scene.perform())["postgres_id"] == NEW
    assert scene.instances.asked == [NAME]


async def test_a_request_that_never_arrives_is_sent_three_times() -> None:
    scene = Scene()
    scene.instances.fates = [Lost(None)] * 3
    with pytest.raises(StepFailed, match="did not take the request") as failed:
        await scene.perform()
    assert scene.instances.asked == [NAME] * 3
    assert "Users see the maintenance page and nothing is written." in failed.value.production
    assert failed.value.remedy


async def test_a_failed_recovery_says_what_serves_and_another_attempt_asks_for_another_instance() -> None:
    scene = Scene()
    scene.instances.becomes = "recovery_failed"
    with pytest.raises(StepFailed, match="did not come to be: recovery_failed") as failed:
        await scene.perform()
    assert f"Instance {scene.incident.old_id} is read only and keeps every row" in failed.value.production
    assert "choose another way back" in failed.value.remedy
    assert isinstance(await scene.probe(), NotDone)
    scene.instances.becomes = "available"
    scene.instances.databases["dpg-2"] = scene.database
    assert (await scene.perform())["name"] == f"{NAME}-2"


async def test_after_a_crash_the_instance_is_found_and_not_asked_for_again() -> None:
    scene = Scene()
    scene.incident.run.stop = False
    preview = await scene.way.preview_of("recover")
    scene.before = preview.before
    await scene.instances.recover(scene.incident.old_id, START, name=NAME)
    answer = await scene.probe()
    assert isinstance(answer, NotDone)
    assert "waiting for it goes on" in answer.why
    scene.way.interrupted("recover", preview.before, scene.reports)
    assert (await scene.perform())["postgres_id"] == NEW
    assert scene.instances.asked == [NAME]
    assert isinstance(await scene.probe(), Done)


async def test_two_instances_of_one_name_are_nobodys() -> None:
    scene = Scene()
    scene.before = (await scene.way.preview_of("recover")).before
    for _ in range(2):
        await scene.instances.recover(scene.incident.old_id, START, name=NAME)
    assert isinstance(await scene.probe(), Unknown)
    with pytest.raises(OutcomeUnknown, match="2 instances are called"):
        await scene.way.action("recover").perform(scene.way.context("recover", scene.before), scene.reports)


async def test_a_yes_given_ahead_does_not_stand_for_more_rows_than_its_limit() -> None:
    scene = Scene()
    shown = rows_lost(await scene.way.preview_of("recover"))
    assert (shown.amount, shown.limit) == (10, 30)
    scene.way.succeeded("fence", {"postgres_id": scene.incident.old_id, "maintenance": {}, "loss": loss(31)})
    fenced = rows_lost(await scene.way.preview_of("recover"))
    assert fenced.amount is not None
    assert shown.limit is not None
    assert fenced.amount > shown.limit
    assert "counted at the fence" in fenced.value


@pytest.mark.parametrize(("rows", "limit"), [(0, 20), (10, 30), (100, 120), (101, 122), (1000, 1200)])
def test_the_limit_is_a_generous_round_up(rows: int, limit: int) -> None:
    assert limit_for(rows) == limit


async def test_a_moment_outside_the_providers_window_is_refused_before_anything_is_asked() -> None:
    scene = Scene()
    mark: Json = {"at": (START - timedelta(days=9)).isoformat(), "snapshot": "10:10:"}
    scene.incident.run.left("db.migrate", {"snapshot": "11:11:", "transaction": "10", "mark": mark})
    with pytest.raises(StepFailed, match="The provider cannot recover"):
        await scene.perform()


async def test_the_backup_is_restored_into_an_empty_instance(tmp_path: Path) -> None:
    scene = Scene(Way.BACKUP, tmp_path)
    data = await scene.perform()
    assert (data["from"], data["name"]) == ("export", "crm-backup-020-r1")
    assert scene.instances.restored == [scene.archive]
    assert isinstance(await scene.probe(), Done)


async def test_a_half_filled_instance_is_left_lying_and_another_one_filled(tmp_path: Path) -> None:
    scene = Scene(Way.BACKUP, tmp_path)
    whole = scene.instances.restore

    async def broken(postgres_id: str, archive: Path, report: object) -> None:
        raise StepFailed("The restore was cut off.")

    scene.instances.restore = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(StepFailed, match="cut off"):
        await scene.perform()
    answer = await scene.probe()
    assert isinstance(answer, NotDone)
    assert "half filled" in answer.why
    scene.instances.restore = whole  # type: ignore[method-assign]
    scene.instances.databases["dpg-2"] = scene.database
    scene.reports = Reports()
    assert (await scene.perform())["name"] == "crm-backup-020-r1-2"


async def test_a_copy_that_is_not_the_verified_one_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    scene = Scene(Way.BACKUP, tmp_path)
    scene.archive.write_bytes(b"An archive")
    with pytest.raises(VerificationFailed, match="not the file that was verified"):
        await scene.perform()
    assert scene.instances.asked == []

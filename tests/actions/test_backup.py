"""The export: asked for once whatever becomes of the answer, never taken for somebody else's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from console.actions.backup import BackupExport
from console.actions.backup_copy import BackupRecord, BackupVerify
from console.domain.databases import TableCount
from console.domain.outcome import Done, NotDone, Unknown
from console.domain.plan import Json
from console.errors import ConsoleError, HostingError, OutcomeUnknown, StepFailed, Stopped, VerificationFailed
from console.ports import Context
from tests.actions.fakes import FakeBackups, FakeClock, FakeDatabase, FakeHosting, FakeScratch, Lost, Reports, Run

STEP = "backup.export"


class Scene:
    """A run at the step that exports."""

    def __init__(self, pace: float = 1.0, takes: float | None = 60.0) -> None:
        self.run = Run(clock=FakeClock(pace))
        self.backups = FakeBackups(self.run.clock, takes)
        self.database = FakeDatabase()
        self.database.tables = [(TableCount("public.accounts", 10, 100, 0, 5),)]
        hosting = FakeHosting(self.run.clock, self.run.plan)
        self.action = BackupExport(hosting, self.backups, self.database)
        self.reports = Reports()

    async def started(self) -> Context:
        """The context just after `step.started`."""
        preview = await self.action.preview(self.run.context(STEP))
        return self.run.context(STEP, preview.before)


async def test_it_waits_until_the_export_is_ready_and_counts_around_it() -> None:
    scene = Scene(takes=300.0)
    evidence = await scene.action.perform(await scene.started(), scene.reports)
    assert evidence.data["export"] == "exp-0"
    assert evidence.data["counts_before"] == evidence.data["counts_after"] == {"public.accounts": [10, 100, 0, 5]}
    assert evidence.data["recovery"] == {"status": "AVAILABLE", "starts_at": "2026-02-01T20:00:00+00:00"}
    assert scene.run.clock.monotonic() >= 300
    await scene.action.verify(scene.run.context(STEP), evidence)


@pytest.mark.parametrize(
    ("fates", "asked"),
    [
        ([Lost(done=True)], 1),
        ([Lost(500, done=True)], 1),
        ([Lost()], 2),
        ([Lost(503), Lost(500, done=True)], 2),
        ([Lost(), Lost()], 3),
    ],
)
async def test_a_lost_answer_is_looked_for_before_it_is_sent_again(fates: list[Lost], asked: int) -> None:
    scene = Scene()
    scene.backups.trouble = fates
    await scene.action.perform(await scene.started(), scene.reports)
    assert (scene.backups.asked, len(scene.backups.list)) == (asked, 1)


async def test_three_unanswered_requests_that_left_nothing_are_a_failure() -> None:
    scene = Scene()
    scene.backups.trouble = [Lost(), Lost(), Lost()]
    with pytest.raises(StepFailed, match="did not take the request") as failed:
        await scene.action.perform(await scene.started(), scene.reports)
    assert failed.value.production.startswith("Production is untouched")
    assert failed.value.remedy


async def test_a_refusal_is_final() -> None:
    scene = Scene()
    scene.backups.trouble = [Lost(409)]
    with pytest.raises(HostingError) as refused:
        await scene.action.perform(await scene.started(), scene.reports)
    assert scene.backups.asked == 1
    assert "untouched" in refused.value.production


async def test_a_lost_request_that_cannot_be_looked_for_is_unknown() -> None:
    scene = Scene()
    context = await scene.started()
    scene.backups.trouble = [Lost()]
    looked = scene.backups.exports

    async def exports(postgres_id: str) -> tuple[object, ...]:
        if scene.backups.asked:
            raise HostingError("no connection", sent=False)
        return await looked(postgres_id)

    scene.backups.exports = exports  # type: ignore[assignment, method-assign]
    with pytest.raises(OutcomeUnknown):
        await scene.action.perform(context, scene.reports)


async def test_somebody_elses_export_is_waited_for_and_not_taken_for_ours() -> None:
    scene = Scene(takes=30.0)
    context = await scene.started()
    theirs = scene.backups.begin(takes=120.0)
    evidence = await scene.action.perform(context, scene.reports)
    assert scene.run.clock.monotonic() >= 150
    assert (scene.backups.asked, evidence.data["export"], theirs.id) == (1, "exp-1", "exp-0")
    found = await scene.action.probe(scene.run.context(STEP, context.before, scene.reports.durable))
    assert isinstance(found, Done)
    assert found.evidence.data["export"] == "exp-1"


async def test_two_new_exports_are_nobodys() -> None:
    scene = Scene(takes=None)
    context = await scene.started()
    asked = scene.backups.request_export

    async def request_export(postgres_id: str) -> None:
        await asked(postgres_id)
        scene.backups.begin(takes=1.0)

    scene.backups.request_export = request_export  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown, match="which is ours cannot be told"):
        await scene.action.perform(context, scene.reports)
    assert isinstance(await scene.action.probe(context), Unknown)


@pytest.mark.parametrize(("pace", "seconds"), [(600.0, 60.0), (1.0, 3600.0)])
async def test_an_export_that_never_comes_ends_in_bounded_time(pace: float, seconds: float) -> None:
    scene = Scene(pace, takes=None)
    with pytest.raises(StepFailed, match="is not ready after") as failed:
        await scene.action.perform(await scene.started(), scene.reports)
    assert seconds / 2 < scene.run.clock.monotonic() < seconds
    assert "Retry" in failed.value.remedy


async def test_waiting_can_be_stopped() -> None:
    scene = Scene(takes=None)
    context = await scene.started()
    scene.run.clock.after(10.0, lambda: setattr(scene.run, "stop", True))
    with pytest.raises(Stopped, match="goes on at the provider"):
        await scene.action.perform(context, scene.reports)


@pytest.mark.parametrize(
    ("happened", "found"),
    [
        (lambda backups: None, NotDone),
        (lambda backups: backups.begin(takes=None), NotDone),
        (lambda backups: backups.begin(takes=0.5), Done),
    ],
)
async def test_the_probe_compares_with_what_was_there_before(
    happened: Callable[[FakeBackups], object], found: type
) -> None:
    scene = Scene()
    scene.backups.begin(takes=1.0)
    await scene.run.clock.sleep(100)
    context = await scene.started()
    happened(scene.backups)
    await scene.run.clock.sleep(2)
    assert isinstance(await scene.action.probe(context), found)


async def test_the_next_attempt_goes_on_with_the_export_of_the_one_that_died() -> None:
    scene = Scene(takes=120.0)
    died = await scene.started()
    await scene.backups.request_export("crm")
    scene.run.unfinished(STEP, died.before, {"asked": 1})
    evidence = await scene.action.perform(await scene.started(), scene.reports)
    assert (scene.backups.asked, evidence.data["export"]) == (1, "exp-0")
    assert evidence.data["provider_time"] == died.before["provider_time"]


async def test_a_stalled_export_is_not_gone_on_with() -> None:
    scene = Scene(pace=600.0, takes=None)
    died = await scene.started()
    await scene.backups.request_export("crm")
    scene.run.unfinished(STEP, died.before)
    await scene.run.clock.sleep(100)
    scene.backups.takes = 5.0
    evidence = await scene.action.perform(await scene.started(), scene.reports)
    assert (scene.backups.asked, evidence.data["export"]) == (2, "exp-1")


async def test_done_by_hand_needs_a_finished_export_of_this_run() -> None:
    scene = Scene()
    from console.domain.outcome import Evidence

    with pytest.raises(VerificationFailed, match="made during this run"):
        await scene.action.verify(scene.run.context(STEP), Evidence("by hand"))
    scene.backups.begin(takes=1.0)
    await scene.run.clock.sleep(2)
    await scene.action.verify(scene.run.context(STEP), Evidence("by hand"))


def exported(run: Run, before: list[Json], after: list[Json], table: str = "public.accounts") -> FakeBackups:
    backups = FakeBackups(run.clock)
    backups.begin(takes=None)
    backups._ready("exp-0")
    data: dict[str, Json] = {
        "export": "exp-0",
        "created_at": "2026-02-04T20:00:00+00:00",
        "postgres": "dpg-1",
        "counts_before": {table: before},
        "counts_after": {table: after},
        "recovery": {"status": "AVAILABLE"},
    }
    run.left("backup.export", data)
    return backups


@pytest.mark.parametrize(
    ("before", "after", "restored", "right"),
    [
        ([10, 100, 0, 5], [10, 100, 0, 5], 10, True),
        ([10, 100, 0, 5], [12, 102, 0, 5], 11, True),
        ([10, 100, 0, 5], [10, 103, 0, 8], 13, True),
        ([10, 100, 0, 5], [10, 103, 0, 8], 7, True),
        ([10, 100, 0, 5], [10, 103, 0, 8], 6, False),
        ([10, 100, 0, 5], [10, 100, 0, 5], 9, False),
        ([10, 100, 0, 5], [10, 100, 0, 5], 11, False),
    ],
)
async def test_the_copy_holds_between_the_counts_widened_by_the_counters(
    tmp_path: Path, before: list[Json], after: list[Json], restored: int, right: bool
) -> None:
    run = Run(artifacts=tmp_path)
    action = BackupVerify(exported(run, before, after), FakeScratch([TableCount("public.accounts", restored, 0, 0, 0)]))
    context = run.context("backup.verify")
    if not right:
        with pytest.raises(StepFailed, match="1 table differ") as failed:
            await action.perform(context, Reports())
        assert f"{restored} rows in the copy" in failed.value.lines[0]
        return
    evidence = await action.perform(context, Reports())
    assert evidence.data["tables"] == {"public.accounts": restored}
    await action.verify(context, evidence)
    path = Path(str(evidence.data["path"]))
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o644)
    with pytest.raises(VerificationFailed, match="can be read by others"):
        await action.verify(context, evidence)


async def test_a_table_that_is_not_in_the_copy_is_missing_unless_the_restore_says_why(tmp_path: Path) -> None:
    run = Run(artifacts=tmp_path)
    backups = exported(run, [1, 1, 0, 0], [1, 1, 0, 0], "public.places")
    with pytest.raises(StepFailed, match="differ"):
        await BackupVerify(backups, FakeScratch([])).perform(run.context("backup.verify"), Reports())
    unproven = FakeScratch([], ("extension postgis is missing here: public.places",))
    with pytest.raises(StepFailed, match="could not be proven") as failed:
        await BackupVerify(backups, unproven).perform(run.context("backup.verify"), Reports())
    assert "fuller scratch server" in failed.value.remedy


async def test_the_record_is_of_the_file_that_was_verified(tmp_path: Path) -> None:
    run = Run(artifacts=tmp_path)
    backups = exported(run, [1, 1, 0, 0], [1, 1, 0, 0])
    verify = BackupVerify(backups, FakeScratch([TableCount("public.accounts", 1, 0, 0, 0)]))
    copied = await verify.perform(run.context("backup.verify"), Reports())
    run.left("backup.verify", copied.data)
    record = BackupRecord()
    evidence = await record.perform(run.context("backup.record"), Reports())
    assert (evidence.data["size"], evidence.data["sha256"]) == (10, copied.data["sha256"])
    assert evidence.data["keep_until"] == "2026-02-11T20:00:00+00:00"
    Path(str(copied.data["path"])).write_bytes(b"AN ARCHIVE")
    with pytest.raises(ConsoleError, match="not the file that was verified"):
        await record.perform(run.context("backup.record"), Reports())


async def test_whoever_took_the_run_over_elsewhere_is_told_where_the_copy_lies_and_may_bring_it(tmp_path: Path) -> None:
    run = Run(artifacts=tmp_path / "first")
    run.artifacts.mkdir()
    backups = exported(run, [1, 1, 0, 0], [1, 1, 0, 0])
    verify = BackupVerify(backups, FakeScratch([TableCount("public.accounts", 1, 0, 0, 0)]))
    copied = await verify.perform(run.context("backup.verify"), Reports())
    run.left("backup.verify", copied.data)
    kept = Path(str(copied.data["path"]))
    run.artifacts = tmp_path / "second"
    run.artifacts.mkdir()
    away = kept.rename(tmp_path / "on another machine")
    with pytest.raises(ConsoleError, match=f"not at {kept} any more") as missing:
        await BackupRecord().perform(run.context("backup.record"), Reports())
    assert str(run.artifacts / kept.name) in missing.value.message
    away.rename(run.artifacts / kept.name)
    evidence = await BackupRecord().perform(run.context("backup.record"), Reports())
    assert evidence.data["path"] == str(run.artifacts / kept.name)
    await verify.verify(run.context("backup.verify"), copied)

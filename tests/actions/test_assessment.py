"""Where production stands, read from the world: what does not answer is a remark; each way has its price."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.actions import waiting
from console.actions.assessment import ProductionAssessor
from console.actions.rollback import database_price, schema_price
from console.domain.hosting import DatabasePlace, Deploy, DeployStatus, PostgresInfo, RecoveryWindow
from console.domain.loss import Loss, TableLoss
from console.domain.outcome import Line
from console.domain.standing import Assessment, Code, Runs, Schema, Way, WayBack
from console.domain.state import StepStatus
from console.domain.wire import decode, encode
from console.errors import DatabaseError, HostingError, RepositoryError, StepFailed
from console.ports import Row
from tests.actions.fakes import START, FakeBackups, FakeDatabase
from tests.actions.rolling_back import LEADS, OLD, Back, columns
from tests.actions.way_back import Incident, settled
from tests.migration.postgres import LiveDatabase

MARK = {"at": "2026-02-04T19:30:00+00:00", "snapshot": "100:100:", "counters": {}}
COPY = "public.accounts_before_020"
LOSS = Loss("2026-02-04T19:30:00+00:00", "2026-02-04T20:00:00+00:00", (TableLoss("leads", 3, 1),), "by xmin")


class Backups(FakeBackups):
    """A recovery window as the test has it."""

    window: RecoveryWindow | HostingError = RecoveryWindow("AVAILABLE", START - timedelta(days=3))

    async def recovery(self, postgres_id: str) -> RecoveryWindow:
        if isinstance(self.window, HostingError):
            raise self.window
        return self.window


class Scene(Back):
    """The release is live; the migration has run unless said otherwise, and left its saved copy."""

    def __init__(self, schema: Schema = Schema.NEW) -> None:
        super().__init__(schema=schema)
        self.plan, self.ways = self.base, []
        self.backups = Backups(self.clock)
        self.database = in_database(schema)
        if schema is Schema.NEW:
            self.left("db.migrate", {"mark": MARK, "snapshot": "100:100:"})

    async def assess(self) -> Assessment:
        ports = replace(self.ports(), backups=self.backups, database=self.database)
        return await ProductionAssessor(ports).assess(self.state(), self.clock)

    async def nothing_pushed(self) -> None:
        """The merge was made in the clone; production is as it was."""
        self.steps.pop("code.push")
        self.repository.branches["main"] = self.old
        for service_id in (self.backend, self.frontend):
            self.hosting.turn(old_deploy(self, service_id), DeployStatus.LIVE)


def in_database(schema: Schema, *, copy: bool = True) -> FakeDatabase:
    """A database of that schema; migrated, with the saved copy."""
    origin = (
        '{"made_by": "release-console", "migration": "020", "marker": "rc/r1/db.migrate", "at": "", "transaction": 5, '
        '"table": "public.accounts", "key": "id", "columns": [], "indexes": [], "views": []}'
    )
    rows: list[Row] = [{"comment": origin}] if copy and schema is Schema.NEW else []
    return FakeDatabase({**columns(schema), "obj_description": rows, "AS fences": [{"fences": 0}]})


def old_deploy(back: Back, service_id: str) -> Deploy:
    return next(deploy for deploy in back.hosting.all[service_id] if deploy.commit == back.old)


@pytest.fixture(autouse=True)
def _prices(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Figures that the loss meter and the schema's outlook would have read, but where a real database is asked."""
    if "database" in request.fixturenames:
        return

    async def of_database(*_: object, source: str) -> tuple[Loss, tuple[Line, ...]]:
        return LOSS, (Line(f"from the {source}"),)

    async def of_schema(*_: object) -> tuple[str, tuple[Line, ...]]:
        return "nothing is lost; 2 rows to decide", (Line("row 7"),)

    monkeypatch.setattr(database_price, "price_of_database", of_database)
    monkeypatch.setattr(schema_price, "price_of_schema", of_schema)


def offer(assessment: Assessment, way: Way) -> WayBack:
    found = assessment.offer(way)
    assert found is not None
    return found


def texts(assessment: Assessment) -> str:
    return " | ".join(f"{line.text}: {line.note}" for line in assessment.standing.remarks)


async def test_the_release_is_live_and_the_migration_has_run() -> None:
    scene = Scene()
    assessment = await scene.assess()
    standing = assessment.standing
    assert (standing.pushed, standing.code, standing.schema) == (True, Code.NEW, Schema.NEW)
    assert [(s.key, s.commit, s.runs) for s in standing.services] == [
        ("backend", scene.merge, Runs.NEW),
        ("frontend", scene.merge, Runs.NEW),
    ]
    assert (standing.postgres_id, standing.database, standing.switched) == (scene.home, "crm", False)
    assert (standing.saved_copy, standing.recoverable, standing.fenced) == (COPY, True, False)
    assert assessment.at == START.isoformat()
    assert [way.way for way in assessment.ways][:2] == [Way.SCHEMA, Way.DATABASE]
    assert decode(Assessment, encode(assessment)) == assessment


async def test_each_way_states_its_price_before_it_can_be_chosen() -> None:
    assessment = await Scene().assess()
    schema, database = offer(assessment, Way.SCHEMA), offer(assessment, Way.DATABASE)
    assert schema.recommended
    assert schema.price == "Nothing is lost; 2 rows to decide."
    assert schema.lines == (Line("row 7"),)
    assert schema.loss is None
    assert database.price == (
        "4 rows in 1 table written since 19:30:00 UTC are lost so far; what is written until the fence comes to it."
    )
    assert (database.loss, database.lines) == (LOSS, (Line("from the moment"),))
    code = offer(assessment, Way.CODE)
    assert (code.applies, code.restores, code.price) == (True, False, "Nothing is lost.")
    assert code.lines == (Line("The resulting tree is the one from before the release", tone=code.lines[0].tone),)
    only = offer(assessment, Way.FIX_ONLY)
    assert only.price == f"Nothing is lost. 2 files stay different from before, 2 files as {_merge()} has them."
    assert len(only.lines) == 2
    assert "Recover the moment before the migration into a new instance" in database.steps
    assert schema.duration is not None
    assert offer(assessment, Way.NOTHING).steps == ()


def _merge() -> str:
    return Back().merge[:7]


async def test_nothing_was_pushed() -> None:
    scene = Scene(Schema.OLD)
    await scene.nothing_pushed()
    assessment = await scene.assess()
    assert (assessment.standing.pushed, assessment.standing.code) == (False, Code.OLD)
    assert assessment.ways[0].way is Way.NOTHING
    assert assessment.ways[0].recommended
    assert [way.way for way in assessment.ways if way.applies] == [Way.NOTHING]


async def test_a_build_that_failed_leaves_one_service_on_the_old_code() -> None:
    scene = Scene(Schema.OLD)
    scene.hosting.turn(old_deploy(scene, scene.frontend), DeployStatus.LIVE)
    scene.hosting.add(scene.frontend, scene.merge, DeployStatus.BUILD, "api", "Again")
    assessment = await scene.assess()
    assert assessment.standing.code is Code.MIXED
    assert assessment.standing.services[1].building == scene.merge
    assert "crm-frontend is being deployed" in texts(assessment)
    assert assessment.ways[0].way is Way.CODE
    assert assessment.ways[0].recommended
    assert "Serve the previous build meanwhile" in assessment.ways[0].steps
    assert not offer(assessment, Way.DATABASE).applies


async def test_a_deploy_of_the_release_under_way_is_not_nothing() -> None:
    scene = Scene(Schema.OLD)
    await scene.nothing_pushed()
    scene.hosting.add(scene.backend, scene.merge, DeployStatus.BUILD)
    assessment = await scene.assess()
    assert [(s.runs, s.builds) for s in assessment.standing.services] == [(Runs.OLD, Runs.NEW), (Runs.OLD, None)]
    assert assessment.standing.code is Code.MIXED
    assert assessment.ways[0].way is Way.CODE
    assert assessment.ways[0].recommended
    assert not offer(assessment, Way.NOTHING).applies
    assert decode(Assessment, encode(assessment)) == assessment


async def test_after_the_revert_nothing_of_the_release_is_left() -> None:
    scene = Scene(Schema.OLD)
    revert = (await scene.repository.revert([scene.merge], scene.merge)).id
    scene.repository.branches["main"] = revert
    for service_id in (scene.backend, scene.frontend):
        scene.hosting.add(service_id, revert)
    assessment = await scene.assess()
    assert (assessment.standing.pushed, assessment.standing.code) == (False, Code.OLD)
    assert assessment.ways[0].way is Way.NOTHING


async def test_a_fix_that_is_all_of_the_release_is_told() -> None:
    scene = Scene(Schema.OLD)
    git = scene.repository
    fix = git.holds("fix 3 alone", {**OLD, LEADS: "account_status"}, scene.old)
    merge = git.holds("Merge the fix", git.files[fix], scene.old, fix)
    git.branches["main"] = merge
    scene.base = replace(scene.base, release=replace(scene.base.release, fix_commit="fix 3 alone"))
    scene.plan = scene.base
    scene.left("code.push", {"commit": merge, "old_tip": scene.old})
    scene.left("code.merge", {"commit": merge, "target": scene.old})
    assert (await scene.assess()).standing.fix_is_all


async def test_commits_of_others_beside_the_release_are_remarked_and_change_no_verdict() -> None:
    scene = Scene(Schema.OLD)
    git = scene.repository
    hotfix = git.holds("Hotfix", {**git.files[scene.merge], "README.md": "x"}, scene.merge, author="Li")
    git.branches["main"] = hotfix
    scene.hosting.add(scene.backend, hotfix)
    assessment = await scene.assess()
    assert assessment.standing.code is Code.NEW
    assert "1 commit of others came to main since the release" in texts(assessment)
    assert f"crm-backend runs {hotfix[:7]}: with the release, and with commits of others" in texts(assessment)
    code = offer(assessment, Way.CODE)
    assert code.price == "Nothing is lost. 1 file stays different from before."
    assert "Hotfix (Li)" in code.lines[0].note


async def test_a_conflict_is_part_of_the_price() -> None:
    scene = Scene(Schema.OLD)
    git = scene.repository
    git.branches["main"] = git.holds("Speed up", {**git.files[scene.merge], LEADS: "faster"}, scene.merge)
    code = offer(await scene.assess(), Way.CODE)
    assert "does not revert by itself: 1 file in conflict" in code.price
    assert [line.text for line in code.lines] == [LEADS]


async def test_a_commit_that_no_branch_holds_is_something_else() -> None:
    scene = Scene(Schema.OLD)
    scene.hosting.add(scene.backend, "e" * 40)
    assessment = await scene.assess()
    assert assessment.standing.services[0].runs is Runs.OTHER
    assert "neither the release nor the code from before it" in texts(assessment)


def provider_down(scene: Scene) -> None:
    scene.hosting.down = HostingError("no answer")


def repository_down(scene: Scene) -> None:
    scene.repository.down = RepositoryError("no answer")


def database_down(scene: Scene) -> None:
    async def refuses(sql: str, params: object = None) -> list[Row]:
        raise DatabaseError("connection refused")

    scene.database.fetch = refuses  # type: ignore[assignment, method-assign]


def window_down(scene: Scene) -> None:
    scene.backups.window = HostingError("no answer")


def window_late(scene: Scene) -> None:
    scene.backups.window = RecoveryWindow("AVAILABLE", START)


def no_window(scene: Scene) -> None:
    scene.backups.window = RecoveryWindow("BACKUP_NOT_READY", None)


def half_migrated(scene: Scene) -> None:
    scene.database.answers.update(columns(Schema.UNKNOWN))


def foreign_copy(scene: Scene) -> None:
    scene.database.answers["obj_description"] = [{"comment": None}]


def unknown_variable(scene: Scene) -> None:
    scene.instances.known["dpg-8"] = PostgresInfo("dpg-8", "gone", "available", "16", START)
    scene.switches.points[scene.backend, "DATABASE_URL"] = "dpg-7"


def nothing_live(scene: Scene) -> None:
    scene.hosting.all[scene.backend] = []


@pytest.mark.parametrize(
    ("happens", "words", "field", "value"),
    [
        (provider_down, "What crm-backend runs could not be read: no answer", "code", Code.MIXED),
        (repository_down, "by the run's own record main holds the release: no answer", "pushed", True),
        (database_down, "crm does not say which schema it has: connection refused", "schema", Schema.UNKNOWN),
        (window_down, "The recovery window could not be read: no answer", "recoverable", False),
        (window_late, "window begins at 2026-02-04 20:00:00 UTC, after the migration", "recoverable", False),
        (no_window, "recovers no moment: BACKUP_NOT_READY", "recoverable", False),
        (half_migrated, "accounts is neither as before nor as after", "schema", Schema.UNKNOWN),
        (foreign_copy, f"{COPY} is there, and is no saved copy of this migration", "saved_copy", ""),
        (unknown_variable, "Which database crm-backend uses could not be read", "split", True),
        (nothing_live, "crm-backend has no live deploy", "code", Code.MIXED),
    ],
)
async def test_what_does_not_answer_is_a_remark(
    happens: Callable[[Scene], None], words: str, field: str, value: object
) -> None:
    scene = Scene()
    happens(scene)
    assessment = await scene.assess()
    assert words in texts(assessment)
    assert getattr(assessment.standing, field) == value


def provider_hangs(scene: Scene) -> None:
    scene.hosting.service = never  # type: ignore[assignment, method-assign]
    scene.switches.database_of = never  # type: ignore[assignment, method-assign]
    scene.backups.recovery = never  # type: ignore[assignment, method-assign]


def repository_hangs(scene: Scene) -> None:
    scene.repository.fetch = never  # type: ignore[method-assign]


def database_hangs(scene: Scene) -> None:
    scene.database.fetch = never  # type: ignore[assignment, method-assign]


async def never(*_: object) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("hangs", "unread", "seen"),
    [
        (
            provider_hangs,
            (
                "What crm-backend runs could not be read",
                "The recovery window could not be read",
                "Which database crm-backend uses could not be read",
            ),
            {"pushed": True, "saved_copy": COPY},
        ),
        (repository_hangs, ("by the run's own record main holds the release",), {"schema": Schema.NEW}),
        (database_hangs, ("crm does not say which schema it has",), {"code": Code.NEW, "recoverable": True}),
    ],
)
async def test_a_part_of_the_world_that_hangs_is_a_remark_beside_what_the_others_say(
    monkeypatch: pytest.MonkeyPatch,
    hangs: Callable[[Scene], None],
    unread: tuple[str, ...],
    seen: dict[str, object],
) -> None:
    monkeypatch.setattr(waiting, "SECONDS_TO_LOOK", 0.5)
    scene = Scene()
    hangs(scene)
    assessment = await scene.assess()
    for words in unread:
        assert f"{words}: no answer within 0.5 s" in texts(assessment)
    assert {name: getattr(assessment.standing, name) for name in seen} == seen


async def test_when_neither_provider_nor_database_answers_nothing_is_said() -> None:
    scene = Scene()
    provider_down(scene)
    database_down(scene)
    with pytest.raises(StepFailed, match="Neither the provider nor the database answers") as failed:
        await scene.assess()
    assert "connection refused" in failed.value.lines
    assert failed.value.remedy


async def test_without_the_repository_only_the_releases_own_commit_is_known() -> None:
    scene = Scene()
    repository_down(scene)
    scene.hosting.turn(old_deploy(scene, scene.frontend), DeployStatus.LIVE)
    assert [s.runs for s in (await scene.assess()).standing.services] == [Runs.NEW, Runs.OTHER]


async def test_another_instance_in_use_is_the_one_that_is_read() -> None:
    scene = Scene()
    scene.instances.known["dpg-9"] = PostgresInfo("dpg-9", "crm before", "available", "16", START)
    scene.instances.databases["dpg-9"] = in_database(Schema.OLD)
    scene.switches.points[scene.backend, "DATABASE_URL"] = "dpg-9"
    standing = (await scene.assess()).standing
    assert (standing.switched, standing.postgres_id, standing.schema) == (True, "dpg-9", Schema.OLD)


def second_instance(scene: Scene) -> None:
    """The frontend reads a database too, and there is a new instance, with the old schema."""
    services = tuple(replace(s, database_env="DATABASE_URL") for s in scene.plan.services)
    scene.plan = replace(scene.plan, services=services)
    scene.switches.points[scene.frontend, "DATABASE_URL"] = scene.home
    scene.instances.known["dpg-new"] = PostgresInfo("dpg-new", "crm before", "available", "16", START)
    scene.instances.databases["dpg-new"] = in_database(Schema.OLD)


async def test_services_on_two_instances_are_said_to_be_and_no_code_alone_restores_service() -> None:
    scene = Scene()
    second_instance(scene)
    scene.switches.points[scene.backend, "DATABASE_URL"] = "dpg-new"
    assessment = await scene.assess()
    standing = assessment.standing
    assert (standing.split, standing.switched, standing.schema) == (True, True, Schema.UNKNOWN)
    assert standing.postgres_id == scene.home
    assert "The services do not all use the same database" in texts(assessment)
    assert "crm-backend: dpg-new, crm-frontend: " + scene.home in texts(assessment)
    assert [way.way for way in assessment.ways if way.restores] == [Way.DATABASE]
    assert not [way for way in assessment.ways if way.recommended]
    assert decode(Assessment, encode(assessment)) == assessment


@pytest.mark.parametrize("gone", ["a failed recovery", "the plan's own instance"])
async def test_an_instance_that_does_not_say_where_it_is_hides_no_other(gone: str) -> None:
    scene = Scene()
    scene.instances.known = {
        "dpg-failed": PostgresInfo("dpg-failed", "crm x", "recovery_failed", "16", START),
        **scene.instances.known,
    }
    second_instance(scene)
    for service_id in (scene.backend, scene.frontend):
        scene.switches.points[service_id, "DATABASE_URL"] = "dpg-new"
    missing = "dpg-failed" if gone == "a failed recovery" else scene.home
    places = scene.instances.places

    async def without(postgres_id: str) -> tuple[DatabasePlace, ...]:
        if postgres_id == missing:
            raise HostingError("not found", status=404)
        return await places(postgres_id)

    scene.instances.places = without  # type: ignore[method-assign]
    standing = (await scene.assess()).standing
    assert (standing.postgres_id, standing.switched, standing.split) == ("dpg-new", True, False)
    assert standing.schema is Schema.OLD


async def test_a_database_of_nobodys_is_no_schema_at_all() -> None:
    scene = Scene()
    scene.instances.known["dpg-7"] = PostgresInfo("dpg-7", "theirs", "available", "16", START)
    scene.switches.points[scene.backend, "DATABASE_URL"] = "dpg-7"

    async def ours() -> tuple[PostgresInfo, ...]:
        return (scene.instances.known[scene.home],)

    scene.instances.all = ours  # type: ignore[method-assign]
    assessment = await scene.assess()
    assert "leads to a database that is none of the owner's instances: dpg-7:5432/crm" in texts(assessment)
    assert (assessment.standing.split, assessment.standing.schema) == (True, Schema.UNKNOWN)
    assert not offer(assessment, Way.CODE).restores


@pytest.mark.parametrize("end", ["switched", "switched by hand", "failed half way"])
async def test_a_variable_that_cannot_be_read_stands_for_the_runs_own_switch_and_never_for_home(end: str) -> None:
    scene = Scene()
    second_instance(scene)
    scene.choose(Way.DATABASE)
    scene.left("back.recover", {"postgres_id": "dpg-new", "name": "crm before"})
    scene.left("back.switch", {"postgres_id": "dpg-new"} if end == "switched" else {})
    if end == "failed half way":
        step = scene.steps["back.switch"]
        scene.steps["back.switch"] = replace(step, status=StepStatus.FAILED, evidence=None)
    scene.plan = replace(scene.plan, services=tuple(replace(s, database_env="NOT_SET") for s in scene.plan.services))

    async def unreadable(service_id: str, variable: str) -> DatabasePlace:
        raise HostingError(f"{variable} of service {service_id} is no connection string of one database.")

    scene.switches.database_of = unreadable  # type: ignore[method-assign]
    standing = (await scene.assess()).standing
    if end == "failed half way":
        assert (standing.split, standing.schema) == (True, Schema.UNKNOWN)
    else:
        assert (standing.postgres_id, standing.switched, standing.split) == ("dpg-new", True, False)


@pytest.mark.parametrize("fence", ["maintenance", "read only"])
async def test_a_fence_is_seen(fence: str) -> None:
    scene = Scene()
    if fence == "maintenance":
        service = scene.hosting.services[scene.frontend]
        scene.hosting.services[scene.frontend] = replace(service, maintenance=True)
    else:
        scene.database.answers["AS fences"] = [{"fences": 1}]
    assert (await scene.assess()).standing.fenced


async def test_the_moment_before_the_migration_is_reached_ten_minutes_later() -> None:
    scene = Scene()
    late = {**MARK, "at": (START - timedelta(minutes=4)).isoformat()}
    scene.left("db.migrate", {"mark": late, "snapshot": "100:100:"})
    assessment = await scene.assess()
    assert assessment.standing.reachable_at == (START + timedelta(minutes=6)).isoformat()
    assert offer(assessment, Way.DATABASE).reachable_at == assessment.standing.reachable_at
    assert offer(assessment, Way.SCHEMA).reachable_at == ""


async def test_a_verified_backup_counts_while_its_file_is_there(tmp_path: Path) -> None:
    scene = Scene()
    file = tmp_path / "backup.dir.tar.gz"
    scene.left("backup.verify", {"path": str(file)})
    gone = await scene.assess()
    assert not gone.standing.backup
    assert "The verified backup is no longer on this machine" in texts(gone)
    file.write_bytes(b"archive")
    assessment = await scene.assess()
    assert assessment.standing.backup
    assert offer(assessment, Way.BACKUP).lines == (Line("from the export"),)


async def test_a_loss_that_cannot_be_counted_is_said_in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object, source: str) -> tuple[Loss, tuple[Line, ...]]:
        raise StepFailed(f"no record of the {source}")

    monkeypatch.setattr(database_price, "price_of_database", fails)
    database = offer(await Scene().assess(), Way.DATABASE)
    assert database.price == "Rows written since are lost; how many could not be counted: no record of the moment"
    assert database.loss is None


async def test_a_copy_that_does_not_bring_the_schema_back_is_no_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> tuple[str, tuple[Line, ...]]:
        raise StepFailed("accounts_before_020 lacks is_trial")

    monkeypatch.setattr(schema_price, "price_of_schema", fails)
    assessment = await Scene().assess()
    assert not offer(assessment, Way.SCHEMA).applies
    assert assessment.ways[0].way is Way.DATABASE
    assert "does not bring the schema back: accounts_before_020 lacks is_trial" in texts(assessment)


async def test_in_a_real_database_the_migration_is_seen_and_its_price_counted(database: LiveDatabase) -> None:
    scene, incident = Scene(Schema.OLD), Incident(database)
    await incident.migrated()
    await settled(database, "UPDATE accounts SET name = name || '!' WHERE id IN (1, 2)")
    scene.steps["db.migrate"] = incident.run.steps["db.migrate"]
    scene.database = database  # type: ignore[assignment]
    assessment = await scene.assess()
    assert (assessment.standing.schema, assessment.standing.saved_copy) == (Schema.NEW, COPY)
    assert not assessment.standing.fenced
    assert assessment.ways[0].way is Way.SCHEMA
    loss = offer(assessment, Way.DATABASE).loss
    assert loss is not None
    assert {each.table: each.updated for each in loss.tables}["accounts"] == 2
    name = (await database.fetch("SELECT current_database() AS name"))[0]["name"]
    await settled(database, f'ALTER DATABASE "{name}" SET default_transaction_read_only = TRUE')
    assert (await scene.assess()).standing.fenced

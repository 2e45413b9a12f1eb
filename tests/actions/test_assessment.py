"""Where production stands, read from the world: each way has its price."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from console.actions.rollback import database_price, schema_price
from console.domain.hosting import DeployStatus
from console.domain.loss import Loss
from console.domain.outcome import Line
from console.domain.standing import Assessment, Code, Runs, Schema, Way
from console.domain.wire import decode, encode
from console.errors import StepFailed
from tests.actions.assessing import COPY, LOSS, MARK, Scene, offer, old_deploy, prices, texts  # noqa: F401 (a fixture)
from tests.actions.fakes import START
from tests.actions.rolling_back import LEADS, OLD, Back
from tests.actions.way_back import Incident, settled
from tests.migration.postgres import LiveDatabase


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

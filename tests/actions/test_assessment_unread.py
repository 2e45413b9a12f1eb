"""What an assessment says of what does not answer, or hangs, or leads elsewhere: a remark, and never a guess."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from msgspec import structs

from console.actions import waiting
from console.domain.hosting import DatabasePlace, DeployStatus, PostgresInfo, RecoveryWindow
from console.domain.standing import Assessment, Code, Runs, Schema, Way
from console.domain.state import StepStatus
from console.domain.wire import decode, encode
from console.errors import DatabaseError, HostingError, RepositoryError, StepFailed
from console.ports import Row
from tests.actions.assessing import COPY, Scene, in_database, offer, old_deploy, prices, texts  # noqa: F401 (a fixture)
from tests.actions.fakes import START
from tests.actions.rolling_back import columns


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
        scene.steps["back.switch"] = structs.replace(step, status=StepStatus.FAILED, evidence=None)
    scene.plan = replace(scene.plan, services=tuple(replace(s, database_env="NOT_SET") for s in scene.plan.services))

    async def unreadable(service_id: str, variable: str) -> DatabasePlace:
        raise HostingError(f"{variable} of service {service_id} is no connection string of one database.")

    scene.switches.database_of = unreadable  # type: ignore[method-assign]
    standing = (await scene.assess()).standing
    if end == "failed half way":
        assert (standing.split, standing.schema) == (True, Schema.UNKNOWN)
    else:
        assert (standing.postgres_id, standing.switched, standing.split) == ("dpg-new", True, False)

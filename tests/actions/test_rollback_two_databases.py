"""Services on two databases: nothing is opened or built back that a service does not use, whoever pointed it there."""

from dataclasses import replace

import pytest

from console.actions.rollback.database_lock import is_read_only
from console.actions.rollback.journaled import instance_in_use, switched_at
from console.actions.rollback.schema import schema_actions
from console.domain.hosting import DatabasePlace, PostgresInfo
from console.domain.standing import Way
from console.domain.state import StepStatus
from console.errors import HostingError, StepFailed
from tests.actions.fakes import START, Reports, ok
from tests.actions.rolling_back import Back
from tests.actions.way_back import DATABASE_ENV, Chosen, Incident
from tests.migration.postgres import LiveDatabase, Server

NEW = "dpg-new"


async def fenced(server: Server, database: LiveDatabase) -> tuple[Incident, Chosen]:
    """Writes are fenced off; a new instance was recovered, and compared."""
    incident = Incident(database)
    plan = incident.run.plan
    incident.run.plan = replace(plan, services=tuple(replace(s, database_env=DATABASE_ENV) for s in plan.services))
    incident.switches.points[incident.frontend, DATABASE_ENV] = incident.old_id
    await incident.backed_up()
    copy = server.new_database(str(await database.value("SELECT current_database()")))
    await incident.migrated()
    for request in ("GET /health", "GET /api/dashboard/kpis", "GET /"):
        incident.web.answer(request, ok({}))
    incident.instances.known[NEW] = PostgresInfo(NEW, "crm-before", "available", "18", START)
    incident.instances.databases[NEW] = LiveDatabase(server, copy)
    way = incident.chosen()
    await way.done("fence")
    way.succeeded("recover", {"postgres_id": NEW, "name": "crm-before", "old_postgres_id": incident.old_id})
    return incident, way


def pointed(incident: Incident, *services: str) -> None:
    for service_id in services:
        incident.switches.points[service_id, DATABASE_ENV] = NEW


@pytest.mark.parametrize("switch", [StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.SUCCEEDED])
async def test_no_instance_is_opened_while_a_service_uses_another(
    server: Server, database: LiveDatabase, switch: StepStatus
) -> None:
    incident, way = await fenced(server, database)
    pointed(incident, incident.backend)
    incident.run.left("back.switch", {}, status=switch)
    with pytest.raises(StepFailed, match="Not every service is pointed at") as refused:
        await way.preview_of("open")
    led = "crm-frontend" if switch is StepStatus.SUCCEEDED else "crm-backend"
    assert [line.partition(" ")[0] for line in refused.value.lines] == [led]
    assert "choose another way back" in refused.value.remedy
    with pytest.raises(StepFailed, match="Not every service"):
        await way.action("open").perform(way.context("open"), Reports())
    assert await is_read_only(database)


@pytest.mark.parametrize("read", ["", "The variable is no connection string of one database."])
async def test_after_a_switch_by_hand_the_new_instance_is_opened_and_the_old_stays_shut(
    server: Server, database: LiveDatabase, read: str
) -> None:
    incident, way = await fenced(server, database)
    pointed(incident, incident.backend, incident.frontend)
    way.succeeded("switch", {})
    if read:

        async def unreadable(service_id: str, variable: str) -> DatabasePlace:
            raise HostingError(read)

        incident.switches.database_of = unreadable  # type: ignore[method-assign]
    preview = await way.preview_of("open")
    assert [line.note for line in preview.consequences if line.note] == ([read] if read else [])
    opened = await way.done("open")
    assert (opened.data["postgres_id"], opened.data["old_postgres_id"]) == (NEW, incident.old_id)
    assert await is_read_only(database)
    assert not await is_read_only(await incident.instances.database(NEW))


async def test_what_nobody_recorded_is_not_opened(server: Server, database: LiveDatabase) -> None:
    incident, way = await fenced(server, database)
    pointed(incident, incident.backend, incident.frontend)
    way.succeeded("recover", {})
    way.succeeded("switch", {})
    with pytest.raises(StepFailed, match="by hand, and no record says at which"):
        await way.preview_of("open")
    assert await is_read_only(database)


def test_a_switch_by_hand_counts_from_when_it_was_said_to_be_done() -> None:
    back = Back(Way.DATABASE)
    back.left("back.recover", {"postgres_id": NEW})
    assert switched_at(back.context("back.open")) is None
    back.left("back.switch", {}, ended_at=START)
    assert switched_at(back.context("back.open")) == START
    assert instance_in_use(back.context("back.open")) == NEW


def test_a_way_that_switches_nothing_goes_by_what_the_services_were_seen_to_use() -> None:
    back = Back(Way.DATABASE)
    back.left("back.recover", {"postgres_id": NEW})
    back.left("back.switch", {"postgres_id": NEW})
    back.choose(Way.CODE)
    assert instance_in_use(back.context("back2.prove")) == back.home
    back.standing = replace(back.standing, split=True)
    assert instance_in_use(back.context("back2.prove")) == NEW


async def test_a_schema_that_no_service_uses_is_not_built_back(database: LiveDatabase) -> None:
    incident = Incident(database, Way.SCHEMA)
    await incident.migrated()
    way = incident.chosen()
    back = schema_actions(incident.ports)["rollback.schema"]
    await back.preview(way.context("schema"))
    incident.instances.known[NEW] = PostgresInfo(NEW, "crm-before", "available", "18", START)
    pointed(incident, incident.backend)
    with pytest.raises(StepFailed, match="Not every service uses crm") as refused:
        await back.preview(way.context("schema"))
    assert refused.value.lines == (f"crm-backend → {NEW}:5432/crm",)

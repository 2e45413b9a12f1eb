"""The example's checks, run by the action's own runner against the rehearsal's CRM: they pass and leave nothing."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from console.actions.check_run import CheckRun
from console.adapters.web import HttpWeb
from console.domain.outcome import Progress
from console.domain.plan import Check, Plan
from console.domain.state import RunState
from console.engine.clock import WallClock
from console.ports import Context
from console.sandbox.apps import CrmApps
from tests.config.conftest import EXAMPLE, loaded
from tests.migration.postgres import CRM, MIGRATION_FILE, LiveDatabase, Server

TABLES = ("accounts", "account_history", "leads", "lead_history")


@pytest.fixture(scope="module")
def crm_server() -> Iterator[Server]:
    server = Server()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(params=["old", "new"])
def release(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_name(crm_server: Server, release: str) -> Iterator[str]:
    """A database with the schema of the release."""
    name = crm_server.new_database()
    if release == "new":
        crm_server.command(name, MIGRATION_FILE.read_text())
    yield name
    crm_server.drop(name)


@pytest.fixture
def database(crm_server: Server, database_name: str) -> LiveDatabase:
    return LiveDatabase(crm_server, database_name)


@pytest.fixture
async def plan(crm_server: Server, database_name: str, release: str, tmp_path: Path) -> AsyncIterator[Plan]:
    """The example with its backend served here, from the code of the release."""
    shutil.copytree(CRM / "main", tmp_path / "crm")
    if release == "new":
        shutil.copytree(CRM / "release", tmp_path / "crm", dirs_exist_ok=True)
    lines: list[str] = []
    environment = {"DATABASE_URL": crm_server.url(database_name), "COMMIT": "a" * 40}
    app = await CrmApps().start(role="backend", root=tmp_path / "crm", env=environment, on_line=lines.append)
    try:
        assert await app.healthy(20), lines
        example = loaded(EXAMPLE)
        url = f"http://127.0.0.1:{app.port}"
        yield replace(example, services=tuple(replace(service, url=url) for service in example.services))
    finally:
        await app.stop()


async def test_every_check_passes_and_leaves_nothing(plan: Plan, database: LiveDatabase, release: str) -> None:
    before = await counts(database)
    checks = [check for check in plan.checks if check.release in (release, "both")]
    assert len(checks) >= 5
    async with HttpWeb(WallClock()) as web:
        for check in checks:
            assert await problems(plan, check, web, database) == [], check.id
    assert await counts(database) == before


async def test_a_check_of_the_other_release_fails(plan: Plan, database: LiveDatabase, release: str) -> None:
    others = [check for check in plan.checks if check.release == "new"]
    async with HttpWeb(WallClock()) as web:
        found = await asyncio.gather(*(problems(plan, check, web, database) for check in others))
    told = {check.id: bool(problem) for check, problem in zip(others, found, strict=True)}
    assert told == dict.fromkeys(told, release == "old")


async def problems(plan: Plan, check: Check, web: HttpWeb, database: LiveDatabase) -> list[str]:
    async def report(progress: Progress) -> None:
        assert progress.text

    step = plan.step("test.accounts")
    ctx = Context(plan=plan, step=step, run="r1", state=RunState(plan), clock=WallClock(), artifacts=Path())
    return (await CheckRun(ctx, web, database, report).run(check)).problems


async def counts(database: LiveDatabase) -> dict[str, object]:
    return {table: await database.value(f"SELECT count(*) FROM {table}") for table in TABLES}

"""The CRM as it is deployed: real processes on checkouts of both releases, on both schemas."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import psycopg
import pytest

from console.sandbox.apps import CrmApps, CrmInstance
from console.sandbox.contracts import DatabaseInstance
from console.sandbox.crm_app.queries import BrokenRelease, load_module
from console.sandbox.databases import SandboxDatabases
from console.sandbox.release import new_migration
from console.sandbox.remote import GitRemote
from console.sandbox.seeding import apply_migration, fill
from console.sandbox.waiting import wait_until

# One request for each of the plan's lines that touches an account's status.
TOUCHING_STATUS: tuple[tuple[str, str, dict[str, str] | None], ...] = (
    ("GET", "/api/dashboard/kpis", None),
    ("GET", "/api/accounts?status=active&limit=5", None),
    ("POST", "/api/accounts", {"name": "New one"}),
    ("GET", "/api/accounts/7", None),
    ("PATCH", "/api/accounts/7", {"name": "Renamed", "status": "suspended"}),
    ("DELETE", "/api/accounts/7", None),
    ("POST", "/api/accounts/7/restore", None),
    ("GET", "/api/field-mapping", None),
    ("GET", "/api/reports/accounts", None),
    ("GET", "/api/reports/leads", None),
)

Started = tuple[httpx.AsyncClient, list[str]]
Start = Callable[[str], Awaitable[Started]]


@pytest.fixture
async def start(
    remote: GitRemote, database: DatabaseInstance, tmp_path: Path
) -> AsyncIterator[Callable[[str], Awaitable[Started]]]:
    """Starts the backend of a branch's tip; a client for it, and the lines that it prints."""
    running: list[CrmInstance] = []
    clients: list[httpx.AsyncClient] = []

    async def start_branch(branch: str) -> Started:
        commit = await remote.head(branch)
        assert commit is not None
        root = tmp_path / "checkouts" / branch
        if not root.exists():
            await remote.checkout(commit, root)
        lines: list[str] = []
        environment = {"DATABASE_URL": database.url, "COMMIT": commit}
        instance = await CrmApps().start(role="backend", root=root, env=environment, on_line=lines.append)
        running.append(instance)
        assert await instance.healthy(10)
        clients.append(httpx.AsyncClient(base_url=f"http://127.0.0.1:{instance.port}", trust_env=False))
        return clients[-1], lines

    yield start_branch
    for client in clients:
        await client.aclose()
    await asyncio.gather(*(instance.stop() for instance in running))


async def migrate(database: DatabaseInstance) -> None:
    async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as link:
        await apply_migration(link, new_migration().name, new_migration().read_bytes())


@pytest.mark.parametrize(
    ("branch", "migrated", "missing"),
    [
        ("main", False, None),
        ("main", True, "license_status"),
        ("staging", False, "account_status"),
        ("staging", True, None),
    ],
    ids=["old-on-old", "old-on-new", "new-on-old", "new-on-new"],
)
async def test_code_and_schema_fit_or_fail_with_postgresqls_own_error(
    start: Start, database: DatabaseInstance, branch: str, migrated: bool, missing: str | None
) -> None:
    await fill(database, 30, migrated=migrated)
    client, lines = await start(branch)
    for method, path, body in TOUCHING_STATUS:
        answer = await client.request(method, path, json=body)
        if missing is None:
            assert answer.is_success, (path, answer.text)
        else:
            assert answer.status_code == 500, path
            assert answer.json()["sqlstate"] == "42703"
            assert missing in answer.json()["error"]
    assert (await client.get("/health")).status_code == 200
    await wait_until(lambda: any(line.startswith("GET /api/reports/leads ") for line in lines), 5)
    errors = [line for line in lines if line.startswith("ERROR")]
    assert len(errors) == (0 if missing is None else len(TOUCHING_STATUS))
    assert all("SQLSTATE 42703: column" in line for line in errors)


@pytest.mark.parametrize(
    ("branch", "statuses"),
    [
        ("main", ("active", "pending", "expired", "suspended", "cancelled")),
        ("staging", ("active", "inactive", "on_hold", "suspended", "cancelled")),
    ],
)
async def test_an_account_goes_through_every_status_and_leaves_nothing_when_purged(
    start: Start, database: DatabaseInstance, branch: str, statuses: tuple[str, ...]
) -> None:
    await fill(database, 30, migrated=branch == "staging")
    client, _ = await start(branch)
    made = await client.post("/api/accounts", json={"name": "Marked"})
    assert made.status_code == 201
    path = f"/api/accounts/{made.json()['id']}"
    for status in statuses:
        assert (await client.patch(path, json={"status": status})).json()["status"] == status
        listed = (await client.get("/api/accounts", params={"status": status, "limit": 500})).json()
        assert "Marked" in {account["name"] for account in listed}
    assert (await client.patch(path, json={"status": "trial"})).status_code == 422
    assert (await client.delete(path)).json()["status"] == "cancelled"
    assert (await client.delete(path)).status_code == 404
    restored = (await client.post(f"{path}/restore")).json()
    assert (restored["status"], restored["deletedAt"]) == ("active", None)
    history = (await client.get(f"{path}/history")).json()
    assert [entry["operation"] for entry in history][0::6] == ["insert", "delete"]
    assert history[-1]["operation"] == "restore"
    assert (await client.delete(path, params={"purge": "true"})).status_code == 200
    assert (await client.get(path)).status_code == 404
    assert (await client.get(f"{path}/history")).json() == []


@pytest.mark.parametrize("branch", ["main", "staging"])
async def test_a_lead_becomes_an_account_once(start: Start, database: DatabaseInstance, branch: str) -> None:
    await fill(database, 30, migrated=branch == "staging")
    client, _ = await start(branch)
    lead = (await client.post("/api/leads", json={"name": "L", "company": "C"})).json()
    converted = await client.post(f"/api/leads/{lead['id']}/convert")
    assert converted.status_code == 201
    account = (await client.get(f"/api/accounts/{converted.json()['accountId']}")).json()
    assert (account["name"], account["status"]) == ("C", "active")
    assert (await client.post(f"/api/leads/{lead['id']}/convert")).status_code == 409
    assert (await client.delete(f"/api/accounts/{account['id']}?purge=true")).status_code == 200
    assert (await client.delete(f"/api/leads/{lead['id']}?purge=true")).status_code == 200


async def test_the_new_reports_target_of_zero_fails_and_the_old_ones_does_not(
    start: Start, database: DatabaseInstance
) -> None:
    """What the fault error-spike leads its users to: a defect that the release really brings."""
    await fill(database, 30)
    old, _ = await start("main")
    assert (await old.get("/api/reports/leads?target=0")).status_code == 200
    await migrate(database)
    new, lines = await start("staging")
    assert (await new.get("/api/reports/leads?target=0")).json()["sqlstate"] == "22012"
    said = "ERROR GET /api/reports/leads?target=0 SQLSTATE 22012: division by zero"
    await wait_until(lambda: said in lines, 5)


async def test_an_instance_says_which_database_it_really_uses(start: Start, database: DatabaseInstance) -> None:
    client, _ = await start("main")
    told = (await client.get("/health/database")).json()
    assert (told["database"], told["host"], told["port"]) == ("crm", "127.0.0.1", database.port)
    assert told["system_identifier"].isdigit()


async def test_requests_leave_one_line_each_that_cannot_be_forged(start: Start, database: DatabaseInstance) -> None:
    client, lines = await start("main")
    await client.get("/api/nothing%0AERROR%20forged", params={"a": "1\n2"})
    await client.get("/health")
    await wait_until(lambda: len(lines) >= 4, 5)
    own = [line for line in lines if "/health" not in line]
    assert len(own) == 2
    assert own[1].startswith("GET /api/nothing%0AERROR%20forged?a=1%0A2 404 ")
    assert own[1].endswith("ms")


async def test_bad_input_is_the_users_fault(start: Start, database: DatabaseInstance) -> None:
    client, lines = await start("main")
    for method, path, content, status in (
        ("POST", "/api/accounts", b"{", 400),
        ("POST", "/api/accounts", b"[]", 400),
        ("POST", "/api/accounts", b"{}", 422),
        ("POST", "/api/accounts", b'{"name": 5}', 422),
        ("GET", "/api/accounts/abc", b"", 400),
        ("GET", "/api/accounts/99999999999999999999", b"", 400),
        ("GET", "/api/accounts?limit=-1", b"", 400),
        ("GET", "/api/reports/leads?target=x", b"", 400),
        ("DELETE", "/api/leads/1", b"", 400),
    ):
        assert (await client.request(method, path, content=content)).status_code == status, path
    assert not [line for line in lines if line.startswith("ERROR")]


async def test_a_suspended_database_is_an_error_and_its_return_heals(
    start: Start, database: DatabaseInstance, databases: SandboxDatabases
) -> None:
    await fill(database, 30)
    client, lines = await start("main")
    assert (await client.get("/api/dashboard/kpis")).status_code == 200
    await databases.set_suspended(database.id, True)
    for _ in range(2):
        assert (await client.get("/api/dashboard/kpis")).status_code == 500
    assert (await client.get("/health")).status_code == 200
    assert database.password not in "\n".join(lines)
    await databases.set_suspended(database.id, False)
    assert (await client.get("/api/dashboard/kpis")).status_code == 200


async def test_the_frontend_names_its_commit_and_passes_the_api_through(
    start: Start, database: DatabaseInstance, remote: GitRemote, tmp_path: Path
) -> None:
    await fill(database, 30)
    backend, _ = await start("main")
    commit = await remote.head("main")
    assert commit is not None
    environment = {"BACKEND_URL": str(backend.base_url), "COMMIT": commit}
    lines: list[str] = []
    root = tmp_path / "checkouts" / "main"
    site = await CrmApps().start(role="frontend", root=root, env=environment, on_line=lines.append)
    try:
        assert await site.healthy(10)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}", trust_env=False) as client:
            assert commit in (await client.get("/")).text
            assert (await client.get("/health")).json()["commit"] == commit
            assert (await client.get("/api/accounts?status=active&limit=2")).json()[0]["status"] == "active"
            assert (await client.post("/api/accounts", json={"name": "Through"})).status_code == 201
            assert (await client.get("/src/app.js")).status_code == 200
            assert (await client.get("/src/..%2Findex.html")).status_code == 404
    finally:
        await site.stop()


async def test_an_instance_that_cannot_start_says_why(remote: GitRemote, tmp_path: Path) -> None:
    commit = await remote.head("main")
    assert commit is not None
    await remote.checkout(commit, tmp_path / "broken")
    (tmp_path / "broken" / "services" / "reportingService.js").unlink()
    lines: list[str] = []
    instance = await CrmApps().start(
        role="backend", root=tmp_path / "broken", env={"DATABASE_URL": "x"}, on_line=lines.append
    )
    assert not await instance.healthy(10)
    await instance.stop()
    assert lines == ["ERROR cannot start: services/reportingService.js: no such file in the release"]


def test_a_query_that_a_module_lacks_is_named(tmp_path: Path) -> None:
    (tmp_path / "m.js").write_text("const queries = {\n  one: `\n    SELECT 1\n  `,\n};\nconst A = ['x', 'y'];\n")
    module = load_module(tmp_path, "m.js")
    assert module.query("one") == "SELECT 1"
    assert module.items("A") == ("x", "y")
    with pytest.raises(BrokenRelease, match=r"m\.js: two is not defined"):
        module.query("two")


async def test_a_backend_is_seen_by_its_database_under_its_services_name_before_anybody_asks(
    remote: GitRemote, database: DatabaseInstance, tmp_path: Path
) -> None:
    """One connection from the start; a database that is away keeps it from nothing but that."""
    commit = await remote.head("main") or ""
    await remote.checkout(commit, tmp_path / "main")
    for url, seen in ((database.url, ["crm-backend-staging"]), (database.url.replace(str(database.port), "1"), [])):
        lines: list[str] = []
        environment = {"DATABASE_URL": url, "COMMIT": commit, "RENDER_SERVICE_NAME": "crm-backend-staging"}
        app = await CrmApps().start(role="backend", root=tmp_path / "main", env=environment, on_line=lines.append)
        try:
            assert await app.healthy(10)
            async with await psycopg.AsyncConnection.connect(database.url, autocommit=True) as link:
                names = await link.execute(
                    "SELECT application_name FROM pg_stat_activity "
                    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
                )
                assert [name for (name,) in await names.fetchall()] == seen
        finally:
            await app.stop()
        assert any("cannot be reached at the start" in line for line in lines) == (not seen)
        assert not any(database.password in line for line in lines)

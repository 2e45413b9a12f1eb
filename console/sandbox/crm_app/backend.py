"""The API of the CRM: the routes of the release's `routes/`, over the SQL of its `services/` and `controllers/`.

What always holds: a query that PostgreSQL refuses answers 500 and leaves one `ERROR` line with the SQLSTATE;
`/health` does not touch the database.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.sandbox.crm_app.access_log import AccessLog
from console.sandbox.crm_app.accounts import AccountRoutes
from console.sandbox.crm_app.answers import Json, found, on_database_error, on_refusal
from console.sandbox.crm_app.leads import LeadRoutes
from console.sandbox.crm_app.pool import Pool, row, rows
from console.sandbox.crm_app.release import Release

_WHICH_DATABASE = """
    SELECT current_database() AS database, host(inet_server_addr()) AS host, inet_server_port() AS port,
           system_identifier::text AS system_identifier
    FROM pg_control_system()
"""


class ReportRoutes:
    """The dashboard, the field mapping, the reports, and what the server says of itself."""

    def __init__(self, release: Release, pool: Pool, commit: str) -> None:
        self._release = release
        self._pool = pool
        self._commit = commit

    def routes(self) -> list[Route]:
        """The routes, for the application."""
        return [
            Route("/health", self.health),
            Route("/health/database", self.database),
            Route("/api/dashboard/kpis", self.kpis),
            Route("/api/field-mapping", self.field_mapping),
            Route("/api/reports/accounts", self.accounts),
            Route("/api/reports/leads", self.leads),
        ]

    async def health(self, request: Request) -> Response:
        """The server runs, and of which commit."""
        return Json({"status": "ok", "commit": self._commit})

    async def database(self, request: Request) -> Response:
        """The PostgreSQL server that this instance really talks to."""
        async with self._pool.connection() as link:
            return found(await row(link, _WHICH_DATABASE))

    async def kpis(self, request: Request) -> Response:
        """The figures of the dashboard."""
        queries = self._release.query_builder
        async with self._pool.connection() as link:
            accounts = await row(link, queries.query("dashboardKpis"))
            leads = await row(link, queries.query("leadKpis"))
        return Json({**(accounts or {}), **(leads or {})})

    async def field_mapping(self, request: Request) -> Response:
        """The fields of an account, and the statuses it can have, with their labels."""
        queries = self._release.field_mapping
        async with self._pool.connection() as link:
            fields = await rows(link, queries.query("accountFields"))
            options = await rows(link, queries.query("statusOptions"))
        return Json({"fields": fields, "statusOptions": options})

    async def accounts(self, request: Request) -> Response:
        """Accounts and their revenue by status."""
        queries = self._release.reporting
        async with self._pool.connection() as link:
            statuses = await rows(link, queries.query("accountsByStatus"))
            deleted = await row(link, queries.query("deletedAccounts"))
        return Json({"statuses": statuses, "deleted": deleted["accounts"] if deleted else 0})

    async def leads(self, request: Request) -> Response:
        """Lead conversion against a target (a number of conversions)."""
        target = request.query_params.get("target", "100")
        if not (target.isascii() and target.isdigit() and len(target) < 10):
            raise HTTPException(400, "target must be a number")
        async with self._pool.connection() as link:
            return found(await row(link, self._release.reporting.query("leadConversion"), target))


def create_backend(root: Path, database_url: str, commit: str, name: str = "crm-backend") -> Starlette:
    """The API on the checkout `root`; its database knows it as `name`.

    Raises `BrokenRelease` when the checkout lacks a module.
    """
    release = Release.load(root)
    pool = Pool(database_url, name)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await pool.open()
        yield
        await pool.close()

    return Starlette(
        routes=[
            *ReportRoutes(release, pool, commit).routes(),
            *AccountRoutes(release, pool).routes(),
            *LeadRoutes(release, pool).routes(),
        ],
        middleware=[Middleware(AccessLog)],
        exception_handlers={HTTPException: on_refusal, psycopg.Error: on_database_error},
        lifespan=lifespan,
    )

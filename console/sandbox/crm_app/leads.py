"""The lead routes: list, create, convert to an account, and removal for good."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.sandbox.crm_app.answers import Json, found, read_fields, read_number
from console.sandbox.crm_app.pool import Pool, row, rows
from console.sandbox.crm_app.release import Release


class LeadRoutes:
    """`/api/leads`, over the release's lead service and lead conversion."""

    def __init__(self, release: Release, pool: Pool) -> None:
        self._queries = release.leads
        self._conversion = release.conversion
        self._pool = pool

    def routes(self) -> list[Route]:
        """The routes, for the application."""
        return [
            Route("/api/leads", self.list, methods=["GET"]),
            Route("/api/leads", self.create, methods=["POST"]),
            Route("/api/leads/{id}/convert", self.convert, methods=["POST"]),
            Route("/api/leads/{id}", self.purge, methods=["DELETE"]),
        ]

    async def list(self, request: Request) -> Response:
        """Leads, newest first."""
        limit = min(read_number(request.query_params.get("limit", "50"), "limit"), 500)
        async with self._pool.connection() as link:
            return Json(await rows(link, self._queries.query("leadList"), limit))

    async def create(self, request: Request) -> Response:
        """Make a lead."""
        fields = await read_fields(request, name=200, company=200, email=200)
        name = fields["name"]
        if name is None:
            raise HTTPException(422, "name is missing")
        create = self._queries.query("leadCreate")
        async with self._pool.connection() as link:
            return found(await row(link, create, name, fields["company"] or name, fields["email"]), 201)

    async def convert(self, request: Request) -> Response:
        """Turn a lead into an account, in one transaction; 409 when it was converted before."""
        lead = _id(request)
        status = self._conversion.text("NEW_ACCOUNT_STATUS")
        async with self._pool.connection() as link, link.transaction():
            if await row(link, self._conversion.query("leadForConversion"), lead) is None:
                raise HTTPException(409, "no such lead, or it is converted")
            account = await row(link, self._conversion.query("accountFromLead"), lead, status)
            if account is None:
                raise HTTPException(409, "the lead is gone")
            await rows(link, self._conversion.query("leadConverted"), lead, account["id"])
        return Json({"accountId": account["id"]}, 201)

    async def purge(self, request: Request) -> Response:
        """Remove a lead and its history for good; only with `purge=true`."""
        if request.query_params.get("purge") != "true":
            raise HTTPException(400, "a lead can only be removed for good: purge=true")
        async with self._pool.connection() as link, link.transaction():
            gone = await row(link, self._queries.query("leadPurge"), _id(request))
            await rows(link, self._queries.query("leadHistoryPurge"), _id(request))
        return found(gone)


def _id(request: Request) -> int:
    return read_number(request.path_params["id"], "the lead's id")

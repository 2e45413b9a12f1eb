"""The account routes: list, read, create, edit, soft-delete, restore, and removal for good."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from console.sandbox.crm_app.answers import Json, found, read_fields, read_number
from console.sandbox.crm_app.pool import Pool, row, rows
from console.sandbox.crm_app.release import Release


class AccountRoutes:
    """`/api/accounts`, over the release's query builder, lead conversion and account service."""

    def __init__(self, release: Release, pool: Pool) -> None:
        self._queries = release.query_builder
        self._records = release.accounts
        self._creation = release.conversion
        self._pool = pool

    def routes(self) -> list[Route]:
        """The routes, for the application."""
        return [
            Route("/api/accounts", self.list, methods=["GET"]),
            Route("/api/accounts", self.create, methods=["POST"]),
            Route("/api/accounts/{id}", self.read, methods=["GET"]),
            Route("/api/accounts/{id}", self.edit, methods=["PATCH"]),
            Route("/api/accounts/{id}", self.delete, methods=["DELETE"]),
            Route("/api/accounts/{id}/restore", self.restore, methods=["POST"]),
            Route("/api/accounts/{id}/history", self.history, methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        """Accounts that are not deleted, newest first, all or of one status."""
        status = request.query_params.get("status")
        limit = min(read_number(request.query_params.get("limit", "50"), "limit"), 500)
        async with self._pool.connection() as link:
            return Json(await rows(link, self._queries.query("accountList"), status, limit))

    async def create(self, request: Request) -> Response:
        """Make an account, by default in the release's status for new ones."""
        fields = await read_fields(request, name=200, status=50)
        if fields["name"] is None:
            raise HTTPException(422, "name is missing")
        status = fields["status"] or self._creation.text("NEW_ACCOUNT_STATUS")
        self._check_status(status)
        async with self._pool.connection() as link:
            return found(await row(link, self._creation.query("accountCreate"), fields["name"], status), 201)

    async def read(self, request: Request) -> Response:
        """One account, also a deleted one."""
        async with self._pool.connection() as link:
            return found(await row(link, self._queries.query("accountById"), _id(request)))

    async def edit(self, request: Request) -> Response:
        """Change an account's name, status or both."""
        fields = await read_fields(request, name=200, status=50)
        if fields["status"] is not None:
            self._check_status(fields["status"])
        update = self._queries.query("accountUpdate")
        async with self._pool.connection() as link:
            return found(await row(link, update, _id(request), fields["name"], fields["status"]))

    async def delete(self, request: Request) -> Response:
        """Soft-delete an account; with `purge=true` remove it and its history for good."""
        if request.query_params.get("purge") == "true":
            return await self._purge(_id(request))
        async with self._pool.connection() as link:
            return found(await row(link, self._queries.query("accountDelete"), _id(request)))

    async def restore(self, request: Request) -> Response:
        """Bring a soft-deleted account back."""
        async with self._pool.connection() as link:
            return found(await row(link, self._queries.query("accountRestore"), _id(request)))

    async def history(self, request: Request) -> Response:
        """What happened to an account, oldest first."""
        async with self._pool.connection() as link:
            return Json(await rows(link, self._records.query("accountHistory"), _id(request)))

    async def _purge(self, account: int) -> Response:
        async with self._pool.connection() as link, link.transaction():
            await rows(link, self._records.query("releaseLeads"), account)
            gone = await row(link, self._records.query("purgeAccount"), account)
            await rows(link, self._records.query("purgeHistory"), account)
        return found(gone)

    def _check_status(self, status: str) -> None:
        known = self._queries.items("ACCOUNT_STATUSES")
        if status not in known:
            raise HTTPException(422, f"status must be one of {', '.join(known)}")


def _id(request: Request) -> int:
    return read_number(request.path_params["id"], "the account's id")

"""Endpoints of PostgreSQL instances: detail, connection info, creation, exports, recovery, suspend, resume."""

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from console.sandbox.contracts import SERVER_VERSION, Databases
from console.sandbox.render.api.exchange import (
    ApiError,
    accepted,
    in_range,
    not_found,
    page,
    read_body,
    values,
)
from console.sandbox.render.exports import Exports
from console.sandbox.render.identity import random_text
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.new_instances import NewInstances, RecoveryRefusedError
from console.sandbox.render.state import JsonObject, Postgres, PostgresStatus
from console.sandbox.render.times import parse_moment, rfc3339, utc_now
from console.sandbox.render.views import Views

_IDENTIFIER = r"^[a-z_][a-z0-9_]{0,62}$"


class RecoveryRequest(BaseModel):
    """The body of `POST /postgres/{postgresId}/recovery`."""

    model_config = ConfigDict(alias_generator=to_camel)

    restore_time: str
    restore_name: str | None = None


class CreationRequest(BaseModel):
    """The part of schema `postgresPOSTInput` that means something here."""

    model_config = ConfigDict(alias_generator=to_camel)

    name: str = Field(min_length=1)
    plan: str
    owner_id: str = Field(alias="ownerId")
    version: str
    environment_id: str | None = None
    database_name: str | None = Field(default=None, pattern=_IDENTIFIER)
    database_user: str | None = Field(default=None, pattern=_IDENTIFIER)


class PostgresApi:
    """Reads and changes the databases."""

    def __init__(self, ledger: Ledger, views: Views, databases: Databases, exports: Exports, new: NewInstances) -> None:
        self._ledger = ledger
        self._views = views
        self._databases = databases
        self._exports = exports
        self._new = new

    def routes(self) -> list[Route]:
        """The endpoints' paths, below `/v1`."""
        one = "/postgres/{postgres_id}"
        return [
            Route("/postgres", self.list_postgres),
            Route("/postgres", self.create_postgres, methods=["POST"]),
            Route(one, self.get_postgres),
            Route(one + "/connection-info", self.connection_info),
            Route(one + "/export", self.list_exports),
            Route(one + "/export", self.create_export, methods=["POST"]),
            Route(one + "/recovery", self.recovery_window),
            Route(one + "/recovery", self.recover, methods=["POST"]),
            Route(one + "/suspend", self.suspend, methods=["POST"]),
            Route(one + "/resume", self.resume, methods=["POST"]),
        ]

    async def list_postgres(self, request: Request) -> JSONResponse:
        """`GET /postgres`."""
        shown = {
            postgres.id: await self._shown(postgres)
            for postgres in self._ledger.state.postgres.values()
            if in_range(request, "created", postgres.created_at) and in_range(request, "updated", postgres.updated_at)
        }
        for parameter in ("name", "environmentId", "suspended"):
            if wanted := values(request, parameter):
                shown = {key: item for key, item in shown.items() if item[parameter] in wanted}
        owners = values(request, "ownerId")
        if owners and self._ledger.state.owner_id not in owners:
            shown = {}
        return page(request, shown.items(), lambda item: item[0], "postgres", lambda item: item[1])

    async def create_postgres(self, request: Request) -> JSONResponse:
        """`POST /postgres`: an empty instance, `creating` at first."""
        wish = await read_body(request, CreationRequest)
        if wish.owner_id != self._ledger.state.owner_id:
            raise not_found("owner", wish.owner_id)
        if wish.version != SERVER_VERSION:
            raise ApiError(400, f"invalid version: the rehearsal has PostgreSQL {SERVER_VERSION}, not {wish.version}")
        if wish.database_name == "postgres" or wish.database_user == "postgres":
            raise ApiError(400, "invalid databaseName or databaseUser: postgres is reserved")
        environments = {identity: name for name, identity in self._ledger.state.environments.items()}
        environment = environments.get(wish.environment_id or "", "production")
        made_up = f"db_{random_text(8)}"
        created = self._new.create(
            wish.name,
            environment,
            database=wish.database_name or made_up,
            user=wish.database_user or f"{made_up}_user",
        )
        return JSONResponse(await self._shown(created), 201)

    async def get_postgres(self, request: Request) -> JSONResponse:
        """`GET /postgres/{postgresId}`."""
        return JSONResponse(await self._shown(postgres_of(request, self._ledger)))

    async def connection_info(self, request: Request) -> JSONResponse:
        """`GET /postgres/{postgresId}/connection-info`; 404 while the instance is being created."""
        postgres = postgres_of(request, self._ledger)
        instance = await self._databases.get(postgres.id)
        if instance is None or postgres.status == "creating":
            raise not_found("connection info", postgres.id)
        return JSONResponse(self._views.connection_info(instance))

    async def list_exports(self, request: Request) -> JSONResponse:
        """`GET /postgres/{postgresId}/export`, newest first."""
        postgres = postgres_of(request, self._ledger)
        return JSONResponse([self._views.export(export) for export in self._exports.of(postgres.id)])

    async def create_export(self, request: Request) -> Response:
        """`POST /postgres/{postgresId}/export`: 202 without a body; one at a time."""
        postgres = self._available(request)
        if self._exports.begin(postgres) is None:
            raise ApiError(400, "an export of this database is already in progress")
        return accepted()

    async def recovery_window(self, request: Request) -> JSONResponse:
        """`GET /postgres/{postgresId}/recovery`."""
        postgres = postgres_of(request, self._ledger)
        if postgres.status == "recovery_failed":
            return JSONResponse({"recoveryStatus": "NOT_AVAILABLE"})
        if postgres.status == "creating":
            return JSONResponse({"recoveryStatus": "BACKUP_NOT_READY"})
        starts = await self._databases.earliest_recovery(postgres.id)
        return JSONResponse({"recoveryStatus": "AVAILABLE", "startsAt": rfc3339(starts)})

    async def recover(self, request: Request) -> JSONResponse:
        """`POST /postgres/{postgresId}/recovery`: a new instance, `creating` at first."""
        postgres = self._available(request)
        wish = await read_body(request, RecoveryRequest)
        try:
            restore_time = parse_moment(wish.restore_time)
            created = await self._new.recover(postgres, restore_time, wish.restore_name)
        except (ValueError, RecoveryRefusedError) as error:
            raise ApiError(400, str(error)) from None
        return JSONResponse(await self._shown(created))

    async def suspend(self, request: Request) -> Response:
        """`POST /postgres/{postgresId}/suspend`."""
        return await self._set_status(postgres_of(request, self._ledger), "suspended")

    async def resume(self, request: Request) -> Response:
        """`POST /postgres/{postgresId}/resume`."""
        return await self._set_status(postgres_of(request, self._ledger), "available")

    async def _set_status(self, postgres: Postgres, status: PostgresStatus) -> Response:
        if postgres.status not in ("available", "suspended"):
            raise ApiError(400, f"database {postgres.name} is {postgres.status}")
        if postgres.status != status:
            await self._databases.set_suspended(postgres.id, status == "suspended")
            postgres.status, postgres.updated_at = status, utc_now()
            self._ledger.save()
        return accepted()

    async def _shown(self, postgres: Postgres) -> JsonObject:
        instance = await self._databases.get(postgres.id)
        return self._views.postgres(postgres, instance)

    def _available(self, request: Request) -> Postgres:
        postgres = postgres_of(request, self._ledger)
        if postgres.status != "available":
            raise ApiError(400, f"database {postgres.name} is {postgres.status}")
        return postgres


def postgres_of(request: Request, ledger: Ledger) -> Postgres:
    """The database that the path names; 404 when there is none."""
    postgres = ledger.state.postgres.get(request.path_params["postgres_id"])
    if postgres is None:
        raise not_found("database", request.path_params["postgres_id"])
    return postgres

"""Database instances at Render, made and opened: the `Instances` port, and their suspension.

What always holds: connection strings stay inside; what is made stands beside what there was, which is never touched.
"""

from datetime import datetime
from pathlib import Path

from console.adapters.database.database import PostgresDatabase
from console.adapters.render.client import RenderClient
from console.adapters.render.connections import Connections, Learn, place_of
from console.adapters.render.failures import Body, part
from console.adapters.render.models import POSTGRES, POSTGRES_LIST, POSTGRES_SETTINGS, PostgresSettings
from console.adapters.render.times import rfc3339
from console.adapters.scratch import restore_into
from console.domain.databases import RestoreReport
from console.domain.hosting import DatabasePlace, PostgresInfo
from console.ports import Clock, Report
from console.secrets import Secret


class RenderInstances:
    """The `Instances` port over Render's API. Raises HostingError, DatabaseError.

    `tls` protects the connections to the instances (see `TLS_MODES`); `learn` is told every connection string and
    password before it is used.
    """

    def __init__(self, client: RenderClient, clock: Clock, learn: Learn, *, tls: str = "verify-full") -> None:
        self._client = client
        self._clock = clock
        self._tls = tls
        self._connections = Connections(client, learn)

    async def all(self) -> tuple[PostgresInfo, ...]:
        """Every instance of the owner."""
        what = f"the databases of workspace {self._client.owner_id}"
        items = await self._client.pages(POSTGRES_LIST, "/postgres", what, {"ownerId": self._client.owner_id})
        return tuple(item.postgres.domain() for item in items)

    async def recover(self, postgres_id: str, moment: datetime, *, name: str) -> PostgresInfo:
        """Begin a recovery to `moment` into a new instance called `name`, which is returned as it is now.

        After `HostingError.sent` it may have begun: look for `name` among `all()`.
        """
        what = f"recovering database {postgres_id} to {rfc3339(moment)} as {name}"
        body: Body = {"restoreTime": rfc3339(moment), "restoreName": name}
        reply = await self._client.change("POST", f"{_postgres(postgres_id)}/recovery", what, body)
        return reply.read(POSTGRES).domain()

    async def create(self, like: str, *, name: str) -> PostgresInfo:
        """Begin to create an empty instance of the same plan, version, region, database and user as `like`.

        After `HostingError.sent` it may have begun: look for `name` among `all()`.
        """
        model = await self._client.get(POSTGRES_SETTINGS, _postgres(like), f"database {like}")
        what = f"creating database {name} after {like}"
        reply = await self._client.change("POST", "/postgres", what, _another(model, name, self._client.owner_id))
        return reply.read(POSTGRES).domain()

    async def places(self, postgres_id: str) -> tuple[DatabasePlace, ...]:
        """Where its internal and its external connection string lead, in this order.

        Raises HostingError with status 404 while the instance is being created.
        """
        info = await self._connections.of(postgres_id)
        return tuple(
            place_of(address, f"The {which} connection string of database {postgres_id}")
            for which, address in (("internal", info.internal), ("external", info.external))
        )

    async def database(self, postgres_id: str) -> PostgresDatabase:
        """The instance as a database, over its external connection string.

        Raises HostingError with status 404 while the instance is being created.
        """
        return PostgresDatabase(await self._external(postgres_id), self._clock, tls=self._tls)

    async def restore(self, postgres_id: str, archive: Path, report: Report) -> RestoreReport:
        """Restore a directory archive (`.dir.tar.gz`) into the empty instance.

        Raises StepFailed when the archive cannot be read or restored, or the instance is not empty.
        """
        url = await self._external(postgres_id)
        return await restore_into(url, archive, report, clock=self._clock, tls=self._tls)

    async def suspend(self, postgres_id: str) -> None:
        """Stop the instance."""
        await self._client.change("POST", f"{_postgres(postgres_id)}/suspend", f"suspending database {postgres_id}")

    async def resume(self, postgres_id: str) -> None:
        """Start a suspended instance again."""
        await self._client.change("POST", f"{_postgres(postgres_id)}/resume", f"resuming database {postgres_id}")

    async def _external(self, postgres_id: str) -> Secret:
        return Secret((await self._connections.of(postgres_id)).external, f"database {postgres_id}")


def _another(model: PostgresSettings, name: str, owner_id: str) -> Body:
    """The request for an instance like `model`; who may connect to that one may connect to this one."""
    body: Body = {
        "name": name,
        "ownerId": owner_id,
        "plan": model.plan,
        "version": model.version,
        "region": model.region,
        "databaseName": model.database,
        "databaseUser": model.user,
        "enableHighAvailability": model.highly_available,
        "enableDiskAutoscaling": model.disk_grows,
        "ipAllowList": [
            {"cidrBlock": allowed.cidr_block, "description": allowed.description} for allowed in model.allowed
        ],
    }
    if model.environment:
        body["environmentId"] = model.environment
    if model.disk_gb is not None:
        body["diskSizeGB"] = model.disk_gb
    return body


def _postgres(postgres_id: str) -> str:
    return f"/postgres/{part(postgres_id)}"

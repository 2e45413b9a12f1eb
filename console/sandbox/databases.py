"""The PostgreSQL servers of the rehearsal, by the provider's ids: a durable register of real servers.

What always holds: a server that the register names has its data on disk; it runs unless it is suspended.
"""

import asyncio
import json
import secrets
import shutil
import tarfile
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from psycopg import AsyncConnection, sql

from console.errors import SandboxError
from console.sandbox.cluster import Cluster
from console.sandbox.contracts import SERVER_VERSION, DatabaseInstance
from console.sandbox.loopback import free_port
from console.sandbox.postgres_tools import PostgresTools, data_folder, find_tools
from console.sandbox.private_files import write_private
from console.sandbox.recovery import recover

REPORTING_ROLE = "reporting"


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """What the register keeps of a server; times are ISO 8601."""

    id: str
    name: str
    port: int
    database: str
    user: str
    password: str
    superuser_password: str
    created_at: str
    recoverable_from: str | None = None
    suspended: bool = False

    def instance(self) -> DatabaseInstance:
        """The server as the provider shows it."""
        created = datetime.fromisoformat(self.created_at)
        return DatabaseInstance(
            *(self.id, self.name, "127.0.0.1", self.port, self.database, self.user, self.password),
            version=SERVER_VERSION,
            created_at=created,
        )


class SandboxDatabases:
    """The register in `state_dir/databases.json` and the servers it names."""

    def __init__(self, state_dir: Path, tools: PostgresTools | None = None) -> None:
        self._tools = tools or find_tools()
        self._file = state_dir / "databases.json"
        self._folder = data_folder(self._tools, state_dir)
        self._records: dict[str, ServerRecord] = {}
        if self._file.exists():
            for fields in json.loads(self._file.read_text()):
                self._records[fields["id"]] = ServerRecord(**fields)
        self._clusters = {key: _cluster(self._tools, self._folder, record) for key, record in self._records.items()}

    def ids(self) -> tuple[str, ...]:
        """The ids of all servers, oldest first."""
        return tuple(self._records)

    async def create(
        self, postgres_id: str, name: str, *, database: str, user: str, protect: bool = False
    ) -> DatabaseInstance:
        """Make and start a server with an empty `database` that `user` owns, and a reader, `reporting`.

        `protect` takes the base backup, too, before anybody hears of the server.
        """
        now = datetime.now(UTC).isoformat()
        record = ServerRecord(
            *(postgres_id, name, free_port(), database, user),
            password=secrets.token_urlsafe(18),
            superuser_password=secrets.token_urlsafe(18),
            created_at=now,
        )
        cluster = _cluster(self._tools, self._folder, record)
        if cluster.home.exists():
            await cluster.stop()
            await asyncio.to_thread(shutil.rmtree, cluster.home)
        await cluster.create()
        await cluster.start()
        await _create_database(cluster, record)
        self._keep(await _protected(cluster, record) if protect else record, cluster)
        return record.instance()

    async def protect(self, postgres_id: str) -> None:
        """Take the base backup and archive from now on: recovery is possible from here."""
        self._keep(await _protected(self._clusters[postgres_id], self._records[postgres_id]))

    async def start_all(self) -> None:
        """Start, or adopt, every server that is not suspended."""
        due = [self._clusters[key].start() for key, record in self._records.items() if not record.suspended]
        await asyncio.gather(*due)

    async def stop_all(self) -> None:
        """Stop every server, also one that was being made when an earlier process ended; their data stay."""
        homes = [home for home in self._folder.iterdir() if (home / "data").is_dir()]
        await asyncio.gather(*(Cluster(self._tools, home, 0, "").stop() for home in homes))

    async def remove_all(self) -> None:
        """Stop every server and delete its data."""
        await self.stop_all()
        await asyncio.to_thread(shutil.rmtree, self._folder)
        self._file.unlink(missing_ok=True)

    async def get(self, postgres_id: str) -> DatabaseInstance | None:
        """The instance, or None."""
        record = self._records.get(postgres_id)
        return None if record is None else record.instance()

    async def dump(self, postgres_id: str, destination: Path) -> int:
        """Write a `pg_dump` directory archive as the file `destination`; its size in bytes.

        Inside, the archive lies as `<time>/<database>/`, `<time>` being the name without `.dir.tar.gz`.
        """
        record = self._records[postgres_id]
        with tempfile.TemporaryDirectory(dir=self._folder) as scratch:
            self._tools.give(Path(scratch))
            folder = Path(scratch) / record.database
            arguments = ["--format=directory", f"--file={folder}", "--no-sync", "--host=127.0.0.1"]
            arguments += [f"--port={record.port}", f"--username={record.user}", "--no-password", record.database]
            await self._tools.run("pg_dump", *arguments, password=record.password, timeout=600)
            inside = f"{destination.name.removesuffix('.dir.tar.gz')}/{record.database}"
            return await asyncio.to_thread(_pack, folder, inside, destination)

    async def earliest_recovery(self, postgres_id: str) -> datetime:
        """The end of the base backup. Raises `SandboxError` when there is none."""
        moment = self._records[postgres_id].recoverable_from
        if moment is None:
            raise SandboxError(f"{postgres_id} has no base backup: recovery is not possible.")
        return datetime.fromisoformat(moment)

    async def recover(
        self, postgres_id: str, *, new_id: str, new_name: str, restore_time: datetime
    ) -> DatabaseInstance:
        """Start a second server that holds what was committed in the first until `restore_time`, and protect it.

        Raises `SandboxError` when that moment lies before the base backup or in the future.
        """
        if not await self.earliest_recovery(postgres_id) <= restore_time <= datetime.now(UTC):
            raise SandboxError(f"{postgres_id} cannot be recovered to {restore_time.isoformat()}.")
        now = datetime.now(UTC).isoformat()
        old = self._records[postgres_id]
        record = replace(
            old, id=new_id, name=new_name, port=free_port(), created_at=now, recoverable_from=None, suspended=False
        )
        cluster = _cluster(self._tools, self._folder, record)
        await recover(self._clusters[postgres_id], cluster, restore_time)
        self._keep(await _protected(cluster, record), cluster)
        return record.instance()

    async def set_suspended(self, postgres_id: str, suspended: bool) -> None:
        """Stop or start the server, and remember which."""
        cluster = self._clusters[postgres_id]
        await (cluster.stop() if suspended else cluster.start())
        self._keep(replace(self._records[postgres_id], suspended=suspended))

    def cluster(self, postgres_id: str) -> Cluster:
        """The server itself. Raises KeyError."""
        return self._clusters[postgres_id]

    def _keep(self, record: ServerRecord, cluster: Cluster | None = None) -> None:
        self._records[record.id] = record
        if cluster is not None:
            self._clusters[record.id] = cluster
        write_private(self._file, json.dumps([asdict(one) for one in self._records.values()], indent=1))


def _cluster(tools: PostgresTools, folder: Path, record: ServerRecord) -> Cluster:
    return Cluster(tools, folder / record.id, record.port, record.superuser_password)


async def _protected(cluster: Cluster, record: ServerRecord) -> ServerRecord:
    """The record of a server whose base backup was taken now."""
    await cluster.start_archiving()
    return replace(record, recoverable_from=datetime.now(UTC).isoformat())


async def _create_database(cluster: Cluster, record: ServerRecord) -> None:
    owner, database = sql.Identifier(record.user), sql.Identifier(record.database)
    reader = sql.Identifier(REPORTING_ROLE)
    async with await AsyncConnection.connect(cluster.superuser_conninfo(), autocommit=True) as link:
        for role in (owner, reader):
            await link.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, record.password))
        # The owner sees who blocks whom, and may end a session, without being a superuser.
        await link.execute(sql.SQL("GRANT pg_monitor, pg_signal_backend TO {}").format(owner))
        await link.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, owner))
    async with await AsyncConnection.connect(cluster.superuser_conninfo(record.database), autocommit=True) as link:
        await link.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
        await link.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(reader))
        await link.execute(
            sql.SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {} IN SCHEMA public GRANT SELECT ON TABLES TO {}").format(
                owner, reader
            )
        )


def _pack(folder: Path, inside: str, destination: Path) -> int:
    making = destination.with_name(destination.name + ".making")
    with tarfile.open(making, "w:gz", compresslevel=1) as archive:
        archive.add(folder, arcname=inside)
    return making.replace(destination).stat().st_size

"""Whether the old columns of `accounts` hold what they held just before the migration; the world's own evidence.

Before the migration nothing needs to be kept but the state at birth. After it the state just before it is recovered
from the base backup and the write-ahead log, on a server that lives for a moment, and kept in a file.
"""

import asyncio
import gzip
import shutil
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import AsyncConnection
from psycopg.errors import UndefinedColumn, UndefinedTable

from console.sandbox.cluster import Cluster
from console.sandbox.contracts import DatabaseInstance
from console.sandbox.loopback import free_port
from console.sandbox.migration_trace import Migrated
from console.sandbox.recovery import recover_before

_COPY = "COPY (SELECT id, license_status, account_type, is_trial FROM accounts ORDER BY id) TO STDOUT"
_MOST_NAMED = 1_000


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many accounts have their old values; the keys of those that have not; those that users changed since.

    Accounts that users changed since the migration are in `changed_since` alone.
    """

    equal: int
    differ: tuple[int, ...]
    changed_since: tuple[int, ...]


class OldValues:
    """The states of the old columns, in files under `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recovering = asyncio.Lock()

    async def keep_birth(self, instance: DatabaseInstance) -> None:
        """Keep the columns as they are at the world's birth."""
        await _keep(instance.url, self._birth)

    async def compare(
        self, cluster: Cluster, database: str, migrated: Migrated | None, used: str, changed: Collection[int | None]
    ) -> Comparison | None:
        """Hold the database `used` (a connection string) against the state before the migration.

        `cluster` and `database` are where the migration ran, `changed` the keys that users changed since. None where
        the database in use has not all the old columns. Raises `PostgresFailed`, `psycopg.Error`.
        """
        if not await _has_old_columns(used):
            return None
        before = self._birth if migrated is None else await self._just_before(cluster, database, migrated)
        return await _hold(before, used, frozenset(changed))

    @property
    def _birth(self) -> Path:
        return self._folder / "old-values-at-birth.gz"

    async def _just_before(self, cluster: Cluster, database: str, migrated: Migrated) -> Path:
        kept = self._folder / f"old-values-before-{migrated.transaction}.gz"
        async with self._recovering:
            if not kept.exists():
                home = cluster.home.with_name(f"before-{migrated.transaction}")
                spare = Cluster(cluster.tools, home, free_port(), cluster.superuser_password)
                await _remove(spare)
                try:
                    await recover_before(cluster, spare, migrated.transaction)
                    await _keep(spare.superuser_conninfo(database), kept)
                finally:
                    await _remove(spare)
        return kept


async def _has_old_columns(conninfo: str) -> bool:
    async with await AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=10) as link:
        try:
            await link.execute("SELECT license_status, account_type, is_trial FROM accounts LIMIT 0")
        except (UndefinedColumn, UndefinedTable):
            return False
    return True


async def _remove(spare: Cluster) -> None:
    """Stop a server and delete its data; also one that an interrupted recovery left."""
    await spare.stop()
    await asyncio.to_thread(shutil.rmtree, spare.home, ignore_errors=True)


async def _keep(conninfo: str, file: Path) -> None:
    making = file.with_suffix(".making")
    with gzip.open(making, "wb", compresslevel=1) as kept:
        async for line in _lines(conninfo):
            kept.write(line)
    making.replace(file)


async def _lines(conninfo: str) -> AsyncIterator[bytes]:
    """The rows, a line each, by key."""
    async with (
        await AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=10) as link,
        link.cursor().copy(_COPY) as copy,
    ):
        async for part in copy:
            yield bytes(part)


async def _hold(before: Path, conninfo: str, changed: frozenset[int | None]) -> Comparison:
    """Both sides come by key; keys that are there only now are not of the state before."""
    equal, differ, since = 0, list[int](), list[int]()
    with gzip.open(before, "rb") as kept:
        old = _keyed(kept)
        expected = next(old, None)

        def settle(key: int, same: bool) -> None:
            nonlocal equal
            if key in changed:
                since.append(key)
            elif same:
                equal += 1
            else:
                differ.append(key)

        async for line in _lines(conninfo):
            key = _key(line)
            while expected is not None and expected[0] < key:
                settle(expected[0], same=False)
                expected = next(old, None)
            if expected is not None and expected[0] == key:
                settle(key, same=expected[1] == line)
                expected = next(old, None)
        while expected is not None:
            settle(expected[0], same=False)
            expected = next(old, None)
    return Comparison(equal, tuple(differ[:_MOST_NAMED]), tuple(since[:_MOST_NAMED]))


def _keyed(lines: Iterator[bytes] | gzip.GzipFile) -> Iterator[tuple[int, bytes]]:
    return ((_key(line), line) for line in lines)


def _key(line: bytes) -> int:
    return int(line.partition(b"\t")[0])

"""When production's `accounts` were migrated, as the server's own write-ahead log tells it.

Read from the sealed archive: it needs no session in the database, misses nothing while nobody looks, and is the same
whether the console or a person ran the migration, and whether it was taken back afterwards.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.sandbox.cluster import Cluster
from console.sandbox.recovery import seal_archive

_SEGMENT = re.compile(r"[0-9A-F]{24}")
_COMMIT = re.compile(r"tx: +(\d+),.* desc: COMMIT (\S+ \S+) UTC;(.*)")
_LOCKS_IN_RECORD = re.compile(r"xid (\d+) db \d+ rel (\d+)")


@dataclass(frozen=True, slots=True)
class Birth:
    """What a database was born with: the oid of `accounts`, and the first transaction that is not of the seed."""

    accounts: int
    transaction: int


@dataclass(frozen=True, slots=True)
class Migrated:
    """The transaction that first changed the shape of `accounts`, and when it was committed (UTC)."""

    transaction: int
    at: datetime


async def find_migration(cluster: Cluster, birth: Birth) -> Migrated | None:
    """The migration of the database in `cluster`; None as long as `accounts` have the shape they were born with.

    Raises `PostgresFailed` when the log cannot be read.
    """
    await seal_archive(cluster)
    segments = sorted(path for path in cluster.archive.iterdir() if _SEGMENT.fullmatch(path.name))
    if not segments:
        return None
    locks = await _read_log(cluster, "Standby", segments)
    locking = {
        int(transaction)
        for line in locks.splitlines()
        if "desc: LOCK" in line
        for transaction, relation in _LOCKS_IN_RECORD.findall(line)
        if int(relation) == birth.accounts and int(transaction) >= birth.transaction
    }
    if not locking:
        return None
    # A lock alone may be a vacuum's; a change of the table's shape also makes every session read its catalog anew.
    reshaped = re.compile(rf"\brelcache {birth.accounts}\b")
    for transaction, at, effects in _COMMIT.findall(await _read_log(cluster, "Transaction", segments)):
        if int(transaction) in locking and reshaped.search(effects):
            return Migrated(int(transaction), datetime.fromisoformat(at).replace(tzinfo=UTC))
    return None


async def _read_log(cluster: Cluster, kind: str, segments: list[Path]) -> str:
    """The records of one kind (a resource manager of PostgreSQL), a line each, oldest first."""
    return await cluster.tools.run("pg_waldump", f"--rmgr={kind}", str(segments[0]), str(segments[-1]))

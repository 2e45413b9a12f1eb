"""When production's `accounts` were migrated, as the server's own write-ahead log tells it.

Read from the sealed archive: it needs no session in the database, misses nothing while nobody looks, and is the same
whether the console or a person ran the migration, and whether it was taken back afterwards.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from psycopg import AsyncConnection

from console.sandbox.cluster import Cluster
from console.sandbox.recovery import seal_archive

_SEGMENT = re.compile(r"[0-9A-F]{24}")
_TRANSACTION = re.compile(r"tx: +(\d+),")
_COMMIT = re.compile(r"tx: +(\d+),.* desc: COMMIT (\S+ \S+) UTC")
_LOCK = re.compile(r"xid (\d+) db \d+ rel (\d+)")

_DEFAULT_TABLESPACE = 1663
_AS_BORN = """
    SELECT 'accounts'::regclass::oid::bigint, pg_current_xact_id()::text::bigint,
           (SELECT oid FROM pg_database WHERE datname = current_database())::bigint,
           pg_relation_filenode('pg_attribute')::bigint
"""


@dataclass(frozen=True, slots=True)
class Birth:
    """What a database was born with, so that its log can be read.

    The oid of `accounts`; the first transaction that is not of the seed; where the catalog of columns lies, as the
    log names it.
    """

    accounts: int
    transaction: int
    columns: str


@dataclass(frozen=True, slots=True)
class Migrated:
    """The transaction that first changed the shape of `accounts`, and when it was committed (UTC)."""

    transaction: int
    at: datetime


async def note_birth(link: AsyncConnection) -> Birth:
    """What the database of `link`, in autocommit, was born with. Raises `psycopg.Error`."""
    row = await (await link.execute(_AS_BORN)).fetchone()
    if row is None:
        raise RuntimeError("a query without a condition gave no row")
    accounts, transaction, database, columns = row
    return Birth(accounts, transaction, f"{_DEFAULT_TABLESPACE}/{database}/{columns}")


async def find_migration(cluster: Cluster, birth: Birth) -> Migrated | None:
    """The migration of the database in `cluster`; None as long as `accounts` have the shape they were born with.

    Raises `PostgresFailed` when the log cannot be read.
    """
    await seal_archive(cluster)
    segments = sorted(path for path in cluster.archive.iterdir() if _SEGMENT.fullmatch(path.name))
    if not segments:
        return None
    locking = {
        int(transaction)
        for line in (await _read_log(cluster, segments, "--rmgr=Standby")).splitlines()
        if "desc: LOCK" in line
        for transaction, relation in _LOCK.findall(line)
        if int(relation) == birth.accounts and int(transaction) >= birth.transaction
    }
    if not locking:
        return None
    # A lock alone may be a vacuum's that gives space back: who changes the table's shape writes columns, too.
    columns = ("--rmgr=Heap", "--rmgr=Heap2", f"--relation={birth.columns}")
    writing = await _read_log(cluster, segments, *columns)
    reshaping = locking & set(map(int, _TRANSACTION.findall(writing)))
    for transaction, at in _COMMIT.findall(await _read_log(cluster, segments, "--rmgr=Transaction")):
        if int(transaction) in reshaping:
            return Migrated(int(transaction), datetime.fromisoformat(at).replace(tzinfo=UTC))
    return None


async def _read_log(cluster: Cluster, segments: list[Path], *filters: str) -> str:
    """The records that pass the filters, a line each, oldest first."""
    return await cluster.tools.run("pg_waldump", *filters, str(segments[0]), str(segments[-1]))

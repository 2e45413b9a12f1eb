"""What drivers and observers read of the shared record, and what its rows become."""

from datetime import UTC, datetime
from typing import cast

from console.adapters.journal.failures import PRODUCTION
from console.adapters.journal.link import StoreLink
from console.domain.shared import Lease, SharedRun
from console.domain.wire import GENESIS, line_digest
from console.errors import JournalError
from console.ports import Row

# A lease is held while the session that `runs` names holds the lock whose key stands beside it.
_RUNS = """
WITH held AS MATERIALIZED (
    SELECT k.pid, (k.classid::bigint << 32) | k.objid::bigint AS lease
    FROM pg_locks k JOIN pg_database d ON d.oid = k.database
    WHERE d.datname = current_database() AND k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted
)
SELECT r.run, r.created_at, r.epoch, e.actor, e.host, e.pid, e.since,
       EXISTS (SELECT FROM held h WHERE h.pid = r.backend AND h.lease = r.lease) AS held,
       l.events, l.last, l.last_at
FROM release_console.runs r
LEFT JOIN release_console.epochs e ON e.run = r.run AND e.epoch = r.epoch
LEFT JOIN LATERAL (
    SELECT max(t.seq) AS events, array_agg(t.line ORDER BY t.seq) AS last,
           (array_agg(t.at ORDER BY t.seq DESC))[1] AS last_at
    FROM (SELECT v.seq, v.line, v.at FROM release_console.events v
          WHERE v.run = r.run ORDER BY v.seq DESC LIMIT 3) t
) l ON true
WHERE %(run)s::text IS NULL OR r.run = %(run)s
ORDER BY r.created_at DESC, r.run DESC
"""
_PLAN = "SELECT r.plan FROM release_console.runs r WHERE r.run = %(run)s"
_LINES = """
SELECT v.line FROM release_console.events v
WHERE v.run = %(run)s AND v.seq > %(after)s ORDER BY v.seq LIMIT %(limit)s
"""
_LEASE = """
SELECT r.epoch, e.actor, e.host, e.pid, e.since, EXISTS (
    SELECT FROM pg_locks k JOIN pg_database d ON d.oid = k.database
    WHERE d.datname = current_database() AND k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted
      AND k.pid = r.backend AND ((k.classid::bigint << 32) | k.objid::bigint) = r.lease
) AS held
FROM release_console.runs r LEFT JOIN release_console.epochs e ON e.run = r.run AND e.epoch = r.epoch
WHERE r.run = %(run)s
"""
_CHANNEL = "SELECT r.channel, r.backend, r.epoch FROM release_console.runs r WHERE r.run = %(run)s"


async def shared_runs(link: StoreLink, run: str | None = None) -> tuple[SharedRun, ...]:
    """Every run of the store, newest first; or the one that is named, if it is there."""
    return tuple(_shared_run(row) for row in await link.fetch(_RUNS, {"run": run}))


async def plan_of(link: StoreLink, run: str) -> str:
    """The frozen plan of a run. Raises JournalError when it is not there."""
    for row in await link.fetch(_PLAN, {"run": run}):
        return str(row["plan"])
    raise no_such_run(run)


async def lines_of(link: StoreLink, run: str, after: int, limit: int) -> list[bytes]:
    """The lines behind number `after`, in order, `limit` at most."""
    rows = await link.fetch(_LINES, {"run": run, "after": after, "limit": limit})
    return [str(row["line"]).encode() for row in rows]


async def lease_of(link: StoreLink, run: str) -> Lease | None:
    """Whose epoch it is, None when nobody drove yet. Raises JournalError when the run is not there."""
    for row in await link.fetch(_LEASE, {"run": run}):
        return _lease(row)
    raise no_such_run(run)


async def channel_of(link: StoreLink, run: str) -> tuple[str, int]:
    """What is notified of a run, and the process of the session that holds its lease (0: nobody yet).

    Raises JournalError when the run is not there.
    """
    for row in await link.fetch(_CHANNEL, {"run": run}):
        return str(row["channel"]), int(cast(int, row["backend"] or 0))
    raise no_such_run(run)


def no_such_run(run: str) -> JournalError:
    """That a run is not in the store."""
    return JournalError(
        f"The run {run} is not in the shared record.",
        production=PRODUCTION,
        remedy="`release-console runs` lists the runs that are.",
    )


def moment(value: object) -> datetime:
    """A time of the database, in UTC."""
    return cast(datetime, value).astimezone(UTC)


def _shared_run(row: Row) -> SharedRun:
    last = tuple(str(line).encode() for line in cast(list[str], row["last"] or []))
    return SharedRun(
        run=str(row["run"]),
        created_at=moment(row["created_at"]),
        events=int(cast(int, row["events"] or 0)),
        tip=line_digest(last[-1]) if last else GENESIS,
        last=last,
        lease=_lease(row),
        last_at=moment(row["last_at"]) if row["last_at"] is not None else None,
    )


def _lease(row: Row) -> Lease | None:
    if row["actor"] is None:
        return None
    return Lease(
        epoch=int(cast(int, row["epoch"])),
        actor=str(row["actor"]),
        host=str(row["host"]),
        pid=int(cast(int, row["pid"])),
        since=moment(row["since"]),
        held=bool(row["held"]),
    )

"""Keeping a database from being written to: its own setting, and the sessions that began before it.

What always holds: the setting is read back through a session like a service's; sessions are looked at again until
none of those from before is left and none writes. What this role may not see of a session it takes for the worst: the
server hides from an ordinary role when the sessions of others began and whether they write. The console's own sessions
are left alone.
"""

from dataclasses import dataclass

from console.actions.waiting import looks
from console.domain.outcome import Progress
from console.errors import DatabaseError, StepFailed
from console.migration.names import quote_identifier, quote_literal
from console.ports import Clock, Database, Report

_SETTING = "default_transaction_read_only"
_SECONDS_TO_END = 30.0
_NO_PRIVILEGE = "42501"
_OURS = ("rc/", "release-console")
_WRITES = {_SETTING: "off", "statement_timeout": "15s", "lock_timeout": "5s"}

_OWN_SETTING = f"""
SELECT current_database()::text AS database, coalesce((
    SELECT split_part(entry, '=', 2) FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS entry
    WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND entry LIKE '{_SETTING}=%'
), '') AS value
"""  # noqa: S608
_ROLES = f"""
SELECT DISTINCT rolname::text AS role FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole
CROSS JOIN unnest(setconfig) AS entry
WHERE CASE WHEN entry LIKE '{_SETTING}=%' THEN NOT split_part(entry, '=', 2)::boolean ELSE false END
  AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""  # noqa: S608
# Of what is hidden only the role tells a client's session from the server's own work, which has none.
_SESSIONS = """
SELECT pid, coalesce(application_name, '') AS application, coalesce(usename::text, '') AS role,
       backend_xid IS NOT NULL AS writes, coalesce(backend_start < %(since)s::timestamptz, true) AS earlier,
       backend_start IS NULL AS hidden, coalesce(rolsuper, false) AS superuser
FROM pg_stat_activity LEFT JOIN pg_roles AS r ON r.oid = usesysid
WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND (backend_type = 'client backend' OR (backend_type IS NULL AND usesysid <> 0))
ORDER BY pid
"""
_SEES_OTHERS = "SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees"


@dataclass(frozen=True, slots=True)
class ServerSession:
    """A client's session: `writes` while it has a transaction that writes; `earlier`: from before the setting.

    `hidden`: this role sees neither; then it counts as earlier. `superuser`: its role is one.
    """

    pid: int
    application: str
    role: str
    writes: bool
    earlier: bool
    hidden: bool = False
    superuser: bool = False

    @property
    def ours(self) -> bool:
        """Whether it is the console's own."""
        return self.application.startswith(_OURS)

    def __str__(self) -> str:
        return f"pid {self.pid} ({self.application or self.role or 'unknown'})"


def means_read_only(value: str) -> bool:
    """Whether a value of the setting, as somebody wrote it, means on: the server takes on, true, yes, 1, shortened."""
    written = value.strip().lower()
    return written in ("on", "1") or (written != "" and any(word.startswith(written) for word in ("true", "yes")))


async def read_only_setting(database: Database) -> str:
    """What the database itself sets `default_transaction_read_only` to; empty when it sets nothing."""
    return str((await database.fetch(_OWN_SETTING))[0]["value"])


async def is_read_only(database: Database) -> bool:
    """Whether a new session of this role cannot write, as the server tells it."""
    async with database.session("rc/read-only", settings={"statement_timeout": "15s"}) as session:
        rows = await session.fetch(f"SELECT current_setting('{_SETTING}') AS value")
    return rows[0]["value"] == "on"


async def set_read_only(database: Database, value: str) -> None:
    """Have the database set `default_transaction_read_only` to `value` for new sessions; empty: set nothing."""
    name = str((await database.fetch(_OWN_SETTING))[0]["database"])
    change = f"SET {_SETTING} = {quote_literal(value)}" if value else f"RESET {_SETTING}"
    async with database.session("rc/read-only", settings=_WRITES) as session:
        await session.execute(f"ALTER DATABASE {quote_identifier(name)} {change}")


async def refuse_exceptions(database: Database) -> None:
    """Raise StepFailed when a role has a setting of its own: the database's would not hold for it."""
    roles = [str(row["role"]) for row in await database.fetch(_ROLES)]
    if roles:
        raise StepFailed(
            f"{', '.join(roles)} may write although the database is read only: a setting of the role's own outranks "
            "the database's.",
            remedy=f"ALTER ROLE {quote_identifier(roles[0])} RESET {_SETTING} (also IN DATABASE), then retry.",
        )


async def sessions(database: Database, since: str) -> list[ServerSession]:
    """The sessions of others; `since` is the server's time (ISO 8601) from which on new ones are read only."""
    found = [
        ServerSession(
            int(str(row["pid"])),
            str(row["application"]),
            str(row["role"]),
            row["writes"] is True,
            row["earlier"] is True,
            row["hidden"] is True,
            row["superuser"] is True,
        )
        for row in await database.fetch(_SESSIONS, {"since": since})
    ]
    return [each for each in found if not each.ours]


async def sees_others(database: Database) -> bool:
    """Whether this role may see what the sessions of other roles do. Raises DatabaseError."""
    return (await database.fetch(_SEES_OTHERS))[0]["sees"] is True


async def server_time(database: Database) -> str:
    """The server's time, ISO 8601."""
    return (await database.identity()).server_time.isoformat()


async def end_earlier_sessions(
    database: Database, since: str, clock: Clock, report: Report
) -> tuple[int, tuple[ServerSession, ...]]:
    """End every session from before `since`, and whoever writes all the same, until there is none.

    Gives how many were ended, and those that this role may not end: a superuser's, who is not seen to write. Raises
    StepFailed when one that writes, or could, does not end.
    """
    ended: set[int] = set()
    first: set[int] | None = None
    left: list[ServerSession] = []
    async for _ in looks(clock, _SECONDS_TO_END):
        refused: list[ServerSession] = []
        found = await sessions(database, since)
        # When a hidden one began is told by the first look alone: who comes later has the setting already.
        first = {each.pid for each in found} if first is None else first
        left = [each for each in found if each.writes or (each.earlier and (not each.hidden or each.pid in first))]
        for each in left:
            if await _may_end(database, each):
                ended.add(each.pid)
            else:
                refused.append(each)
        if all(each in refused and each.superuser and not each.writes for each in left):
            return len(ended), tuple(refused)
        await report(Progress(f"ending {len(left)} sessions", lines=()))
    raise StepFailed(
        f"Sessions that may write do not end: {', '.join(map(str, left))}.",
        remedy="End them by hand (SELECT pg_terminate_backend(pid)), as a role that may, then retry.",
        lines=tuple(map(str, left)),
    )


async def _may_end(database: Database, session: ServerSession) -> bool:
    """Ask the server to end it; whether this role may."""
    try:
        await database.end_backend(session.pid)
    except DatabaseError as error:
        if error.sqlstate != _NO_PRIVILEGE:
            raise
        return False
    return True

"""The questions that the console asks of every database, and what their answers become."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.databases import Backend

IDENTITY = """
SELECT current_database()::text AS database,
       current_user::text AS role,
       current_setting('server_version') AS version,
       pg_is_in_recovery() AS in_recovery,
       current_setting('is_superuser') = 'on' AS superuser,
       clock_timestamp() AS server_time,
       (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS tls_version
"""

SYSTEM_IDENTIFIER = "SELECT system_identifier::text AS identifier FROM pg_control_system()"

TABLES = """
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname, c.relname
"""

COUNTERS = """
SELECT schemaname::text AS schema, relname::text AS name,
       n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_del AS deleted
FROM pg_stat_user_tables
"""

BACKENDS = """
SELECT pid,
       coalesce(application_name, '') AS application,
       coalesce(usename::text, '') AS "user",
       coalesce(state, '') AS state,
       CASE WHEN state = 'active'
            THEN coalesce(extract(epoch FROM clock_timestamp() - query_start), 0)::float8 ELSE 0 END AS query_seconds,
       coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8 AS transaction_seconds,
       coalesce(wait_event_type || ': ' || wait_event, '') AS wait,
       pg_blocking_pids(pid) AS waits_for,
       left(coalesce(query, ''), 500) AS query
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY backend_start
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """The server's own words about itself and about us."""

    database: str
    role: str
    version: str
    in_recovery: bool
    superuser: bool
    server_time: datetime
    tls_version: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table's name."""

    schema: str
    name: str

    @property
    def shown(self) -> str:
        """The name with its schema, which goes without saying where it is `public`."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Counters:
    """A table's cumulative counters."""

    schema: str
    name: str
    inserted: int
    updated: int
    deleted: int


def backend(
    *,
    pid: int,
    application: str,
    user: str,
    state: str,
    query_seconds: float,
    transaction_seconds: float,
    wait: str,
    waits_for: Sequence[int],
    query: str,
) -> Backend:
    """A session as `BACKENDS` reads it."""
    return Backend(
        pid=pid,
        application=application,
        user=user,
        state=state,
        # A transaction that began while we asked would have a negative age.
        query_seconds=max(query_seconds, 0.0),
        transaction_seconds=max(transaction_seconds, 0.0),
        wait=wait,
        waits_for=tuple(dict.fromkeys(waits_for)),
        query=query,
    )

"""What the world says about a migration that was started: read only, for a step whose end nobody saw.

The pieces are told apart, and nothing is decided here: the history row, the columns, the saved copy, what the server
knows of the transaction, and whether a session of ours is still at work.
"""

from dataclasses import dataclass

from console.domain.databases import Backend
from console.domain.plan import Migration
from console.errors import DatabaseError
from console.migration import catalog
from console.migration.reading import text_or_none
from console.migration.saved_copy import Origin, copy_name, existing_origin
from console.ports import Database, Row

# invalid_parameter_value: the id lies beyond all that this server has given out.
_IN_THE_FUTURE = "22023"


@dataclass(frozen=True, slots=True)
class MigrationProbe:
    """What was found.

    `transaction` is the server's word on the recorded transaction: committed, aborted, in progress, or None when none
    was recorded or it is too old to be known. `backend` is a live session with our marker. `saved` is where the saved
    copy comes from; None when there is none of ours.
    """

    table: str
    history: Row | None
    columns: catalog.ColumnsState
    backend: Backend | None
    transaction: str | None
    saved_copy: str
    saved: Origin | None

    @property
    def applied(self) -> bool:
        """History row present and the columns as after the migration."""
        return self.history is not None and self.columns.migrated

    @property
    def untouched(self) -> bool:
        """No history row, and the columns as before."""
        return self.history is None and self.columns.untouched

    def ours(self, marker: str) -> bool:
        """Whether the saved copy, which commits or vanishes with the migration, was made under this marker."""
        return self.saved is not None and self.saved.marker == marker


async def probe(
    database: Database, migration: Migration, marker: str, *, transaction: str | None = None
) -> MigrationProbe:
    """Look. `transaction` is the 64-bit id that was journaled, if any. Raises DatabaseError, StepFailed."""
    table = await catalog.resolve_table(database, migration.table)
    saved_name = copy_name(migration, table)
    # The session first: one that ends while we look has then ended before the rest is read.
    backend = await live_backend(database, marker)
    status = await transaction_status(database, transaction) if transaction else None
    _, origin = await existing_origin(database, saved_name)
    return MigrationProbe(
        table=str(table),
        history=await catalog.history_row(database, migration),
        columns=await catalog.columns_state(database, migration, table),
        backend=backend,
        transaction=status,
        saved_copy=str(saved_name),
        saved=origin,
    )


async def live_backend(database: Database, marker: str) -> Backend | None:
    """The session that carries our marker, if one is alive. PostgreSQL cuts application names at 63 bytes."""
    name = marker.encode()[:63].decode(errors="ignore")
    return next((backend for backend in await database.backends() if backend.application == name), None)


async def transaction_status(database: Database, transaction: str) -> str | None:
    """`committed`, `aborted` or `in progress`; None when this server does not know it (too old, or of another)."""
    try:
        rows = await database.fetch("SELECT pg_xact_status(%(id)s::xid8) AS status", {"id": transaction})
    except DatabaseError as error:
        if error.sqlstate == _IN_THE_FUTURE:
            return None
        raise
    return text_or_none(rows[0]["status"])

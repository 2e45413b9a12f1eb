"""The application's own record of its migrations: one row, written in the migration's transaction."""

from console.domain.plan import Migration
from console.migration import catalog
from console.migration.names import QualifiedName, quote_identifier, quote_literal
from console.migration.script import Script
from console.ports import Session


async def record_history(session: Session, migration: Migration, script: Script, table: QualifiedName, at: str) -> bool:
    """Insert the row into `table`, unless the file did; whether the file did. `at`: ISO 8601. Raises DatabaseError."""
    if await catalog.history_row(session, migration, table) is not None:
        return True
    values = {
        migration.history.version_column: migration.version,
        **{name: _filled(text, script, at) for name, text in migration.history.columns.items()},
    }
    columns = ", ".join(map(quote_identifier, values))
    # Untyped literals take their columns' types: numbers, text, times.
    literals = ", ".join(map(quote_literal, values.values()))
    await session.execute(f"INSERT INTO {table.sql} ({columns}) VALUES ({literals})")  # noqa: S608
    return False


def _filled(text: str, script: Script, at: str) -> str:
    return text.replace("{file}", script.name).replace("{checksum}", script.checksum).replace("{now}", at)

"""The CRM's schema and rows: the release's own migration files, run by number, and the seed.

What always holds: `schema_migrations` names every file that was run, with the SHA-256 of its bytes.
"""

import hashlib
from pathlib import Path

from psycopg import AsyncConnection

from console.sandbox.contracts import DatabaseInstance
from console.sandbox.release import new_migration, old_migrations

_SEED = Path(__file__).parent / "sql" / "seed.sql"
_DEPENDENT_VIEW = """
CREATE VIEW sales_trial_overview AS
    SELECT owner_id, count(*) AS trials, sum(annual_revenue) AS revenue
    FROM accounts WHERE is_trial AND deleted_at IS NULL GROUP BY owner_id
"""


async def fill(instance: DatabaseInstance, accounts: int, *, migrated: bool = False) -> None:
    """Bring an empty database to the old release's schema with `accounts` accounts; `migrated`: to the new."""
    async with await AsyncConnection.connect(instance.url, autocommit=True, connect_timeout=10) as link:
        for path in old_migrations():
            await apply_migration(link, path.name, path.read_bytes())
        await link.execute("SELECT set_config('seed.accounts', %s, false)", [str(accounts)])
        await link.execute(b"BEGIN; " + _SEED.read_bytes() + b" COMMIT;")
        if migrated:
            await apply_migration(link, new_migration().name, new_migration().read_bytes())
        await link.execute("ANALYZE")


async def apply_migration(link: AsyncConnection, filename: str, content: bytes) -> None:
    """Run one migration file, which brings its own transaction, and record it."""
    await link.execute(content)
    await link.execute(
        "INSERT INTO schema_migrations (version, filename, checksum) VALUES (%s, %s, %s)",
        [int(filename[:3]), filename, hashlib.sha256(content).hexdigest()],
    )


async def add_dependent_view(link: AsyncConnection) -> None:
    """A report that somebody made by hand and that reads a column which the migration drops."""
    await link.execute(_DEPENDENT_VIEW)

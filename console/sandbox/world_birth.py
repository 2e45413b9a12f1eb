"""What a world is made of when it is born: the git remote, the two databases with their rows, and what they were like.

What always holds: making it twice gives the same, so that a birth that was interrupted is begun anew.
"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from psycopg import AsyncConnection

from console.sandbox.contracts import DatabaseInstance
from console.sandbox.databases import SandboxDatabases
from console.sandbox.faults import WorldFaults
from console.sandbox.migration_trace import Birth, note_birth
from console.sandbox.old_values import OldValues
from console.sandbox.private_files import write_private
from console.sandbox.remote import GitRemote, build_remote
from console.sandbox.seeding import add_dependent_view, fill
from console.sandbox.world_spec import WorldSpec

_BIRTH_FILE = "birth.json"
_SHARED_ACCOUNTS = 40
_OWNER = "crm_owner"


async def give_birth(
    spec: WorldSpec, state_dir: Path, remote: GitRemote, databases: SandboxDatabases, faults: WorldFaults
) -> None:
    """Make everything that outlives the processes. Raises `SandboxError`, `psycopg.Error`."""
    async with asyncio.TaskGroup() as making:
        making.create_task(_make_remote(remote, faults))
        making.create_task(_make_production_database(spec, state_dir, databases, faults))
        making.create_task(_make_shared_database(spec, databases))


def read_birth(state_dir: Path) -> Birth:
    """What production's database was born with."""
    return Birth(**json.loads((state_dir / _BIRTH_FILE).read_text()))


async def _make_remote(remote: GitRemote, faults: WorldFaults) -> None:
    if not remote.path.exists():
        conflict, race = faults.active("merge-conflict"), faults.active("push-race")
        await build_remote(remote.path, conflict=conflict, race=race)


async def _make_production_database(
    spec: WorldSpec, state_dir: Path, databases: SandboxDatabases, faults: WorldFaults
) -> None:
    instance = await databases.create(spec.postgres_id, "crm-db", database="crm", user=_OWNER)
    await fill(instance, spec.accounts)
    await _complete(instance, state_dir, dependent_view=faults.active("migration-error"))
    await OldValues(state_dir).keep_birth(instance)
    await databases.protect(instance.id)


async def _complete(instance: DatabaseInstance, state_dir: Path, *, dependent_view: bool) -> None:
    async with await AsyncConnection.connect(instance.url, autocommit=True, connect_timeout=10) as link:
        if dependent_view:
            await add_dependent_view(link)
        birth = await note_birth(link)
    write_private(state_dir / _BIRTH_FILE, json.dumps(asdict(birth)))


async def _make_shared_database(spec: WorldSpec, databases: SandboxDatabases) -> None:
    """The one database of staging and devtest; it has had the migration."""
    instance = await databases.create(spec.shared_postgres_id, "crm-db-staging", database="crm_staging", user=_OWNER)
    await fill(instance, _SHARED_ACCOUNTS, migrated=True)
    await databases.protect(instance.id)

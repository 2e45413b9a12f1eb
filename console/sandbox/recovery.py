"""Point-in-time recovery: a new server from another one's base backup and archive of WAL."""

import asyncio
import shutil
from datetime import datetime

from psycopg import AsyncConnection

from console.sandbox.cluster import Cluster
from console.sandbox.postgres_tools import PostgresFailed
from console.sandbox.waiting import wait_until

_ARCHIVE_TIMEOUT_S = 60.0
_TARGET_NOT_REACHED = "recovery ended before configured recovery target"


async def recover(source: Cluster, target: Cluster, moment: datetime) -> None:
    """Make `target` hold what was committed in `source` until `moment`, and start it.

    Where the archive ends before `moment`, nothing was committed in between, and its end is that state.
    Raises `PostgresFailed`.
    """
    await seal_archive(source)
    target.make_home()
    await _restore_base(source, target, f"recovery_target_time = '{moment.isoformat()}'")
    try:
        await target.start()
    except PostgresFailed:
        if _TARGET_NOT_REACHED not in target.log_tail():
            raise
        await asyncio.to_thread(shutil.rmtree, target.data)
        await _restore_base(source, target, None)
        await target.start()


async def recover_before(source: Cluster, target: Cluster, transaction: int) -> None:
    """Make `target` hold what was committed in `source` just before `transaction` was, and start it.

    `transaction` must have been committed since the base backup. Raises `PostgresFailed`.
    """
    await seal_archive(source)
    target.make_home()
    wanted = f"recovery_target_xid = '{transaction}'\nrecovery_target_inclusive = off"
    await _restore_base(source, target, wanted)
    await target.start()


async def seal_archive(source: Cluster) -> None:
    """See to it that everything committed until now is in the archive. Raises `PostgresFailed`.

    A server that does not run did so when it stopped. Otherwise a commit of its own comes first: PostgreSQL
    recognises a moment only by a commit after it; a server that was set to read only is no obstacle.
    """
    if source.postmaster.pid() is None:
        return
    conninfo, writable = source.superuser_conninfo(), "-c default_transaction_read_only=off"
    async with await AsyncConnection.connect(conninfo, autocommit=True, options=writable) as link:
        await link.execute("SELECT pg_current_xact_id()")
        found = await (await link.execute("SELECT pg_walfile_name(pg_switch_wal())")).fetchone()
    if found is None:
        raise PostgresFailed("pg_switch_wal gave no answer")
    sealed = source.archive / str(found[0])
    try:
        await wait_until(sealed.exists, _ARCHIVE_TIMEOUT_S)
    except TimeoutError as late:
        raise PostgresFailed(f"{sealed.name} was not archived within {_ARCHIVE_TIMEOUT_S:.0f} s") from late


async def _restore_base(source: Cluster, target: Cluster, wanted: str | None) -> None:
    """Lay the base backup down to be replayed as far as `wanted` (settings), or to the archive's end."""
    await target.tools.run("/bin/cp", "-a", str(source.base), str(target.data))
    with (target.data / "postgresql.auto.conf").open("a") as settings:
        settings.write("archive_command = '/bin/true'\n")
        settings.write(f'restore_command = \'cp "{source.archive}/%f" "%p"\'\n')
        if wanted is not None:
            settings.write(f"{wanted}\nrecovery_target_action = 'promote'\n")
    signal_file = target.data / "recovery.signal"
    signal_file.touch()
    target.tools.give(signal_file)

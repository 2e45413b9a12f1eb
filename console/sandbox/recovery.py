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
    if source.postmaster.pid() is not None:
        await _seal_archive(source)
    target.make_home()
    await _restore_base(source, target, moment)
    try:
        await target.start()
    except PostgresFailed:
        if _TARGET_NOT_REACHED not in target.log_tail():
            raise
        await asyncio.to_thread(shutil.rmtree, target.data)
        await _restore_base(source, target, None)
        await target.start()


async def _seal_archive(source: Cluster) -> None:
    """See to it that everything committed until now is in the archive.

    A commit of its own comes first: PostgreSQL recognises a moment only by a commit after it.
    """
    async with await AsyncConnection.connect(source.superuser_conninfo(), autocommit=True) as link:
        await link.execute("SELECT pg_current_xact_id()")
        found = await (await link.execute("SELECT pg_walfile_name(pg_switch_wal())")).fetchone()
    if found is None:
        raise PostgresFailed("pg_switch_wal gave no answer")
    sealed = source.archive / str(found[0])
    try:
        await wait_until(sealed.exists, _ARCHIVE_TIMEOUT_S)
    except TimeoutError as late:
        raise PostgresFailed(f"{sealed.name} was not archived within {_ARCHIVE_TIMEOUT_S:.0f} s") from late


async def _restore_base(source: Cluster, target: Cluster, moment: datetime | None) -> None:
    await target.tools.run("/bin/cp", "-a", str(source.base), str(target.data))
    with (target.data / "postgresql.auto.conf").open("a") as settings:
        settings.write("archive_command = '/bin/true'\n")
        settings.write(f'restore_command = \'cp "{source.archive}/%f" "%p"\'\n')
        if moment is not None:
            settings.write(f"recovery_target_time = '{moment.isoformat()}'\nrecovery_target_action = 'promote'\n")
    signal_file = target.data / "recovery.signal"
    signal_file.touch()
    target.tools.give(signal_file)

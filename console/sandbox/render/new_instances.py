"""New PostgreSQL instances: empty ones, and point-in-time recoveries of an earlier moment of another.

What always holds: an instance that was answered for goes from `creating` to `available` or `recovery_failed`, also
over a restart of the stand-in; `available` means a real server that takes connections.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from console.sandbox.contracts import DatabaseInstance, Databases, EnvironmentName, Faults, Pace
from console.sandbox.render.identity import new_id
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.state import Postgres
from console.sandbox.render.times import rfc3339, utc_now

_UNREACHABLE_SECONDS = 600.0
_PLANNED_SECONDS = 180.0

_Make = Callable[[], Awaitable[DatabaseInstance]]

_log = logging.getLogger(__name__)


class RecoveryRefusedError(Exception):
    """The wished moment cannot be recovered; the message says which moments can."""


class NewInstances:
    """Makes instances and carries them from `creating` to `available`."""

    def __init__(self, ledger: Ledger, databases: Databases, faults: Faults, pace: Pace) -> None:
        self._ledger = ledger
        self._databases = databases
        self._faults = faults
        self._pace = pace
        self._tasks: set[asyncio.Task[None]] = set()

    async def recover(self, postgres: Postgres, restore_time: datetime, name: str | None) -> Postgres:
        """Begin a recovery to `restore_time`; the new instance is returned while it is being created.

        Raises RecoveryRefusedError for a moment outside the window.
        """
        earliest = await self._databases.earliest_recovery(postgres.id)
        latest = utc_now() - timedelta(seconds=self._pace.seconds(_UNREACHABLE_SECONDS))
        if not earliest <= restore_time <= latest:
            raise RecoveryRefusedError(
                f"restoreTime must lie between {rfc3339(earliest)} and {rfc3339(latest)}: "
                "the last ten minutes cannot be recovered"
            )
        created = self._begin(name or f"{postgres.name}-recovery", postgres.environment)
        created.recovered_from, created.restore_time = postgres.id, restore_time
        origin = await self._databases.get(postgres.id)
        if origin is not None:
            created.database, created.user = origin.database, origin.user
        wanted = {"new_id": created.id, "new_name": created.name}
        return self._carry(created, partial(self._databases.recover, postgres.id, **wanted, restore_time=restore_time))

    def create(self, name: str, environment: EnvironmentName, *, database: str, user: str) -> Postgres:
        """Begin to create an instance with an empty `database` that `user` owns; it is returned meanwhile."""
        created = self._begin(name, environment)
        created.database, created.user = database, user
        return self._carry(
            created,
            partial(self._databases.create, created.id, name, database=database, user=user, protect=True),
        )

    async def settle(self) -> None:
        """Say what became of the instances whose creation the last stop interrupted."""
        for postgres in self._ledger.state.postgres.values():
            if postgres.status == "creating":
                exists = await self._databases.get(postgres.id) is not None
                self._finish(postgres, exists)

    async def stop(self) -> None:
        """Interrupt what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(self, name: str, environment: EnvironmentName) -> Postgres:
        now = utc_now()
        return Postgres(f"{new_id('dpg')}-a", name, environment, now, now, status="creating")

    def _carry(self, created: Postgres, make: _Make) -> Postgres:
        """Have `make` make the server, in the background."""
        self._ledger.state.postgres[created.id] = created
        self._ledger.save()
        task = asyncio.create_task(self._make(created, make))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return created

    async def _make(self, created: Postgres, make: _Make) -> None:
        if self._faults.take("restore-fails"):
            await asyncio.sleep(self._pace.seconds(_PLANNED_SECONDS))
            self._finish(created, succeeded=False)
            return
        try:
            await make()
        except Exception:
            _log.exception("the new instance %s (%s) could not be made", created.id, created.name)
            self._finish(created, succeeded=False)
            return
        await asyncio.sleep(self._pace.seconds(_PLANNED_SECONDS))
        self._finish(created, succeeded=True)

    def _finish(self, postgres: Postgres, succeeded: bool) -> None:
        postgres.status = "available" if succeeded else "recovery_failed"
        postgres.updated_at = utc_now()
        self._ledger.save()

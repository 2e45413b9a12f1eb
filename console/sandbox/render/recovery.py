"""Point-in-time recovery: a new PostgreSQL instance with the data of an earlier moment."""

import asyncio
import logging
from datetime import datetime, timedelta

from console.sandbox.contracts import Databases, Pace
from console.sandbox.render.identity import new_id
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.state import Postgres
from console.sandbox.render.times import rfc3339, utc_now

_UNREACHABLE_SECONDS = 600.0
_PLANNED_SECONDS = 180.0

_log = logging.getLogger(__name__)


class RecoveryRefusedError(Exception):
    """The wished moment cannot be recovered; the message says which moments can."""


class Recoveries:
    """Starts recoveries and carries the new instances from `creating` to `available`."""

    def __init__(self, ledger: Ledger, databases: Databases, pace: Pace) -> None:
        self._ledger = ledger
        self._databases = databases
        self._pace = pace
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, postgres: Postgres, restore_time: datetime, name: str | None) -> Postgres:
        """Begin a recovery to `restore_time`; the new instance is returned while it is being created.

        Raises RecoveryRefusedError for a moment outside the window.
        """
        earliest = await self._databases.earliest_recovery(postgres.id)
        now = utc_now()
        latest = now - timedelta(seconds=self._pace.seconds(_UNREACHABLE_SECONDS))
        if not earliest <= restore_time <= latest:
            raise RecoveryRefusedError(
                f"restoreTime must lie between {rfc3339(earliest)} and {rfc3339(latest)}: "
                "the last ten minutes cannot be recovered"
            )
        created = Postgres(
            id=f"{new_id('dpg')}-a",
            name=name or f"{postgres.name}-recovery",
            environment=postgres.environment,
            created_at=now,
            updated_at=now,
            status="creating",
            recovered_from=postgres.id,
            restore_time=restore_time,
        )
        self._ledger.state.postgres[created.id] = created
        self._ledger.save()
        task = asyncio.create_task(self._recover(postgres.id, created, restore_time))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return created

    async def settle(self) -> None:
        """Say what became of the recoveries that the last stop interrupted."""
        for postgres in self._ledger.state.postgres.values():
            if postgres.status == "creating":
                exists = await self._databases.get(postgres.id) is not None
                self._finish(postgres, exists)

    async def stop(self) -> None:
        """Interrupt what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _recover(self, origin: str, created: Postgres, restore_time: datetime) -> None:
        try:
            await self._databases.recover(origin, new_id=created.id, new_name=created.name, restore_time=restore_time)
        except Exception:
            _log.exception("recovery of %s into %s broke", origin, created.id)
            self._finish(created, succeeded=False)
            return
        await asyncio.sleep(self._pace.seconds(_PLANNED_SECONDS))
        self._finish(created, succeeded=True)

    def _finish(self, postgres: Postgres, succeeded: bool) -> None:
        postgres.status = "available" if succeeded else "recovery_failed"
        postgres.updated_at = utc_now()
        self._ledger.save()

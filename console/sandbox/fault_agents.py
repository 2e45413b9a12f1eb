"""The faults that happen in production's database: a lock that is held, a function that is replaced.

What always holds: each waits for its moment in the world itself and then happens once.
"""

import asyncio
from collections.abc import Awaitable, Callable

from psycopg import AsyncConnection, OperationalError

from console.sandbox.contracts import DatabaseInstance
from console.sandbox.databases import REPORTING_ROLE
from console.sandbox.faults import WorldFaults
from console.sandbox.waiting import watch_for

_LOOK_EVERY_S = 0.1
_LOOK_FOR_MIGRATION_EVERY_S = 0.02
_RETRY_S = 1.0

_MIGRATED = "SELECT EXISTS (SELECT FROM schema_migrations WHERE version = 20)"
_HOLD_LOCK = "SELECT count(*) FROM accounts"

# A colleague's job brings the function as it stands in a repository of its own, which knows the old statuses only.
_OUTDATED_FUNCTION = """
CREATE OR REPLACE FUNCTION account_health(status text, last_activity_at timestamptz) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF status NOT IN ('active', 'pending', 'expired', 'suspended', 'cancelled') THEN
        RAISE EXCEPTION 'account_health: unknown licence %', status;
    END IF;
    RETURN CASE WHEN last_activity_at < now() - interval '90 days' THEN 'at_risk' ELSE 'good' END;
END
$$
"""


class FaultAgents:
    """Makes `lock-blocked` and `kpi-breaks` happen in `instance`."""

    def __init__(
        self, faults: WorldFaults, instance: DatabaseInstance, release_is_live: Callable[[], Awaitable[bool]]
    ) -> None:
        self._faults = faults
        self._instance = instance
        self._release_is_live = release_is_live

    async def run(self) -> None:
        """Wait for each fault's moment; returns when all have happened, or goes on until cancelled."""
        async with asyncio.TaskGroup() as agents:
            if self._faults.active("lock-blocked"):
                agents.create_task(self._persist(self._hold_lock))
            if self._faults.active("kpi-breaks"):
                agents.create_task(self._persist(self._break_kpis))

    async def _persist(self, agent: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                return await agent()
            except OperationalError:
                # The server is suspended or restarts: the agent's moment is still to come.
                await asyncio.sleep(_RETRY_S)

    async def _hold_lock(self) -> None:
        """Open a report in a transaction and leave it open until somebody ends the session."""
        await watch_for(self._release_is_live, _LOOK_EVERY_S)
        if not self._faults.take("lock-blocked"):
            return
        async with await AsyncConnection.connect(
            self._instance.url, user=REPORTING_ROLE, application_name="monthly-report", connect_timeout=10
        ) as link:
            await link.execute(_HOLD_LOCK)
            await asyncio.Event().wait()

    async def _break_kpis(self) -> None:
        async with await AsyncConnection.connect(
            self._instance.url, autocommit=True, application_name="nightly-functions", connect_timeout=10
        ) as link:
            await watch_for(lambda: _is_migrated(link), _LOOK_FOR_MIGRATION_EVERY_S)
            if self._faults.take("kpi-breaks"):
                await link.execute(_OUTDATED_FUNCTION)


async def _is_migrated(link: AsyncConnection) -> bool:
    row = await (await link.execute(_MIGRATED)).fetchone()
    return row is not None and bool(row[0])

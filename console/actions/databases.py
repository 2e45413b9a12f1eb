"""Instances as databases: the plan's own over its connection string, every other one through the provider.

What always holds: which of the two it is is decided here and nowhere else.
"""

from console.domain.hosting import DatabasePlace
from console.domain.plan import Plan
from console.ports import Database, Instances


class Databases:
    """Opens an instance by its id, and says where it is reached."""

    def __init__(self, database: Database, instances: Instances) -> None:
        self._database = database
        self._instances = instances

    async def of(self, plan: Plan, postgres_id: str) -> Database:
        """The instance as a database. Raises HostingError."""
        if postgres_id == plan.database.postgres_id:
            return self._database
        return await self._instances.database(postgres_id)

    async def places(self, postgres_id: str) -> tuple[DatabasePlace, ...]:
        """Where the instance's connection strings lead. Raises HostingError."""
        return await self._instances.places(postgres_id)

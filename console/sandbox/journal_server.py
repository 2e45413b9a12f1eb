"""The rehearsal's server for a shared record: a real PostgreSQL of its own, which no fault and no way back touches.

What always holds: who administers it is known to the world's owner alone (`journal-admin-url`, mode 0600). The record's
schema and roles are not made here: setting a store up is the console's own work.
"""

from pathlib import Path

from console.sandbox.databases import SandboxDatabases
from console.sandbox.private_files import write_private

DATABASE = "release_console"
DRIVER_URL = "journal-url"
"""The file that the overlay names for the driver's address; written by whoever sets the store up."""
ADMIN_URL = "journal-admin-url"
_ID = "journal"


class JournalServer:
    """The server in `state_dir/journal`."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._folder = state_dir / "journal"
        self._servers: SandboxDatabases | None = None

    async def start(self) -> None:
        """Make the server, or start the one that is there. Raises SandboxError."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        servers = self._servers = SandboxDatabases(self._folder)
        if servers.ids():
            await servers.start_all()
        else:
            await servers.create(_ID, "release-console", database=DATABASE, user="journal_owner")
        url = servers.cluster(_ID).superuser_url(DATABASE)
        write_private(self._state_dir / ADMIN_URL, url + "\n")

    async def stop(self) -> None:
        """Stop it; its data stay."""
        if self._servers is not None:
            await self._servers.stop_all()

    async def remove(self) -> None:
        """Stop it and delete its data."""
        if self._servers is not None:
            await self._servers.remove_all()

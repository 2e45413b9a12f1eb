"""Database instances, exports and the recovery window at Render: the `Backups` port."""

from pathlib import Path

import httpx

from console.adapters.render.client import RenderClient
from console.adapters.render.download import Downloader
from console.adapters.render.failures import part
from console.adapters.render.models import EXPORTS, POSTGRES, RECOVERY
from console.domain.hosting import Download, Export, PostgresInfo, RecoveryWindow
from console.ports import Report


class RenderBackups:
    """The `Backups` port over Render's API. Raises HostingError.

    `transport` replaces the network of downloads, which go to the storage's host and never carry the API key.
    """

    def __init__(self, client: RenderClient, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = client
        self._downloader = Downloader(client.clock, transport=transport)

    async def postgres(self, postgres_id: str) -> PostgresInfo:
        """One instance."""
        return (await self._client.get(POSTGRES, _postgres(postgres_id), f"database {postgres_id}")).domain()

    async def exports(self, postgres_id: str) -> tuple[Export, ...]:
        """The exports that the provider keeps, newest first."""
        what = f"the exports of database {postgres_id}"
        found = await self._client.get(EXPORTS, f"{_postgres(postgres_id)}/export", what)
        return tuple(sorted((item.domain() for item in found), key=lambda export: export.created_at, reverse=True))

    async def request_export(self, postgres_id: str) -> None:
        """Ask for an export; the answer names none. After `HostingError.sent` it may have begun."""
        await self._client.change("POST", f"{_postgres(postgres_id)}/export", f"exporting database {postgres_id}")

    async def download(self, export: Export, destination: Path, report: Report) -> Download:
        """Stream an export to a file of mode 0600, hashing on the way.

        Raises HostingError, and StepFailed when the file cannot be written here.
        """
        return await self._downloader.fetch(export, destination, report)

    async def recovery(self, postgres_id: str) -> RecoveryWindow:
        """The point-in-time recovery window."""
        what = f"the recovery window of database {postgres_id}"
        return (await self._client.get(RECOVERY, f"{_postgres(postgres_id)}/recovery", what)).domain()


def _postgres(postgres_id: str) -> str:
    return f"/postgres/{part(postgres_id)}"

"""Logical backups: one at a time for each database, a real dump, downloadable under a secret address."""

import asyncio
import logging
import secrets
from collections.abc import Iterator
from pathlib import Path

from console.sandbox.contracts import Databases, Faults, Pace
from console.sandbox.render.archive_damage import damage
from console.sandbox.render.identity import new_id
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.state import Export, Postgres
from console.sandbox.render.times import utc_now

_PLANNED_SECONDS = 40.0

_log = logging.getLogger(__name__)


class Exports:
    """Makes the exports and finds them again for download."""

    def __init__(self, ledger: Ledger, databases: Databases, faults: Faults, pace: Pace, root: Path) -> None:
        self._ledger = ledger
        self._databases = databases
        self._faults = faults
        self._pace = pace
        self._root = root
        self._tasks: set[asyncio.Task[None]] = set()

    def of(self, postgres_id: str) -> Iterator[Export]:
        """A database's exports, newest first."""
        exports = reversed(self._ledger.state.exports.values())
        return (export for export in exports if export.postgres_id == postgres_id)

    def begin(self, postgres: Postgres) -> Export | None:
        """Start an export, or None while another one of this database is under way."""
        if any(_unfinished(export) for export in self.of(postgres.id)):
            return None
        export = Export(new_id("exp"), postgres.id, utc_now(), token=secrets.token_urlsafe(24))
        self._ledger.state.exports[export.id] = export
        self._ledger.save()
        self._run(export)
        return export

    def resume(self) -> None:
        """Take up again the exports that the last stop interrupted."""
        for export in self._ledger.state.exports.values():
            if _unfinished(export):
                self._run(export)

    def file(self, token: str) -> Path | None:
        """The archive that a download token opens, or None."""
        for export in self._ledger.state.exports.values():
            if export.file is not None and secrets.compare_digest(export.token.encode(), token.encode()):
                return self._root / export.file
        return None

    async def stop(self) -> None:
        """Interrupt what is under way; it begins anew at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, export: Export) -> None:
        task = asyncio.create_task(self._make(export), name=f"export {export.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _make(self, export: Export) -> None:
        if self._faults.active("export-stalls"):
            return
        folder = self._root / "exports" / export.id
        await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        archive = folder / f"{export.created_at:%Y-%m-%dT%H:%MZ}.dir.tar.gz"
        try:
            await asyncio.to_thread(archive.unlink, missing_ok=True)
            # The dump first: what it holds is as old as the moment at which the export was asked for.
            await self._databases.dump(export.postgres_id, archive)
            if self._faults.take("backup-corrupt"):
                await asyncio.to_thread(damage, archive)
        except Exception:
            _log.exception("export %s of %s broke", export.id, export.postgres_id)
            export.failed = True
            self._ledger.save()
            return
        await asyncio.sleep(self._pace.seconds(_PLANNED_SECONDS))
        export.file = str(archive.relative_to(self._root))
        self._ledger.save()


def _unfinished(export: Export) -> bool:
    return export.file is None and not export.failed

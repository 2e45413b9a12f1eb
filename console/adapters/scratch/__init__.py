"""Backups restored: into a throw-away PostgreSQL behind the `ScratchPostgres` port, or into an instance."""

from console.adapters.scratch.instance import restore_into
from console.adapters.scratch.scratch_postgres import ScratchServer

__all__ = ["ScratchServer", "restore_into"]

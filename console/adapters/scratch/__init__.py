"""A throw-away PostgreSQL behind the `ScratchPostgres` port."""

from console.adapters.scratch.scratch_postgres import ScratchServer

__all__ = ["ScratchServer"]

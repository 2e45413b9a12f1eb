"""PostgreSQL behind the `Database` port."""

from console.adapters.database.connecting import TLS_MODES, Target
from console.adapters.database.database import PostgresDatabase
from console.adapters.database.session import PostgresSession

__all__ = ["TLS_MODES", "PostgresDatabase", "PostgresSession", "Target"]

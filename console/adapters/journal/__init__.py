"""The shared record in PostgreSQL, behind the ports `DriverStore`, `ObserverStore` and `SignerStore`."""

from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.observer import PostgresObserverStore
from console.adapters.journal.place import Place, same_place
from console.adapters.journal.schema import Installed, install, statements_for
from console.adapters.journal.signer import PostgresSignerStore

__all__ = [
    "Installed",
    "Place",
    "PostgresDriverStore",
    "PostgresObserverStore",
    "PostgresSignerStore",
    "install",
    "same_place",
    "statements_for",
]

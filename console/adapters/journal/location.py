"""Where the shared record lies, as the preflight asks: behind the `RecordPlace` port."""

from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.place import Place, same_place
from console.secrets import Secret


class PostgresRecordPlace:
    """A store and the database that is to be migrated; each a connection string and its TLS mode (see `Target`)."""

    def __init__(self, store: tuple[Secret, str], database: tuple[Secret, str]) -> None:
        self._store = store
        self._database = database

    async def place(self) -> Place:
        """Whether the store is the "database" to be migrated, on its "server", or elsewhere ("").

        Raises StoreLost, JournalError when it is not set up or our login may not drive, DatabaseError.
        """
        url, tls = self._store
        store = PostgresDriverStore(url, tls=tls)
        try:
            await store.login()
        finally:
            await store.close()
        return await same_place(self._store, self._database)

"""A line to a PostgreSQL server that can be made to swallow what passes, as a network does that drops packets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from console.secrets import Secret


class Proxy:
    """Passes bytes between a TCP port of this machine and a server's socket. Ended by its maker."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket / ".s.PGSQL.5432"
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self.swallows_questions = False
        self.swallows_answers = False

    def cut(self) -> None:
        """Swallow everything from now on, also that somebody hung up."""
        self.swallows_questions = self.swallows_answers = True

    def mend(self) -> None:
        """Pass on what comes from now on; what was swallowed is gone."""
        self.swallows_questions = self.swallows_answers = False

    def url(self, login: str, password: str, database: str) -> Secret:
        """The connection string of a login that leads through here."""
        return Secret(f"postgresql://{login}:{quote(password)}@127.0.0.1:{self.port}/{database}", "JOURNAL_URL")

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, forth = await asyncio.open_unix_connection(self._socket)
        self._writers += [back, forth]
        for work in (self._questions(client, forth), self._answers(server, back)):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Hang up on everybody."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self._writers), return_exceptions=True)

    async def _questions(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if not self.swallows_questions:
                drain.write(data)
        if not self.swallows_questions:
            drain.close()

    async def _answers(self, source: asyncio.StreamReader, drain: asyncio.StreamWriter) -> None:
        while data := await source.read(65_536):
            if not self.swallows_answers:
                drain.write(data)
        if not self.swallows_answers:
            drain.close()


@asynccontextmanager
async def proxy_to(socket: Path) -> AsyncIterator[Proxy]:
    """A proxy to the server whose socket lies in a folder."""
    proxy = Proxy(socket)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        await proxy.end()
        await listening.wait_closed()

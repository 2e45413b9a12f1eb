"""One connection to the shared record: opened when it is needed, anew after a loss, and listening all the while.

What always holds: a call returns or raises within its time, also when the network swallows everything; one statement
runs at a time; what was notified is kept until it is asked for. A pooler between must hand out whole sessions: LISTEN
and advisory locks belong to one.
"""

import asyncio
import logging
from collections.abc import Mapping

import psycopg

from console.adapters.database.connecting import Link, Target
from console.adapters.journal import failures
from console.adapters.journal.deadline import Deadline
from console.adapters.journal.hearing import Hearing, Told
from console.errors import DatabaseError, JournalError, StoreLost
from console.ports import Row

# What the library says by itself goes where log records go, and never to a terminal that shows screens.
logging.getLogger("psycopg").addHandler(logging.NullHandler())

VERSION = 1
"""The version of the schema that this console works with."""

CALL_S = 5.0
"""Seconds that a call may take, waiting for its turn and connecting included."""

_BYTES_PER_S = 128 * 1024
"""What a large statement is given time for beyond that."""

# A machine that vanished keeps its session, and with it a lease or a place among the observers, no longer than this.
_SETTINGS = {
    "search_path": "pg_catalog",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
_SETTLE = """
SELECT set_config(name, value, false) FROM unnest(%(names)s::text[], %(values)s::text[]) AS given (name, value)
"""
_VERSION = "SELECT max(version) AS version FROM release_console.version"
_NO_RIGHT = "42501"


class StoreLink:
    """A connection that acts as `role`. Raises StoreLost, and what `failures.refused` makes of a refusal."""

    def __init__(
        self,
        target: Target,
        role: str,
        application: str,
        *,
        settings: Mapping[str, str] | None = None,
        seconds: float = CALL_S,
    ) -> None:
        self._target = target
        self._role = role
        self._application = application
        self._seconds = seconds
        bound = f"{seconds * 1000:.0f}ms"
        self._settings = {**_SETTINGS, "statement_timeout": bound, "lock_timeout": bound, **(settings or {})}
        self._one_at_a_time = asyncio.Lock()
        self._link: Link | None = None
        self._descriptor = -1
        self._gone = failures.lost("it was not reached yet")
        self._hearing = Hearing()
        self._loop: asyncio.AbstractEventLoop
        self._heard = 0.0
        self.generation = 0
        """How many connections there were: whatever a session was told to remember is gone with the next one."""

    @property
    def open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._link is not None

    @property
    def backend(self) -> int:
        """The process of our session in the server; 0 while there is none."""
        return self._link.info.backend_pid if self._link is not None else 0

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None, *, size: int = 0) -> list[Row]:
        """Run one statement and return its rows. `size`: about how many bytes its parameters have."""
        self._loop = asyncio.get_running_loop()
        deadline = self._loop.time() + self._seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self._one_at_a_time.acquire()
        except TimeoutError:
            raise failures.late(self._seconds) from None
        try:
            link = self._link
            if link is None:
                link = await self._opened(deadline)
            self._loop.remove_reader(self._descriptor)  # the statement reads what comes itself
            try:
                return await self._asked(link, sql, params, deadline + size / _BYTES_PER_S)
            finally:
                self._listen(link)
        finally:
            self._one_at_a_time.release()

    async def told(self, generation: int, seconds: float) -> list[Told]:
        """What was notified since the last call, in order; waits for it, `seconds` at most.

        Raises StoreLost as soon as the connection of this generation is seen to be gone: by its end, or because it was
        silent for the time of a call and does not answer a question within another.
        """
        end = asyncio.get_running_loop().time() + seconds
        while True:
            if self._link is None or generation != self.generation:
                raise self._gone
            now, silent = self._loop.time(), self._heard + self._seconds
            if (told := self._hearing.take()) or now >= end:
                return told
            if now >= silent:
                await self.fetch("SELECT 1")
            else:
                await self._hearing.rung(self._loop, min(end, silent))

    def put_back(self, told: list[Told]) -> None:
        """Have notifications told again: whoever asked for them could not use them."""
        self._hearing.put_back(told)

    async def close(self) -> None:
        """Let go of the connection; again is harmless. Never raises."""
        if self._link is not None:
            self._drop(self._link, failures.lost("the connection was closed here"))

    async def _opened(self, deadline: float) -> Link:
        """A new connection, settled in its role."""
        try:
            link = await _connected(self._target, self._application, deadline, self._seconds)
        except StoreLost as error:
            self._gone = error
            raise
        try:
            settings = {"names": list(self._settings), "values": list(self._settings.values())}
            await self._asked(link, _SETTLE, settings, deadline)
            await self._take_role(link, deadline)
            (row,) = await self._asked(link, _VERSION, None, deadline)
            if row["version"] != VERSION:
                raise failures.other_version(row["version"], VERSION)
        except BaseException as error:
            link.pgconn.finish()
            self._gone = error if isinstance(error, StoreLost) else self._gone
            raise
        self.generation += 1
        self._link, self._descriptor = link, link.pgconn.socket
        self._gone = failures.lost("the connection broke off")
        self._hearing.take()
        link.add_notify_handler(lambda told: self._hearing.note(Told(told.channel, told.payload, told.pid)))
        return link

    async def _take_role(self, link: Link, deadline: float) -> None:
        try:
            await self._asked(link, f"SET ROLE {self._role}", None, deadline)
        except failures.NotAllowed:
            failure = failures.not_a_member(link.info.user, self._role)
        else:
            return
        raise failure

    async def _asked(self, link: Link, sql: str, params: Mapping[str, object] | None, at: float) -> list[Row]:
        """Run one statement in time."""
        with Deadline(link, at) as deadline:
            try:
                async with link.cursor() as cursor:
                    await cursor.execute(sql.encode(), params)
                    rows = await cursor.fetchall() if cursor.description is not None else []
                self._heard = self._loop.time()
                return rows
            except psycopg.Error as error:
                failure = failures.refused(error, self._target.secrets)
        # Outside of the handler: the vendor's exception may hold the connection string.
        raise self._ended(link, failure, late=deadline.passed)

    def _ended(self, link: Link, failure: JournalError, *, late: bool) -> JournalError:
        """What a failed statement is told as: a loss, where it took the connection with it."""
        if late:
            failure = failures.late(self._seconds)
        elif link.closed and not isinstance(failure, StoreLost):
            failure = failures.lost(failure.message)
        if link.closed and isinstance(failure, StoreLost):
            self._gone = failure
        return failure

    def _listen(self, link: Link) -> None:
        """Hear what comes while no statement runs; a connection that has ended is dropped."""
        if link.closed:
            self._drop(link, self._gone)
        elif link is self._link:
            self._loop.add_reader(self._descriptor, self._readable, link)
            self._take_in(link)

    def _readable(self, link: Link) -> None:
        self._heard = self._loop.time()
        try:
            link.pgconn.consume_input()
            self._take_in(link)
        except psycopg.Error as error:
            said = failures.without(" ".join(str(error).split()), self._target.secrets)
            self._drop(link, failures.lost(f"the connection broke off ({said})"))

    def _take_in(self, link: Link) -> None:
        """Keep what was notified; some of it may have been read together with a statement's answer."""
        while told := link.pgconn.notifies():
            self._hearing.note(Told(told.relname.decode(), told.extra.decode(), told.be_pid))

    def _drop(self, link: Link, why: StoreLost) -> None:
        """The connection is gone, or is to be; whoever waits on it is told."""
        if link is self._link:
            self._loop.remove_reader(self._descriptor)
            self._link = None
            self._gone = why
            self._hearing.still()
            self._hearing.ring()
        link.pgconn.finish()


async def _connected(target: Target, application: str, deadline: float, seconds: float) -> Link:
    """A new connection by a time of the event loop. Raises StoreLost."""
    try:
        async with asyncio.timeout_at(deadline):
            return await target.connect(application)
    except TimeoutError:
        failure = failures.late(seconds)
    except DatabaseError as error:
        failure = failures.lost(f"{error.message[:1].lower()}{error.message[1:]}", error.remedy)
    raise failure

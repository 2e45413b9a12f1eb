"""The shared record as an observer uses it, behind the `ObserverStore` port: reads only, which the database enforces.

What always holds: a pushed line is believed only of the session that holds the run's lease; the server says who sent
it, and anybody who may connect can send. Everything else that is told is a reason to read the tables.
"""

import asyncio
from collections.abc import Sequence

from psycopg import sql

from console.adapters.database.connecting import Target
from console.adapters.journal import failures
from console.adapters.journal.hearing import MORE, Told
from console.adapters.journal.link import CALL_S, StoreLink
from console.adapters.journal.names import OBSERVER_ROLE, watching
from console.adapters.journal.reading import channel_of, lease_of, lines_of, plan_of, shared_runs
from console.adapters.journal.tail_lines import decode_lines
from console.domain.hosting import LogEntry
from console.domain.shared import Lease, SharedRun
from console.ports import News
from console.secrets import Secret

_TAIL = """
SELECT t.place, t.body FROM release_console.tail t
WHERE t.run = %(run)s AND t.place > %(after)s ORDER BY t.place LIMIT %(limit)s
"""
_TAIL_PAGE = 50
_CALLED = "SELECT set_config('application_name', %(name)s, false)"
_READ_ONLY = {"default_transaction_read_only": "on"}


class PostgresObserverStore:
    """An observer's store. `url` is the connection string and `tls` as `Target`'s; `person` is who watches, by their
    own account (`user@host`); `seconds` is the time of a call.

    Raises StoreLost, and JournalError where the login is no observer, or the store is not set up.
    """

    def __init__(self, url: Secret, *, tls: str, person: str, seconds: float = CALL_S) -> None:
        self._link = StoreLink(Target(url, tls), OBSERVER_ROLE, "rc/watch", settings=_READ_ONLY, seconds=seconds)
        self._person = person
        self._run = ""
        self._channel = ""
        self._holder = 0
        self._generation = 0

    async def runs(self) -> tuple[SharedRun, ...]:
        """Every run of the store, newest first."""
        return await shared_runs(self._link)

    async def plan(self, run: str) -> str:
        """The frozen plan, as text. Raises JournalError when the run is not there."""
        return await plan_of(self._link, run)

    async def lines(self, run: str, after: int, limit: int) -> list[bytes]:
        """The lines behind number `after`, in order, `limit` at most."""
        return await lines_of(self._link, run, after, limit)

    async def tail(self, run: str, after: int) -> tuple[int, tuple[LogEntry, ...]]:
        """The log lines behind the place `after` (0: all that are kept), and the place behind the last of them."""
        entries: list[LogEntry] = []
        while rows := await self._link.fetch(_TAIL, {"run": run, "after": after, "limit": _TAIL_PAGE}):
            for row in rows:
                after = int(str(row["place"]))
                entries += decode_lines(str(row["body"]))
            if len(rows) < _TAIL_PAGE:
                break
        return after, tuple(entries)

    async def lease(self, run: str) -> Lease | None:
        """Whose epoch it is now, and whether their session is alive."""
        return await lease_of(self._link, run)

    async def listen(self, run: str) -> None:
        """Be told of what is added to the run from now on; needed before `wait`, also after StoreLost."""
        channel, _ = await channel_of(self._link, run)
        generation = self._link.generation
        if self._channel != channel:
            await self._link.fetch("UNLISTEN *")
        await self._link.fetch(f"LISTEN {sql.Identifier(channel).as_string()}")
        await self._link.fetch(_CALLED, {"name": watching(run, self._person)})
        self._run, self._channel, self._generation = run, channel, generation
        # Asked only now: of whoever takes the lease from here on we are told.
        await self._learn_holder()

    async def wait(self, seconds: float) -> News:
        """What was told since the last call; waits for it, `seconds` at most."""
        if not self._generation:
            raise failures.lost("nothing is listened to yet")
        told = await self._link.told(self._generation, seconds)
        try:
            return await self._news(told)
        except asyncio.CancelledError:
            self._link.put_back(told)
            raise

    async def close(self) -> None:
        """Let go of the connection; again is harmless. Never raises."""
        await self._link.close()

    async def _news(self, told: Sequence[Told]) -> News:
        """What notifications amount to. The tables are asked who holds the lease once at most."""
        lines: list[tuple[int, bytes]] = []
        more = tail = driver = asked = False
        for each in told:
            if each is MORE:
                more = tail = driver = True
            if each.channel != self._channel:
                continue
            kind, text = each.payload[:1], each.payload[1:]
            driver |= kind == "d"
            tail |= kind == "t"
            more |= kind == "m"
            if not asked and (kind == "d" or (kind == "l" and each.backend != self._holder)):
                await self._learn_holder()
                asked = True
            if kind == "l":
                number, _, line = text.partition(" ")
                if each.backend == self._holder and number.isdecimal():
                    lines.append((int(number), line.encode()))
                else:
                    more = True
        return News(tuple(lines), more=more, tail=tail, driver=driver)

    async def _learn_holder(self) -> None:
        _, self._holder = await channel_of(self._link, self._run)

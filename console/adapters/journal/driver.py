"""The shared record as its driver uses it, behind the `DriverStore` port.

What always holds: the session that writes is the one that holds the lease. A connection that was opened anew takes the
lease again before anything is written, and the database refuses everybody else (see schema.sql).
"""

from collections.abc import Sequence
from typing import cast

from psycopg import sql

from console.adapters.journal import failures
from console.adapters.journal.driver_reading import DriverReading
from console.adapters.journal.hearing import MORE
from console.adapters.journal.link import CALL_S
from console.adapters.journal.reading import channel_of
from console.adapters.journal.tail_lines import batches
from console.domain.hosting import LogEntry
from console.domain.shared import Branch, Lease
from console.errors import TakenOver
from console.secrets import Secret

_CREATE = "SELECT release_console.create_run(%(run)s, %(plan)s)"
_CLAIM = """
SELECT c.epoch, c.lease
FROM release_console.claim(%(run)s, %(expected)s, %(actor)s, %(host)s, %(pid)s, %(since)s) c
"""
_HOLD = "SELECT release_console.hold(%(run)s, %(epoch)s) AS lease"
# Told once more now that the lock is held: who looked before saw a lease that nobody held.
_LOCK = """
SELECT pg_try_advisory_lock(%(lease)s) AS held, pg_notify(r.channel, 'd'),
       set_config('application_name', %(name)s, false)
FROM release_console.runs r WHERE r.run = %(run)s
"""
_APPEND = "SELECT release_console.append(%(run)s, %(epoch)s, %(first)s, %(lines)s::text[])"
_ADD_TAIL = "SELECT release_console.add_tail(%(run)s, %(epoch)s, %(count)s, %(body)s)"
_ATTACH = "SELECT release_console.attach(%(run)s, %(epoch)s, %(first)s, %(actor)s, %(lines)s::text[])"
_ANSWER = "SELECT release_console.answer(%(signature)s, %(accepted)s, %(reason)s)"
_LONGEST_NAME = 63


class PostgresDriverStore(DriverReading):
    """A driver's store. `url` is its connection string and `tls` as `Target`'s; `seconds` is the time of a call.

    Raises StoreLost, TakenOver, JournalError, as the port says.
    """

    def __init__(self, url: Secret, *, tls: str, seconds: float = CALL_S) -> None:
        super().__init__(url, tls=tls, seconds=seconds)
        self._held: tuple[str, int] | None = None
        self._held_in = 0
        self._lease: object = None
        self._listening: tuple[str, int] = ("", 0)
        self._channel = ""

    async def create(self, run: str, plan_json: str) -> None:
        """Have the run in the store; again, with the same plan, is harmless."""
        await self._link.fetch(_CREATE, {"run": run, "plan": plan_json}, size=len(plan_json))

    async def claim(self, run: str, driver: Lease, *, expected: int) -> int:
        """Begin an epoch: `expected` + 1, and hold its lease from now on."""
        claimed = {"actor": driver.actor, "host": driver.host, "pid": driver.pid, "since": driver.since}
        (row,) = await self._link.fetch(_CLAIM, {"run": run, "expected": expected, **claimed})
        epoch = cast(int, row["epoch"])
        await self._lock(run, epoch, row["lease"])
        return epoch

    async def hold(self, run: str, epoch: int) -> None:
        """Confirm that the epoch is still the record's, and hold its lease again after the connection was lost."""
        (row,) = await self._link.fetch(_HOLD, {"run": run, "epoch": epoch})
        # Another key than ours: another session of this driver had taken the lease meanwhile.
        if not self._holds(run, epoch) or row["lease"] != self._lease:
            await self._lock(run, epoch, row["lease"])

    async def append(self, run: str, epoch: int, first: int, lines: Sequence[bytes]) -> None:
        """Add lines, numbered from `first`: all of them or none."""
        if not lines:
            return
        if not self._holds(run, epoch):
            await self.hold(run, epoch)
        given = {"run": run, "epoch": epoch, "first": first, "lines": [line.decode() for line in lines]}
        await self._link.fetch(_APPEND, given, size=sum(map(len, lines)))

    async def attach(self, run: str, branch: Branch) -> None:
        """Keep lines that were recorded apart beside the record; again is harmless."""
        given = {"run": run, "epoch": branch.epoch, "first": branch.first, "actor": branch.actor}
        lines = [line.decode() for line in branch.lines]
        await self._link.fetch(_ATTACH, {**given, "lines": lines}, size=sum(map(len, branch.lines)))

    async def add_tail(self, run: str, epoch: int, entries: Sequence[LogEntry]) -> None:
        """Add log lines to the tail, which keeps the last ones; nothing is raised for an epoch that has ended."""
        if self._held == (run, epoch) and not self._holds(run, epoch):
            try:
                await self.hold(run, epoch)
            except TakenOver:
                return  # told where the epoch matters: an append, a claim
        for count, body in batches(entries):
            given = {"run": run, "epoch": epoch, "count": count, "body": body}
            await self._link.fetch(_ADD_TAIL, given, size=len(body))

    async def answer(self, signature: int, *, accepted: bool, reason: str) -> None:
        """Say what became of a signature; again is harmless."""
        if self._held is not None and not self._holds(*self._held):
            await self.hold(*self._held)
        await self._link.fetch(_ANSWER, {"signature": signature, "accepted": accepted, "reason": reason})

    async def wait(self, run: str, seconds: float) -> bool:
        """Wait until something about the run is news for its driver, or the time is over; whether something is.

        True at once where nobody listened before: what was told meanwhile was not heard.
        """
        if not self._link.open or self._listening != (run, self._link.generation):
            await self._listen(run)
            return True
        told = await self._link.told(self._link.generation, seconds)
        return any(
            each is MORE or (each.channel == self._channel and each.backend != self._link.backend) for each in told
        )

    async def close(self) -> None:
        """Let go of the lease and the connection; again is harmless. Never raises."""
        self._held = None
        await self._link.close()

    def _holds(self, run: str, epoch: int) -> bool:
        return self._held == (run, epoch) and self._link.open and self._held_in == self._link.generation

    async def _lock(self, run: str, epoch: int, lease: object) -> None:
        """Hold the lease's lock, by which everybody sees that we live. Its key is new each time: nobody else has it."""
        name = f"rc/drive/{run}"[:_LONGEST_NAME]
        (row,) = await self._link.fetch(_LOCK, {"lease": lease, "run": run, "name": name})
        if row["held"] is not True:
            raise failures.lost("the lock of the lease cannot be had")
        self._held, self._held_in, self._lease = (run, epoch), self._link.generation, lease

    async def _listen(self, run: str) -> None:
        channel, _ = await channel_of(self._link, run)
        self._channel = f"{channel}_d"
        generation = self._link.generation
        await self._link.fetch(f"LISTEN {sql.Identifier(self._channel).as_string()}")
        self._listening = (run, generation)

"""What became of the rows that users wrote: which the database in use has, and which only the former one has.

The record of the users says what was written, the databases say where it is. What always holds: a row counts once in
its table, as a loss meter counts it, and the lines that triggers write for a user are rows, too; nothing that the
console wrote is counted, since it neither edits users' accounts nor makes their leads.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection

from console.sandbox.user_writes import Answer, UserWrite

_CONNECT_TIMEOUT_S = 10

# An edit and its line of history are one transaction, and both bear its time.
_EDITS = "SELECT account_id, changed_at FROM account_history WHERE operation = 'update' AND account_id = ANY(%s)"
_LEADS = """
    SELECT leads.name, leads.id, count(lead_history.id)
    FROM leads LEFT JOIN lead_history ON lead_history.lead_id = leads.id
    WHERE leads.name = ANY(%s) GROUP BY leads.name, leads.id
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """Writes that the CRM confirmed to users, and how many of them the database in use holds."""

    written: int
    kept: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A database's edits of the users' accounts (key, when), and their leads (name, key) with the lines of each."""

    edits: frozenset[tuple[int, datetime]]
    leads: dict[tuple[str, int], int]

    def holds(self, write: UserWrite) -> bool:
        """Whether a confirmed write is among them."""
        if write.key is None:
            return False
        if write.table == "leads":
            return (write.name, write.key) in self.leads
        return (write.key, datetime.fromisoformat(write.version)) in self.edits


async def kept_rows(writes: Collection[UserWrite], used: str) -> Kept:
    """Which of the confirmed `writes` the database `used` (a connection string) holds. Raises `psycopg.Error`."""
    confirmed = [write for write in writes if write.answer is Answer.CONFIRMED]
    found = await _find(used, confirmed)
    return Kept(len(confirmed), sum(map(found.holds, confirmed)))


async def lost_rows(writes: Collection[UserWrite], former: str, used: str) -> int:
    """How many rows of users the `former` database holds and `used` does not. Raises `psycopg.Error`.

    A write whose outcome nobody was told counts where the former database shows that it was done.
    """
    tried = [write for write in writes if write.answer is not Answer.REFUSED]
    before, now = await _find(former, tried), await _find(used, tried)
    edits = before.edits - now.edits
    leads = [lines for lead, lines in before.leads.items() if lead not in now.leads]
    return len({account for account, _ in edits}) + len(edits) + len(leads) + sum(leads)


async def _find(conninfo: str, writes: Sequence[UserWrite]) -> _Found:
    accounts = list({write.key for write in writes if write.table == "accounts"})
    names = list({write.name for write in writes if write.table == "leads"})
    link = await AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S)
    async with link:
        edits = await (await link.execute(_EDITS, [accounts])).fetchall()
        leads = await (await link.execute(_LEADS, [names])).fetchall()
    return _Found(
        frozenset((int(account), at) for account, at in edits),
        {(str(name), int(key)): int(lines) for name, key, lines in leads},
    )

"""What a driver reads of the shared record: runs, lines, branches, who watches, what was signed."""

from datetime import datetime
from typing import cast

from console.adapters.database.connecting import Target
from console.adapters.journal.link import CALL_S, StoreLink
from console.adapters.journal.names import DRIVER_ROLE, person_of, watching
from console.adapters.journal.reading import lines_of, moment, plan_of, shared_runs
from console.domain.shared import Branch, Observer, SharedRun, Signature
from console.secrets import Secret

_PAGE = 2_000
_LOGIN = "SELECT session_user::text AS login"
_BRANCHES = """
SELECT b.epoch, b.actor, b.first, b.lines FROM release_console.branches b
WHERE b.run = %(run)s ORDER BY b.epoch, b.first
"""
# When a session of another login began is not everybody's to know; the name that it goes by is.
_OBSERVERS = """
SELECT a.pid, a.usename::text AS login, a.application_name AS application, a.backend_start, clock_timestamp() AS now
FROM pg_stat_activity a
WHERE a.datname = current_database() AND starts_with(a.application_name, %(prefix)s) ORDER BY a.pid
"""
_INBOX = """
SELECT i.id, i.run, i.login::text AS login, i.role, i.name, i.approve, i.note, i.plan, i.commit, i.at
FROM release_console.inbox i
WHERE i.run = %(run)s AND NOT EXISTS (SELECT FROM release_console.answers a WHERE a.signature = i.id)
ORDER BY i.id
"""


class DriverReading:
    """The reading half of a driver's store. `seconds` is the time that a call may take."""

    def __init__(self, url: Secret, *, tls: str, seconds: float = CALL_S) -> None:
        self._link = StoreLink(Target(url, tls), DRIVER_ROLE, "rc/drive", seconds=seconds)
        self._seen: dict[tuple[object, object, object], datetime] = {}

    async def login(self) -> str:
        """Whom the database takes us for."""
        (row,) = await self._link.fetch(_LOGIN)
        return str(row["login"])

    async def find(self, run: str) -> SharedRun | None:
        """The run as it stands in the store; None when it is not there."""
        found = await shared_runs(self._link, run)
        return found[0] if found else None

    async def runs(self) -> tuple[SharedRun, ...]:
        """Every run of the store, newest first."""
        return await shared_runs(self._link)

    async def plan(self, run: str) -> str:
        """The frozen plan, as text. Raises JournalError when the run is not there."""
        return await plan_of(self._link, run)

    async def lines(self, run: str, after: int) -> list[bytes]:
        """The lines behind number `after`, all of them, in order."""
        lines: list[bytes] = []
        while page := await lines_of(self._link, run, after + len(lines), _PAGE):
            lines += page
            if len(page) < _PAGE:
                break
        return lines

    async def branches(self, run: str) -> tuple[Branch, ...]:
        """What is kept beside the record, oldest epoch first."""
        rows = await self._link.fetch(_BRANCHES, {"run": run})
        return tuple(
            Branch(
                epoch=cast(int, row["epoch"]),
                actor=str(row["actor"]),
                first=cast(int, row["first"]),
                lines=tuple(line.encode() for line in cast(list[str], row["lines"])),
            )
            for row in rows
        )

    async def observers(self, run: str) -> tuple[Observer, ...]:
        """Who watches the run now. `since` is when their session began, or was first seen from here."""
        prefix = watching(run)
        seen: dict[tuple[object, object, object], datetime] = {}
        found: list[Observer] = []
        for row in await self._link.fetch(_OBSERVERS, {"prefix": prefix}):
            session = (row["pid"], row["login"], row["application"])
            seen[session] = self._seen.get(session) or moment(row["backend_start"] or row["now"])
            found.append(Observer(str(row["login"]), person_of(str(row["application"]), run), seen[session]))
        self._seen = seen
        return tuple(sorted(found, key=lambda each: (each.since, each.login, each.person)))

    async def inbox(self, run: str) -> tuple[Signature, ...]:
        """The signatures that wait for an answer, oldest first."""
        rows = await self._link.fetch(_INBOX, {"run": run})
        return tuple(
            Signature(
                id=cast(int, row["id"]),
                run=str(row["run"]),
                login=str(row["login"]),
                role=str(row["role"]),
                name=str(row["name"]),
                approve=bool(row["approve"]),
                note=str(row["note"]),
                plan=str(row["plan"]),
                commit=str(row["commit"]),
                at=moment(row["at"]),
            )
            for row in rows
        )

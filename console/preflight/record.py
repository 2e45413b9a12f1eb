"""The shared record: that it is reached, set up, and apart from what is migrated."""

from collections.abc import AsyncIterator

from console.domain.findings import Finding, Severity
from console.errors import StoreLost
from console.preflight.ground import Ground

_ELSEWHERE = (
    "Give the shared record a database of its own, on another server; `release-console journal init` sets it up."
)


async def look(ground: Ground) -> AsyncIterator[Finding]:
    """Where the plan shares its record; nothing where it does not.

    Raises JournalError when the store is reached and cannot be used, DatabaseError when the database cannot be asked.
    """
    record = ground.ports.record
    if record is None:
        return
    try:
        place = await record.place()
    except StoreLost as error:
        message = "The shared record is not reached: nobody elsewhere sees the run."
        remedy = "Restore it. Until then nothing that changes production begins unless you say that you alone drive."
        yield Finding("record.lost", Severity.WARNING, message, evidence=error.message, remedy=remedy)
        return
    if place == "database":
        message = "The shared record lies in the database that is to be migrated: a way back would take it along."
        yield Finding("record.database", Severity.BLOCKER, message, remedy=_ELSEWHERE)
    elif place == "server":
        message = "The shared record lies on the server of the migrated database: a way back may take it along."
        yield Finding("record.server", Severity.WARNING, message, remedy=_ELSEWHERE)
    else:
        message = "The shared record is reached, set up, and lies apart from the database that is migrated."
        yield Finding("record.apart", Severity.NOTE, message)

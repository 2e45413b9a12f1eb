"""How grave a log line is, for colour, counts and filters: what the domain's health says, as a mark."""

from console.domain.health import LogClass, classify
from console.domain.hosting import LogEntry
from screens.ring import Mark

_MARKS = {LogClass.OK: Mark.PLAIN, LogClass.ERROR: Mark.ERROR, LogClass.SCHEMA_ERROR: Mark.SCHEMA}


def mark_of(entry: LogEntry) -> Mark:
    """The mark of one line; lines of builds are quiet."""
    return Mark.QUIET if entry.kind == "build" else _MARKS[classify(entry)]

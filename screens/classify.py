"""How grave a log line is, for colour, counts and filters: what the domain's health says, as a mark."""

from console.domain.health import LogClass, build_failed, classify
from console.domain.hosting import LogEntry
from screens.ring import Mark

_MARKS = {LogClass.OK: Mark.PLAIN, LogClass.ERROR: Mark.ERROR, LogClass.SCHEMA_ERROR: Mark.SCHEMA}


def mark_of(entry: LogEntry) -> Mark:
    """The mark of one line; lines of builds are quiet, but for those that say why one failed."""
    if entry.kind == "build":
        return Mark.ERROR if build_failed(entry) else Mark.QUIET
    return _MARKS[classify(entry)]

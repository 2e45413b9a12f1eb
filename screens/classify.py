"""How grave a log line is, for colour, counts and filters. The domain's health says what counts as a schema error."""

import re

from console.domain.hosting import LogEntry
from screens.ring import Mark

_SCHEMA = re.compile(r"\b(?:42703|42P01|42883|42804|0A000)\b|has no field")
_BAD_LEVELS = frozenset({"error", "critical", "fatal", "panic", "alert", "emergency"})


def mark_of(entry: LogEntry) -> Mark:
    """The mark of one line."""
    if _SCHEMA.search(entry.text) is not None:
        return Mark.SCHEMA
    if entry.level.lower() in _BAD_LEVELS or entry.labels.get("statusCode", "")[:1] == "5":
        return Mark.ERROR
    return Mark.QUIET if entry.kind == "build" else Mark.PLAIN

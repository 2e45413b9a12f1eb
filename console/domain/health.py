"""What a log line says about the health of the application: a schema error, another error, or nothing of note.

Log lines are untrusted text of any application: a SQLSTATE counts only where it is written as one, so that a
duration of 42703 ms is no schema error.
"""

import re
from enum import StrEnum

from console.domain.hosting import LogEntry


class LogClass(StrEnum):
    """How a log line counts."""

    OK = "ok"
    ERROR = "error"
    SCHEMA_ERROR = "schema error"


SCHEMA_STATES = {
    "42703": "undefined column",
    "42P01": "undefined table",
    "42883": "undefined function",
    "42804": "datatype mismatch",
    "0A000": "cached plan must not change result type",
}
"""The SQLSTATEs by which code shows that it does not fit the schema."""

_STATES = "|".join(state.lower() for state in SCHEMA_STATES)
_SCHEMA = re.compile(
    rf"(?:sqlstate|code)\W{{0,6}}(?:{_STATES})\b"  # as drivers print it
    rf"|\berror:?\s+(?:{_STATES})\b"  # as the server prints it when it is verbose
    r"|\b(?:42p01|0a000)\b"  # no number looks like these
    r"|\bhas no field\b"  # a trigger function: record "new" has no field
    r"|\b(?:column|relation) \S{1,130} does not exist\b"
    r"|\bcached plan must not change result type\b"
)
_SCHEMA_SIGNS = re.compile(
    "|".join((*(state.lower() for state in SCHEMA_STATES), "has no field", "does not exist", "cached plan must"))
)
_ERROR = re.compile(
    r"\s{0,20}(?:(?:[\d:.tz+/,-]{1,40}|\[[^\]]{1,40}\]|\S{1,40}:)\s+){0,3}"  # times, [loggers] and loggers:
    r"\W?(?:error|fatal|panic|uncaught|unhandled)\b"
)
_ERROR_SIGNS = re.compile("error|fatal|panic|uncaught|unhandled")
_ERROR_LEVELS = frozenset({"error", "fatal", "critical", "alert", "emergency"})


def classify(entry: LogEntry) -> LogClass:
    """How a line counts. Lines of builds never count: they tell of building, not of running."""
    if entry.kind == "build":
        return LogClass.OK
    text = entry.text.lower()
    if _says_schema(text):
        return LogClass.SCHEMA_ERROR
    if entry.kind == "request":
        return LogClass.ERROR if entry.labels.get("statusCode", "").startswith("5") else LogClass.OK
    return LogClass.ERROR if _is_error(entry.level, text) else LogClass.OK


def build_failed(entry: LogEntry) -> bool:
    """Whether a line of a build says that something went wrong in it."""
    text = entry.text.lower()
    return entry.kind == "build" and ("build failed" in text or _is_error(entry.level, text))


def _is_error(level: str, text: str) -> bool:
    return level.lower() in _ERROR_LEVELS or _says_error(text)


def _says_schema(text: str) -> bool:
    """Plain words first: nearly every line ends there, and the whole pattern costs many times as much."""
    return _SCHEMA_SIGNS.search(text) is not None and _SCHEMA.search(text) is not None


def _says_error(text: str) -> bool:
    """Whether the line begins as an error does, after a time stamp or the name of a logger."""
    return _ERROR_SIGNS.search(text) is not None and _ERROR.match(text) is not None

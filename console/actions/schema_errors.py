"""Which log lines say that code and schema do not fit: by SQLSTATE, and by PostgreSQL's own words.

A bare number proves nothing (a request may have taken 42703 bytes): a numeric code counts only where the line
calls it a code. Log lines are untrusted; `plain` makes one safe to show.
"""

import re

from console.domain.hosting import LogEntry

CODES = ("42703", "42P01", "42883", "42804", "0A000")
"""undefined column, table and function; datatype mismatch; cached plan must not change result type."""

_CALLED_A_CODE = re.compile(r"(?:sqlstate|code|errcode)[^0-9A-Za-z]{1,4}(" + "|".join(CODES) + r")\b", re.IGNORECASE)
_UNMISTAKABLE = re.compile(r"\b(?:42P01|0A000)\b")
_WORDS = re.compile(
    r"(?:column|relation|function|operator|record)\b.{1,200}?\bdoes not exist"
    r"|\bhas no field\b"
    r"|cached plan must not change result type"
    r"|is of type .{1,80}? but expression is of type",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 240


def is_schema_error(entry: LogEntry) -> bool:
    """Whether an application's log line reports that code and schema do not fit."""
    if entry.kind != "app":
        return False
    text = entry.text
    return bool(_CALLED_A_CODE.search(text) or _UNMISTAKABLE.search(text) or _WORDS.search(text))


def plain(text: str) -> str:
    """A text of somebody else's on one line, control characters made visible, not too long."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in " ".join(text.split()))
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"

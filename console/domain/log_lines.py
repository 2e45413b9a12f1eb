"""Log lines as they are kept: a line of JSON each, in a file's tail and in that of a shared record.

Telemetry, not record: what is no line is nobody's error.
"""

import json

from console.domain.hosting import LogEntry
from console.domain.wire import format_time, parse_time


def encode_log_line(entry: LogEntry, *, ascii_only: bool) -> str:
    """A log line as JSON. `ascii_only` lets bytes of a foreign log that are no text survive where text must be sound;
    otherwise they are what the caller's encoding makes of them."""
    raw = {
        "id": entry.id,
        "at": format_time(entry.at),
        "service": entry.service,
        "kind": entry.kind,
        "level": entry.level,
        "instance": entry.instance,
        "text": entry.text,
        "labels": dict(entry.labels),
    }
    return json.dumps(raw, ensure_ascii=ascii_only, separators=(",", ":"))


def decode_log_line(line: bytes | str) -> LogEntry | None:
    """The log line that a kept line holds; None when it is none (a writer died in the middle of it)."""
    try:
        raw = json.loads(line)
        return LogEntry(
            id=str(raw["id"]),
            at=parse_time(raw["at"]),
            service=str(raw["service"]),
            kind=str(raw["kind"]),
            level=str(raw["level"]),
            instance=str(raw["instance"]),
            text=str(raw["text"]),
            labels={str(key): str(value) for key, value in raw["labels"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None

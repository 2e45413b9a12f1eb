"""Log lines as the store keeps them: a line of JSON each, in batches. Telemetry: what is no line is left out."""

import json
from collections.abc import Iterator, Sequence

from console.domain.hosting import LogEntry
from console.domain.wire import format_time, parse_time

BATCH_LINES = 500
BATCH_BYTES = 512 * 1024


def batches(entries: Sequence[LogEntry]) -> Iterator[tuple[int, str]]:
    """How many lines, and their text; each batch is small enough for one statement."""
    lines: list[str] = []
    size = 0
    for entry in entries:
        line = encode_line(entry)
        if lines and (len(lines) == BATCH_LINES or size + len(line) > BATCH_BYTES):
            yield len(lines), "\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield len(lines), "\n".join(lines)


def encode_line(entry: LogEntry) -> str:
    """A log line as JSON in ASCII, so that bytes of a foreign log that are no text survive."""
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
    return json.dumps(raw, separators=(",", ":"))


def decode_lines(body: str) -> Iterator[LogEntry]:
    """The log lines of a batch."""
    for line in body.split("\n"):
        entry = _decoded(line)
        if entry is not None:
            yield entry


def _decoded(line: str) -> LogEntry | None:
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

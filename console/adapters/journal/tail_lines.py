"""Log lines as the store keeps them: a line of JSON each, in batches. Telemetry: what is no line is left out."""

from collections.abc import Iterator, Sequence

from console.domain.hosting import LogEntry
from console.domain.log_lines import decode_log_line, encode_log_line

BATCH_LINES = 500
BATCH_BYTES = 512 * 1024


def batches(entries: Sequence[LogEntry]) -> Iterator[tuple[int, str]]:
    """How many lines, and their text; each batch is small enough for one statement."""
    lines: list[str] = []
    size = 0
    for entry in entries:
        line = encode_log_line(entry, ascii_only=True)
        if lines and (len(lines) == BATCH_LINES or size + len(line) > BATCH_BYTES):
            yield len(lines), "\n".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    if lines:
        yield len(lines), "\n".join(lines)


def decode_lines(body: str) -> Iterator[LogEntry]:
    """The log lines of a batch."""
    for line in body.split("\n"):
        entry = decode_log_line(line)
        if entry is not None:
            yield entry

"""Reading a journal: its lines, the chain that binds each to the one before, and a tail that was torn.

A line without its newline at the very end was being written when the process died: it was never acted upon
and is left out. Anything else that does not follow is broken, and named by its line.
"""

from dataclasses import dataclass

from console.domain.events import Event
from console.domain.wire import GENESIS, WireError, decode_event, line_digest
from console.errors import JournalBroken


@dataclass(frozen=True, slots=True)
class Chain:
    """What a journal holds: its events, the digest of its last line, how many bytes are whole, how many torn."""

    events: tuple[Event, ...]
    tip: str
    length: int
    torn: int


def read_chain(content: bytes) -> Chain:
    """Read a journal. Raises JournalBroken with the line, counted from 1, that does not follow."""
    length = content.rfind(b"\n") + 1
    lines = content[:length].split(b"\n")[:-1]
    events: list[Event] = []
    tip = GENESIS
    for number, line in enumerate(lines, start=1):
        events.append(link(line, number, tip))
        tip = line_digest(line)
    return Chain(tuple(events), tip, length, len(content) - length)


def link(line: bytes, number: int, tip: str) -> Event:
    """The event of line `number`, held against `tip`, the digest of the line before. Raises JournalBroken."""
    try:
        event, prev = decode_event(line)
    except WireError as error:
        raise _broken(number, f"it is {error}" if str(error).startswith("not a line") else str(error)) from error
    if prev != tip:
        raise _broken(number, f"it does not follow from line {number - 1}, which was changed, added or removed")
    if event.seq != number:
        raise _broken(number, f"it is numbered {event.seq}")
    return event


def _broken(line: int, why: str) -> JournalBroken:
    return JournalBroken(
        f"Line {line} of the journal is broken: {why}.",
        line=line,
        production="The console has changed nothing; the lines before this one still say what was done.",
        remedy="Compare the journal with a copy. A record that was edited cannot be driven on; start another run.",
    )

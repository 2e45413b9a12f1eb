"""Reading a journal: its lines, the chain that binds each to the one before, and a tail that was torn.

A line without its newline at the very end was being written when the process died: it was never acted upon
and is left out. Anything else that does not follow is broken, and named by its line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.events import Event
from console.domain.lines import decode_events, follow_on
from console.domain.wire import GENESIS, WireError, decode_event, line_digest
from console.engine.uncollected import uncollected
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
    whole = content[:length]
    with uncollected():
        read = link_lines(whole.split(b"\n")[:-1], 1, GENESIS, whole)
    if read.broken is not None:
        raise read.broken
    return Chain(tuple(read.events), read.tip, length, len(content) - length)


@dataclass(frozen=True, slots=True)
class Linked:
    """Lines that were read together: the events up to the first line that does not follow, the digest of the last of
    them, and what is wrong with that line; None when all follow."""

    events: list[Event]
    tip: str
    broken: JournalBroken | None = None


def link_lines(lines: Sequence[bytes], number: int, tip: str, content: bytes | None = None) -> Linked:
    """The events of lines from `number` on, held against `tip`, the digest of the line before, and each other.

    `content` are the same lines as they stand in a file, where that is at hand.
    """
    end = follow_on(lines, tip)
    if end is not None:
        content = b"\n".join(lines) if content is None else content
        events = decode_events(content, number)
        if events is not None and len(events) == len(lines):
            return Linked(events, end)
    return _one_by_one(lines, number, tip)


def _one_by_one(lines: Sequence[bytes], number: int, tip: str) -> Linked:
    events: list[Event] = []
    for line in lines:
        try:
            events.append(link(line, number, tip))
        except JournalBroken as error:
            return Linked(events, tip, error)
        number, tip = number + 1, line_digest(line)
    return Linked(events, tip)


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

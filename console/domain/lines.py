"""The lines of a journal by the thousand: what `wire.decode_event` makes of each, made of many at once.

What always holds: the events are those that `decode_event` gives for the same lines, or there are none at all. A line
that is not written as this console writes lines (an older or a newer console's, a torn or an edited one, one that
holds what is no text) is left to `decode_event`, which knows what to make of it.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from console.domain.events import VERSION, Event

_EVENT = msgspec.json.Decoder(Event)

_PREV = b',"v":%d,"prev":"' % VERSION
"""What stands in a line before the digest of the one before it, at its end."""

_DIGEST = slice(-66, -2)
_BEFORE_DIGEST = slice(-66 - len(_PREV), -66)


def decode_events(content: bytes, first: int) -> list[Event] | None:
    """The events of whole lines, numbered from `first`; None when one of them has to be looked at by itself.

    Neither that every event has a line of its own nor what the lines name as digests is looked at: see `follow_on`.
    """
    try:
        events = _EVENT.decode_lines(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    for number, event in enumerate(events, first):
        if event.seq != number or event.at.tzinfo is None:
            return None
    return events


def follow_on(lines: Sequence[bytes], tip: str) -> str | None:
    """The digest of the last of these lines, when each names that of the one before and the first names `tip`.

    None when one does not, or is not written as this console writes lines.
    """
    for line in lines:
        if line[_DIGEST] != tip.encode() or line[_BEFORE_DIGEST] != _PREV:
            return None
        tip = sha256(line).hexdigest()
    return tip

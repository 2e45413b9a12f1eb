"""Words to the stakeholders: what waits to be sent, what became of each message on each channel."""

from textual.content import Content

from console.domain.incident import MessageState
from console.domain.state import RunState
from screens.paint import ink, words
from screens.view import View

_WAITS = words.Sign("◆", ink.NOW_STRONG, "to send")
_SENT = words.Sign("✔", ink.GOOD, "sent")
_UNDELIVERED = words.Sign("✗", ink.DANGER_STRONG, "undelivered")
_DROPPED = words.Sign("–", ink.QUIET, "not sent")
_TURNS = {
    "declared": "Incident declared",
    "chosen": "Way back chosen",
    "turned": "Service restored",
    "closed": "Incident closed",
}


def sign_of(message: MessageState) -> words.Sign:
    """Where a message stands."""
    if message.dropped:
        return _DROPPED
    if message.waits:
        return _WAITS
    return _UNDELIVERED if message.undelivered else _SENT


def title(message: MessageState) -> str:
    """What a message is about: the turn of the incident that called for it."""
    return _TURNS.get(message.turn, message.turn.capitalize())


def item_line(message: MessageState, width: int) -> Content:
    """A message in the list."""
    sign = sign_of(message)
    style = ink.STRONG if message.waits or message.undelivered else ink.QUIET if message.dropped else ink.PLAIN
    left = ink.line((f"{sign.mark} ", sign.style), (title(message), style))
    return ink.sides(left, ink.line((sign.word, sign.style)), width, gap=2)


def item_body(state: RunState, message: MessageState, width: int) -> list[Content]:
    """A message in full: where it goes or went, subject, text."""
    sign = sign_of(message)
    drafted = (f"   drafted {words.at(message.at, seconds=True)}", ink.QUIET)
    lines = [ink.line((f"{sign.mark} {sign.word}", sign.style), drafted), ink.BLANK]
    if message.dropped:
        lines += ink.columns([("Why", ink.line(message.dropped))], width)
    elif message.deliveries:
        lines += deliveries(message, width)
    else:
        lines += ink.wrapped(where_it_goes(state, message), width)
    lines += [ink.BLANK, *ink.wrapped(ink.line((message.subject, ink.STRONG)), width), ink.BLANK]
    return [*lines, *ink.paragraphs([message.text], width)]


def deliveries(message: MessageState, width: int) -> list[Content]:
    """What became of it on each channel."""
    rows = []
    for delivery in message.deliveries.values():
        at = (f"  {words.at(delivery.at, seconds=True)}", ink.QUIET)
        said = ("✗ not delivered: " + delivery.error, ink.DANGER) if delivery.error else ("✔ delivered", ink.GOOD)
        rows.append((delivery.channel, ink.line(said, at)))
    return ink.columns(rows, width)


def where_it_goes(state: RunState, message: MessageState) -> Content:
    """On which channels it goes out, or that it is sent by hand."""
    if message.undelivered:
        names = ", ".join(each.channel for each in message.undelivered)
        return ink.line(("Again to ", ink.QUIET), names, (": what was delivered is not repeated.", ink.QUIET))
    if not state.plan.channels:
        return ink.line(("The plan names no channel: copy the text (y), send it, and record that you did.", ink.NOW))
    names = ", ".join(channel.name for channel in state.plan.channels)
    return ink.line(("Goes to ", ink.QUIET), names, ("  The run waits for none of it.", ink.QUIET))


def told(view: View, width: int) -> list[Content]:
    """For the incident screen: each channel's last word, and what waits; nothing where nothing was drafted."""
    state = view.state
    if not state.messages:
        return []
    last = {name: delivery for m in state.messages.values() for name, delivery in m.deliveries.items()}
    parts = [
        ink.line(name, (" ✗ not delivered", ink.DANGER) if delivery.error else (" ✔", ink.GOOD))
        for name, delivery in last.items()
    ]
    waiting = sum(1 for message in state.messages.values() if message.waits)
    if waiting:
        key = "  m" if view.driving else ""
        verb = "waits" if waiting == 1 else "wait"
        parts.append(ink.line((f"◆ {words.count(waiting, 'message')} {verb}", ink.NOW), (key, f"bold {ink.IDENT}")))
    head = ink.line(("Told  ", ink.QUIET_STRONG))
    return ink.flowing(parts, width, first=head) if parts else []

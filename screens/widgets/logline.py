"""How one log line is drawn: time, service, sign, text. The text is untrusted: shown, never obeyed."""

from collections.abc import Callable

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.domain.untrusted import safe
from screens.ring import LogLine, Mark

LONGEST = 4000
"""So many characters of a line are drawn at most."""

_SIGNS = {Mark.QUIET: "  ", Mark.PLAIN: "  ", Mark.ERROR: "! ", Mark.SCHEMA: "✗ "}
_GRADES = {mark: f"tail--{mark.name.lower()}" for mark in Mark}


def draw(line: LogLine, service_width: int, style: Callable[[str], Style]) -> Strip:
    """The line in its full length; `style` gives the style of a component class."""
    head = f"{line.at.astimezone():%H:%M:%S} "
    service = safe(line.service)[:service_width].ljust(service_width) + " "
    text = _SIGNS[line.mark] + safe(line.text[:LONGEST])
    segments = [
        Segment(head, style("tail--time")),
        Segment(service, style("tail--service")),
        Segment(text, style(_GRADES[line.mark])),
    ]
    return Strip(segments, cell_len(head) + cell_len(service) + cell_len(text))


def selected(strip: Strip, span: tuple[int, int] | None) -> Strip:
    """The strip with a part reversed: from a column up to another (-1: to the end)."""
    if span is None:
        return strip
    start, end = span[0], strip.cell_length if span[1] == -1 else min(span[1], strip.cell_length)
    chosen = strip.crop(start, end).apply_style(Style(reverse=True))
    return Strip.join([strip.crop(0, start), chosen, strip.crop(end)])

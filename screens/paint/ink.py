"""Ink: the styles by name, and the lines that are written with them.

Every text that reaches a screen passes `line` (or `safe`), so control sequences, bidirectional overrides and
markup from outside are shown and never obeyed. Styles name theme variables only; each theme defines them.
"""

from collections.abc import Iterable

from textual.content import Content

from console.domain.untrusted import safe

PLAIN = ""
STRONG = "bold"
QUIET = "$quiet"
GOOD = "$good"
NOW = "$now"
DANGER = "$danger"
IDENT = "$ident"
NOW_STRONG = "bold $now"
DANGER_STRONG = "bold $danger"
QUIET_STRONG = "bold $quiet"

Part = str | tuple[str, str] | Content


def line(*parts: Part) -> Content:
    """One line of texts, `(text, style)` pairs and lines already made; texts are made safe."""
    return Content.assemble(
        *(
            safe(part) if isinstance(part, str) else (safe(part[0]), part[1]) if isinstance(part, tuple) else part
            for part in parts
        )
    )


BLANK = Content("")


def fit(content: Content, width: int) -> Content:
    """The line cut to `width` cells, with an ellipsis where something is missing."""
    return content.truncate(max(width, 0), ellipsis=True)


def sides(left: Content, right: Content, width: int, *, gap: int = 1) -> Content:
    """`left` and, at the right edge, `right`; the left one gives way when both do not fit."""
    room = width - right.cell_length - gap
    if right.cell_length == 0:
        return fit(left, width)
    if room < 1:
        return fit(right, width)
    return Content.assemble(left.truncate(room, ellipsis=True, pad=True), " " * gap, right)


def wrapped(content: Content, width: int, *, first: Part = "", indent: int | None = None) -> list[Content]:
    """The text over as many lines as it needs; `first` stands before it, the lines below are indented alike."""
    head = line(first)
    margin = head.cell_length if indent is None else indent
    body = content.wrap(max(width - margin, 8))
    return [Content.assemble(head if number == 0 else " " * margin, part.rstrip()) for number, part in enumerate(body)]


def flowing(parts: Iterable[Content], width: int, *, first: Part = "", gap: int = 2) -> list[Content]:
    """Parts one after the other, none of them broken where a line ends; `first` stands before the first of them."""
    head = line(first)
    lines = [head]
    empty = True
    for part in parts:
        if not empty and lines[-1].cell_length + gap + part.cell_length > width:
            lines.append(Content(" " * head.cell_length))
            empty = True
        lines[-1] = Content.assemble(lines[-1], "" if empty else " " * gap, part)
        empty = False
    return lines


def paragraphs(texts: Iterable[str], width: int, style: str = PLAIN) -> list[Content]:
    """Each text wrapped; line feeds inside a text begin a new line."""
    lines: list[Content] = []
    for text in texts:
        for part in text.split("\n"):
            lines.extend(wrapped(line((part, style)), width))
    return lines


def heading(title: str, note: str = "") -> Content:
    """The title of a part of a pane."""
    return line((title, QUIET_STRONG), ("   " + note if note else "", QUIET))


def columns(rows: Iterable[tuple[str, Content]], width: int, *, indent: int = 0) -> list[Content]:
    """Labels in a column of their own, values wrapped beside them."""
    rows = list(rows)
    if not rows:
        return []
    label_width = min(max(Content(safe(label)).cell_length for label, _ in rows) + 2, max(width * 2 // 5, 14))
    lines: list[Content] = []
    for label, value in rows:
        head = Content.assemble(
            " " * indent, line((label, QUIET)).truncate(label_width - 1, ellipsis=True, pad=True), " "
        )
        lines.extend(wrapped(value, width, first=head))
    return lines


def bar(share: float, width: int, style: str = NOW) -> Content:
    """A progress bar of `width` cells; `share` is 0-1."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    full, half = divmod(halves, 2)
    rest = width - full - half
    return line(("━" * full + "╸" * half, style), ("─" * rest, QUIET))

"""Markdown from text that others wrote: it stands in the document as words, and can be nothing else there.

What always holds: a text keeps to its line or its cell, and brings no heading, list, table, link, image or HTML.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from console.domain.untrusted import one_line

TO_FILL_IN = "**[to be filled in]**"
"""What only a person knows."""

_SPECIAL = re.compile(
    r"[\\`*\[\]<>|~$]"  # wherever they stand
    r"|(?<!\w)_|_(?!\w)"  # inside a word it emphasises nothing
    r"|&(?=#?\w{1,32};)"  # an entity
    r"|:(?=//)"  # an address would become a link
    r"|^[#+=-]"  # at the beginning: a heading, a list, a line
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def words(text: str) -> str:
    """Text of others as inline Markdown on one line."""
    plain = one_line(text).strip()
    return _NUMBERED.sub(r"\1\\\2", _SPECIAL.sub(lambda found: f"\\{found[0]}", plain))


def code(text: str) -> str:
    """A name or a hash as a code span; inside one nothing is obeyed but its own end and a table's."""
    plain = one_line(text).replace("`", "'").replace("|", "¦").strip()
    return f"`{plain}`" if plain else "—"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table's lines, of cells that are Markdown already; nothing at all without rows."""
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    return [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}", *lines] if lines else []


def moment(at: datetime | None) -> str:
    """A moment in UTC to the second; a dash where there is none."""
    return "—" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def lasting(seconds: float) -> str:
    """A duration as people say it: `42 s`, `3 min 05 s`, `2 h 07 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def stamped(text: str) -> str:
    """An ISO 8601 moment of the record in UTC to the second; as it is when it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return words(text) or "—"
    return moment(at.astimezone(UTC)) if at.tzinfo is not None else words(text)

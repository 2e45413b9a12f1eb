"""A look at where production stands, as whoever drives here waits for it: it takes seconds and may be refused."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Looking:
    """`since` when a look is under way, None when none is; `refusal` why the last one failed, and what helps."""

    since: datetime | None = None
    refusal: str = ""
    remedy: str = ""


NOT_LOOKING = Looking()

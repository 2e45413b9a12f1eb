"""What a running step has said so far, as far as it was heard here: unjournaled, and gone when the console ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from console.domain.outcome import Progress

PART = "statement"
"""The key under which a step says which part of its work it is at, counted from 1."""
PARTS = "Statements"
"""The section of its preview that lists those parts."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The latest progress, the part that is being worked on, and when each part was first heard of.

    `part` is one more than the last that was begun once the step went on to something else.
    """

    progress: Progress
    part: int = 0
    said: str = ""
    began: Mapping[int, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def seconds(self, part: int, now: datetime) -> float | None:
        """How long a part took, or takes so far; None when its beginning was not heard."""
        start = self.began.get(part)
        if start is None:
            return None
        end = self.began.get(part + 1, now)
        return max((end - start).total_seconds(), 0.0)


def hear(before: Heard | None, progress: Progress, now: datetime) -> Heard:
    """Take one more progress in."""
    heard = Heard(progress) if before is None else replace(before, progress=progress)
    number = progress.data.get(PART)
    if isinstance(number, int) and not isinstance(number, bool):
        began = heard.began if number in heard.began else {**heard.began, number: now}
        return replace(heard, part=number, said=progress.text, began=began)
    if heard.said and progress.text != heard.said:
        part = heard.part + 1
        return replace(heard, part=part, said="", began={**heard.began, part: now})
    return heard

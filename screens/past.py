"""A moment of the past as the screens need it: when it was, what had just happened, and the run's time around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from console.domain.history import Turn


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Where in the run's time a view stands when it is not now.

    `at` is the moment, `place` of `count` events had happened; `sign` and `words` tell the last of them. The run's time
    goes from `begins` to `until`, `turns` are what matters in it. `new` events came since somebody began to look back.
    `stretch`: seconds that one goes at a time. `speed`: how many times as fast it plays, while it is `playing`.
    """

    at: datetime
    place: int
    count: int
    begins: datetime
    until: datetime
    turns: Sequence[Turn]
    sign: str
    words: str
    new: int
    stretch: float
    speed: float
    playing: bool

    def share(self, moment: datetime) -> float:
        """Where a moment stands in the run's time, 0-1."""
        whole = (self.until - self.begins).total_seconds()
        return min(max((moment - self.begins).total_seconds() / whole, 0.0), 1.0) if whole > 0 else 1.0

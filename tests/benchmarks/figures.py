"""A measured figure beside its budget (design section 12)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured. `budget`: the most that is wanted (the least, with `at_least`); None: shown only."""

    what: str
    value: float
    unit: str
    budget: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        if self.budget is None:
            return None
        return self.value >= self.budget if self.at_least else self.value <= self.budget

    def line(self) -> str:
        """One line for a person: `✔ first frame   1.31 × (budget ≤ 1.5 ×)`."""
        sign = {True: "✔", False: "✗", None: "·"}[self.kept]
        bound = "" if self.budget is None else f"(budget {'≥' if self.at_least else '≤'} {self.budget:,g} {self.unit})"
        return f"{sign} {self.what:<58}{self.value:>12,.2f} {self.unit:<8}{bound}  {self.note}".rstrip()

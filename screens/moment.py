"""A moment: everything that decides which commands make sense now."""

from dataclasses import dataclass, field

from console.domain.state import FindingState, RunState, SignOffState, StepState
from screens.view import View


@dataclass(frozen=True, slots=True)
class Moment:
    """The view, the screen, and what is selected on it. `doors` are the further screens that exist."""

    view: View
    screen: str = "run"
    step: StepState | None = None
    signoff: SignOffState | None = None
    finding: FindingState | None = None
    doors: frozenset[str] = field(default_factory=frozenset)
    next_pane: str = ""
    following: bool = True

    @property
    def state(self) -> RunState:
        """The state of the run."""
        return self.view.state

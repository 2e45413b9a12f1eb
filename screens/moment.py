"""A moment: everything that decides which commands make sense now."""

from dataclasses import dataclass, field

from console.domain.incident import MessageState
from console.domain.standing import WayBack
from console.domain.state import FindingState, RunState, RunStatus, SignOffState, StepState
from screens.view import View


@dataclass(frozen=True, slots=True)
class Moment:
    """The view, the screen, and what is selected on it. `doors` are the further screens that exist; `searching`: only
    lines with a text are shown, or the text is being typed.
    """

    view: View
    screen: str = "run"
    step: StepState | None = None
    signoff: SignOffState | None = None
    finding: FindingState | None = None
    way: WayBack | None = None
    message: MessageState | None = None
    doors: frozenset[str] = field(default_factory=frozenset)
    next_pane: str = ""
    following: bool = True
    searching: bool = False

    @property
    def state(self) -> RunState:
        """The state of the run."""
        return self.view.state

    @property
    def open(self) -> bool:
        """Whether the run has begun and is not closed."""
        return self.state.status in (RunStatus.RUNNING, RunStatus.HELD)

    @property
    def unfinished(self) -> bool:
        """Whether the run is not closed."""
        return self.state.status is not RunStatus.FINISHED

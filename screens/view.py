"""What a screen is given to show: the state, the moment, and what running steps said last. Immutable."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from msgspec import structs

from console.domain.outcome import Progress
from console.domain.standing import Assessment
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from console.ports import TailStatus
from screens.company import ALONE, Company
from screens.heard import Heard
from screens.looking import NOT_LOOKING, Looking
from screens.past import Past

_UNHEARD = TailStatus(connected=False, reason="nothing arrived yet")


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One picture's worth of facts. `news` holds what each running step said that is not journaled;
    `record_failed` why the record cannot be written, empty while it can; `looking` how the last look at where
    production stands is going. `past` is where in the run's time it stands when that is not now; `now` is then that
    moment.

    Two views are equal only when they are the same object: a new one always paints anew.
    """

    state: RunState
    now: datetime
    news: Mapping[str, Heard] = field(default_factory=dict)
    tail: TailStatus = _UNHEARD
    driving: bool = False
    record_failed: str = ""
    looking: Looking = NOT_LOOKING
    company: Company = ALONE
    """Who else is there."""
    past: Past | None = None

    @property
    def started(self) -> bool:
        """Whether somebody let the run begin."""
        return self.state.status is not RunStatus.NOT_STARTED

    @property
    def person(self) -> str:
        """Whom the run waits for when it waits: you, or whoever drives."""
        return "you" if self.driving else self.state.driver or "a person"

    @property
    def since_start(self) -> float:
        """Seconds since the run began, until it ended or now; 0 before it began."""
        if self.state.started_at is None:
            return 0.0
        until = self.state.finished_at or self.now
        return max((until - self.state.started_at).total_seconds(), 0.0)

    @property
    def current(self) -> StepState | None:
        """The step to look at now.

        What waits for a person because it went wrong, else what runs (the one with the longest way to go
        last started), else what waits for a person, else the first that is not over, else the last of all. While a way
        back is gone, only its steps count.
        """
        state = self.state
        trouble = [s for s in state.active if s.status in (StepStatus.FAILED, StepStatus.UNCERTAIN)]
        if trouble:
            return min(trouble, key=lambda s: s.status is not StepStatus.FAILED)
        if state.running:
            return state.running[0]
        if state.attention and self.started:
            return state.attention[0]
        steps = list(state.active)
        if state.status is RunStatus.FINISHED:
            return steps[-1] if steps else None
        unfinished = [s for s in steps if not s.over]
        return unfinished[0] if unfinished else steps[-1] if steps else None

    @property
    def next_steps(self) -> tuple[StepState, ...]:
        """The steps that come after the current one and are not over, in order."""
        current = self.current
        steps = list(self.state.active)
        if current is None or current not in steps:
            return ()
        place = steps.index(current)
        return tuple(s for s in steps[place + 1 :] if not s.over and s.status is not StepStatus.RUNNING)

    def progress(self, step: StepState) -> Progress:
        """The freshest progress of a running step: what it just said, else what the journal holds."""
        news = self.news.get(step.step.id)
        return news.progress if news is not None else Progress(step.progress_text, step.progress_share)

    @property
    def since_incident(self) -> float:
        """Seconds since the last incident was declared, until it was closed or now; 0 when there was none."""
        if not self.state.incidents:
            return 0.0
        incident = self.state.incidents[-1]
        until = incident.closed_at or self.state.finished_at or self.now
        return max((until - incident.at).total_seconds(), 0.0)

    @property
    def assessment(self) -> Assessment | None:
        """Where production stands, as it was looked at in this incident; None while nobody has."""
        assessment, since = self.state.assessment, self.state.incident_at
        if assessment is None or (since is not None and datetime.fromisoformat(assessment.at) < since):
            return None
        return assessment

    def of_the_way(self) -> "View":
        """The same as a run of nothing but the way back that is gone, begun when it was chosen; itself without one."""
        state, rollback = self.state, self.state.rollback
        if rollback is None:
            return self
        steps = {step.step.id: step for step in state.active}
        rows = tuple(row for row in state.plan.timeline if row.steps and set(row.steps) <= set(steps))
        plan = replace(state.plan, timeline=rows)
        return replace(self, state=structs.replace(state, plan=plan, steps=steps, started_at=rollback.at))

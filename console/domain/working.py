"""A run's state while events are being applied to it.

`Working` is mutable and never leaves `console.domain.fold`: it lets ten thousand events be folded without
copying the run for each of them. Only what an event touches is replaced; what follows from it (which steps
are ready, since when the run waits for a person) is derived after every event that can change it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from console.domain.dependencies import blocked
from console.domain.events import Event
from console.domain.plan import Json
from console.domain.schedule import waits_for_person
from console.domain.state import NoteState, RunState, StepState, StepStatus

_PENDING = frozenset({StepStatus.WAITING, StepStatus.READY, StepStatus.ARMED})


class Working:
    """The parts of a run's state, open for change. `freeze` makes a `RunState` of them."""

    def __init__(self, state: RunState) -> None:
        self.run = state
        self.seq = state.seq
        self.last_at = state.last_at
        self.steps = dict(state.steps)
        self.signoffs = dict(state.signoffs)
        self.criteria = dict(state.criteria)
        self.findings = dict(state.findings)
        self.alerts = dict(state.alerts)
        self.deploys = dict(state.deploys)
        self._notes: list[NoteState] | None = None
        self._progress: dict[str, list[Mapping[str, Json]]] = {}
        self._waits = state.waits
        self._waiting_since = state.waiting_since

    def step_of(self, event: Event) -> StepState:
        """The step that the event is about. Raises ValueError when the plan has no such step."""
        found = self.steps.get(event.step or "")
        if found is None:
            raise ValueError(f"event {event.seq} ({event.kind.value}) names the step {event.step!r}, not in the plan")
        return found

    def put(self, state: StepState) -> None:
        """Replace a step's state."""
        self.steps[state.step.id] = state

    def add_note(self, note: NoteState) -> None:
        """Append to the notes."""
        if self._notes is None:
            self._notes = list(self.run.notes)
        self._notes.append(note)

    def add_progress(self, step_id: str, data: dict[str, Json]) -> None:
        """Append to the durable progress of a step's current attempt."""
        if step_id not in self._progress:
            self._progress[step_id] = list(self.steps[step_id].progress)
        self._progress[step_id].append(data)

    def progress_of(self, step_id: str) -> tuple[Mapping[str, Json], ...]:
        """The durable progress of a step's current attempt."""
        return tuple(self._progress[step_id]) if step_id in self._progress else self.steps[step_id].progress

    def drop_progress(self, step_id: str) -> None:
        """Forget a step's durable progress: a new attempt begins."""
        self._progress.pop(step_id, None)

    def settle(self, at: datetime) -> None:
        """Derive what follows from the steps as they stand: waiting, ready or armed, and idle time."""
        for state in self.steps.values():
            if state.status in _PENDING:
                self._settle_step(state, at)
        idle = waits_for_person(self._with_steps())
        if idle and self._waiting_since is None:
            self._waiting_since = at
        elif not idle and self._waiting_since is not None:
            self._waits = (*self._waits, (self._waiting_since, at))
            self._waiting_since = None

    def freeze(self) -> RunState:
        """The state as it stands."""
        for step_id, progress in self._progress.items():
            self.steps[step_id] = replace(self.steps[step_id], progress=tuple(progress))
        return replace(
            self.run,
            seq=self.seq,
            last_at=self.last_at,
            steps=self.steps,
            signoffs=self.signoffs,
            criteria=self.criteria,
            findings=self.findings,
            alerts=self.alerts,
            deploys=self.deploys,
            notes=self.run.notes if self._notes is None else tuple(self._notes),
            waits=self._waits,
            waiting_since=self._waiting_since,
        )

    def _settle_step(self, state: StepState, at: datetime) -> None:
        waits = blocked(self.steps, state)
        unconfirmed = StepStatus.WAITING if waits else StepStatus.READY
        status = unconfirmed if state.yes is None else StepStatus.ARMED
        ready_at = None if waits else state.ready_at or at
        if status is not state.status or ready_at != state.ready_at:
            self.steps[state.step.id] = replace(state, status=status, ready_at=ready_at)

    def _with_steps(self) -> RunState:
        if self.run.steps is not self.steps:
            self.run = replace(self.run, steps=self.steps)
        return self.run

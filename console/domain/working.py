"""A run's state while events are being applied to it.

`Working` is mutable and never leaves `console.domain.fold`: it lets a hundred thousand events be folded without
copying the run for each of them. Only what an event touches is replaced; what follows from it (which steps
are ready, since when the run waits for a person) is derived after every event that can change it. What a later
event of its kind replaces as a whole (previews, progress, deploys, alerts) is kept as the event that said it,
and made of the last one only.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from msgspec import structs

from console.domain import payload
from console.domain.dependencies import blocked
from console.domain.events import Event
from console.domain.plan import Json
from console.domain.schedule import waits_for_person
from console.domain.state import AlertState, DeployState, NoteState, RunState, StepState, StepStatus
from console.domain.wire import decode_preview

_PENDING = frozenset({StepStatus.WAITING, StepStatus.READY, StepStatus.ARMED})


class Working:
    """The parts of a run's state, open for change. `freeze` makes a `RunState` of them."""

    def __init__(self, state: RunState) -> None:
        self.run = state
        self.last: Event | None = None
        """The event that was applied last."""
        self.steps = dict(state.steps)
        self.signoffs = dict(state.signoffs)
        self.criteria = dict(state.criteria)
        self.findings = dict(state.findings)
        self.raised: dict[str, Event] = {}
        """The last event that raised each alert."""
        self.cleared: dict[str, Event] = {}
        """The last event that cleared each alert since it was raised."""
        self.deploys: dict[str, Event] = {}
        """The last event that saw a deploy of each service."""
        self._notes: list[NoteState] | None = None
        self._progress: dict[str, list[Mapping[str, Json]]] = {}
        self._progressed: dict[str, Event] = {}
        self._previewed: dict[str, Event] = {}
        self._waits = state.waits
        self._waiting_since = state.waiting_since

    def step_of(self, event: Event) -> StepState:
        """The step that the event is about, as it stands. Raises ValueError when the plan has no such step."""
        step_id = self.id_of(event)
        if step_id in self._previewed:
            self.steps[step_id] = _looked_at(self.steps[step_id], self._previewed.pop(step_id))
        return self.steps[step_id]

    def id_of(self, event: Event) -> str:
        """The id of the step that the event is about. Raises ValueError when the plan has no such step."""
        if event.step is None or event.step not in self.steps:
            raise ValueError(f"event {event.seq} ({event.kind.value}) names the step {event.step!r}, not in the plan")
        return event.step

    def put(self, state: StepState) -> None:
        """Replace a step's state."""
        self.steps[state.step.id] = state

    def add_note(self, note: NoteState) -> None:
        """Append to the notes."""
        if self._notes is None:
            self._notes = list(self.run.notes)
        self._notes.append(note)

    def add_progress(self, event: Event) -> None:
        """Append to the durable progress of a step's current attempt."""
        step_id = self.id_of(event)
        if step_id not in self._progress:
            self._progress[step_id] = list(self.steps[step_id].progress)
        self._progress[step_id].append(payload.mapping(event.data, "data"))
        self._progressed[step_id] = event

    def progress_of(self, step_id: str) -> tuple[Mapping[str, Json], ...]:
        """The durable progress of a step's current attempt."""
        return tuple(self._progress[step_id]) if step_id in self._progress else self.steps[step_id].progress

    def look_at(self, event: Event) -> None:
        """Keep a step's preview until somebody asks for the step: the next one replaces it."""
        self._previewed[self.id_of(event)] = event

    def begin_anew(self, step_id: str) -> None:
        """Forget what a step's current attempt left."""
        self._progress.pop(step_id, None)
        self._progressed.pop(step_id, None)
        self._previewed.pop(step_id, None)

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
        for step_id, event in self._previewed.items():
            self.steps[step_id] = _looked_at(self.steps[step_id], event)
        for step_id, event in self._progressed.items():
            self.steps[step_id] = _progressed(self.steps[step_id], tuple(self._progress[step_id]), event)
        return structs.replace(
            self.run,
            seq=self.run.seq if self.last is None else self.last.seq,
            last_at=self.run.last_at if self.last is None else self.last.at,
            steps=self.steps,
            signoffs=self.signoffs,
            criteria=self.criteria,
            findings=self.findings,
            alerts=self._alerts(),
            deploys={**self.run.deploys, **{each: _deploy(each, event) for each, event in self.deploys.items()}},
            notes=self.run.notes if self._notes is None else tuple(self._notes),
            waits=self._waits,
            waiting_since=self._waiting_since,
        )

    def _alerts(self) -> dict[str, AlertState]:
        alerts = {**self.run.alerts, **{each: _alert(each, event) for each, event in self.raised.items()}}
        for each, event in self.cleared.items():
            if each in alerts:
                alerts[each] = replace(alerts[each], cleared=payload.text(event.data, "reason") or "cleared")
        return alerts

    def _settle_step(self, state: StepState, at: datetime) -> None:
        waits = blocked(self.steps, state)
        unconfirmed = StepStatus.WAITING if waits else StepStatus.READY
        status = unconfirmed if state.yes is None else StepStatus.ARMED
        ready_at = None if waits else state.ready_at or at
        if status is not state.status or ready_at != state.ready_at:
            self.steps[state.step.id] = structs.replace(state, status=status, ready_at=ready_at)

    def _with_steps(self) -> RunState:
        if self.run.steps is not self.steps:
            self.run = structs.replace(self.run, steps=self.steps)
        return self.run


def _looked_at(step: StepState, event: Event) -> StepState:
    preview = decode_preview(event.data.get("preview"))
    return structs.replace(step, preview=preview, preview_digest=payload.text(event.data, "digest") or preview.digest)


def _progressed(step: StepState, progress: tuple[Mapping[str, Json], ...], last: Event) -> StepState:
    text, share = payload.text(last.data, "text"), payload.number_or_none(last.data, "share")
    return structs.replace(step, progress=progress, progress_text=text, progress_share=share)


def _deploy(service: str, event: Event) -> DeployState:
    return DeployState(
        service=service,
        deploy=payload.text(event.data, "deploy"),
        status=payload.text(event.data, "status"),
        commit=payload.text(event.data, "commit"),
        trigger=payload.text(event.data, "trigger"),
        at=event.at,
    )


def _alert(alert: str, event: Event) -> AlertState:
    return AlertState(
        id=alert,
        severity=payload.text(event.data, "severity", "warning"),
        message=payload.text(event.data, "message"),
        at=event.at,
        offer=payload.text_or_none(event.data, "offer"),
    )

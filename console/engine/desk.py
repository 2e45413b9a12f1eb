"""What the code that carries a step out works with: the state, the writer, the step's action and its context."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from console.domain.events import Draft, Event, Kind
from console.domain.outcome import Progress
from console.domain.plan import Json, Step
from console.domain.schedule import changes_production
from console.domain.state import RunState, StepStatus
from console.engine.feed import RunFeed
from console.engine.writer import Decision, Writer
from console.ports import Action, Clock, Context, Journal, Report, StepNews

T = TypeVar("T")

BEGUN = frozenset({StepStatus.RUNNING, StepStatus.UNCERTAIN})


@dataclass(frozen=True, slots=True)
class Limits:
    """Wall seconds after which the conductor gives up waiting for an action's reads; attempts at a lost request."""

    preview: float = 90.0
    probe: float = 90.0
    verify: float = 600.0
    attempts: int = 3


async def outcome_of(work: Awaitable[T]) -> T:
    """What an action's work gives. A cancellation that came from within the work is its failure, not our end."""
    try:
        return await work
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RuntimeError("its work was cancelled from within") from error


class Desk:
    """One run's desk, shared by all its steps."""

    def __init__(
        self,
        journal: Journal,
        actions: Callable[[Step], Action],
        clock: Clock,
        feed: RunFeed,
        writer: Writer,
        *,
        redact: Callable[[str], str],
        limits: Limits,
    ) -> None:
        self._journal = journal
        self._actions = actions
        self._clock = clock
        self._feed = feed
        self._writer = writer
        self.redact = redact
        self.limits = limits

    @property
    def state(self) -> RunState:
        """The state as it is now."""
        return self._writer.state

    def action(self, step_id: str) -> Action:
        """The code behind a step."""
        return self._actions(self.state.steps[step_id].step)

    def context(self, step_id: str, limits: Mapping[str, float] | None = None) -> Context:
        """What an action is given, made from the state as it is now; `limits` are those that the yes accepted."""
        step = self.state.steps[step_id]
        return Context(
            plan=self.state.plan,
            step=step.step,
            run=self._journal.run,
            state=self.state,
            clock=self._clock,
            artifacts=self._journal.directory / "artifacts",
            before=step.before,
            recorded=step.progress,
            limits=limits or {},
            attempt=step.attempt if step.status in BEGUN else step.attempt + 1,
            stopping=lambda: self._writer.ends or self.state.steps[step_id].stopping,
        )

    def kept_back(self, step_id: str) -> bool:
        """Whether a step that changes production is not begun now: the shared record is lost, also if that is not on
        record yet, and nobody has said that they alone drive."""
        state = self.state
        waived = state.apart is not None and bool(state.apart.waived)
        return bool(self._journal.apart) and not waived and changes_production(state.steps[step_id].step)

    async def cut_off(self, step_id: str) -> bool:
        """Whether a step may not begin although its start is recorded: another driver took the run over, or it changes
        production and its start reached nobody but us."""
        if self._writer.ends:
            return True
        return self.kept_back(step_id) and not await self._journal.confirmed()

    def report(self, step_id: str) -> Report:
        """Where a running action reports its progress; a durable one is journaled before the report returns."""

        async def tell(progress: Progress) -> None:
            shown = self._without_secrets(progress)
            if shown.durable:
                data: dict[str, Json] = {"text": shown.text, "share": shown.share, "data": dict(shown.data)}
                await self.record(lambda _: (Draft(Kind.STEP_PROGRESSED, step_id, data),))
            self._feed.publish(StepNews(step_id, shown))

        return tell

    def _without_secrets(self, progress: Progress) -> Progress:
        """What may be shown; the writer cleans what is recorded, whatever it is."""
        lines = tuple(
            replace(each, text=self.redact(each.text), note=self.redact(each.note)) for each in progress.lines
        )
        data = {key: self.redact(value) if isinstance(value, str) else value for key, value in progress.data.items()}
        return replace(
            progress,
            text=self.redact(progress.text),
            safe_point=self.redact(progress.safe_point),
            lines=lines,
            data=data,
        )

    async def record(self, decision: Decision, actor: str | None = None) -> tuple[Event, ...]:
        """Have the one writer decide and append; what became durable. Raises JournalError, Refused."""
        return await self._writer.record(decision, actor)

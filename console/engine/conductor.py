"""The conductor of a run: takes intents, starts what is due, carries steps out side by side.

Everything that becomes an event passes through the one writer and is decided on the state of that moment,
so intents and running steps never contradict each other. The conductor acts only on what is durable; when
the journal cannot be written it starts nothing more, lets what runs come to its next safe point, and says so.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from console.domain import intents as i
from console.domain.decide import decide
from console.domain.events import Draft, Event, Kind
from console.domain.plan import Json, Plan, Step
from console.domain.schedule import due
from console.domain.state import RunState, RunStatus, StepStatus
from console.domain.wire import plan_digest
from console.engine.desk import BEGUN, Desk, Limits
from console.engine.execution import attempt, look
from console.engine.failures import failed
from console.engine.feed import RunFeed
from console.engine.incident import IncidentDesk
from console.engine.recovery import decide_done, left_open, reconcile, record_by_hand
from console.engine.tasks import Tasks, Work
from console.engine.writer import Decision, Writer, let_go
from console.errors import ConsoleError, JournalError, Refused, TakenOver
from console.ports import Action, Clock, Journal, JournalFailed


@dataclass(frozen=True, slots=True)
class About:
    """Who drives (`user@host`), from where, with which console, and whether it is a rehearsal.

    `remarks` are notes that the record should open with, e.g. that a torn line was cut off; `name` is what the driver's
    account says that they are called, `login` whom the shared record takes them for.
    """

    actor: str
    host: str = ""
    pid: int = 0
    version: str = ""
    rehearsal: bool = False
    remarks: tuple[str, ...] = ()
    name: str = ""
    login: str = ""


class Conductor:
    """Drives one run. `run` is awaited once, by whoever owns the run; `send` takes intents (`ports.Helm`)."""

    def __init__(
        self,
        plan: Plan,
        journal: Journal,
        actions: Callable[[Step], Action],
        clock: Clock,
        feed: RunFeed,
        about: About,
        *,
        redact: Callable[[str], str] = lambda text: text,
        limits: Limits | None = None,
        incident: IncidentDesk | None = None,
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._feed = feed
        self._about = about
        self._redact = redact
        self._writer = Writer(plan, journal, clock, feed, redact)
        self._desk = Desk(journal, actions, clock, feed, self._writer, redact=redact, limits=limits or Limits())
        self._incident = incident or IncidentDesk()
        self._tasks = Tasks(self._writer.poke)
        self._closing: str | None = None
        self._close = asyncio.Event()
        self._begun = False
        self._ended = asyncio.Event()

    @property
    def state(self) -> RunState:
        """The state as it is now."""
        return self._writer.state

    async def run(self) -> RunState:
        """Drive until the run is finished or `close` is called; the state then.

        A run that is finished already is left as it is. The last line of an orderly end is that the driver left:
        a line is protected by the one behind it, so the end of the run itself cannot be edited unseen.

        Raises JournalError when the record can no longer be written, after what ran has come to a stop.
        """
        self._begun = True
        try:
            if self.state.status is RunStatus.FINISHED or self._closing is not None:
                return self.state
            await self._writer.append(self._opening())
            await self._writer.follow_up()
            for each in self.state.steps.values():
                if each.status is StepStatus.UNCERTAIN:
                    self._spawn(each.step.id, reconcile)
            while self._goes_on():
                self._start_due()
                await self._writer.serve()
            await self._tasks.cancel()
            await self._writer.append((Draft(Kind.DRIVER_LEFT, data={"reason": self._closing or "it is finished"}),))
        except JournalError as error:
            self._feed.publish(JournalFailed(error.message, error.remedy))
            self._writer.shut(error)
            await self._tasks.settled(unless=self._close)
            raise
        except Exception as error:
            message = self._redact(f"The console ended with a defect: {type(error).__name__}: {error}")
            self._feed.publish(JournalFailed(message, "Start the console again; it takes the run up."))
            raise
        finally:
            await self._tasks.cancel()
            self._writer.shut(let_go())
            self._ended.set()
        return self.state

    async def close(self, reason: str = "the console was closed") -> None:
        """Let go of the run and return when nothing of it goes on here.

        Steps that run are left as they are: their end is looked for when the run is taken up again.
        """
        self._closing = reason
        self._close.set()
        self._writer.poke()
        if self._begun:
            await self._ended.wait()

    def give_way(self, error: TakenOver) -> None:
        """Another driver took the run over: begin nothing more, and end when what runs has come to a safe point.

        What it says until then is still recorded, here. `run` raises the error then.
        """
        if self._writer.taken_over is None:
            self._writer.taken_over = error
            self._writer.poke()

    async def send(self, intent: i.Intent) -> None:
        """Ask for something. Returns when its events are durable; raises Refused with the reason."""
        actor, desk, taken_over = self._about.actor, self._desk, self._writer.taken_over
        if taken_over is not None:
            raise Refused(taken_over.message, production=taken_over.production, remedy=taken_over.remedy)
        await self.record(lambda state: decide(state, intent, actor), actor)
        match intent:
            case i.Look(step):
                await self._tasks.look(step, lambda: look(desk, step))
            case i.DoneByHand(step, note, accept):
                await self._tasks.alone(step, record_by_hand(desk, step, note, accept, actor))
            case i.Reconcile(step, "probe"):
                await self._tasks.alone(step, reconcile(desk, step))
            case i.Reconcile(step, "done", note):
                await self._tasks.alone(step, decide_done(desk, step, note, actor))
            case i.Assess():
                await self._incident.assess(desk, self._clock)
            case i.SendMessage(message, subject, text):
                await self._incident.deliver(desk, message, subject, text, actor)

    async def record(self, decision: Decision, actor: str | None = None) -> tuple[Event, ...]:
        """Have the writer decide and append, as the console itself unless told; what became durable."""
        return await self._writer.record(decision, actor)

    def _opening(self) -> tuple[Draft, ...]:
        """What the record opens with: a new run, or the return to one, with what a dead process left open."""
        about, state = self._about, self.state
        drafts = [] if state.created_at is not None else [self._created()]
        joined: dict[str, Json] = {"actor": about.actor, "host": about.host, "pid": about.pid}
        known: dict[str, Json] = {key: text for key, text in (("name", about.name), ("login", about.login)) if text}
        drafts.append(Draft(Kind.DRIVER_JOINED, data=joined | known))
        drafts += [Draft(Kind.NOTE_ADDED, data={"text": each}) for each in about.remarks]
        drafts += left_open(state)
        if state.status is RunStatus.RUNNING:
            drafts.append(Draft(Kind.RUN_RESUMED))
        return tuple(drafts)

    def _created(self) -> Draft:
        plan: dict[str, Json] = {
            "name": self._plan.name,
            "title": self._plan.title,
            "environment": self._plan.environment,
            "digest": plan_digest(self._plan),
        }
        data: dict[str, Json] = {
            "plan": plan,
            "rehearsal": self._about.rehearsal,
            "pace": self._clock.pace,
            "host": self._about.host,
            "console": self._about.version,
        }
        return Draft(Kind.RUN_CREATED, data=data)

    def _goes_on(self) -> bool:
        """Whether there is something to drive. Raises the JournalError that ended it."""
        if self._writer.trouble is not None:
            raise self._writer.trouble
        if self._writer.taken_over is not None and self._tasks.idle:
            raise self._writer.taken_over
        return self._closing is None and self.state.status is not RunStatus.FINISHED

    def _start_due(self) -> None:
        if self._writer.taken_over is not None:
            return
        for step_id in due(self.state):
            if not self._tasks.busy(step_id) and not self._desk.kept_back(step_id):
                self._spawn(step_id, attempt)

    def _spawn(self, step_id: str, work: Callable[[Desk, str], Work]) -> None:
        self._tasks.spawn(step_id, self._guarded(step_id, work))

    async def _guarded(self, step_id: str, work: Callable[[Desk, str], Work]) -> None:
        """A defect in carrying a step out is a failed step, never a dead conductor."""
        try:
            await work(self._desk, step_id)
        except ConsoleError:
            return  # the journal or the conductor is closed: its owner is told, and the record speaks for itself
        except Exception as error:
            standing = self.state.steps[step_id]
            defect = failed(standing.step, error, begun=standing.status in BEGUN)
            await self.record(lambda _: (defect,))

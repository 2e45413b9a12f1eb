"""The driver of an unattended rehearsal: sends the intents that a person would send, and no others.

It looks before it confirms, arms what can be armed, ticks, and signs as `rehearsal:<role>`. At the first step
that failed, or that nobody can tell, it holds the run, lets what runs side by side come to its end, and
stops: such a step is for a person; or it goes the way back that was asked for. It never decides anything by guess, and
it drives rehearsals only.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from console.domain import intents as i
from console.domain.plan import StepKind, Strength
from console.domain.schedule import armable
from console.domain.signing import REHEARSAL_NAME
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from console.engine.way_back import RECOMMENDED, ending, for_a_person, go_back, to_be_sent
from console.errors import ConsoleError, Refused
from console.ports import Feed, Helm, JournalFailed, Update


class Ending(StrEnum):
    """How an unattended run came to its end here. A stopped run stays open and can be resumed."""

    COMPLETED = "completed"
    CLOSED = "closed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it ended; where it stopped, at which step, what failed, what state production is in, what to do next."""

    ending: Ending
    step: str | None = None
    message: str = ""
    production: str = ""
    remedy: str = ""

    @property
    def words(self) -> str:
        """Where it stopped and why, in one line."""
        return f"{self.step}: {self.message}" if self.step else self.message


class Autopilot:
    """Drives one run through its helm. `drive` is awaited once, beside the conductor's `run`."""

    def __init__(
        self,
        helm: Helm,
        feed: Feed,
        *,
        retry_failed: bool = False,
        way_back: str | None = None,
        patience: int = 3,
    ) -> None:
        """`retry_failed`: what had failed when the run was taken up is tried once more.

        `way_back`: the way that is gone at the first failure (`recommended`, or a `Way`) instead of stopping there.
        `patience`: how often a step is confirmed anew when its facts change between the look and the start.
        """
        self._helm = helm
        self._feed = feed
        self._retry_failed = retry_failed
        self._way_back = way_back
        self._patience = patience
        self._changed = asyncio.Event()
        self._journal_failed: JournalFailed | None = None
        self._confirmed: Counter[str] = Counter()
        self._armed_in_vain: set[str] = set()

    async def drive(self) -> Outcome:
        """Drive until the run is finished, or until a person is needed."""
        unsubscribe = self._feed.subscribe(self._hear)
        try:
            return await self._until_it_ends()
        except ConsoleError as error:
            return _stopped(None, error)
        finally:
            unsubscribe()

    async def _until_it_ends(self) -> Outcome:
        while self._feed.state.created_at is None:
            await self._news()
        if not self._feed.state.rehearsal:
            raise Refused("Only a rehearsal is driven unattended.", remedy="Drive this run by hand.")
        await self._take_up()
        while True:
            self._changed.clear()
            state = self._feed.state
            outcome = self._ended(state)
            if outcome is not None and not self._may_go_back(state, outcome):
                return outcome
            if outcome is not None:
                await go_back(self._helm, self._feed, self._way_back or RECOMMENDED, outcome.words)
            elif not await self._go_on(state):
                await self._news()

    def _may_go_back(self, state: RunState, outcome: Outcome) -> bool:
        """Whether a way back is gone from here: once a run, and only from something that went wrong in it."""
        stopped = outcome.ending is Ending.STOPPED and self._journal_failed is None
        return stopped and self._way_back is not None and not state.rollbacks

    def _ended(self, state: RunState) -> Outcome | None:
        """The outcome, when there is nothing left to do here."""
        if state.status is RunStatus.FINISHED:
            ending = Ending.COMPLETED if state.outcome == "completed" else Ending.CLOSED
            return Outcome(ending, message=state.outcome_reason, production=state.production)
        if self._journal_failed is not None:
            return Outcome(Ending.STOPPED, message=self._journal_failed.message, remedy=self._journal_failed.remedy)
        trouble = self._trouble(state)
        return trouble if trouble is not None and _quiet(state) else None

    async def _take_up(self) -> None:
        """Begin, or go on with a run that was held; try once more what had failed, if that was asked for."""
        state = self._feed.state
        if state.status is RunStatus.NOT_STARTED:
            await self._helm.send(i.Start())
        for each in state.active if self._retry_failed and not self._goes_back_from(state) else ():
            step = self._feed.state.steps[each.step.id]
            if step.status is StepStatus.FAILED and step.step.kind is StepKind.ACTION:
                await self._helm.send(_again(step))
        if state.status is RunStatus.HELD and not self._goes_back_from(state):
            await self._helm.send(i.Resume())

    def _goes_back_from(self, state: RunState) -> bool:
        """Whether the run was left in an incident from which the way back is still to be chosen."""
        return self._way_back is not None and state.incident_at is not None and state.rollback is None

    async def _go_on(self, state: RunState) -> bool:
        """Send what is next. False when there is nothing to send until the run moves."""
        if self._trouble(state) is not None:
            if state.status is not RunStatus.RUNNING:
                return False
            await self._helm.send(i.Hold("the unattended rehearsal stops here"))
            return True
        unsent = to_be_sent(state)
        if unsent is not None:
            await self._helm.send(unsent)
            return True
        if state.complete:
            end = ending(state)
            if end is not None:
                await self._helm.send(end)
            return end is not None
        for step in state.active:
            if await self._serve(state, step):
                return True
        return False

    async def _serve(self, state: RunState, step: StepState) -> bool:
        """Send what a step waits for. False when it waits for nothing that can be given."""
        ready = step.status is StepStatus.READY
        special = for_a_person(state, step)
        if special is not None:
            if ready:
                await self._helm.send(special)
            return ready
        if ready and step.step.kind is StepKind.MANUAL:
            await self._helm.send(i.Tick(step.step.id, "ticked by the unattended rehearsal"))
            return True
        if ready and step.step.kind is StepKind.SIGNOFF:
            role = step.step.role or ""
            await self._helm.send(i.Sign(role, f"{REHEARSAL_NAME}{role}", approve=True, by_voice=False))
            return True
        if step.step.confirmation is None or step.yes is not None:
            return False
        if ready or (armable(state, step) and step.step.id not in self._armed_in_vain):
            await self._confirm(step)
            return True
        return False

    async def _confirm(self, step: StepState) -> None:
        """Look, and say yes to what was seen. A look that fails has made a ready step fail; arming waits."""
        step_id, asked = step.step.id, step.step.confirmation
        try:
            await self._helm.send(i.Look(step_id))
            typed = asked.phrase if asked is not None and asked.strength is Strength.TYPE else ""
            digest = self._feed.state.steps[step_id].preview_digest or ""
            await self._helm.send(i.Confirm(step_id, digest, typed=typed))
            self._confirmed[step_id] += 1
        except Refused as refused:
            now = self._feed.state.steps[step_id].status
            if now is StepStatus.READY and step.status is StepStatus.READY:
                raise
            if now is StepStatus.WAITING:
                self._armed_in_vain.add(step_id)
            elif now is not StepStatus.FAILED and now is not StepStatus.READY:
                raise refused from None

    def _trouble(self, state: RunState) -> Outcome | None:
        """Why a person is needed; None while nobody is."""
        if state.incident_at is not None and state.rollback is None:
            return Outcome(Ending.STOPPED, message=f"An incident is open: {state.incident_reason}")
        for step in state.active:
            if step.status is StepStatus.FAILED and step.failure is not None:
                failure = step.failure
                return Outcome(Ending.STOPPED, step.step.id, failure.message, failure.production, failure.remedy)
            if step.status is StepStatus.UNCERTAIN and step.unknown:
                return Outcome(Ending.STOPPED, step.step.id, step.unknown, remedy="Decide whether it was done.")
            if state.kept_by_guard(step):
                return Outcome(Ending.STOPPED, step.step.id, "A guard of it was left out.", remedy="Override it there.")
            if self._confirmed[step.step.id] > self._patience and step.yes is None and not step.over:
                return Outcome(Ending.STOPPED, step.step.id, step.void, remedy="Find out what keeps changing.")
        return None

    async def _news(self) -> None:
        await self._changed.wait()
        self._changed.clear()

    def _hear(self, update: Update) -> None:
        if isinstance(update, JournalFailed):
            self._journal_failed = update
        self._changed.set()


def _quiet(state: RunState) -> bool:
    """Whether nothing runs, nothing is being probed, and nothing will start by itself."""
    probing = any(each.status is StepStatus.UNCERTAIN and not each.unknown for each in state.steps.values())
    return not state.running and not probing and state.status is not RunStatus.RUNNING


def _again(step: StepState) -> i.Retry | i.Reopen:
    """Try a failed step again, from the step that its failure says must be done again."""
    reopens = step.failure.reopens if step.failure is not None else ()
    if reopens:
        return i.Reopen(reopens[0], f"{step.step.title} failed and is tried again from here")
    return i.Retry(step.step.id)


def _stopped(step: str | None, error: ConsoleError) -> Outcome:
    return Outcome(Ending.STOPPED, step, error.message, error.production, error.remedy)

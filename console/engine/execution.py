"""One attempt at one step: look, compare with what was confirmed, start, perform, verify, end.

What always holds: a step acts only after its `step.started` is durable; one that was confirmed only if what was
confirmed is still so and, where the record is shared, its start stands in the shared record too. Whatever an action
raises becomes an event; only a journal that cannot be written ends the attempt without one.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from console.domain.events import Draft, Kind
from console.domain.outcome import Evidence, Preview
from console.domain.plan import Json
from console.domain.schedule import due
from console.domain.state import RunState, RunStatus, StepState, StepStatus, Yes
from console.domain.wire import encode_evidence, encode_preview
from console.engine.desk import Desk, outcome_of
from console.engine.failures import NOTHING_DONE, failed
from console.engine.recovery import reconcile, verification_error
from console.errors import ConsoleError, HostingError, JournalError, OutcomeUnknown, Refused, StepFailed

ON_ITS_WAY = frozenset({StepStatus.WAITING, StepStatus.READY, StepStatus.ARMED, StepStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Opening:
    """What an attempt begins with: the preview taken just before, and the yes that it fulfils."""

    preview: Preview
    yes: Yes | None


async def attempt(desk: Desk, step_id: str) -> None:
    """Carry a step out, if it is still due once it was looked at."""
    opening = await _open(desk, step_id)
    if opening is None:
        return
    started = await desk.record(lambda state: _start(state, step_id, opening))
    if started and await desk.cut_off(step_id):
        await desk.record(_running(step_id, failed(desk.state.steps[step_id].step, _cut_off(), begun=False)))
    elif started:
        await _carry_out(desk, step_id, opening.yes.limits if opening.yes is not None else {})


async def look(desk: Desk, step_id: str) -> None:
    """Take a preview for a person. Raises Refused when that fails; a step that was ready has then failed."""
    try:
        preview = await _preview(desk, step_id)
    except JournalError:
        raise
    except Exception as error:
        await _look_failed(desk, step_id, error)
        raise Refused(
            f"{desk.state.steps[step_id].step.title} cannot be done as things are: {desk.redact(_words(error))}",
            production=NOTHING_DONE,
            remedy=error.remedy if isinstance(error, ConsoleError) else "Look again.",
        ) from error
    if not await desk.record(lambda state: _seen(desk, state.steps[step_id], preview)):
        raise Refused(f"{desk.state.steps[step_id].step.title} has begun meanwhile.")


async def _open(desk: Desk, step_id: str) -> Opening | None:
    """Look anew. None when the step failed before it began, or its yes is void; both are then on record."""
    state = desk.state.steps[step_id]
    yes = state.yes
    try:
        action = desk.action(step_id)
        if action.destructive and yes is None:
            raise StepFailed(
                f"{state.step.title} changes production, and the plan asks nobody to confirm it.",
                production=NOTHING_DONE,
                remedy="Give the step a confirmation in the plan.",
            )
        preview = await _preview(desk, step_id)
    except JournalError:
        raise
    except Exception as error:
        draft = failed(state.step, error, begun=False)
        await desk.record(lambda now: (draft,) if step_id in due(now) else ())
        return None
    if yes is None:
        return Opening(preview, None)
    if not _changed(desk, state, preview, yes)[0]:
        return Opening(preview, yes)
    await desk.record(lambda now: _seen(desk, now.steps[step_id], preview) if now.steps[step_id].yes == yes else ())
    return None


async def _carry_out(desk: Desk, step_id: str, limits: Mapping[str, float]) -> None:
    step = desk.state.steps[step_id].step
    try:
        work = desk.action(step_id).perform(desk.context(step_id, limits), desk.report(step_id))
        evidence = await outcome_of(work)
    except JournalError:
        raise
    except Exception as error:
        if _unclear(error):
            await _look_for_it(desk, step_id, error)
        else:
            await desk.record(_running(step_id, failed(step, error, begun=True)))
        return
    await _conclude(desk, step_id, evidence)


async def _conclude(desk: Desk, step_id: str, evidence: Evidence) -> None:
    step = desk.state.steps[step_id].step
    error = await verification_error(desk, step_id, evidence)
    if error is not None:
        await desk.record(_running(step_id, failed(step, error, begun=True, evidence=evidence)))
        return
    data: dict[str, Json] = {"evidence": encode_evidence(evidence), "by": "action", "note": "", "accepted": ""}
    await desk.record(_running(step_id, Draft(Kind.STEP_SUCCEEDED, step_id, data)))


async def _look_for_it(desk: Desk, step_id: str, error: Exception) -> None:
    """Nobody knows whether it was done: the step is uncertain, and probed at once.

    Only a request whose answer was lost is worth repeating by itself, and that not for ever: whatever else was found
    not to have been done has failed.
    """
    why = _words(error)
    await desk.record(_running(step_id, Draft(Kind.STEP_UNCERTAIN, step_id, {"why": why})))
    if not _lost(error):
        await reconcile(desk, step_id, give_up=error)
    elif desk.state.steps[step_id].attempt % desk.limits.attempts == 0:
        await reconcile(desk, step_id, give_up=StepFailed(f"{why} (after {desk.limits.attempts} attempts)"))
    else:
        await reconcile(desk, step_id)


async def _look_failed(desk: Desk, step_id: str, error: Exception) -> None:
    draft = failed(desk.state.steps[step_id].step, error, begun=False)

    def fail(state: RunState) -> tuple[Draft, ...]:
        ready = state.steps[step_id].status is StepStatus.READY and state.status is RunStatus.RUNNING
        return (draft,) if ready else ()

    await desk.record(fail)


async def _preview(desk: Desk, step_id: str) -> Preview:
    async with asyncio.timeout(desk.limits.preview):
        return await outcome_of(desk.action(step_id).preview(desk.context(step_id)))


def _start(state: RunState, step_id: str, opening: Opening) -> tuple[Draft, ...]:
    """`step.started`, unless something happened while the step was looked at: a hold, another yes, a skip.

    What was seen just before stands in front of it, where nobody had seen it yet.
    """
    step = state.steps[step_id]
    if step_id not in due(state) or step.yes != opening.yes:
        return ()
    data: dict[str, Json] = {
        "attempt": step.attempt + 1,
        "before": dict(opening.preview.before),
        "digest": opening.preview.digest if opening.yes is not None else None,
    }
    started = Draft(Kind.STEP_STARTED, step_id, data)
    return (
        (started,) if step.preview_digest == opening.preview.digest else (_previewed(step_id, opening.preview), started)
    )


def _seen(desk: Desk, step: StepState, preview: Preview) -> tuple[Draft, ...]:
    """What a look at a step that has not begun adds to the record; a yes that it shows to be outdated is void at once.

    So the preview on record is always that which a yes was given for, and a difference is told against it.
    """
    if step.status not in ON_ITS_WAY:
        return ()
    again = _previewed(step.step.id, preview)
    reason, difference = _changed(desk, step, preview, step.yes) if step.yes is not None else ("", ())
    if not reason:
        return (again,)
    return Draft(Kind.STEP_DISARMED, step.step.id, {"reason": reason, "difference": [*difference]}), again


def _changed(desk: Desk, state: StepState, preview: Preview, yes: Yes) -> tuple[str, tuple[str, ...]]:
    """Why a yes no longer holds, with the difference; an empty reason when it does."""
    if preview.digest != yes.digest:
        return "The world has changed since this was confirmed.", _difference(desk, state.preview, preview)
    passed = tuple(_passed(preview, yes))
    return ("A limit that was confirmed is passed.", passed) if passed else ("", ())


def _passed(preview: Preview, yes: Yes) -> Iterator[str]:
    """The readings for which the yes does not stand: beyond their limit, gone, or not shown when it was given."""
    readings = {each.label: each for each in preview.readings}
    for label, limit in yes.limits.items():
        reading = readings.get(label)
        if reading is None:
            yield f"{label}: can no longer be read, confirmed up to {limit:g}"
        elif reading.amount is not None and not reading.amount <= limit:
            yield f"{label}: {reading.value}, confirmed up to {limit:g}"
    for reading in preview.readings:
        if reading.limit is not None and reading.label not in yes.limits:
            yield f"{reading.label}: {reading.value}, which was not shown"


def _difference(desk: Desk, shown: Preview | None, now: Preview) -> tuple[str, ...]:
    old = {each.label: each.value for each in shown.facts} if shown is not None else {}
    new = {each.label: desk.redact(each.value) for each in now.facts}
    lines = [
        f"{label}: {old.get(label, 'not there')} → {new.get(label, 'gone')}"
        for label in dict.fromkeys((*old, *new))
        if old.get(label) != new.get(label)
    ]
    return tuple(lines) or ("The facts are in another order.",)


def _previewed(step_id: str, preview: Preview) -> Draft:
    data: dict[str, Json] = {"digest": preview.digest, "preview": encode_preview(preview)}
    return Draft(Kind.STEP_PREVIEWED, step_id, data)


def _running(step_id: str, draft: Draft) -> Callable[[RunState], tuple[Draft, ...]]:
    return lambda state: (draft,) if state.steps[step_id].status is StepStatus.RUNNING else ()


def _unclear(error: Exception) -> bool:
    """Whether production may have been changed although the action did not come to its own end.

    An action that raises an error of the console's says itself how far it came; a request that the provider answered
    with an error of its own may have been carried out, and a defect may strike at any line.
    """
    if isinstance(error, HostingError):
        return _lost(error) or (error.sent and not error.retryable)
    return _lost(error) or not isinstance(error, ConsoleError)


def _cut_off() -> StepFailed:
    return StepFailed(
        "The shared record was lost as this step was about to begin: somebody else may drive.",
        production=NOTHING_DONE,
        remedy="Wait until it is reached again, or say that nobody else drives; then try again.",
        retry=True,
    )


def _lost(error: Exception) -> bool:
    """Whether a request may have been carried out although its answer never came."""
    return isinstance(error, OutcomeUnknown) or (
        isinstance(error, HostingError) and error.sent and error.status is None
    )


def _words(error: Exception) -> str:
    return error.message if isinstance(error, ConsoleError) else f"{type(error).__name__}: {error}"

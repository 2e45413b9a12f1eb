"""Looking from outside at steps whose end is not in the journal, and recording what was found.

An uncertain step is probed and never blindly repeated. `Done` is verified like any other end of a step;
`NotDone` makes it ready again, so that whatever asked for a yes must be given one again; `Unknown` is for a
person to decide, with what is known before them.
"""

import asyncio

from console.domain.events import Draft, Kind
from console.domain.outcome import Done, Evidence, Probe, Unknown
from console.domain.plan import Json, Step
from console.domain.state import RunState, StepStatus
from console.domain.wire import encode_evidence, encode_lines
from console.engine.desk import Desk, outcome_of
from console.engine.failures import failed
from console.engine.writer import Decision
from console.errors import ConsoleError, JournalError, Refused

OUTLIVED = "the console that it was given to is gone: look again, then confirm"
LEFT_OPEN = "it was started, and the journal has no end of it: the console was killed, or lost its connection"


def left_open(state: RunState) -> tuple[Draft, ...]:
    """What a run is taken up with: steps that a dead process left running are uncertain, and no yes outlives a console.

    Whoever takes a run up may do so the next morning: what was confirmed and had not begun is asked for again, and so
    is that nobody else drives, where the shared record was lost.
    """
    died = (Draft(Kind.NOTE_ADDED, data={"text": _last_word(state)}),) if state.driver else ()
    uncertain = (Draft(Kind.STEP_UNCERTAIN, each.step.id, {"why": LEFT_OPEN}) for each in state.running)
    void = (
        Draft(Kind.STEP_DISARMED, each.step.id, {"reason": OUTLIVED, "difference": []})
        for each in state.steps.values()
        if each.yes is not None
    )
    apart = state.apart
    doubt = (Draft(Kind.STORE_LOST, data={"reason": apart.reason}),) if apart is not None and apart.waived else ()
    return (*died, *doubt, *void, *uncertain)


def _last_word(state: RunState) -> str:
    at = f"{state.last_at:%Y-%m-%d %H:%M:%S} UTC" if state.last_at is not None else "an unknown time"
    return f"The console of {state.driver} ended without leaving the run; its last word was at {at}."


async def reconcile(desk: Desk, step_id: str, *, give_up: Exception | None = None) -> None:
    """Probe an uncertain step and record the answer. With `give_up` a step found not done has failed, for that."""
    answer = await probe(desk, step_id)
    step = desk.state.steps[step_id].step
    if isinstance(answer, Done):
        await _found_done(desk, step, answer.evidence)
    elif isinstance(answer, Unknown):
        data: dict[str, Json] = {"answer": "unknown", "known": answer.known, "lines": encode_lines(answer.lines)}
        await desk.record(_while_uncertain(step_id, Draft(Kind.STEP_RECONCILED, step_id, {**data, "by": "probe"})))
    elif give_up is not None:
        await desk.record(_while_uncertain(step_id, failed(step, give_up, begun=True, not_done=answer.why)))
    else:
        data = {"answer": "not_done", "why": answer.why, "by": "probe"}
        await desk.record(_while_uncertain(step_id, Draft(Kind.STEP_RECONCILED, step_id, data)))


async def probe(desk: Desk, step_id: str) -> Probe:
    """Ask the step's action whether it was done; a probe that fails itself knows nothing."""
    try:
        async with asyncio.timeout(desk.limits.probe):
            return await outcome_of(desk.action(step_id).probe(desk.context(step_id)))
    except JournalError:
        raise
    except ConsoleError as error:
        return Unknown(f"Looking for it failed: {error.message}")
    except TimeoutError:
        return Unknown(f"Looking for it gave no answer within {desk.limits.probe:g} s.")
    except Exception as error:
        return Unknown(f"Looking for it ended with a defect of the console: {type(error).__name__}: {error}")


async def verification_error(desk: Desk, step_id: str, evidence: Evidence) -> Exception | None:
    """What verifying the step raises, bounded in time; None when it holds."""
    try:
        async with asyncio.timeout(desk.limits.verify):
            await outcome_of(desk.action(step_id).verify(desk.context(step_id), evidence))
    except JournalError:
        raise
    except Exception as error:
        return error
    return None


async def decide_done(desk: Desk, step_id: str, note: str, actor: str) -> None:
    """A person says that an uncertain step was done; what verification says against it is kept beside the note."""
    found = await probe(desk, step_id)
    evidence = found.evidence if isinstance(found, Done) else Evidence(summary=note)
    against = await verification_error(desk, step_id, evidence)
    data: dict[str, Json] = {
        "answer": "done",
        "evidence": encode_evidence(evidence),
        "why": note,
        "by": "person",
        "accepted": "" if against is None else f"{note} (verification says: {against})",
    }
    await desk.record(_while_uncertain(step_id, Draft(Kind.STEP_RECONCILED, step_id, data)), actor)


async def record_by_hand(desk: Desk, step_id: str, note: str, accept: str, actor: str) -> None:
    """A step was done elsewhere: look whether it was, and record it.

    Raises Refused when verification says otherwise and nobody accepts that; the step has then failed.
    """
    standing = desk.state.steps[step_id]
    found = await probe(desk, step_id)
    evidence = found.evidence if isinstance(found, Done) else standing.evidence or Evidence(summary=note)
    against = await verification_error(desk, step_id, evidence)
    if against is not None and not accept.strip():
        await desk.record(_while(step_id, standing.status, failed(standing.step, against, begun=True)), actor)
        raise Refused(
            f"{standing.step.title} was said to be done by hand, but verification says: {desk.redact(str(against))}",
            remedy="Put it right and say so again, or accept the difference on the record.",
        )
    data: dict[str, Json] = {
        "evidence": encode_evidence(evidence),
        "by": "hand",
        "note": note,
        "accepted": "" if against is None else f"{accept} (verification says: {against})",
    }
    draft = Draft(Kind.STEP_SUCCEEDED, step_id, data)
    if not await desk.record(_while(step_id, standing.status, draft), actor):
        raise Refused(f"{standing.step.title} has moved on meanwhile.", remedy="Look at where it stands now.")


async def _found_done(desk: Desk, step: Step, evidence: Evidence) -> None:
    error = await verification_error(desk, step.id, evidence)
    if error is not None:
        draft = failed(step, error, begun=True, evidence=evidence)
    else:
        data: dict[str, Json] = {"answer": "done", "evidence": encode_evidence(evidence), "by": "probe"}
        draft = Draft(Kind.STEP_RECONCILED, step.id, data)
    await desk.record(_while_uncertain(step.id, draft))


def _while_uncertain(step_id: str, draft: Draft) -> Decision:
    return _while(step_id, StepStatus.UNCERTAIN, draft)


def _while(step_id: str, status: StepStatus, draft: Draft) -> Decision:
    """Record only if the step still stands where it stood when it was looked at."""
    return lambda state: (draft,) if state.steps[step_id].status is status else ()

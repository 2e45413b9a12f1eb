"""What an incident leaves for people to do, as open boxes: read from what the steps left, a sentence each.

Pure. What always holds: what was done since is no longer in it, and nothing is in it that the record does not say.
"""

from collections.abc import Iterator

from console.domain import impact, payload
from console.domain.released import by_action
from console.domain.reverted import reverted_words
from console.domain.state import RunState, StepStatus
from console.report.markdown import code, words


def by_hand(state: RunState) -> list[str]:
    """What is left for people to do, an open box each."""
    return [f"- [ ] {each}" for each in _by_hand(state)] or ["Nothing."]


def _by_hand(state: RunState) -> Iterator[str]:
    if reverted_words(state):
        yield words(reverted_words(state))
    yield from _switched(state)
    yield from _kept_copies(state)
    yield from _not_as_before(state)
    yield from _not_undone(state)
    if state.rollback is not None:
        undecided = len(impact.undecided_rows(state, state.rollback))
        if undecided:
            yield f"Decide the rows that the inverse mapping leaves open ({undecided}, listed under the data)."
        for step in impact.steps_of(state, state.rollback):
            if step.status is StepStatus.SKIPPED:
                yield f"“{words(step.step.title)}” was left out: {words(step.note)}"
    for message in state.messages.values():
        if message.waits:
            yield f"Send or drop the message “{words(message.subject)}”."
            continue
        unheard = message.unheard_of(each.name for each in state.plan.channels)
        missed = (*(each.channel for each in message.undelivered), *unheard)
        if missed:
            channels = ", ".join(words(each) for each in missed)
            yield f"“{words(message.subject)}” did not reach {channels}: send it again, or tell them otherwise."
    if state.incidents and state.postmortem is None:
        yield "Name owner and day of the post-mortem."


def _switched(state: RunState) -> Iterator[str]:
    for step in by_action(state, "rollback.switch"):
        left = state.evidence(step.step.id)
        old, new = payload.text(left, "old_postgres_id"), payload.text(left, "postgres_id")
        if old:
            yield f"The old instance {code(old)} is kept: remove it when nobody needs what it holds."
        if new and new != state.plan.database.postgres_id:
            yield (
                f"The plan still names the instance {code(state.plan.database.postgres_id)}: put {code(new)} and its "
                "connection string there before the next run."
            )


def _kept_copies(state: RunState) -> Iterator[str]:
    """The copy from which the schema was built back, under the name that it was given then."""
    removed = {payload.text(state.evidence(s.step.id), "table") for s in by_action(state, "rollback.discard_copy")}
    for step in by_action(state, "rollback.schema"):
        left = state.evidence(step.step.id)
        name = payload.text(left, "kept_copy") or payload.text(left, "saved_copy")
        if name and name not in removed:
            yield f"{code(name)} is kept in the database: remove it when nobody needs it."


def _not_as_before(state: RunState) -> Iterator[str]:
    """What the proof at the end of the way found to be other than before, though it was not promised."""
    if state.rollback is None:
        return
    migration = state.plan.migration
    for step in impact.steps_of(state, state.rollback, impact.PROVE):
        found = state.evidence(step.step.id)
        if payload.text(found, "schema") == "new":
            yield (
                f"{code(migration.table)} has the migrated schema, which the old code cannot work on: choose a way "
                "that brings the schema back."
            )
        differs = payload.texts(found, "differs")
        if differs:
            paths = ", ".join(code(path) for path in differs)
            yield f"On {words(state.plan.release.target)} these still differ from before the release: {paths}. Decide."


def _not_undone(state: RunState) -> Iterator[str]:
    """What a way back held or closed for its own time, and has not let go."""
    held = _since(state, "rollback.hold_deploys", "rollback.restore_deploys")
    if held:
        first = payload.mapping(state.evidence(by_action(state, "rollback.hold_deploys")[0].step.id), "settings")
        were = ", ".join(f"{words(key)} {words(str(value))}" for key, value in first.items() if value != "off")
        if were:
            yield f"Autodeploy is off on the services: set it as it was ({were})."
    if _since(state, impact.FENCE, "rollback.open"):
        yield "Users are kept out by the fence: let them in."


def _since(state: RunState, begun: str, ended: str) -> bool:
    """Whether a step with the action `begun` succeeded, and none with `ended` after it."""
    since, until = (
        [s.ended_at for s in by_action(state, action) if s.status is StepStatus.SUCCEEDED and s.ended_at is not None]
        for action in (begun, ended)
    )
    return bool(since) and not any(at >= max(since) for at in until)

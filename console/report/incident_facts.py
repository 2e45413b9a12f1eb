"""What a run's record says of its incident, as lines of Markdown: the sections that summary and post-mortem share.

Pure. Steps are found by the name of their action; what a step did not leave is left out, never guessed.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from console.domain import impact, payload
from console.domain.incident import MessageState, RollbackState
from console.domain.plan import Json
from console.domain.released import release_commit
from console.domain.rollback import TITLES
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from console.domain.summary import production_sentence
from console.report.markdown import TO_FILL_IN, code, lasting, moment, stamped, table, words

Data = Mapping[str, Json]
_MOST_ROWS = 50


def production(state: RunState) -> str:
    """What state production is in, in one sentence: as it was recorded at the end, else as it is known now."""
    recorded = state.production if state.status is RunStatus.FINISHED else ""
    return words(recorded or production_sentence(state))


def standing(state: RunState) -> str:
    """Where the incident stands, in a few words."""
    if not state.incidents:
        return "no incident was declared"
    if state.incident_at is None:
        return "closed"
    return "service restored, not yet closed" if impact.restored_at(state) is not None else "open"


def window(state: RunState, now: datetime) -> str:
    """From when to when users could notice, and how long that was."""
    harmed, restored = impact.harmed_at(state), ended_at(state)
    if harmed is None:
        return "none: nothing of the release reached production, and nothing was reported"
    if restored is not None:
        return f"{moment(harmed)} to {moment(restored)}: {lasting((restored - harmed).total_seconds())} at most"
    closed = state.incidents[-1].closed_at if state.incidents else None
    if closed is not None:
        return f"since {moment(harmed)}; closed {moment(closed)}, but that service was restored is not on record"
    return f"{moment(harmed)} until now: {lasting((now - harmed).total_seconds())} at {moment(now)}"


def ended_at(state: RunState) -> datetime | None:
    """When service was restored; without a way back, when the incident was closed."""
    if state.rollback is not None or not state.incidents:
        return impact.restored_at(state)
    return state.incidents[-1].closed_at


def data(state: RunState) -> list[str]:
    """What was lost, what was kept, what a person has to decide."""
    if state.rollback is None:
        return ["- Nothing was taken back: what users entered stands as they entered it."]
    rollback, loss = state.rollback, impact.counted_loss(state, state.rollback)
    lines = [f"- {words(impact.lost(state, rollback))}"]
    if loss is not None:
        stated = "nothing" if rollback.rows is None else str(rollback.rows)
        lines.append(f"- Stated when the way was chosen: {stated}. Counted behind the fence: {loss.rows}.")
        each = [(words(t.table), str(t.inserted), str(t.updated), str(t.deleted)) for t in loss.tables]
        counted = table(("Table", "Inserted", "Updated", "Deleted"), each)
        lines += ["", *counted, ""] if counted else []
        lines += [f"- How it was counted: {words(loss.method)}", *(f"- {words(remark)}" for remark in loss.remarks)]
    mapped = impact.rows_mapped(state, rollback)
    if mapped:
        lines.append(f"- Rows written since the migration and carried over: {mapped}.")
    undecided = impact.undecided_rows(state, rollback)
    lines += [f"- To be decided by a person: {words(row)}" for row in undecided[:_MOST_ROWS]]
    if len(undecided) > _MOST_ROWS:
        lines.append(f"- … and {len(undecided) - _MOST_ROWS} more: all are in the run's journal.")
    return lines


def ways(state: RunState) -> list[str]:
    """Each way back that was chosen: why, at which price, and what became of it."""
    if not state.rollbacks:
        return ["No way back was chosen."]
    lines: list[str] = []
    for number, rollback in enumerate(state.rollbacks, 1):
        lines += [f"### {number}. {words(TITLES[rollback.way])}", "", *_way(state, rollback), ""]
    return lines[:-1]


def _way(state: RunState, rollback: RollbackState) -> Iterator[str]:
    yield f"- Chosen {moment(rollback.at)} by {words(rollback.actor)}"
    offer = impact.offered(state, rollback)
    if rollback.reason:
        yield f"- Why, although another way was recommended: {words(rollback.reason)}"
    else:
        yield f"- Why: it was recommended. {words(offer.why) if offer is not None else ''}".rstrip()
    yield f"- Price as stated: {words(rollback.price) or 'none'}"
    if rollback.dropped:
        yield f"- **Given up:** {words(rollback.dropped)}"
    else:
        yield f"- Price as counted: {words(impact.lost(state, rollback))}"
    steps = impact.steps_of(state, rollback)
    begun = [step for step in steps if step.started_at is not None or step.over or not rollback.dropped]
    yield ""
    yield from table(("Step", "Began", "Took", "Came of it"), [_step_row(step) for step in begun])


def _step_row(step: StepState) -> tuple[str, str, str, str]:
    began = "—" if step.started_at is None else f"{step.started_at:%H:%M:%S}"
    took = "—" if step.elapsed is None else lasting(step.elapsed)
    return words(step.step.title), began, took, f"{step.status}{_came_of(step)}"


def _came_of(step: StepState) -> str:
    again = f" (attempt {step.attempt})" if step.attempt > 1 else ""
    if step.status is StepStatus.FAILED and step.failure is not None:
        return f"{again}: {words(step.failure.message)}"
    said = step.evidence.summary if step.evidence is not None and step.status is StepStatus.SUCCEEDED else step.note
    return f"{again}: {words(said)}" if said else again


def told(state: RunState) -> list[str]:
    """Who was told what, when, and what did not arrive."""
    rows = sorted((row for message in state.messages.values() for row in _told(message)), key=lambda row: row[0])
    lines = [(f"{at:%H:%M:%S}", *cells) for at, *cells in rows]
    return table(("When (UTC)", "Channel", "What", "Arrived"), lines) or ["Nobody was told: no message was drafted."]


def _told(message: MessageState) -> Iterator[tuple[datetime, str, str, str]]:
    subject = words(message.subject)
    if message.waits:
        yield message.at, "—", subject, "**not sent yet**"
    if message.dropped:
        yield message.at, "—", subject, f"not sent: {words(message.dropped)}"
    for each in message.deliveries.values():
        yield each.at, words(each.channel), subject, f"**no:** {words(each.error)}" if each.error else "yes"


def evidence(state: RunState) -> list[str]:
    """What the statements rest on: commits, deploys, instances, digests."""
    lines = [f"- Run {code(state.run)}, plan digest {code(state.plan_digest)}"]
    if release_commit(state):
        lines.append(f"- Release: {code(release_commit(state))}")
    over = [step for step in state.steps.values() if step.over]
    # Two ways back may have left the same.
    return lines + list(dict.fromkeys(each for step in over for each in _proof(step, state.evidence(step.step.id))))


def _proof(step: StepState, left: Data) -> Iterator[str]:
    def named(key: str) -> str:
        return code(payload.text(left, key))

    match step.step.action:
        case "backup.record":
            yield f"- Backup: {words(payload.text(left, 'location'))}, SHA-256 {named('sha256')}"
        case "rollback.revert" if left:
            same = "identical to" if payload.flag(left, "identical") else "not identical to"
            yield f"- Revert: {named('commit')}, its tree {same} that of {named('compared_with')}"
            yield from (f"  - differs: {words(path)}" for path in payload.texts(left, "differs"))
        case "rollback.deploy" if left:
            live = stamped(payload.text(left, "live_at"))
            yield f"- {words(step.step.title)}: deploy {named('deploy')} of {named('commit')}, live {live}"
        case "rollback.recover" if left:
            to = f", recovered to {stamped(payload.text(left, 'moment'))}" if payload.text(left, "moment") else ""
            yield f"- New instance: {named('name')} ({named('postgres_id')}){to}"
        case "rollback.switch" if left:
            place = words(payload.text(left, "place"))
            yield f"- Services use {named('postgres_id')} at {place} instead of {named('old_postgres_id')}"
        case "rollback.schema" if left:
            rows, committed = payload.number(left, "rows_rebuilt"), stamped(payload.text(left, "committed_at"))
            yield f"- Schema built back from {named('saved_copy')}: {rows:g} rows, committed {committed}"
        case "rollback.compare" if left:
            yield f"- New instance compared with the backup, table by table: {len(payload.mapping(left, 'tables'))}"


def postmortem(state: RunState) -> str:
    """Owner and date, or that they are open."""
    if state.postmortem is None:
        return f"owner {TO_FILL_IN}, date {TO_FILL_IN}"
    return f"{words(state.postmortem.owner)}, {words(state.postmortem.date)}"

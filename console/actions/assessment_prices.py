"""The ways back with their price, as an assessment offers them.

What always holds: no way that loses rows is offered without the figure, or without the reason why there is none.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from console.actions.assessment_branch import BranchLook, Outcome, what_release
from console.actions.databases import Databases
from console.actions.wording import at, counted
from console.domain.loss import Loss
from console.domain.outcome import Line, Tone
from console.domain.rollback import TITLES, Verdict, verdicts
from console.domain.rollback_plan import planned, rollback_plan
from console.domain.standing import Schema, Standing, Way, WayBack
from console.domain.state import RunState
from console.errors import DatabaseError, HostingError, StepFailed
from console.ports import Clock

if TYPE_CHECKING:
    from console.actions.registry import Ports

_PATIENCE = 35.0
"""Wall seconds: in an incident a way without its figure is worth more than a figure too late."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a way costs: a sentence, the details, and the rows that it would lose where it loses any."""

    sentence: str
    lines: tuple[Line, ...] = ()
    loss: Loss | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """What the prices are read from."""

    ports: "Ports"
    state: RunState
    clock: Clock
    standing: Standing
    branch: BranchLook
    schema: Price


async def with_schema_price(ports: "Ports", state: RunState, standing: Standing) -> tuple[Standing, Price]:
    """What the schema's way costs; a standing without saved copy when the schema cannot be brought back from it."""
    # Imported here, as below: the figures bring the SQL's parts with them.
    from console.actions.rollback.schema_price import price_of_schema

    if standing.schema is not Schema.NEW or standing.switched or not standing.saved_copy:
        return standing, Price("")
    try:
        async with asyncio.timeout(_PATIENCE):
            sentence, lines = await price_of_schema(ports.database, state.plan)
    except StepFailed as error:
        text = f"{standing.saved_copy} does not bring the schema back"
        remark = Line(text, note=error.message, tone=Tone.WARNING)
        return replace(standing, saved_copy="", remarks=(*standing.remarks, remark)), Price("")
    except DatabaseError as error:
        text = "What the inverse mapping leaves open could not be counted"
        return standing, Price("Nothing is lost.", (Line(text, note=error.message, tone=Tone.WARNING),))
    except TimeoutError:
        return standing, Price("Nothing is lost.", (_too_slow("Counting what the inverse mapping leaves open"),))
    return standing, Price(f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}.", lines)


async def offers(
    ports: "Ports", state: RunState, clock: Clock, standing: Standing, branch: BranchLook
) -> tuple[Standing, tuple[WayBack, ...]]:
    """Every way with its verdict and, where it applies, its price and its steps; and the standing that they rest on."""
    standing, schema = await with_schema_price(ports, state, standing)
    judged = verdicts(standing)
    look = _Look(ports, state, clock, standing, branch, schema)
    prices = await asyncio.gather(*(_price(look, each) for each in judged))
    return standing, tuple(_offer(state, standing, each, price) for each, price in zip(judged, prices, strict=True))


def _offer(state: RunState, standing: Standing, verdict: Verdict, price: Price) -> WayBack:
    way = verdict.way
    added = rollback_plan(state.plan, standing, way, number=len(state.rollbacks) + 1) if verdict.applies else None
    return WayBack(
        way=way,
        title=TITLES[way],
        applies=verdict.applies,
        restores=verdict.restores,
        recommended=verdict.recommended,
        why=verdict.why,
        price=price.sentence,
        loss=price.loss,
        duration=planned(state.plan, way),
        reachable_at=standing.reachable_at if way is Way.DATABASE else "",
        steps=tuple(step.title for step in added.steps) if added is not None else (),
        lines=price.lines,
    )


async def _price(look: _Look, verdict: Verdict) -> Price:
    if not verdict.applies:
        return Price("")
    match verdict.way:
        case Way.NOTHING:
            return Price("Nothing: there is nothing to be taken back.")
        case Way.CODE:
            return _code(look.branch, look.branch.whole)
        case Way.FIX_ONLY:
            return _code(look.branch, look.branch.fix)
        case Way.SCHEMA:
            return look.schema
        case Way.DATABASE:
            return await _database(look, "moment")
        case Way.BACKUP:
            return await _database(look, "export")


def _code(branch: BranchLook, outcome: Outcome | None) -> Price:
    """What a revert leaves different from before."""
    sentence = "Nothing is lost."
    if outcome is None:
        return Price(sentence)
    if outcome.conflicts:
        files = counted(len(outcome.conflicts), "file")
        conflicts = tuple(Line(path, note="in conflict", tone=Tone.DANGER) for path in outcome.conflicts)
        return Price(
            f"{sentence} It does not revert by itself: {files} in conflict, to be resolved by hand.", conflicts
        )
    if not outcome.stays:
        return Price(sentence, (Line("The resulting tree is the one from before the release", tone=Tone.GOOD),))
    left = [each for each in outcome.stays if not each.others]
    what = f"{counted(len(outcome.stays), 'file')} stay{'s' if len(outcome.stays) == 1 else ''} different from before"
    if left:
        what += f", {counted(len(left), 'file')} as {what_release(branch)} has {'it' if len(left) == 1 else 'them'}"
    return Price(f"{sentence} {what}.", tuple(each.line for each in outcome.stays))


async def _database(look: _Look, source: str) -> Price:
    from console.actions.rollback.database_price import price_of_database

    databases = Databases(look.ports.database, look.ports.instances)
    try:
        async with asyncio.timeout(_PATIENCE):
            database = await databases.of(look.state.plan, look.standing.postgres_id)
            loss, lines = await price_of_database(database, look.state, look.clock, source=source)
    except (DatabaseError, HostingError, StepFailed) as error:
        return Price(f"Rows written since are lost; how many could not be counted: {error.message}")
    except TimeoutError:
        why = _too_slow("Counting the rows")
        return Price("Rows written since are lost; how many could not be counted in time.", (why,))
    return Price(_stated(loss), lines, loss)


def _stated(loss: Loss) -> str:
    since = datetime.fromisoformat(loss.since)
    if not loss.rows:
        return f"No row written since {at(since)} would be lost, as of now."
    tables = counted(len(loss.tables), "table")
    verb = "is" if loss.rows == 1 else "are"
    return (
        f"{counted(loss.rows, 'row')} in {tables} written since {at(since)} {verb} lost so far; "
        "what is written until the fence comes to it."
    )


def _too_slow(what: str) -> Line:
    return Line(f"{what} took more than {_PATIENCE:.0f} s", note="look again for the figure", tone=Tone.WARNING)

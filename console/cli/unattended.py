"""A run driven without a person: events as lines on standard output, then what came of it."""

import asyncio
import sys

from console.cli.event_output import printer
from console.cli.exits import ENDINGS, Exit, told
from console.cli.folders import resume_command
from console.cli.go_no_go import GoNoGo
from console.cli.session import Session
from console.engine.autopilot import Autopilot, Ending, Outcome
from console.ports import JournalFailed, Update


async def fly(session: Session, *, as_json: bool, retry_failed: bool, way_back: str | None = None) -> Outcome:
    """Drive the run to its end or to where a person is needed, printing its events; back at a failure, if asked to.

    When the run can no longer be recorded, what still runs is left the time to come to its safe point.
    """
    unrecorded: list[JournalFailed] = []

    def hear(update: Update) -> None:
        if isinstance(update, JournalFailed):
            unrecorded.append(update)

    stops = [session.feed.subscribe(each) for each in (printer(as_json=as_json), hear)]
    try:
        pilot = Autopilot(GoNoGo(session), session.feed, retry_failed=retry_failed, way_back=way_back)
        outcome = await pilot.drive()
        if outcome.ending is not Ending.STOPPED or unrecorded:
            await asyncio.wait([session.driving])
        return outcome
    finally:
        for stop in stops:
            stop()


def exit_of(session: Session, outcome: Outcome) -> Exit:
    """The exit code of a run that was driven unattended."""
    if outcome.ending is Ending.STOPPED:
        return Exit.OPEN
    return ENDINGS.get(session.feed.state.outcome, Exit.FAILED)


def say_where_it_stopped(session: Session, outcome: Outcome) -> None:
    """Tell a person on standard error why the run stays open, what state production is in, what to do."""
    plan = session.feed.state.plan
    title = plan.step(outcome.step).title if outcome.step else plan.title
    print(told(f"{title}: {outcome.message}", outcome.production, outcome.remedy), file=sys.stderr)
    run = session.journal
    print(f"  The run {run.run} stays open: `{resume_command(run.directory)}` goes on with it.", file=sys.stderr)

"""A run steered by a person: the Textual application on top of an opened session."""

import sys
from collections.abc import Sequence

from console.cli.exits import Exit
from console.cli.session import Session
from console.cli.unattended import EXITS
from console.domain.findings import Finding
from console.domain.state import FindingState, RunStatus
from console.domain.summary import production_sentence


async def steer(session: Session) -> Exit:
    """Show the screens until the person leaves them; then say in two lines where things stand."""
    from screens.app import ConsoleApp
    from screens.reads import Reads

    reads = Reads(preflight=lambda: findings(session), report=lambda: report_of(session))
    application = ConsoleApp(session.feed, session.conductor, reads=reads)
    await application.run_async()
    state = session.feed.state
    if state.status is RunStatus.FINISHED:
        print(f"Run {state.run} {state.outcome}. {state.production}", file=sys.stderr)
        return EXITS.get(state.outcome, Exit.FAILED)
    print(f"Run {state.run} stays open; start again to go on with it.", file=sys.stderr)
    print(production_sentence(state), file=sys.stderr)
    return Exit.OPEN


async def findings(session: Session) -> Sequence[FindingState]:
    """What the preflight finds now."""
    from console.preflight import run

    return tuple(_shown(each) for each in await run(session.plan, session.wired.ports))


async def report_of(session: Session) -> str:
    """The record as it stands, as Markdown."""
    from console.report.record import record

    return record(session.feed.state, session.journal.events())


def _shown(finding: Finding) -> FindingState:
    return FindingState(finding.code, finding.severity, finding.message, finding.evidence, finding.remedy)

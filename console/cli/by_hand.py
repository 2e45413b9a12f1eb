"""A run steered by a person: the Textual application on top of an opened session."""

import asyncio
import contextlib
import sys
from collections.abc import Sequence

from console.cli.exits import Exit
from console.cli.go_no_go import GoNoGo
from console.cli.session import Session
from console.cli.unattended import EXITS
from console.domain.findings import Finding
from console.domain.state import FindingState, RunStatus
from console.domain.summary import production_sentence
from console.errors import ConsoleError


async def steer(session: Session) -> Exit:
    """Show the screens until the person leaves them; then say in two lines where things stand."""
    from screens.app import ConsoleApp
    from screens.reads import Reads

    helm = GoNoGo(session)

    async def preflight() -> Sequence[FindingState]:
        return tuple(_shown(each) for each in await helm.look())

    async def report() -> str:
        from console.report.record import record

        return record(session.feed.state, session.journal.events())

    application = ConsoleApp(session.feed, helm, reads=Reads(preflight=preflight, report=report))
    early = asyncio.create_task(_look_early(session, helm))
    try:
        await application.run_async()
    finally:
        early.cancel()
        await asyncio.wait([early])
    state = session.feed.state
    if state.status is RunStatus.FINISHED:
        print(f"Run {state.run} {state.outcome}. {state.production}", file=sys.stderr)
        return EXITS.get(state.outcome, Exit.FAILED)
    print(f"Run {state.run} stays open; start again to go on with it.", file=sys.stderr)
    print(production_sentence(state), file=sys.stderr)
    return Exit.OPEN


async def _look_early(session: Session, helm: GoNoGo) -> None:
    """Have the findings on the screen before somebody asks for them. Beginning looks again if this failed."""
    if session.feed.state.status is RunStatus.NOT_STARTED:
        with contextlib.suppress(ConsoleError):
            await helm.look()


def _shown(finding: Finding) -> FindingState:
    return FindingState(finding.code, finding.severity, finding.message, finding.evidence, finding.remedy)

"""Between the code and its schema: since when services run the release on the schema from before it."""

from textual.content import Content

from console.domain.released import live_builds, migrated
from console.domain.state import RunStatus
from screens.paint import blocks, ink, words
from screens.view import View

CODE_FIRST = "window."
"""How the code of a finding begins that says that this window matters to users."""


def exposed(view: View, width: int) -> list[Content]:
    """A block that is there as long as the window is open: what is live since when, and what that means for users."""
    state = view.state
    live = [step for step in live_builds(state) if step.ended_at is not None]
    if not live or migrated(state) or state.rollback is not None or state.status is RunStatus.FINISHED:
        return []
    if not any(f.code.startswith(CODE_FIRST) and f.severity != "note" for f in state.findings.values()):
        return []
    first = min(live, key=lambda step: step.ended_at or view.now)
    since = words.duration((view.now - (first.ended_at or view.now)).total_seconds())
    what = ", ".join(state.plan.migration.added)
    title = f"Users may see errors since {words.at(first.ended_at)} ({since})"
    text = f"New code is live on the old schema: what needs {what} fails until the migration is committed."
    return [*blocks.labelled(title, words.DANGER, ink.paragraphs([text], width - 2), width), ink.BLANK]

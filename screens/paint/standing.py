"""Where production stands in an incident: what each service runs, which schema, which database, what is under way."""

from datetime import datetime

from textual.content import Content

from console.domain.standing import Assessment, Runs, Schema, ServiceStanding, Standing
from screens.paint import blocks, ink, words
from screens.view import View

_RUNS = {
    Runs.OLD: words.Sign("✔", ink.GOOD, "old"),
    Runs.NEW: words.Sign("▲", ink.NOW, "new"),
    Runs.OTHER: words.Sign("!", ink.DANGER_STRONG, "other"),
}
_RUNS_WORDS = {
    Runs.OLD: "as before the release",
    Runs.NEW: "the release",
    Runs.OTHER: "neither the release nor what was before",
}
_SCHEMAS = {
    Schema.OLD: words.Sign("✔", ink.GOOD, "old"),
    Schema.NEW: words.Sign("▲", ink.NOW, "new"),
    Schema.UNKNOWN: words.Sign("?", ink.DANGER_STRONG, "not known"),
}
STALE = 120.0
"""Seconds after which what was looked at is called out as old."""


def standing(view: View, width: int, *, brief: bool = False) -> list[Content]:
    """All of it, as it was looked at in this incident; how the look is going while there is nothing to show.

    `brief`: for a small terminal, in fewer lines.
    """
    assessment = view.assessment
    head = [ink.sides(ink.heading("Where production stands"), _looked(view, assessment), width, gap=2)]
    if assessment is None:
        return [*head, *_nothing_yet(view, width)]
    state = assessment.standing
    rows = [(service.name, _service(service)) for service in state.services]
    if brief:
        lines = [*head, *ink.columns(rows, width), *_in_brief(state, view.state.plan.release.target, width)]
    else:
        rows += [("schema", _schema(view, state)), ("database", _database(state)), ("branch", _branch(view, state))]
        lines = [*head, *ink.columns(rows, width)]
    if state.remarks:
        lines += blocks.consequences(state.remarks, width)
    return [*lines, *_refused(view, width)]


def _in_brief(standing: Standing, target: str, width: int) -> list[Content]:
    """Schema, database and branch one after the other."""
    branch = _RUNS[Runs.NEW if standing.pushed else Runs.OLD]
    parts = [
        ink.line(("schema ", ink.QUIET), _toned(_SCHEMAS[standing.schema])),
        ink.line(("database ", ink.QUIET), _database(standing)),
        ink.line((f"{target} ", ink.QUIET), _toned(branch)),
    ]
    return ink.flowing(parts, width, gap=3)


def _looked(view: View, assessment: Assessment | None) -> Content:
    """When it was looked at, so that nobody decides on what is no longer so."""
    if view.looking.since is not None:
        seconds = (view.now - view.looking.since).total_seconds()
        return ink.line((f"▶ looking… {words.duration(seconds)}", ink.NOW_STRONG))
    if assessment is None:
        return ink.BLANK
    at = datetime.fromisoformat(assessment.at)
    age = max((view.now - at).total_seconds(), 0.0)
    key = " · v looks again" if view.driving and view.state.rollback is None else ""
    style = ink.NOW if age > STALE else ink.QUIET
    return ink.line((f"seen {words.duration(age)} ago", style), (key, ink.QUIET))


def _nothing_yet(view: View, width: int) -> list[Content]:
    if view.looking.since is not None:
        text = "Looking at services, branch and database. It changes nothing."
        return ink.wrapped(ink.line((text, ink.QUIET)), width)
    return _refused(view, width) or ink.wrapped(ink.line(("Nobody has looked yet.", ink.QUIET)), width)


def _refused(view: View, width: int) -> list[Content]:
    """Why the last look failed, and what helps."""
    looking = view.looking
    if not looking.refusal or looking.since is not None:
        return []
    sign = ink.line(("✗ ", ink.DANGER_STRONG))
    lines = ink.wrapped(ink.line((f"The look failed: {looking.refusal}", ink.DANGER)), width, first=sign)
    return [*lines, *(ink.wrapped(ink.line(looking.remedy), width, first="  ") if looking.remedy else [])]


def _toned(sign: words.Sign) -> Content:
    return ink.line((f"{sign.mark}\u00a0{sign.word}", sign.style))


def _service(service: ServiceStanding) -> Content:
    parts: list[ink.Part] = [
        (words.short(service.commit) or "nothing", ink.IDENT),
        "  ",
        _toned(_RUNS[service.runs]),
        (f"  {_RUNS_WORDS[service.runs]}", ink.QUIET),
    ]
    if service.building:
        parts.append((f"  ▶ deploying {words.short(service.building)}", ink.NOW_STRONG))
    if service.maintenance:
        parts.append(("  ‖ maintenance", ink.NOW_STRONG))
    return ink.line(*parts)


def _schema(view: View, standing: Standing) -> Content:
    said = {
        Schema.OLD: "as before the migration",
        Schema.NEW: f"migration {view.state.plan.migration.version} has run",
        Schema.UNKNOWN: "the database does not say",
    }[standing.schema]
    return ink.line(_toned(_SCHEMAS[standing.schema]), (f"  {said}", ink.QUIET))


def _database(standing: Standing) -> Content:
    parts: list[ink.Part] = [standing.database, (f"  {standing.postgres_id}", ink.QUIET)]
    if standing.switched:
        parts.append(("  ! another instance than the plan's", ink.NOW_STRONG))
    if standing.fenced:
        parts.append(("  ‖ fenced: no writes", ink.NOW_STRONG))
    return ink.line(*parts)


def _branch(view: View, standing: Standing) -> Content:
    target = view.state.plan.release.target
    if standing.pushed:
        return ink.line(target, "  ", _toned(_RUNS[Runs.NEW]), ("  holds the release", ink.QUIET))
    return ink.line(target, "  ", _toned(_RUNS[Runs.OLD]), ("  does not hold the release", ink.QUIET))

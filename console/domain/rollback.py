"""The decision table of the way back: which ways apply from where production stands, which is recommended, and why.

Pure. The table is over the code that runs (old, new, mixed), the schema (old, new, unknown), whether the services
were switched to another database or use more than one, and whether the release is still on the target branch; what a
way needs beside (a saved copy, a moment that can be recovered, a verified backup) takes it out with that reason. What
always holds: at most one way is recommended; it applies and restores service, and no other way that does costs fewer
rows; rows are never given up for a schema that nobody could read; and while the services use more than one database,
only a way that points them all at one is said to restore service.
"""

from dataclasses import dataclass

from console.domain.standing import Code, Schema, Standing, Way

TITLES = {
    Way.NOTHING: "Nothing reached production",
    Way.CODE: "Code back: the whole release",
    Way.FIX_ONLY: "Code back: the fix commit alone, as the plan writes it",
    Way.SCHEMA: "Schema and code back, nothing lost",
    Way.DATABASE: "Database back to before the migration, and code",
    Way.BACKUP: "Database from the exported backup, and code",
}
COSTS_ROWS = frozenset({Way.DATABASE, Way.BACKUP})
"""The ways after which rows written since are gone."""
_SPLIT = "the services use more than one database, or one that is not known"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the table says of a way."""

    way: Way
    applies: bool
    restores: bool
    why: str
    recommended: bool = False


def verdicts(standing: Standing) -> tuple[Verdict, ...]:
    """Every way with its verdict: the recommended one first, then those that restore service, then the others."""
    judged = [_JUDGES[way](standing) for way in Way]
    best = next((each.way for each in sorted(judged, key=_cost) if _commendable(standing, each)), None)
    marked = [Verdict(v.way, v.applies, v.restores, v.why, recommended=v.way is best) for v in judged]
    return tuple(sorted(marked, key=lambda v: (not v.recommended, not v.applies, not v.restores, _cost(v))))


def _commendable(standing: Standing, verdict: Verdict) -> bool:
    """Whether a way may be recommended: while the schema is unknown, losing rows may be for nothing."""
    blind = (standing.schema is Schema.UNKNOWN or standing.split) and verdict.way in COSTS_ROWS
    return verdict.applies and verdict.restores and not blind


def _cost(verdict: Verdict) -> int:
    """From the cheapest way to the dearest: what loses nothing before what loses rows."""
    return _DEARNESS.index(verdict.way)


_DEARNESS = (Way.NOTHING, Way.CODE, Way.FIX_ONLY, Way.SCHEMA, Way.DATABASE, Way.BACKUP)


def _untouched(standing: Standing) -> bool:
    """Whether neither code nor schema nor the branch holds anything of the release, and users are let in."""
    old = standing.code is Code.OLD and standing.schema is Schema.OLD
    return old and not (standing.pushed or standing.switched or standing.split or standing.fenced)


def _nothing(standing: Standing) -> Verdict:
    if _untouched(standing):
        return Verdict(Way.NOTHING, True, True, "Neither the branch, the services nor the database hold the release.")
    return Verdict(Way.NOTHING, False, False, f"The release has reached production: {_reached(standing)}.")


def _code(standing: Standing) -> Verdict:
    if _untouched(standing):
        return Verdict(Way.CODE, False, False, "There is nothing of the release to be reverted.")
    if standing.split:
        return Verdict(Way.CODE, True, False, f"It cannot restore service: {_SPLIT}.")
    if standing.schema is Schema.NEW:
        return Verdict(
            Way.CODE,
            True,
            False,
            "It cannot restore service: the old code needs columns that the migration has dropped.",
        )
    if standing.schema is Schema.UNKNOWN:
        why = "Whether it restores service cannot be told: the database does not say which schema it has."
        return Verdict(Way.CODE, True, False, why)
    if standing.code is Code.OLD and standing.pushed:
        why = "The services run the old code; the branch must not bring the release with the next deploy."
        return Verdict(Way.CODE, True, True, why)
    if standing.code is Code.OLD and standing.fenced:
        why = "The services run the old code on the old schema; users are still kept out and must be let in again."
        return Verdict(Way.CODE, True, True, why)
    return Verdict(Way.CODE, True, True, "The schema is the old one: the old code works on it, and nothing is lost.")


def _fix_only(standing: Standing) -> Verdict:
    whole = _code(standing)
    if not whole.applies:
        return Verdict(Way.FIX_ONLY, False, False, whole.why)
    if not standing.pushed:
        return Verdict(Way.FIX_ONLY, False, False, "The branch does not hold the release any more.")
    if standing.fix_is_all:
        why = "The fix commit is the whole release." if whole.restores else whole.why
        return Verdict(Way.FIX_ONLY, True, whole.restores, why)
    why = "It cannot restore service: it undoes one commit of the release and leaves the others."
    return Verdict(Way.FIX_ONLY, True, False, why)


def _schema(standing: Standing) -> Verdict:
    if standing.split:
        return Verdict(Way.SCHEMA, False, False, f"Which database is to be built back cannot be told: {_SPLIT}.")
    if standing.schema is Schema.OLD:
        return Verdict(Way.SCHEMA, False, False, "The schema is the old one: there is nothing to be built back.")
    if standing.schema is Schema.UNKNOWN:
        return Verdict(Way.SCHEMA, False, False, "The database does not say which schema it has.")
    if standing.switched:
        why = "The services use another instance than the plan's, in which the console builds nothing back."
        return Verdict(Way.SCHEMA, False, False, why)
    if not standing.saved_copy:
        return Verdict(Way.SCHEMA, False, False, "There is no saved copy from which the columns could be rebuilt.")
    why = f"{standing.saved_copy} holds what the migration dropped: columns and code come back, no row is lost."
    return Verdict(Way.SCHEMA, True, True, why)


def _database(standing: Standing) -> Verdict:
    refusal = _no_other_database(standing)
    if refusal:
        return Verdict(Way.DATABASE, False, False, refusal)
    if not standing.recoverable:
        why = "The provider cannot recover the moment before the migration."
        return Verdict(Way.DATABASE, False, False, why)
    return Verdict(Way.DATABASE, True, True, _dear(standing, "the moment before the migration"))


def _backup(standing: Standing) -> Verdict:
    refusal = _no_other_database(standing)
    if refusal:
        return Verdict(Way.BACKUP, False, False, refusal)
    if not standing.backup:
        return Verdict(Way.BACKUP, False, False, "There is no verified backup.")
    return Verdict(Way.BACKUP, True, True, _dear(standing, "the exported backup"))


def _no_other_database(standing: Standing) -> str:
    if _untouched(standing):
        return "Nothing of the release has reached the database."
    if standing.switched and standing.schema is Schema.OLD and not standing.split:
        return "The services already use another instance, with the old schema."
    return ""


def _dear(standing: Standing, moment: str) -> str:
    lost = f"whatever users wrote since {moment} is lost"
    if standing.split:
        return f"It points all services at one database, but {lost}; for now {_SPLIT}."
    if standing.schema is Schema.OLD:
        return f"The schema is the old one: only damaged data would be a reason, and {lost}."
    if standing.schema is Schema.UNKNOWN:
        return f"Look again first: the database does not say which schema it has, and {lost}."
    return f"It restores service, but {lost}."


def _reached(standing: Standing) -> str:
    parts = []
    if standing.pushed:
        parts.append("the branch holds it")
    if standing.code is not Code.OLD:
        parts.append("services run it" if standing.code is Code.NEW else "services do not all run the old code")
    if standing.schema is Schema.NEW:
        parts.append("the migration has run")
    if standing.schema is Schema.UNKNOWN:
        parts.append("the database does not say which schema it has")
    if standing.split:
        parts.append(_SPLIT)
    elif standing.switched:
        parts.append("the services use another database")
    if standing.fenced:
        parts.append("writes are fenced off")
    return ", ".join(parts)


_JUDGES = {
    Way.NOTHING: _nothing,
    Way.CODE: _code,
    Way.FIX_ONLY: _fix_only,
    Way.SCHEMA: _schema,
    Way.DATABASE: _database,
    Way.BACKUP: _backup,
}

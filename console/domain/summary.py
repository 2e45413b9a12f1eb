"""A run in a few words and figures: how many steps stand where, and what state production is in."""

from dataclasses import dataclass

from console.domain.impact import way_back_sentence
from console.domain.kept_out import kept_out
from console.domain.released import BUILD, MIGRATE, by_action, live_builds, migrated, pushed, release_commit
from console.domain.state import RunState, RunStatus, StepState, StepStatus


@dataclass(frozen=True, slots=True)
class StepTotals:
    """How many steps the plan has and how many of them ended how; the rest has not ended."""

    total: int
    succeeded: int
    skipped: int
    failed: int
    uncertain: int

    def as_dict(self) -> dict[str, int]:
        """For the machine-readable summary."""
        return {
            "total": self.total,
            "succeeded": self.succeeded,
            "skipped": self.skipped,
            "failed": self.failed,
            "uncertain": self.uncertain,
        }


def step_totals(state: RunState) -> StepTotals:
    """Count the steps by how they ended."""
    statuses = [each.status for each in state.steps.values()]
    return StepTotals(
        total=len(statuses),
        succeeded=statuses.count(StepStatus.SUCCEEDED),
        skipped=statuses.count(StepStatus.SKIPPED),
        failed=statuses.count(StepStatus.FAILED),
        uncertain=statuses.count(StepStatus.UNCERTAIN),
    )


def criteria_verdicts(state: RunState) -> dict[str, str]:
    """For every criterion `met`, `failed`, `not enough to say` or `open`."""
    return {each.id: _verdict(each.met, each.evidence) for each in state.criteria.values()}


def production_sentence(state: RunState) -> str:
    """What state production is in, in one sentence or two, as far as the journal knows."""
    shut = kept_out(state) if state.rollback is None or state.complete else ""
    return " ".join(each for each in (_sentence(state), shut) if each)


def _sentence(state: RunState) -> str:
    unknown = [each for each in state.steps.values() if each.status is StepStatus.UNCERTAIN]
    if unknown:
        titles = ", ".join(f"“{each.step.title}”" for each in unknown)
        return f"It is not known whether {titles} took effect; before that: {_lower(_known(state))}"
    failed = _last_failed(state)
    if failed is not None and failed.failure is not None and failed.failure.production:
        return failed.failure.production
    return way_back_sentence(state) or _known(state)


def _known(state: RunState) -> str:
    if not pushed(state):
        return "Production is as it was before the release: nothing of it has reached it."
    commit = release_commit(state)[:7] or "the release"
    schema = "the migrated schema" if migrated(state) else "the schema from before the migration"
    builds, live = by_action(state, BUILD), live_builds(state)
    if len(live) == len(builds):
        return f"Production runs {commit} on {schema}{_tail(state)}."
    running = ", ".join(each.step.title for each in builds if each not in live)
    return f"{commit} is on the target branch, but not yet live everywhere (open: {running}), on {schema}."


def _tail(state: RunState) -> str:
    if not by_action(state, MIGRATE) or migrated(state):
        finished = state.status is RunStatus.FINISHED or all(each.over for each in state.steps.values())
        return "" if finished else "; the release is not yet completely checked"
    return ": whatever needs the new columns fails until the migration has run"


def _last_failed(state: RunState) -> StepState | None:
    failed = [each for each in state.active if each.status is StepStatus.FAILED and each.failure is not None]
    return max(failed, key=lambda each: (each.ended_at is not None, each.ended_at), default=None)


def _verdict(met: bool | None, evidence: str) -> str:
    if met is None:
        return "not enough to say" if evidence else "open"
    return "met" if met else "failed"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]

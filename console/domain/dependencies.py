"""What a step waits for and what hangs on it: `after`, guards and their overrides.

A guard that was skipped still blocks the steps that name it, until somebody overrides it there.
"""

from collections.abc import Iterable, Mapping

from console.domain.plan import Plan, Step
from console.domain.state import StepState, StepStatus

ENDED = frozenset({StepStatus.SUCCEEDED, StepStatus.SKIPPED, StepStatus.FAILED})
"""What can be done again: it was begun, or left out."""

Steps = Mapping[str, StepState]


def open_predecessors(steps: Steps, step: Step) -> tuple[str, ...]:
    """The steps that must be over before this one starts, and are not."""
    return tuple(each for each in step.after if not steps[each].over)


def open_guards(steps: Steps, state: StepState) -> tuple[str, ...]:
    """The guards of a step that have not succeeded and were not overridden on it."""
    return tuple(
        each
        for each in state.step.guards
        if steps[each].status is not StepStatus.SUCCEEDED and each not in state.overridden_guards
    )


def blocked(steps: Steps, state: StepState) -> bool:
    """Whether something else must end first, or a guard has not succeeded."""
    for each in state.step.after:
        if not steps[each].over:
            return True
    return bool(state.step.guards) and bool(open_guards(steps, state))


def guarded_by(steps: Steps, guard: str) -> tuple[str, ...]:
    """The steps that still rely on the success of `guard`: not over, and not overridden there."""
    return tuple(
        each.step.id
        for each in steps.values()
        if guard in each.step.guards and not each.over and guard not in each.overridden_guards
    )


def direct_dependents(plan: Plan) -> dict[str, tuple[str, ...]]:
    """For every step the steps that name it in `after` or `guards`."""
    found: dict[str, list[str]] = {step.id: [] for step in plan.steps}
    for step in plan.steps:
        for each in dict.fromkeys((*step.after, *step.guards)):
            found[each].append(step.id)
    return {step: tuple(each) for step, each in found.items()}


def all_dependents(plan: Plan, step_id: str) -> tuple[str, ...]:
    """Every step that was built on this one, directly or not, in the plan's order."""
    return _closure(plan, direct_dependents(plan), step_id)


def undone_with(plan: Plan, steps: Steps, step_id: str) -> tuple[StepState, ...]:
    """The steps that are done again when this one is: built on it, and over, failed or confirmed since."""
    dependents = (steps[each] for each in all_dependents(plan, step_id))
    return tuple(each for each in dependents if each.status in ENDED or each.yes is not None)


def all_predecessors(plan: Plan, step_id: str) -> tuple[str, ...]:
    """Every step that this one was built on, directly or not, in the plan's order."""
    return _closure(plan, {step.id: (*step.after, *step.guards) for step in plan.steps}, step_id)


def _closure(plan: Plan, edges: Mapping[str, Iterable[str]], start: str) -> tuple[str, ...]:
    seen: set[str] = set()
    todo = [start]
    while todo:
        for each in edges[todo.pop()]:
            if each not in seen:
                seen.add(each)
                todo.append(each)
    return tuple(step.id for step in plan.steps if step.id in seen)

"""People: who has to sign, who is told when it goes wrong, and who has to be there."""

from collections.abc import AsyncIterator

from console.domain.findings import Finding, Severity
from console.domain.plan import StepKind, Strength
from console.preflight.ground import Ground, listed


async def look(ground: Ground) -> AsyncIterator[Finding]:
    """What the plan says about people; asks nothing of the outside world."""
    plan = ground.plan
    required = [signoff.title for signoff in plan.signoffs if signoff.required]
    if required:
        message = f"The run is completed only with {len(required)} signatures: {listed(required)}."
        yield Finding("people.signatures", Severity.NOTE, message, remedy="See that each of them can be reached.")
    else:
        message = "Nobody has to sign: the run is completed by whoever drives it."
        remedy = "Name the roles that sign in the plan, under signoffs."
        yield Finding("people.signatures", Severity.WARNING, message, remedy=remedy)
    steps = {step.role for step in plan.steps if step.kind is StepKind.SIGNOFF}
    for signoff in plan.signoffs:
        if signoff.required and signoff.role not in steps:
            message = f"{signoff.title} has to sign, and no step asks for it."
            remedy = "Add a step with this role to the plan."
            yield Finding(f"people.no_step.{signoff.role}", Severity.BLOCKER, message, remedy=remedy)
    if not plan.channels and plan.environment != "rehearsal":
        message = "The plan names no channel: in an incident nobody would be told by the console."
        remedy = "Name one under channels, or have somebody ready to write."
        yield Finding("people.channels", Severity.WARNING, message, remedy=remedy)
    typed = [step.title for step in plan.steps if step.confirmation and step.confirmation.strength is Strength.TYPE]
    if typed:
        message = f"Somebody must be at the console to confirm {len(typed)} steps by typing."
        yield Finding("people.driver", Severity.NOTE, message, listed(typed))

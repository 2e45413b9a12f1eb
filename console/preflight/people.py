"""People: who has to sign, who is told when it goes wrong, and who has to be there."""

from collections.abc import AsyncIterator, Iterator

from console.domain.findings import Finding, Severity
from console.domain.plan import Plan, StepKind, Strength
from console.domain.signing import drove
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
    for finding in _four_eyes(plan, ground.drivers):
        yield finding
    if not plan.channels and plan.environment != "rehearsal":
        message = "The plan names no channel: in an incident nobody would be told by the console."
        remedy = "Name one under channels, or have somebody ready to write."
        yield Finding("people.channels", Severity.WARNING, message, remedy=remedy)
    typed = [step.title for step in plan.steps if step.confirmation and step.confirmation.strength is Strength.TYPE]
    if typed:
        message = f"Somebody must be at the console to confirm {len(typed)} steps by typing."
        yield Finding("people.driver", Severity.NOTE, message, listed(typed))


def _four_eyes(plan: Plan, drivers: tuple[str, ...]) -> Iterator[Finding]:
    """Where nobody who drives may sign: who could not, and whose signature would rest on the driver's word."""
    if not plan.four_eyes:
        return
    required = [signoff for signoff in plan.signoffs if signoff.required]
    for signoff in required:
        if drove(drivers, signoff.login):
            message = f"{signoff.title} signs as {signoff.login}, who drives: four eyes are asked for."
            remedy = f"Let somebody else drive, or name another login for {signoff.title} in the plan."
            # A rehearsal is practised by whoever is there; its own signatures are nobody's.
            severity = Severity.WARNING if plan.environment == "rehearsal" else Severity.BLOCKER
            yield Finding(f"people.four_eyes.{signoff.role}", severity, message, remedy=remedy)
    by_voice = [signoff.title for signoff in required if not signoff.login]
    if by_voice:
        message = "Four eyes are asked for, and whoever drives enters what these say: " + listed(by_voice) + "."
        remedy = "Name their logins in the plan, so that they sign from their own machines."
        yield Finding("people.by_voice", Severity.WARNING, message, remedy=remedy)

"""Where production stands in an incident, and what each way back costs: looked at in the world, journaled whole.

Reads only. What always holds: a part of the world that does not answer, or not in time, is a remark beside what the
others say, never a guess; only when neither the provider nor the database answers is there nothing to be said.
"""

import asyncio
from typing import TYPE_CHECKING

from console.actions.assessment_branch import BranchLook, look_at_branch
from console.actions.assessment_code import CodeLook, look_at_services
from console.actions.assessment_database import DatabaseLook, look_at_database
from console.actions.assessment_prices import offers
from console.actions.assessment_recovery import RecoveryLook, look_at_recovery
from console.actions.handover import moment_text
from console.domain.standing import Assessment, Standing
from console.domain.state import RunState
from console.errors import StepFailed
from console.ports import Clock

if TYPE_CHECKING:
    from console.actions.registry import Ports


class ProductionAssessor:
    """Looks at services, branch, database and backups, and prices the ways back (`console.ports.Assessor`)."""

    def __init__(self, ports: "Ports") -> None:
        self._ports = ports

    async def assess(self, state: RunState, clock: Clock) -> Assessment:
        """The standing and the ways. Raises StepFailed when neither provider nor database can be read."""
        (branch, code), database, recovery = await asyncio.gather(
            self._branch_and_code(state),
            look_at_database(self._ports, state),
            look_at_recovery(self._ports.backups, state, clock),
        )
        if not code.answered and not database.answered:
            raise StepFailed(
                "Neither the provider nor the database answers: where production stands cannot be said.",
                remedy="See that this machine reaches both, then look again.",
                lines=tuple(line.note for line in (*code.remarks, *database.remarks)),
            )
        standing = _standing(state, branch, code, database, recovery)
        standing, ways = await offers(self._ports, state, clock, standing, branch)
        return Assessment(moment_text(clock.now()), standing, ways)

    async def _branch_and_code(self, state: RunState) -> tuple[BranchLook, CodeLook]:
        """What the services run is said by what the branch holds: it is looked at first."""
        branch = await look_at_branch(self._ports.repository, state)
        return branch, await look_at_services(self._ports.hosting, self._ports.repository, state, branch)


def _standing(
    state: RunState, branch: BranchLook, code: CodeLook, database: DatabaseLook, recovery: RecoveryLook
) -> Standing:
    return Standing(
        pushed=branch.holds,
        services=code.services,
        schema=database.schema,
        postgres_id=database.postgres_id,
        database=database.name,
        switched=database.switched,
        fenced=database.fenced or any(service.maintenance for service in code.services),
        saved_copy=database.saved_copy,
        recoverable=recovery.recoverable,
        reachable_at=recovery.reachable_at,
        backup=recovery.backup,
        fix_is_all=branch.fix_is_all,
        split=database.split,
        remarks=(*branch.remarks, *code.remarks, *database.remarks, *recovery.remarks),
    )

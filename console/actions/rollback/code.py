"""The code goes back: deploys held, the revert made, pushed, deployed; then held against what was before."""

from typing import TYPE_CHECKING

from console.actions.databases import Databases
from console.actions.rollback.deploy import RollbackDeploy
from console.actions.rollback.hold import HoldDeploys
from console.actions.rollback.previous_build import PreviousBuild
from console.actions.rollback.prove import RollbackProve
from console.actions.rollback.push import RollbackPush
from console.actions.rollback.reapply import ReapplyBranch
from console.actions.rollback.revert import RollbackRevert
from console.actions.rollback.settings import RestoreDeploys
from console.ports import Action

if TYPE_CHECKING:
    from console.actions.registry import Ports


def code_actions(ports: "Ports") -> dict[str, Action]:
    """The actions of this family, by name."""
    hosting, repository = ports.hosting, ports.repository
    beside = (ports.switches, Databases(ports.database, ports.instances))
    return {
        "rollback.hold_deploys": HoldDeploys(hosting),
        "rollback.revert": RollbackRevert(repository),
        "rollback.push": RollbackPush(repository, hosting),
        "rollback.previous_build": PreviousBuild(hosting, repository, *beside),
        "rollback.deploy": RollbackDeploy(hosting, repository, ports.telemetry),
        "rollback.restore_deploys": RestoreDeploys(hosting, repository),
        "rollback.prove": RollbackProve(hosting, repository, *beside),
        "rollback.reapply_branch": ReapplyBranch(repository),
    }

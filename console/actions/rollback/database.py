"""The database goes back: writes fenced, an earlier state in a new instance, services switched and opened."""

from typing import TYPE_CHECKING

from console.actions.databases import Databases
from console.actions.rollback.database_compare import RollbackCompare
from console.actions.rollback.database_fence import RollbackFence
from console.actions.rollback.database_in_use import RollbackDatabaseInUse
from console.actions.rollback.database_open import RollbackOpen
from console.actions.rollback.database_recover import RollbackRecover
from console.actions.rollback.database_switch import RollbackSwitch
from console.ports import Action

if TYPE_CHECKING:
    from console.actions.registry import Ports


def database_actions(ports: "Ports") -> dict[str, Action]:
    """The actions of this family, by name."""
    databases = Databases(ports.database, ports.instances)
    hosting, switches = ports.hosting, ports.switches
    return {
        "rollback.fence": RollbackFence(hosting, switches, databases),
        "rollback.recover": RollbackRecover(ports.backups, ports.instances, databases),
        "rollback.compare": RollbackCompare(databases),
        "rollback.switch": RollbackSwitch(hosting, switches, databases),
        "rollback.database_in_use": RollbackDatabaseInUse(hosting, switches, databases),
        "rollback.open": RollbackOpen(hosting, switches, databases, ports.web),
    }

"""The schema goes back, without loss: what the migration dropped is built again from the saved copy."""

from typing import TYPE_CHECKING

from console.actions.rollback.schema_back import SchemaBack
from console.actions.rollback.schema_copy import DiscardCopy
from console.ports import Action

if TYPE_CHECKING:
    from console.actions.registry import Ports


def schema_actions(ports: "Ports") -> dict[str, Action]:
    """The actions of this family, by name."""
    return {
        "rollback.schema": SchemaBack(ports.database, ports.switches, ports.instances),
        "rollback.discard_copy": DiscardCopy(ports.database),
    }

"""Words and papers: who was told what, and what the record says of the incident."""

from typing import TYPE_CHECKING

from console.ports import Action

if TYPE_CHECKING:
    from console.actions.registry import Ports


def communicate_actions(ports: "Ports") -> dict[str, Action]:
    """The actions of this family, by name."""
    return {}

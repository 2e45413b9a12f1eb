"""The database goes back: writes fenced, an earlier state in a new instance, services switched and opened."""

from typing import TYPE_CHECKING

from console.ports import Action

if TYPE_CHECKING:
    from console.actions.registry import Ports


def database_actions(ports: "Ports") -> dict[str, Action]:
    """The actions of this family, by name."""
    return {}

"""The code goes back: deploys held, the revert made, pushed, deployed; then held against what was before."""

from typing import TYPE_CHECKING

from console.ports import Action

if TYPE_CHECKING:
    from console.actions.registry import Ports


def code_actions(ports: "Ports") -> dict[str, Action]:
    """The actions of this family, by name."""
    return {}

"""What a plan may say about actions: their names, their parameters, whether they change production.

The catalogue itself stands in `console.actions.catalogue`; `console.config` checks plans against it without
importing a single action.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from console.domain.plan import Strength


class ParamType(StrEnum):
    """What a parameter of an action may hold."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"
    DURATION = "duration"
    SERVICE = "service key"
    ENVIRONMENT = "environment"
    CHECKS = "list of check ids"


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of an action."""

    type: ParamType
    required: bool = True


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """An action as a plan may name it. `least` is the weakest confirmation it accepts; None: none needed."""

    name: str
    summary: str
    destructive: bool = False
    least: Strength | None = None
    params: Mapping[str, Param] = field(default_factory=dict)

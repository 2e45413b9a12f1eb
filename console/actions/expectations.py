"""What a check expects of a JSON answer or a row: places by dotted path, values or conditions found there.

Templates: `{name}` in a string becomes a captured value; a string that is nothing but `{name}` becomes the
value itself, with its type. A name that was never captured is an error of the template, not an empty text.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal

from console.domain.plan import Json
from console.errors import StepFailed

_NAME = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_CONDITIONS = frozenset({"type", "min", "max", "contains", "one_of"})
_LONGEST = 80
_MISSING = object()


class MissingName(StepFailed):
    """A template names something that was never captured."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The check uses {{{name}}}, which no request before it has captured.",
            remedy="Correct the check's captures in the plan.",
        )


def filled(template: Json, names: Mapping[str, Json]) -> Json:
    """The template with its names replaced. Raises MissingName."""
    if isinstance(template, str):
        whole = _NAME.fullmatch(template)
        return _named(whole[1], names) if whole else filled_text(template, names)
    if isinstance(template, list):
        return [filled(item, names) for item in template]
    if isinstance(template, dict):
        return {key: filled(item, names) for key, item in template.items()}
    return template


def filled_text(template: str, names: Mapping[str, Json], quote: Callable[[str], str] = str) -> str:
    """A text with its names replaced, each passed through `quote`. Raises MissingName."""
    return _NAME.sub(lambda match: quote(_text(_named(match[1], names))), template)


def found_at(answer: object, path: str) -> tuple[bool, object]:
    """Whether there is something at the dotted path (numbers count into lists), and what."""
    place = answer
    for part in path.split("."):
        if isinstance(place, Mapping) and part in place:
            place = place[part]
        elif isinstance(place, list) and part.isdigit() and int(part) < len(place):
            place = place[int(part)]
        else:
            return False, None
    return True, place


def differences(answer: object, expect: Mapping[str, Json], names: Mapping[str, Json]) -> list[str]:
    """Everything that is not as expected, a sentence each; empty when all is. Raises MissingName."""
    problems: list[str] = []
    for path, expected in expect.items():
        there, value = found_at(answer, path)
        wanted = filled(expected, names)
        problem = _problem(value if there else _MISSING, wanted)
        if problem:
            problems.append(f"{path}: {problem}")
    return problems


def shown(value: object) -> str:
    """A value as a message shows it, on one line and not too long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _problem(value: object, wanted: Json) -> str:
    if isinstance(wanted, dict) and wanted and wanted.keys() <= _CONDITIONS:
        problems = (_broken(name, value, limit) for name, limit in wanted.items())
        return "; ".join(problem for problem in problems if problem)
    if value is _MISSING:
        return f"is not there; {shown(wanted)} expected"
    return "" if _same(_plain(value), wanted) else f"{shown(value)} found, {shown(wanted)} expected"


def _broken(name: str, value: object, limit: Json) -> str:
    if value is _MISSING:
        return f"is not there; {name} {shown(limit)} expected"
    value = _plain(value)
    match name:
        case "type":
            return "" if _type(value) == limit else f"{shown(value)} is of type {_type(value)}, {limit} expected"
        case "min" | "max":
            return _beyond(name, value, limit)
        case "contains":
            holds = _contains(value, limit)
            return "" if holds else f"{shown(value)} does not contain {shown(limit)}"
        case _:
            among = isinstance(limit, list) and any(_same(value, item) for item in limit)
            return "" if among else f"{shown(value)} is none of {shown(limit)}"


def _beyond(name: str, value: object, limit: Json) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isinstance(limit, int | float):
        return f"{shown(value)} is no number; {name} {shown(limit)} expected"
    holds = value >= limit if name == "min" else value <= limit
    return (
        "" if holds else f"{shown(value)} found, {'at least' if name == 'min' else 'at most'} {shown(limit)} expected"
    )


def _contains(value: object, limit: Json) -> bool:
    if isinstance(value, str):
        return isinstance(limit, str) and limit in value
    if isinstance(value, list):
        return any(_same(item, limit) for item in value)
    return isinstance(value, Mapping) and isinstance(limit, str) and limit in value


def _same(value: object, wanted: object) -> bool:
    # True == 1 in Python; an answer that says true has not said 1.
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _plain(value: object) -> object:
    """A database's value as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value


def _type(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list | tuple) else "object"


def _named(name: str, names: Mapping[str, Json]) -> Json:
    if name not in names:
        raise MissingName(name)
    return names[name]


def _text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)

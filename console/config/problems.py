"""Problems of a configuration, in sentences for people, each at the place it stands.

Nothing here echoes a value other than names that were meant to match something; whatever is echoed passes the
redactor on its way out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as File
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from console.config.nearest import did_you_mean, nearest
from console.config.toml_lines import Path

_SENTENCES: Mapping[str, str] = {
    "missing": "is missing.",
    "string_type": "must be text in quotes.",
    "string_too_short": "must not be empty.",
    "too_short": "must not be empty.",
    "int_type": "must be a whole number.",
    "int_from_float": "must be a whole number.",
    "float_type": "must be a number.",
    "finite_number": "must be a finite number.",
    "bool_type": "must be true or false.",
    "tuple_type": "must be a list: [ … ].",
    "list_type": "must be a list: [ … ].",
    "dict_type": "must be a table of keys and values.",
    "model_type": "must be a table of keys and values.",
    "date_from_datetime_parsing": "must be a date, such as 2026-02-04.",
    "date_parsing": "must be a date, such as 2026-02-04.",
    "date_type": "must be a date, such as 2026-02-04.",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the path of the key, and a sentence about it. `secret`: the value there is one."""

    path: Path
    text: str
    secret: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Located:
    """A problem as it is told: file, line, and the sentence with its key."""

    file: File
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


def key_text(path: Path) -> str:
    """`steps[3].action`: positions count from 0."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def unknown(path: Path, word: str, options: Iterable[str], what: str) -> Problem:
    """A name that matches nothing: `"souce.push" is not an action. Did you mean "source.push"?`."""
    return Problem(path, f'"{word}" is not {what}.{did_you_mean(word, options, or_list=True)}')


def problems_of(error: ValidationError, model: type[BaseModel], data: object) -> Iterator[Problem]:
    """What pydantic found in `data`, one problem an error.

    A required key that is missing because it is misspelt is reported once, as the misspelling.
    """
    details = error.errors(include_url=False, include_context=True, include_input=False)
    misspelt: set[Path] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            parent, key = detail["loc"][:-1], str(detail["loc"][-1])
            absent = [name for name in _keys(model, parent) if name not in _names(data, parent)]
            match = nearest(key, _keys(model, parent), likely=absent)
            if match is not None:
                misspelt.add((*parent, match))
            hint = did_you_mean(key, _keys(model, parent)) if match is None else f' Did you mean "{match}"?'
            yield Problem(detail["loc"], f'"{key}" is not a key {_of(parent)}.{hint}')
    for detail in details:
        if detail["type"] != "extra_forbidden" and detail["loc"] not in misspelt:
            yield _problem(detail)


def _problem(detail: ErrorDetails) -> Problem:
    kind, path = detail["type"], detail["loc"]
    if kind == "value_error":
        return Problem(path, str(detail["ctx"]["error"]))
    return Problem(path, _SENTENCES.get(kind, detail["msg"][:1].lower() + detail["msg"][1:] + "."))


def _of(parent: Path) -> str:
    names = [part for part in parent if isinstance(part, str)]
    return f"of [{'.'.join(names)}]" if names else "of a plan"


def _keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the table at `path` may have; empty where the keys are the person's own."""
    for part in path:
        if isinstance(part, int):
            continue
        field = next((f for name, f in model.model_fields.items() if (f.alias or name) == part), None)
        inner = _model_in(field.annotation) if field is not None else None
        if inner is None:
            return []
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg)) is not None), None)


def _names(data: object, path: Path) -> set[str]:
    for part in path:
        data = data[part]  # type: ignore[index]  # pydantic has walked this very path
    return set(data) if isinstance(data, dict) else set()

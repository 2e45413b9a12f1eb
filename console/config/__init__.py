"""The configuration: `config.toml` read, checked in every respect, and turned into the domain's plan.

A file is refused with everything that is wrong in it, each problem with file, line, key and the nearest thing
that would have been right. Nothing is started and no secret is read here.
"""

from collections.abc import Iterator, Mapping, Sequence
from os.path import relpath
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import to_json

from console.config.build import build
from console.config.document import Document, read
from console.config.model import PlanFile
from console.config.parts import Parts
from console.config.problems import Located, Problem, key_text, problems_of
from console.config.rules import RULES
from console.domain.catalogue import ActionSpec
from console.domain.plan import Plan
from console.errors import ConfigError
from console.redact import Redactor

__all__ = ["check", "load"]


def load(path: Path, catalogue: Mapping[str, ActionSpec], overlays: Sequence[Path] = ()) -> Plan:
    """The plan in a file, with what it extends, and `overlays` laid over it in order.

    Raises ConfigError with all problems, sorted by file and line.
    """
    document = read(path, overlays)
    problems = list(document.problems)
    file, wrong = _validated(document)
    wrong += [Problem(path, "is a date; put it in quotes.") for path in document.dates - {("date",)}]
    parts = Parts(document.data, catalogue)
    wrong += [problem for rule in RULES for problem in rule(parts)]
    problems += [_located(document, problem) for problem in _once(wrong)]
    if problems or file is None:
        redact = Redactor().text
        raise ConfigError([redact(str(problem)) for problem in sorted(problems)], remedy="Correct these lines.")
    return build(file, document, catalogue)


def check(path: Path, catalogue: Mapping[str, ActionSpec]) -> Plan:
    """What `plan check` does: the plan of a file that could be driven, or ConfigError. Reads no secret."""
    return load(path, catalogue)


def _validated(document: Document) -> tuple[PlanFile | None, list[Problem]]:
    try:
        return PlanFile.model_validate_json(to_json(document.data)), []
    except ValidationError as error:
        return None, list(problems_of(error, PlanFile, document.data))


def _once(problems: Sequence[Problem]) -> Iterator[Problem]:
    """One problem a place: what looks like a secret is told as that and as nothing else."""
    secret = {problem.path for problem in problems if problem.secret}
    seen: set[Problem] = set()
    for problem in problems:
        if problem not in seen and (problem.secret or problem.path not in secret):
            seen.add(problem)
            yield problem


def _located(document: Document, problem: Problem) -> Located:
    file, line = document.origin(problem.path)
    key = key_text(problem.path)
    return Located(_shown(file), line, f"{key}: {problem.text}" if key else problem.text)


def _shown(file: Path) -> Path:
    """A file as people name it: from here where it lies below, else in full."""
    near = Path(relpath(file))
    return file if ".." in near.parts else near

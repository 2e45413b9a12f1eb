"""What a step is: its kind, its phase, its action with parameters, and how it is confirmed."""

from collections.abc import Iterator

from console.config.durations import parse_duration
from console.config.model import StepTable
from console.config.parts import Names, Parts, Placed
from console.config.problems import Problem, unknown
from console.config.toml_lines import Path
from console.domain.catalogue import ActionSpec, Param, ParamType
from console.domain.plan import Json, Strength


def kinds(parts: Parts) -> Iterator[Problem]:
    """A step has an action, or a role, or is manual; what belongs to actions stands beside an action."""
    for step in parts.steps:
        item = step.item
        given = [key for key, has in (("action", item.action), ("role", item.role), ("manual", item.manual)) if has]
        if not given:
            yield Problem(step.path, f'"{item.id}" needs an `action`, a `role` that signs, or `manual = true`.')
        for extra in given[1:]:
            yield Problem((*step.path, extra), f"cannot stand beside `{given[0]}`: a step is completed in one way.")
        for key, has in (("with", item.params), ("confirm", item.confirm)):
            if has and item.action is None:
                yield Problem((*step.path, key), "belongs to a step with an `action`.")


def phases(parts: Parts) -> Iterator[Problem]:
    """A step's phase exists."""
    known = parts.names("phases")
    for step in parts.steps:
        if known.lack(step.item.phase):
            yield unknown((*step.path, "phase"), step.item.phase, known.options, "a phase")


def actions(parts: Parts) -> Iterator[Problem]:
    """A step's action exists and is given what it takes."""
    for step in parts.steps:
        if step.item.action is None:
            continue
        spec = parts.catalogue.get(step.item.action)
        if spec is None:
            yield unknown((*step.path, "action"), step.item.action, parts.catalogue, "an action")
        else:
            yield from _params(parts, step, spec)


def confirmations(parts: Parts) -> Iterator[Problem]:
    """A confirmation is at least as strong as its action asks, and what is typed names something of the plan."""
    typed = _typed_names(parts)
    for step in parts.steps:
        item = step.item
        spec = parts.catalogue.get(item.action or "")
        if spec is not None:
            yield from _strength(step, spec)
        if item.confirm == "type" and item.phrase is None:
            yield Problem((*step.path, "confirm"), '"type" needs a `phrase`: what has to be typed.')
        elif item.confirm != "type" and item.phrase is not None:
            yield Problem((*step.path, "phrase"), 'is typed only where `confirm = "type"`.')
        elif item.phrase is not None and typed.lack(item.phrase):
            what = "the name of a branch, a database or a service of this plan"
            yield unknown((*step.path, "phrase"), item.phrase, typed.options, what)


def _strength(step: Placed[StepTable], spec: ActionSpec) -> Iterator[Problem]:
    least = Strength.ASK if spec.destructive and spec.least is None else spec.least
    if least is None or step.item.confirm == "type" or step.item.confirm == least.value:
        return
    path = step.path if step.item.confirm is None else (*step.path, "confirm")
    reason = "it changes production" if spec.destructive else "its action asks for it"
    yield Problem(path, f'"{step.item.id}" needs `confirm = "{least.value}"`: {reason}.')


def _typed_names(parts: Parts) -> Names:
    places = (("release", "target"), ("release", "source"), ("database", "name"))
    names = [text for place in places if (text := parts.text(*place)) is not None]
    services = [*parts.names("services", "name").options, *parts.names("services", "key").options]
    whole = len(names) == len(places) and parts.names("services", "name").complete
    return Names((*names, *services), complete=whole)


def _params(parts: Parts, step: Placed[StepTable], spec: ActionSpec) -> Iterator[Problem]:
    given, path = step.item.params, (*step.path, "with")
    for name in given:
        if name not in spec.params:
            takes = f'something that "{spec.name}" takes' if spec.params else f'known: "{spec.name}" takes nothing'
            yield unknown((*path, name), name, spec.params, takes)
    for name, param in spec.params.items():
        if name in given:
            yield from _param(parts, (*path, name), param, given[name])
        elif param.required and not any(other not in spec.params for other in given):
            yield Problem(path if given else step.path, f'"{spec.name}" needs `with = {{ {name} = … }}`.')


def _param(parts: Parts, path: Path, param: Param, value: Json) -> Iterator[Problem]:
    match param.type, value:
        case (ParamType.SERVICE, str(name)):
            yield from _known(path, name, parts.names("services", "key"), "a service")
        case (ParamType.ENVIRONMENT, str(name)):
            yield from _known(path, name, parts.names("services", "environment"), "an environment with services")
        case (ParamType.CHECKS, [_, *_]) if isinstance(value, list):
            for place, item in enumerate(value):
                yield from _known((*path, place), str(item), parts.names("checks"), "a check")
        case (ParamType.DURATION, str(text)):
            try:
                parse_duration(text)
            except ValueError as error:
                yield Problem(path, str(error))
        case (ParamType.TEXT, str()) | (ParamType.FLAG, bool()):
            return
        case (ParamType.NUMBER, int() | float()) if not isinstance(value, bool):
            return
        case _:
            yield Problem(path, f"must be a {param.type.value}.".replace("a environment", "an environment"))


def _known(path: Path, name: str, names: Names, what: str) -> Iterator[Problem]:
    if names.lack(name):
        yield unknown(path, name, dict.fromkeys(names.options), what)

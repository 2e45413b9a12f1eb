"""The order of steps: what waits for what. A step without `after` waits for the one above it."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from console.config.model import StepTable
from console.config.parts import Parts, StepLinks
from console.config.problems import Problem, unknown


def predecessors(steps: Sequence[StepTable | StepLinks]) -> Mapping[str, tuple[str, ...]]:
    """The steps that each step waits for, by id."""
    above = [(), *((step.id,) for step in steps)]
    return {
        step.id: before if step.after is None else step.after for step, before in zip(steps, above[:-1], strict=True)
    }


def neighbours_exist(parts: Parts) -> Iterator[Problem]:
    """`after`, `guards` and `reopens` name other steps."""
    known = parts.names("steps")
    for step in parts.links:
        lists = {"after": step.item.after or (), "guards": step.item.guards, "reopens": step.item.reopens}
        for key, names in lists.items():
            for place, name in enumerate(names):
                if known.lack(name):
                    yield unknown((*step.path, key, place), name, known.options, "a step")
                elif name == step.item.id:
                    yield Problem((*step.path, key, place), f'"{name}" cannot name itself.')


def no_circles(parts: Parts) -> Iterator[Problem]:
    """Steps do not wait for each other in a circle."""
    if not parts.order_is_certain:
        return
    try:
        TopologicalSorter(_graph(parts)).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        if len(circle) > 2:  # a step that waits for itself has been told
            first = next(step for step in parts.links if step.item.id == circle[-1])
            words = " → ".join(reversed(circle))
            yield Problem((*first.path, "after"), f"steps wait for each other in a circle: {words}.")


def guards_come_earlier(parts: Parts) -> Iterator[Problem]:
    """A guard, and a step that may be reopened, is over before the step that names it begins."""
    graph = _graph(parts) if parts.order_is_certain else {}
    for step in parts.links:
        earlier = ancestors(graph, step.item.id)
        for key, names in (("guards", step.item.guards), ("reopens", step.item.reopens)):
            for place, name in enumerate(names):
                if name in graph and name != step.item.id and name not in earlier:
                    text = f'"{name}" does not come before "{step.item.id}": nothing in `after` leads to it.'
                    yield Problem((*step.path, key, place), text)


def ancestors(graph: Mapping[str, tuple[str, ...]], step: str) -> set[str]:
    """All steps that are over before `step` begins."""
    found: set[str] = set()
    waiting = list(graph.get(step, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(graph.get(name, ()))
    return found


def _graph(parts: Parts) -> Mapping[str, tuple[str, ...]]:
    return predecessors(tuple(step.item for step in parts.links))

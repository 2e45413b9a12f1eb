"""What checks may do: ask declared services, use what they captured, and leave nothing behind."""

import re
from collections.abc import Iterator, Mapping

from console.config.model import CheckTable, RequestTable
from console.config.nearest import did_you_mean
from console.config.parts import Parts, Placed
from console.config.problems import Problem, unknown
from console.config.rules.order import ancestors, predecessors
from console.config.toml_lines import Path
from console.domain.plan import Json

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_ALWAYS_KNOWN = ("run", "marker")
_READING = ("GET", "HEAD")
_CONDITIONS: Mapping[str, tuple[type, ...]] = {
    "type": (str,),
    "min": (int, float),
    "max": (int, float),
    "contains": (str, int, float, bool, list, dict),
    "one_of": (list,),
}
_TYPES = ("string", "number", "boolean", "array", "object", "null")


def requests_reach_services(parts: Parts) -> Iterator[Problem]:
    """Every request goes to a declared service; a check asks something at all."""
    services = parts.names("services", "key")
    for check in parts.checks:
        if not check.item.requests and not check.item.queries:
            yield Problem(check.path, f'"{check.item.id}" asks nothing: it needs `requests` or `queries`.')
        if check.item.service is not None and services.lack(check.item.service):
            yield unknown((*check.path, "service"), check.item.service, services.options, "a service")
        for path, request in _requests(check):
            if request.service is not None and services.lack(request.service):
                yield unknown((*path, "service"), request.service, services.options, "a service")
            elif request.service is None and check.item.service is None:
                yield Problem(path, "names no `service`, and neither does its check.")


def placeholders_are_captured(parts: Parts) -> Iterator[Problem]:
    """`{name}` stands only for what an earlier request captured, `{run}` or `{marker}`."""
    for check in parts.checks:
        known = list(_ALWAYS_KNOWN)
        for path, request in _requests(check):
            uses = (("send", request.send), ("body", request.body), ("expect", request.expect))
            for key, value in uses[:2]:
                yield from _unknown_placeholders((*path, key), value, known)
            known += request.capture
            yield from _unknown_placeholders((*path, "expect"), uses[2][1], known)
        for place, query in enumerate(check.item.queries):
            yield from _unknown_placeholders((*check.path, "queries", place, "sql"), query.sql, known)
        if check.item.leftovers is not None:
            # Counted also after a crash, when nothing that was captured need be known.
            fixed = list(_ALWAYS_KNOWN)
            yield from _unknown_placeholders((*check.path, "leftovers", "sql"), check.item.leftovers.sql, fixed)
        for name, sql in check.item.lookup.items():
            if name not in known:
                text = f'"{name}" is captured by no request of this check.{did_you_mean(name, known)}'
                yield Problem((*check.path, "lookup", name), text)
            if "{marker}" not in sql:
                yield Problem((*check.path, "lookup", name), "must tell the console's own rows by {marker}.")
            yield from _unknown_placeholders((*check.path, "lookup", name), sql, list(_ALWAYS_KNOWN))


def traces_are_removed(parts: Parts) -> Iterator[Problem]:
    """A check that writes names the tables, cleans up, and counts what is left by its marker."""
    for check in parts.checks:
        item = check.item
        writing = [request for request in item.requests if request.send.split()[0] not in _READING]
        if not writing:
            continue
        for key, given in (("writes", item.writes), ("cleanup", item.cleanup), ("leftovers", item.leftovers)):
            if not given:
                text = f'"{item.id}" writes ({writing[0].send.split()[0]}), so it needs `{key}`.'
                yield Problem(check.path, text)
        if item.leftovers is not None and any(value != 0 for value in item.leftovers.expect.values()):
            yield Problem((*check.path, "leftovers", "expect"), "must expect nothing to be left: 0.")
        if item.leftovers is not None and "{marker}" not in item.leftovers.sql:
            yield Problem((*check.path, "leftovers", "sql"), "must tell the console's own rows by {marker}.")


def expectations(parts: Parts) -> Iterator[Problem]:
    """A table among expectations is made of conditions."""
    for check in parts.checks:
        expected = [((*path, "expect"), request.expect) for path, request in _requests(check)]
        expected += [
            ((*check.path, "queries", place, "expect"), query.expect) for place, query in enumerate(check.item.queries)
        ]
        for path, wanted in expected:
            for key, value in wanted.items():
                if isinstance(value, dict):
                    yield from _conditions((*path, key), value)


def checks_fit_the_release(parts: Parts) -> Iterator[Problem]:
    """Before the push the old release answers, after it the new one: no step asks the wrong one."""
    steps = [step.item for step in parts.links]
    push = next((step.id for step in steps if step.action == "source.push"), None)
    if push is None or not parts.order_is_certain:
        return
    graph = predecessors(steps)
    releases = {check.item.id: check.item.release for check in parts.checks}
    for step in parts.links:
        after = push in ancestors(graph, step.item.id)
        wrong, word = ("old", "after") if after else ("new", "before")
        names = step.item.params.get("checks")
        for place, name in enumerate(names if isinstance(names, list) else []):
            if releases.get(str(name)) == wrong:
                text = f'"{name}" is a check of the {wrong} release, and "{step.item.id}" runs {word} the push.'
                yield Problem((*step.path, "with", "checks", place), text)


def _requests(check: Placed[CheckTable]) -> Iterator[tuple[Path, RequestTable]]:
    for key, requests in (("requests", check.item.requests), ("cleanup", check.item.cleanup)):
        for place, request in enumerate(requests):
            yield (*check.path, key, place), request


def _unknown_placeholders(path: Path, value: Json, known: list[str]) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _unknown_placeholders((*path, key), item, known)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _unknown_placeholders((*path, place), item, known)
    elif isinstance(value, str):
        for name in _PLACEHOLDER.findall(value):
            if name not in known:
                yield unknown(path, "{" + name + "}", ["{" + other + "}" for other in known], "known here")


def _conditions(path: Path, conditions: Mapping[str, Json]) -> Iterator[Problem]:
    if not conditions:
        yield Problem(path, "must not be empty.")
    for name, value in conditions.items():
        if name not in _CONDITIONS:
            yield unknown((*path, name), name, _CONDITIONS, "a condition")
        elif not isinstance(value, _CONDITIONS[name]) or (name in ("min", "max") and isinstance(value, bool)):
            yield Problem((*path, name), "must be a number." if name in ("min", "max") else "is not of a fitting type.")
        elif name == "type" and value not in _TYPES:
            yield unknown((*path, name), str(value), _TYPES, "a type")

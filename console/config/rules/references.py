"""Names: each declared once, each use of one declared."""

from collections.abc import Iterator

from console.config.parts import Parts
from console.config.problems import Problem, key_text, unknown

_IDENTITIES = {
    "services": "key",
    "phases": "id",
    "steps": "id",
    "criteria": "id",
    "signoffs": "role",
    "checks": "id",
    "channels": "name",
    "messages": "turn",
}


def ids_are_unique(parts: Parts) -> Iterator[Problem]:
    """No two items of a list bear one name."""
    for section, identity in _IDENTITIES.items():
        items = parts.data.get(section)
        first: dict[str, int] = {}
        for place, item in enumerate(items if isinstance(items, list) else []):
            name = item.get(identity) if isinstance(item, dict) else None
            if not isinstance(name, str):
                continue
            if name in first:
                before = key_text((section, first[name]))
                yield Problem((section, place, identity), f'"{name}" is already the {identity} of {before}.')
            first.setdefault(name, place)


def rows_name_steps(parts: Parts) -> Iterator[Problem]:
    """Timeline rows and criteria refer to steps that exist."""
    known = parts.names("steps")
    uses = [((*row.path, "steps"), row.item.steps) for row in parts.timeline]
    uses += [((*row.path, "proven_by"), row.item.proven_by) for row in parts.criteria]
    for path, names in uses:
        for place, name in enumerate(names):
            if known.lack(name):
                yield unknown((*path, place), name, known.options, "a step")


def signatures(parts: Parts) -> Iterator[Problem]:
    """A step's role is one that signs, and every required signature has its step."""
    roles = parts.names("signoffs", "role")
    for step in parts.steps:
        if step.item.role is not None and roles.lack(step.item.role):
            yield unknown((*step.path, "role"), step.item.role, roles.options, "a role that signs")
    signing = parts.names("steps", "role").options
    for signoff in parts.signoffs:
        if parts.all_are_sound("steps") and signoff.item.required and signoff.item.role not in signing:
            yield Problem((*signoff.path, "role"), f'no step is signed by "{signoff.item.role}", yet it is required.')

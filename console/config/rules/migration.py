"""The release and its migration: columns, values, files and branches agree with each other."""

from collections.abc import Iterator

from console.config.parts import Parts
from console.config.problems import Problem, unknown


def columns(parts: Parts) -> Iterator[Problem]:
    """No column or view is both there and gone; the mapping fills a column that is added."""
    if parts.migration is None:
        return
    path, migration = parts.migration.path, parts.migration.item
    for place, name in enumerate(migration.added):
        if name in migration.removed:
            yield Problem((*path, "added", place), f'"{name}" is also among the removed columns.')
    for place, name in enumerate(migration.dropped_views):
        if name in migration.views:
            yield Problem((*path, "dropped_views", place), f'"{name}" is also among the views that stay.')
    if migration.key in (*migration.removed, *migration.added):
        yield Problem((*path, "key"), f'"{migration.key}" must be there before and afterwards.')
    if migration.mapping.target not in migration.added:
        yield unknown(
            (*path, "mapping", "target"), migration.mapping.target, migration.added, "among the added columns"
        )
    if migration.saved_copy == migration.table:
        yield Problem((*path, "saved_copy"), "must be another table than the one that is migrated.")
    if migration.lock_timeout > migration.statement_timeout:
        yield Problem((*path, "lock_timeout"), "is longer than `statement_timeout`, which would end the wait first.")


def values(parts: Parts) -> Iterator[Problem]:
    """Every value that a row may become lies in the domain; an old value is mapped once."""
    if parts.mapping is None:
        return
    mapping, path = parts.mapping.item, parts.mapping.path
    results = [((*path, "otherwise"), mapping.otherwise)]
    results += [((*path, "rules", place, "becomes"), rule.becomes) for place, rule in enumerate(mapping.rules)]
    results += [((*path, "overrides", place, "becomes"), rule.becomes) for place, rule in enumerate(mapping.overrides)]
    results += [((*claim.path, "promised"), claim.item.promised) for claim in parts.claims]
    for where, value in results:
        if value not in mapping.domain:
            yield unknown(where, value, mapping.domain, "in the domain")
    seen: set[str] = set()
    for place, rule in enumerate(mapping.rules):
        if rule.value in seen:
            yield Problem((*path, "rules", place, "value"), f'"{rule.value}" has a rule already.')
        seen.add(rule.value)


def inverse(parts: Parts) -> Iterator[Problem]:
    """The way back names each new value as the domain has it, and gives it an old one that the mapping knows."""
    if parts.migration is None:
        return
    mapping, path = parts.migration.item.mapping, (*parts.migration.path, "inverse")
    known = [rule.value for rule in mapping.rules]
    for value, becomes in parts.migration.item.inverse.items():
        if value not in mapping.domain:
            yield unknown((*path, value), value, mapping.domain, "in the domain")
        elif becomes not in known and value != mapping.otherwise:
            yield unknown((*path, value), becomes, known, "an old value of the mapping")


def files(parts: Parts) -> Iterator[Problem]:
    """The migration is one of the files of the release, and a file is named once."""
    if parts.release is None:
        return
    names = parts.release.item.files
    if parts.migration is not None and parts.migration.item.file not in names:
        yield unknown(
            (*parts.migration.path, "file"), parts.migration.item.file, names, "among the files of the release"
        )
    for place, name in enumerate(names):
        if name in names[:place]:
            yield Problem((*parts.release.path, "files", place), f'"{name}" is named twice.')


def branches(parts: Parts) -> Iterator[Problem]:
    """What is pushed reaches production: its services track the target branch."""
    source, target = parts.text("release", "source"), parts.text("release", "target")
    if target is not None and source == target:
        yield Problem(("release", "source"), f'"{target}" cannot be merged into itself.')
    production = [service for service in parts.services if service.item.environment == "production"]
    if not production and parts.all_are_sound("services"):
        yield Problem(("services",), "no service belongs to production.")
    for service in production:
        if target is not None and service.item.branch != target:
            text = f'"{service.item.branch}" is not the branch that is pushed ("{target}"): nothing would reach it.'
            yield Problem((*service.path, "branch"), text)

"""The TOML files of a configuration as one document that still knows where each value stands.

A file that begins with `extends = "other.toml"` lies over that other file: tables are merged key by key, lists of
tables item by item where the items have an identity, everything else is replaced.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path as File

from console.config.nearest import nearest
from console.config.problems import Located, key_text
from console.config.toml_lines import Path, lines_of
from console.domain.plan import Json
from console.errors import ConfigError

_Scalar = str | int | float | bool | date | time
_Value = _Scalar | list["_Node"] | dict[str, "_Node"]

_IDENTITIES = ("key", "id", "role")
_ALTERNATIVES = ("_env", "_file")
_PLACE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")


@dataclass(slots=True)
class _Node:
    """A value with its place."""

    value: _Value
    file: File
    line: int


@dataclass(frozen=True, slots=True)
class Document:
    """Plain merged data, the origin of every path in it, and what could not be merged.

    JSON knows no dates: they are text in `data`, and `dates` says where they stood.
    """

    data: dict[str, Json]
    origins: dict[Path, tuple[File, int]]
    dates: frozenset[Path]
    problems: tuple[Located, ...] = ()

    def origin(self, path: Path) -> tuple[File, int]:
        """File and line of a path; of the nearest table around it when it is not there itself."""
        while path not in self.origins:
            path = path[:-1]
        return self.origins[path]


@dataclass(slots=True)
class _Merge:
    problems: list[Located] = field(default_factory=list)

    def over(self, path: Path, base: _Node, top: _Node) -> _Node:
        """`top` laid over `base`."""
        if isinstance(base.value, dict) and isinstance(top.value, dict):
            return _Node(self._tables(path, base.value, top.value), base.file, base.line)
        if isinstance(base.value, list) and isinstance(top.value, list):
            old, new = _named(base.value), _named(top.value)
            if old and new:
                return _Node(self._items(path, old, new), base.file, base.line)
        return top

    def _tables(self, path: Path, base: dict[str, _Node], top: dict[str, _Node]) -> dict[str, _Node]:
        merged = dict(base)
        for key, node in top.items():
            for alternative in _other_names(key):
                merged.pop(alternative, None)
            merged[key] = self.over((*path, key), merged[key], node) if key in merged else node
        return merged

    def _items(self, path: Path, base: dict[str, _Node], top: dict[str, _Node]) -> list[_Node]:
        merged = dict(base)
        for place, (name, node) in enumerate(top.items()):
            if name in base:
                merged[name] = self.over((*path, list(base).index(name)), base[name], node)
            elif (meant := nearest(name, base)) is not None and _smaller(node, base[meant]):
                sentence = f'"{name}" is not in the file that this one extends. Did you mean "{meant}"?'
                self.problems.append(Located(node.file, node.line, f"{key_text((*path, place))}: {sentence}"))
            else:
                merged[name] = node
        return list(merged.values())


def read(path: File, overlays: Sequence[File] = ()) -> Document:
    """Read a configuration, what it extends, and the overlays over it. Raises ConfigError."""
    merge = _Merge()
    node = _chain(path, (), merge)
    for overlay in overlays:
        node = merge.over((), node, _chain(overlay, (), merge))
    nodes: dict[Path, _Node] = {}
    data = {key: _plain((key,), item, nodes) for key, item in _table(node).items() if key != "extends"}
    origins = {(): (path, 1)} | {at: (found.file, found.line) for at, found in nodes.items()}
    dates = frozenset(at for at, found in nodes.items() if isinstance(found.value, date | time))
    return Document(data, origins, dates, tuple(merge.problems))


def _chain(path: File, above: tuple[File, ...], merge: _Merge) -> _Node:
    node = _parse(path)
    extends = _table(node).get("extends")
    if extends is None:
        return node
    if not isinstance(extends.value, str):
        raise ConfigError([f"{path}:{extends.line}: extends: must be text in quotes: the path of a file."])
    base = path.parent / File(extends.value).expanduser()
    if base.resolve() in {file.resolve() for file in (*above, path)}:
        raise ConfigError([f'{path}:{extends.line}: extends: "{extends.value}" leads back to this file.'])
    if not base.is_file():
        raise ConfigError([f'{path}:{extends.line}: extends: there is no file "{base}".'])
    return merge.over((), _chain(base, (*above, path), merge), node)


def _parse(path: File) -> _Node:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            [f"{path}: there is no such file."], remedy="Name the plan with --config FILE, or go to its folder."
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError([f"{path}: is not UTF-8 text (at byte {error.start})."]) from None
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}."]) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        match = _PLACE.search(str(error))
        line = match[1] if match and match[1] else text.count("\n") + 1
        raise ConfigError([f"{path}:{line}: is not TOML: {_PLACE.sub('', str(error))}."]) from None
    return _node((), data, path, lines_of(text))


def _node(at: Path, value: object, file: File, lines: Mapping[Path, int]) -> _Node:
    """A parsed value and all that is in it, each with its line."""
    line = lines[at]
    if isinstance(value, dict):
        return _Node({key: _node((*at, key), item, file, lines) for key, item in value.items()}, file, line)
    if isinstance(value, list):
        return _Node([_node((*at, place), item, file, lines) for place, item in enumerate(value)], file, line)
    if isinstance(value, _Scalar):
        return _Node(value, file, line)
    raise TypeError(f"{type(value).__name__} is no value of TOML")


def _table(node: _Node) -> dict[str, _Node]:
    return node.value if isinstance(node.value, dict) else {}


def _named(items: list[_Node]) -> dict[str, _Node]:
    """Items by what tells them apart; empty when they are no tables or one has no name of its own."""
    for identity in _IDENTITIES:
        named: dict[str, _Node] = {}
        for item in items:
            name = item.value.get(identity) if isinstance(item.value, dict) else None
            if name is not None and isinstance(name.value, str):
                named[name.value] = item
        if len(named) == len(items):
            return named
    return {}


def _smaller(item: _Node, whole: _Node) -> bool:
    """Whether an item says less than a whole one: it is meant to change one, not to be one."""
    return isinstance(item.value, dict) and isinstance(whole.value, dict) and len(item.value) < len(whole.value)


def _other_names(key: str) -> Iterator[str]:
    """Where one key takes the place of another: `token_file` over `token_env`."""
    for ending in _ALTERNATIVES:
        if key.endswith(ending):
            yield from (key.removesuffix(ending) + other for other in _ALTERNATIVES if other != ending)


def _plain(path: Path, node: _Node, nodes: dict[Path, _Node]) -> Json:
    nodes[path] = node
    if isinstance(node.value, dict):
        return {key: _plain((*path, key), item, nodes) for key, item in node.value.items()}
    if isinstance(node.value, list):
        return [_plain((*path, place), item, nodes) for place, item in enumerate(node.value)]
    return node.value.isoformat() if isinstance(node.value, date | time) else node.value

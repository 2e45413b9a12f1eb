"""A quick look into a plan's file: for the opening frame, and for where runs are kept.

Nothing is checked and nothing heavy is loaded. What cannot be read is left out; loading the plan says what is
wrong with it.
"""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from console.domain.places import host_of
from console.errors import ConfigError

if TYPE_CHECKING:
    from screens.opening import Glimpse

DEFAULT_CONFIG = Path("config.toml")

_DEEPEST = 5
"""How many files may extend each other here; the configuration itself refuses circles."""

Table = Mapping[str, object]


def must_exist(config: Path) -> None:
    """Raises ConfigError when there is no such file."""
    if not config.is_file():
        raise ConfigError(
            [f"There is no plan at {config}."], remedy="Run it where config.toml is, or name one with --config FILE."
        )


def glimpse(config: Path) -> "Glimpse":
    """Title, environment and hosts as the file, and what it extends, have them."""
    from screens.opening import Glimpse

    raw: dict[str, object] = {}
    for _, layer in _layers(config):
        raw = {**layer, **raw}
    addresses = [_text(each.get("url")) for each in _tables(raw.get("services"))]
    addresses += [_text(_table(raw, name).get(key)) for name, key in (("render", "api_url"), ("repository", "url"))]
    return Glimpse(
        title=_text(raw.get("title")),
        environment=_text(raw.get("environment")),
        hosts=tuple(dict.fromkeys(host for each in addresses if (host := _host(each)))),
        source=str(config),
    )


def journal_directory(config: Path) -> Path | None:
    """What `[journal] directory` says, counted from the file that says it; None when nothing does."""
    for file, layer in _layers(config):
        named = _text(_table(layer, "journal").get("directory"))
        if named:
            return (file.parent / Path(named).expanduser()).resolve()
    return None


def shared_journal(config: Path) -> tuple[str, str] | None:
    """Where `[journal]` says that the address of the shared record comes from (`env:NAME` or `file:/path`), and how the
    line to it is protected; None when nothing is shared."""
    source = tls = ""
    for file, layer in _layers(config):
        table = _table(layer, "journal")
        tls = tls or _text(table.get("tls"))
        if not source and (variable := _text(table.get("url_env"))):
            source = f"env:{variable}"
        elif not source and (named := _text(table.get("url_file"))):
            source = f"file:{(file.parent / Path(named).expanduser()).absolute()}"
    return (source, tls or "verify-full") if source else None


def _layers(config: Path) -> Iterator[tuple[Path, Table]]:
    """A file and those that it extends, the uppermost first."""
    file = config
    for _ in range(_DEEPEST):
        try:
            layer = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        yield file, layer
        base = _text(layer.get("extends"))
        if not base:
            return
        file = file.parent / Path(base).expanduser()


def _host(address: str) -> str:
    try:
        return host_of(address)
    except ValueError:
        return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _table(layer: Table, name: str) -> Table:
    value = layer.get(name)
    return value if isinstance(value, dict) else {}


def _tables(value: object) -> list[Table]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []

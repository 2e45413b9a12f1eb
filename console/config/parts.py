"""The tables of a document that are right in themselves, so that what holds between them can be checked although
others are not: all problems are told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from console.config import model
from console.config.toml_lines import Path
from console.domain.catalogue import ActionSpec
from console.domain.plan import Json

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Placed(Generic[_M]):
    """A table and its path."""

    path: Path
    item: _M


@dataclass(frozen=True, slots=True)
class Names:
    """The names that a section declares. Not `complete` when an item has none: then nothing is called unknown."""

    options: tuple[str, ...]
    complete: bool

    def lack(self, name: str) -> bool:
        """Whether `name` is certainly not among them."""
        return self.complete and name not in self.options


class Parts:
    """The sound tables of a document, and the names that it declares."""

    def __init__(self, data: Mapping[str, Json], catalogue: Mapping[str, ActionSpec]) -> None:
        self.data = data
        self.catalogue = catalogue
        self.services = self._all("services", model.ServiceTable)
        self.phases = self._all("phases", model.PhaseTable)
        self.steps = self._all("steps", model.StepTable)
        self.timeline = self._all("timeline", model.TimelineTable)
        self.criteria = self._all("criteria", model.CriterionTable)
        self.signoffs = self._all("signoffs", model.SignOffTable)
        self.channels = self._all("channels", model.ChannelTable)
        self.checks = self._all("checks", model.CheckTable)
        self.render = self._one("render", model.RenderTable)
        self.database = self._one("database", model.DatabaseTable)
        self.backup = self._one("backup", model.BackupTable)
        self.repository = self._one("repository", model.RepositoryTable)
        self.release = self._one("release", model.ReleaseTable)
        self.migration = self._one("migration", model.MigrationTable)

    def names(self, section: str, identity: str = "id") -> Names:
        """What a list of tables declares under `identity`, also in tables that are otherwise wrong."""
        items = self.data.get(section, [])
        tables = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        found = tuple(name for table in tables if isinstance(name := table.get(identity), str))
        return Names(found, complete=section in self.data and len(found) == len(tables))

    def _all(self, section: str, kind: type[_M]) -> tuple[Placed[_M], ...]:
        items = self.data.get(section)
        if not isinstance(items, list):
            return ()
        sound = ((place, sound_table(kind, item)) for place, item in enumerate(items))
        return tuple(Placed((section, place), item) for place, item in sound if item is not None)

    def _one(self, section: str, kind: type[_M]) -> Placed[_M] | None:
        item = sound_table(kind, self.data.get(section))
        return None if item is None else Placed((section,), item)


def sound_table(kind: type[_M], value: Json) -> _M | None:
    """The table as its model, or None when it is not right in itself."""
    try:
        return kind.model_validate_json(to_json(value))
    except ValidationError:
        return None

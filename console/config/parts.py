"""The tables of a document that are right in themselves, so that what holds between them can be checked although
others are not: all problems are told at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
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


class StepLinks(BaseModel):
    """What a step says about other steps, whatever else is wrong in it."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str
    action: object = None
    params: Annotated[dict[str, JsonValue], Field(alias="with")] = {}
    after: tuple[str, ...] | None = None
    guards: tuple[str, ...] = ()
    reopens: tuple[str, ...] = ()


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
        self.links = self._all("steps", StepLinks)
        self.timeline = self._all("timeline", model.TimelineTable)
        self.criteria = self._all("criteria", model.CriterionTable)
        self.signoffs = self._all("signoffs", model.SignOffTable)
        self.channels = self._all("channels", model.ChannelTable)
        self.messages = self._all("messages", model.MessageTable)
        self.checks = self._all("checks", model.CheckTable)
        self.render = self._one("render", model.RenderTable)
        self.database = self._one("database", model.DatabaseTable)
        self.backup = self._one("backup", model.BackupTable)
        self.journal = self._one("journal", model.JournalTable)
        self.repository = self._one("repository", model.RepositoryTable)
        self.release = self._one("release", model.ReleaseTable)
        self.migration = self._one("migration", model.MigrationTable)
        self.mapping = self._one("migration", model.MappingTable, "mapping")
        self.claims = self._all("migration", model.ClaimTable, "claims")

    def names(self, section: str, identity: str = "id") -> Names:
        """What a list of tables declares under `identity`, also in tables that are otherwise wrong."""
        items = self.data.get(section, [])
        tables = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        found = tuple(name for table in tables if isinstance(name := table.get(identity), str))
        return Names(found, complete=section in self.data and len(found) == len(tables))

    @property
    def order_is_certain(self) -> bool:
        """Whether `links` says of every step what it waits for: a misspelt `after` would say something else."""
        items = self.data.get("steps")
        known = {field.alias or name for name, field in model.StepTable.model_fields.items()}
        tables = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
        return len(tables) == len(self.links) and all(known.issuperset(table) for table in tables)

    def all_are_sound(self, section: str) -> bool:
        """Whether every item of a list is right in itself; else nothing is certain about the list as a whole."""
        items, sound = self.data.get(section), getattr(self, section)
        return isinstance(items, list) and len(sound) == len(items)

    def text(self, section: str, key: str) -> str | None:
        """One text as it stands in a table, whatever else is wrong there."""
        value = self._value(section, key)
        return value if isinstance(value, str) else None

    def _value(self, *path: str) -> Json:
        value: Json = dict(self.data)
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def _all(self, section: str, kind: type[_M], *keys: str) -> tuple[Placed[_M], ...]:
        items = self._value(section, *keys)
        if not isinstance(items, list):
            return ()
        sound = ((place, sound_table(kind, item)) for place, item in enumerate(items))
        return tuple(Placed((section, *keys, place), item) for place, item in sound if item is not None)

    def _one(self, section: str, kind: type[_M], *keys: str) -> Placed[_M] | None:
        item = sound_table(kind, self._value(section, *keys))
        return None if item is None else Placed((section, *keys), item)


def sound_table(kind: type[_M], value: Json) -> _M | None:
    """The table as its model, or None when it is not right in itself."""
    try:
        return kind.model_validate_json(to_json(value))
    except ValidationError:
        return None

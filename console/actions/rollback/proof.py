"""What the last look of a rollback found: lines for people, data for the record, and what is not as promised."""

from dataclasses import dataclass, field

from console.actions.handover import json_texts
from console.actions.wording import short
from console.domain.outcome import Line, Section, Tone
from console.domain.plan import Json


@dataclass(slots=True)
class Proof:
    """Filled while production is read. `problems` are sentences without their end; none: all is as promised."""

    before: str = ""
    release: str = ""
    reverts: tuple[str, ...] = ()
    services: dict[str, dict[str, Json]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    schema: str = ""
    databases: dict[str, dict[str, Json]] = field(default_factory=dict)
    differs: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    lines: list[Line] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def data(self) -> dict[str, Json]:
        """For the evidence."""
        return {
            "before": self.before,
            "release": self.release,
            "reverts": json_texts(self.reverts),
            "services": {key: dict(value) for key, value in self.services.items()},
            "settings": {**self.settings},
            "schema": self.schema,
            "databases": {key: dict(value) for key, value in self.databases.items()},
            "differs": json_texts(self.differs),
            "by_hand": json_texts(self.by_hand),
        }

    def sections(self) -> tuple[Section, ...]:
        """For the evidence: what was read, what stays different, what is left to be done."""
        sections = (
            Section("Production", tuple(self.lines)),
            Section(
                f"Stays different from {short(self.before)}, from before the release",
                tuple(Line(path, tone=Tone.WARNING) for path in self.differs),
            ),
            Section("Left to be done by hand", tuple(Line(text) for text in self.by_hand)),
        )
        return tuple(section for section in sections if section.lines)

"""What a step shows and leaves: previews, evidence, the answers of a probe.

Only the facts of a preview are digested. Readings are shown and never digested, so two previews under
live traffic have equal digests.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from console.domain.plan import Json


class Tone(StrEnum):
    """How a line is meant; screens turn it into a colour and a sign."""

    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    DANGER = "danger"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that must still be so when the step acts: a commit, a tip, a checksum, a setting."""

    label: str
    value: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Reading:
    """Something that moves while one looks: a count, a clock. `limit` is what the confirmation accepts."""

    label: str
    value: str
    tone: Tone = Tone.PLAIN
    limit: float | None = None
    amount: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a section: a text, a quiet remark beside it, a tone."""

    text: str
    note: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Section:
    """A titled list inside a preview or evidence: commits, files, SQL statements, locks, services."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an action will do, before it does it.

    `summary` is one sentence; `consequences` say what changes in production; `before` is what a later
    probe needs to tell ours from somebody else's and goes into `step.started`.
    """

    summary: str
    facts: tuple[Fact, ...] = ()
    readings: tuple[Reading, ...] = ()
    consequences: tuple[Line, ...] = ()
    sections: tuple[Section, ...] = ()
    before: Mapping[str, Json] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the facts, in order, as hex."""
        canonical = json.dumps([[fact.label, fact.value] for fact in self.facts], ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an action left behind.

    `summary` is shown on the checklist, `sections` in the step's detail and the report; `data` is what
    later steps and the report read by key.
    """

    summary: str
    data: Mapping[str, Json] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """The probe found the step's work, made since `before` and matching."""

    evidence: Evidence


@dataclass(frozen=True, slots=True)
class NotDone:
    """The probe found that the step's work was not done; `why` says how that is known."""

    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The probe cannot tell; `known` is what a person needs to decide, `lines` the details."""

    known: str
    lines: tuple[Line, ...] = ()


Probe = Done | NotDone | Unknown


@dataclass(frozen=True, slots=True)
class Progress:
    """A report from inside a running action.

    `share` is 0–1 where it is known. `safe_point` says what an abort would wait for ("after this
    statement"). A `durable` progress is journaled before the report returns, with `data`, so that a probe
    after a crash can read it; others are only shown.
    """

    text: str
    share: float | None = None
    data: Mapping[str, Json] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    durable: bool = False
    safe_point: str = ""

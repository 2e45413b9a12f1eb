"""Runs of as many events as are wanted, as the driver's console would have recorded them."""

import asyncio
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.actions.catalogue import CATALOGUE
from console.config import load
from console.domain.events import Draft, Event, Kind
from console.domain.outcome import Fact, Preview
from console.domain.wire import GENESIS, encode_event, encode_plan, encode_preview, line_digest, plan_digest
from console.engine.driver import Driver
from console.engine.journal import JOURNAL_FILE, FileJournal

CONFIG = Path("config.toml")
PLAN = load(CONFIG, CATALOGUE)
STEPS = [step.id for step in PLAN.steps]

_SECONDS = 0.137
"""Between two events."""

_PREVIEW = Preview("It merges.", facts=(Fact("commit", "26c5a9f0" * 5), Fact("checksum", "ab" * 32)))


def empty() -> list[Draft]:
    """A run that was created, and joined by a driver whose console is gone."""
    plan = {"name": PLAN.name, "title": PLAN.title, "environment": PLAN.environment, "digest": plan_digest(PLAN)}
    return [
        Draft(Kind.RUN_CREATED, data={"plan": {**plan}, "rehearsal": False, "pace": 1.0}),
        Draft(Kind.DRIVER_JOINED, data={"actor": "ops@laptop", "host": "laptop", "pid": 1}),
    ]


def notes(count: int) -> list[Draft]:
    """A run in which everything is a note."""
    told = empty()
    return [*told, *(Draft(Kind.NOTE_ADDED, data={"text": f"note {number}"}) for number in range(count - len(told)))]


def talk(count: int) -> list[Draft]:
    """A run that has not begun: notes, alerts, deploys, previews."""
    told, dice = empty(), random.Random(7)
    told += [_said(number, dice) for number in range(count - len(told))]
    return told


def deeds(count: int) -> list[Draft]:
    """A run in which a step goes on for hours: half of the events are its progress."""
    told, dice = empty(), random.Random(7)
    told += [Draft(Kind.RUN_STARTED), Draft(Kind.STEP_STARTED, STEPS[0], {"attempt": 1, "before": {}})]
    while len(told) < count:
        number = len(told)
        if dice.random() < 0.55:
            data = {"text": f"row {number} copied", "share": number / count, "data": {"id": f"acc-{number:08}"}}
            told.append(Draft(Kind.STEP_PROGRESSED, STEPS[0], {**data}))
        else:
            told.append(_said(number, dice))
    return told


def keep(folder: Path, told: Iterable[Draft]) -> None:
    """Write a run's folder, chained line by line; nobody drives it."""
    journal = FileJournal.create(folder, folder.name, encode_plan(PLAN), Driver.here("ops@laptop"))
    asyncio.run(journal.close())
    at, tip, lines = datetime(2026, 2, 4, 20, tzinfo=UTC), GENESIS, []
    for seq, draft in enumerate(told, start=1):
        at += timedelta(seconds=_SECONDS)
        line = encode_event(Event(seq, at, folder.name, "ops@laptop", draft.kind, draft.step, draft.data), tip)
        tip = line_digest(line)
        lines.append(line + b"\n")
    (folder / JOURNAL_FILE).write_bytes(b"".join(lines))


def _said(number: int, dice: random.Random) -> Draft:
    service, alert = dice.choice(("backend", "frontend")), f"rate-{dice.randrange(20)}"
    match dice.choices(("deploy", "raised", "cleared", "note", "preview"), (40, 16, 14, 26, 4))[0]:
        case "deploy":
            data = {"service": service, "deploy": f"dep-{number:020}", "status": "build_in_progress", "commit": "26c5"}
            return Draft(Kind.DEPLOY_OBSERVED, data={**data, "trigger": "new_commit"})
        case "raised":
            words = "the error rate is 1.3 %, over the limit of 1.0 %"
            return Draft(Kind.ALERT_RAISED, data={"alert": alert, "severity": "warning", "message": words})
        case "cleared":
            return Draft(Kind.ALERT_CLEARED, data={"alert": alert, "reason": "under the limit for 60 s"})
        case "note":
            return Draft(Kind.NOTE_ADDED, data={"text": f"note {number}: the users were told, ünd so on"})
    data = {"digest": _PREVIEW.digest, "preview": encode_preview(_PREVIEW)}
    return Draft(Kind.STEP_PREVIEWED, dice.choice(STEPS[1:8]), {**data})

"""A run in a few words and figures."""

from collections.abc import Callable

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.summary import criteria_verdicts, production_sentence, step_totals
from tests.domain.history import History, over, pushed
from tests.domain.plans import release_plan


def release() -> History:
    return History(release_plan())


def uncertain() -> History:
    history = pushed(release()).succeed("backend", "frontend").confirm("migrate").start("migrate")
    return history.happen(Kind.STEP_UNCERTAIN, "migrate", why="killed")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (release, "as it was before the release"),
        (lambda: pushed(release()), "ccccccc is on the target branch, but not yet live everywhere (open: Backend"),
        (
            lambda: pushed(release()).succeed("backend", "frontend"),
            "Production runs ccccccc on the schema from before the migration: whatever needs the new columns fails",
        ),
        (lambda: over(release()), "Production runs ccccccc on the migrated schema; the release is not yet completely"),
        (
            lambda: over(release()).ask(i.Sign("owner", "A", approve=True)).ask(i.Sign("qa", "G", approve=True)),
            "Production runs ccccccc on the migrated schema.",
        ),
        (uncertain, "It is not known whether “Migrate” took effect; before that: production runs ccccccc"),
        (
            lambda: pushed(release()).fail("backend", "m", production="The old backend still serves."),
            "The old backend still serves.",
        ),
    ],
)
def test_what_state_production_is_in(make: Callable[[], History], says: str) -> None:
    assert says in production_sentence(make().state)


def test_a_migration_that_only_failed_its_verification_counts_as_run() -> None:
    history = pushed(release()).succeed("backend", "frontend").confirm("migrate").start("migrate")
    history.happen(Kind.STEP_FAILED, "migrate", message="rows differ", evidence={"summary": "committed"})
    assert "on the migrated schema" in production_sentence(history.state)


def test_the_steps_are_counted_by_how_they_ended() -> None:
    history = uncertain().ask(i.Skip("test", "x"))
    assert step_totals(history.state).as_dict() == {
        "total": 11,
        "succeeded": 6,
        "skipped": 1,
        "failed": 0,
        "uncertain": 1,
    }


def test_every_criterion_has_a_verdict() -> None:
    history = pushed(release())
    assert criteria_verdicts(history.state) == {"deployed": "open", "migrated": "open"}
    history.succeed("backend", "frontend").confirm("migrate").succeed("migrate").ask(i.Skip("test", "no time"))
    assert criteria_verdicts(history.state) == {"deployed": "met", "migrated": "not enough to say"}

"""Findings become part of the record: what is new, what changed, what is no longer so."""

import pytest

from console.domain import intents as i
from console.domain.findings import Finding, Severity, news
from console.domain.state import RunStatus
from console.errors import Refused
from tests.domain.history import History
from tests.domain.plans import plan, step

BRANCH = Finding("services.branch.backend", Severity.BLOCKER, "backend tracks release, not main", remedy="Set it.")
WINDOW = Finding("window.code_first", Severity.WARNING, "New code is live before its column.")


def look(history: History, *found: Finding) -> History:
    return history.append(*news(history.state, found))


def test_a_blocker_keeps_the_run_from_beginning_until_it_is_gone() -> None:
    history = look(History(plan(step("a"))), BRANCH, WINDOW)
    with pytest.raises(Refused, match="backend tracks release"):
        history.begin()
    look(history, WINDOW)
    assert list(history.state.findings) == [WINDOW.code]
    assert history.begin().state.status is RunStatus.RUNNING


def test_or_until_somebody_answers_for_it_and_looking_again_asks_nothing_anew() -> None:
    history = look(History(plan(step("a"))), BRANCH).ask(i.OverrideFinding(BRANCH.code, "it is meant"))
    assert news(history.state, (BRANCH,)) == ()
    assert history.begin().state.findings[BRANCH.code].overridden == "it is meant"


def test_a_finding_that_grew_worse_must_be_answered_for_again() -> None:
    history = look(History(plan(step("a"))), WINDOW).ask(i.OverrideFinding(WINDOW.code, "known"))
    worse = Finding(WINDOW.code, Severity.BLOCKER, WINDOW.message)
    with pytest.raises(Refused):
        look(history, worse).begin()

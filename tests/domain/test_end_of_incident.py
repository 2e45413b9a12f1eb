"""How an incident from which a way back was gone comes to its end: closed and told first, then the run."""

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.standing import Way
from console.domain.state import RunStatus
from console.errors import Refused
from tests.domain.history import History
from tests.domain.incidents import choose, declared, go


def gone() -> History:
    """Every step of the way is over."""
    return go(choose(declared(), Way.SCHEMA)).ask(i.PlanPostmortem("back.postmortem", "Ada", "2026-02-11"))


def test_a_run_is_not_closed_as_rolled_back_while_its_incident_is_open() -> None:
    history = gone()
    assert history.state.complete
    with pytest.raises(Refused, match="an incident is open") as refusal:
        history.ask(i.Finish("rolled_back", "schema and code back"))
    assert refusal.value.remedy == "Close the incident first: its end is told to the stakeholders."


def test_closing_the_incident_calls_for_the_last_words_and_lets_the_run_be_closed() -> None:
    history = gone()
    assert "closed:1" not in history.state.messages
    history.ask(i.CloseIncident("schema and code back"))
    assert history.state.messages["closed:1"].waits
    history.ask(i.Finish("rolled_back", "schema and code back"))
    assert (history.state.status, history.state.outcome) == (RunStatus.FINISHED, "rolled_back")
    assert [event.kind for event in history.events].count(Kind.INCIDENT_CLOSED) == 1


def test_given_up_in_the_middle_of_an_incident_it_can_still_be_closed_as_failed() -> None:
    history = choose(declared(), Way.SCHEMA).ask(i.Finish("failed", "the site is taken down for good"))
    assert history.state.outcome == "failed"

"""What the stakeholders are told at each turn: once, in plain words, and whatever a template says."""

from dataclasses import replace

import pytest

from console.domain import intents as i
from console.domain.events import Kind
from console.domain.incident import MessageState
from console.domain.message_texts import OWN, PLACEHOLDERS
from console.domain.messages import Turn, drafts, problems
from console.domain.plan import MessageTemplate, Plan
from console.domain.standing import Schema, Standing, Way
from tests.domain.history import History
from tests.domain.incidents import MIGRATED, channel_plan, choose, declared, go

OLD_SCHEMA = replace(MIGRATED, schema=Schema.OLD)


def said(history: History, message: str) -> MessageState:
    return history.state.messages[message]


def speaking(*templates: MessageTemplate) -> Plan:
    return replace(channel_plan(), messages=templates)


def test_each_turn_is_told_once_and_in_order() -> None:
    history = declared()
    assert list(history.state.messages) == ["declared:1"]
    choose(history, Way.SCHEMA)
    assert list(history.state.messages) == ["declared:1", "chosen:1"]
    go(history, until="schema")
    assert list(history.state.messages) == ["declared:1", "chosen:1"], "the services do not run the old code yet"
    go(history, until="deploy.backend")
    assert list(history.state.messages) == ["declared:1", "chosen:1", "turned:1"]
    go(history)
    history.ask(i.Skip("back.postmortem", "next week")).ask(i.CloseIncident("all is as before"))
    assert list(history.state.messages) == ["declared:1", "chosen:1", "turned:1", "closed:1"]
    drafted = [event for event in history.events if event.kind is Kind.MESSAGE_DRAFTED]
    assert [event.data["turn"] for event in drafted] == [turn.value for turn in Turn]
    assert drafts(history.state) == ()


def test_a_second_incident_and_a_second_way_have_turns_of_their_own() -> None:
    history = choose(declared(), Way.SCHEMA).ask(i.DropWay("the lock was not given"))
    choose(history, Way.DATABASE)
    go(history).ask(i.Skip("back2.postmortem", "later")).ask(i.CloseIncident("done")).ask(i.DeclareIncident("again"))
    assert list(history.state.messages) == ["declared:1", "chosen:1", "chosen:2", "turned:2", "closed:1", "declared:2"]


def test_the_words_are_for_people_who_are_no_engineers() -> None:
    history = go(choose(declared(), Way.SCHEMA), until="deploy.backend")
    message = said(history, "declared:1")
    assert message.subject == "Account Status: incident in production since 2026-02-04 20:01 UTC"
    assert message.text.splitlines() == [
        "There is a problem with the release “Account Status” in production.",
        "",
        "What happened: the dashboard is down",
        "Since: 2026-02-04 20:01 UTC",
        "What users notice: Parts of the application may fail or show errors.",
        "What we do: Nothing further of the release is carried out. We look at where production stands and decide how "
        "to bring service back.",
        "Next word: when that is decided, at the latest at 2026-02-04 20:31 UTC.",
    ]
    chosen = said(history, "chosen:1").text.splitlines()
    assert "What it costs: nothing is lost" in chosen
    assert "How long it takes: 3-10 min" in chosen
    turned = said(history, "turned:1").text.splitlines()
    assert "What was lost: Nothing that users entered is lost. 1 row is still to be decided by hand." in turned


def test_what_was_lost_is_told_as_it_was_counted() -> None:
    history = go(choose(declared(), Way.DATABASE))
    assert "4 changes that users made since 2026-02-04 20:00 UTC are lost." in said(history, "turned:1").text


@pytest.mark.parametrize(
    ("way", "standing", "restored_by"),
    [
        (Way.CODE, OLD_SCHEMA, "prove"),  # the journal knows of a migration: the code alone is proven first
        (Way.FIX_ONLY, OLD_SCHEMA, "prove"),
        (Way.SCHEMA, MIGRATED, "deploy.backend"),
        (Way.DATABASE, MIGRATED, "open"),
        (Way.BACKUP, MIGRATED, "open"),
    ],
)
def test_service_counts_as_restored_with_the_step_that_brings_it_back(
    way: Way, standing: Standing, restored_by: str
) -> None:
    history = choose(declared(), way, standing)
    rollback = history.state.rollback
    assert rollback is not None
    for step in rollback.steps:
        assert "turned:1" not in history.state.messages, step
        name = step.partition(".")[2]
        go(history, name)
        if name == restored_by:
            break
    assert "turned:1" in history.state.messages


def test_a_way_whose_service_step_was_left_out_does_not_claim_that_service_is_restored() -> None:
    history = go(choose(declared(), Way.SCHEMA), until="schema")
    history.ask(i.Skip("back.deploy.backend", "it is done by another team"))
    go(history)
    assert "turned:1" not in history.state.messages


def test_a_statement_that_a_server_quotes_and_a_line_break_stay_out() -> None:
    reason = 'migrate failed:\nERROR at ALTER TABLE accounts DROP COLUMN "secret_status" ' + "x" * 500
    text = said(declared(reason=reason), "declared:1").text
    assert "What happened: migrate failed: ERROR at …" in text.splitlines()
    assert "secret_status" not in text


def test_a_long_reason_is_cut_and_a_rehearsal_says_so() -> None:
    message = said(declared(reason="why " * 200, rehearsal=True), "declared:1")
    assert message.subject.startswith("[Rehearsal] Account Status")
    assert max(len(line) for line in message.text.splitlines()) < 330


def test_the_plans_words_replace_the_consoles_own() -> None:
    names = " ".join(f"{name}={{{name}}}" for name in PLACEHOLDERS)
    plan = speaking(MessageTemplate("declared", "{title}:\n{reason}", names))
    history = declared(plan)
    message = said(history, "declared:1")
    assert message.subject == "Account Status: the dashboard is down"
    assert "way=not chosen yet" in message.text
    assert "commit=ccccccc" in message.text
    assert "{" not in message.text
    assert said(choose(history, Way.SCHEMA), "chosen:1").text.startswith("We are bringing service back.")


def test_what_a_template_names_wrongly_stays_as_it_was_written() -> None:
    plan = speaking(MessageTemplate("declared", "{titel}", "{0} {reason.__class__} {} {{title}} {"))
    message = said(declared(plan), "declared:1")
    assert message.subject == "{titel}"
    assert message.text == "{0} {reason.__class__} {} {Account Status} {"


def test_a_value_is_not_filled_in_again() -> None:
    assert "What happened: {run} {price}" in said(declared(reason="{run} {price}"), "declared:1").text


def test_the_consoles_own_templates_and_the_plans_are_held_to_the_same_rules() -> None:
    assert set(OWN) == {turn.value for turn in Turn}
    assert all(problems(each) == () for each in OWN.values())
    assert problems(MessageTemplate("turnd", "a\nb", "{since} {prise} {nonsense}")) == (
        "There is no turn “turnd”: declared, chosen, turned, closed.",
        "A subject is one line.",
        "There is no placeholder {prise}. Did you mean {price}?",
        f"There is no placeholder {{nonsense}}. There are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}.",
    )
    assert problems(MessageTemplate("closed", " ", "words")) == ("A message needs a subject and a text.",)

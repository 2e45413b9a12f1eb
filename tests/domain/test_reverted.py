"""That a revert must be reverted: said by all in the same words, and only where one was pushed."""

from dataclasses import replace

from console.domain import intents as i
from console.domain.reverted import reverted_words
from console.domain.standing import Way
from tests.domain.incidents import MIGRATED, choose, declared, go


def test_nothing_is_said_before_a_revert_is_pushed() -> None:
    history = declared()
    assert reverted_words(history.state) == ""
    go(choose(history, Way.SCHEMA), until="revert")
    assert reverted_words(history.state) == ""


def test_the_revert_is_named_and_the_branch_that_brings_the_release_again() -> None:
    history = go(choose(declared(), Way.SCHEMA), until="push")
    words = "The revert ddddddd must be reverted before these commits can be released again"
    assert reverted_words(history.state) == f"{words}."
    go(history)
    assert reverted_words(history.state) == f"{words}: the branch reapply/020 does that."


def test_a_push_by_hand_names_what_was_made_for_it_and_a_way_that_was_given_up_counts() -> None:
    history = go(choose(declared(), Way.SCHEMA), "hold", "revert")
    history.start("back.push")
    history.succeed("back.push")
    history.ask(i.DropWay("no"))
    choose(history, Way.SCHEMA, replace(MIGRATED, pushed=False))
    assert reverted_words(history.state).startswith("The revert ddddddd must")

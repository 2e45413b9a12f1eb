"""Reverts as their messages tell them."""

from datetime import UTC, datetime

import pytest

from console.domain.reverts import reverted_hash, standing_reverts
from console.domain.source import Commit

NOW = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)


def commit(identity: str, reverts: str = "") -> Commit:
    message = f"A commit\n\nThis reverts commit {reverts}.\n" if reverts else "A commit"
    return Commit(identity * 40, "A commit", message, "Ann", NOW, ())


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ('Revert "x"\n\nThis reverts commit 26c5a9f.', "26c5a9f"),
        (f"y\n\nThis reverts commit {'a' * 40}, reversing\nchanges made to {'b' * 40}.", "a" * 40),
        ("See: This reverts commit 26c5a9f", ""),
        ("This reverts commit nothing", ""),
        ("", ""),
    ],
)
def test_which_commit_a_message_takes_back(message: str, named: str) -> None:
    assert reverted_hash(message) == named


def test_only_reverts_that_hold_are_left() -> None:
    release, back, again, back_again = commit("1"), commit("2", "1" * 40), commit("3", "2" * 7), commit("4", "3" * 40)
    assert standing_reverts([back, release]) == (back,)
    assert standing_reverts([again, back, release]) == (again,)
    assert standing_reverts([back_again, again, back, release]) == (back_again, back)

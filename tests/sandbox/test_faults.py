"""Faults by name, with targets, and those that happen once."""

from pathlib import Path

import pytest

from console.errors import ConfigError
from console.sandbox.faults import KINDS, Fault, WorldFaults, parse_fault


def test_every_fault_of_the_issue_is_there_with_a_line_of_help() -> None:
    assert [kind.name for kind in KINDS] == [
        *("wrong-branch", "build-fails", "deploys-other-commit", "foreign-deploy", "push-race", "merge-conflict"),
        *("export-stalls", "backup-corrupt", "migration-error", "lock-blocked", "kpi-breaks", "error-spike"),
        *("api-429", "api-500", "api-timeout", "ws-drop"),
        *("restore-fails", "rollback-build-fails", "autodeploy-refires", "notify-down"),
    ]
    assert all(kind.description and "\n" not in kind.description for kind in KINDS)


@pytest.mark.parametrize(
    ("text", "fault"),
    [("push-race", Fault("push-race")), ("build-fails=backend", Fault("build-fails", "backend"))],
)
def test_a_fault_is_read_from_the_command_line(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault
    assert str(fault) == text


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("push-rase", "Did you mean 'push-race'"),
        ("zzz", "no fault 'zzz'"),
        ("build-fails=database", "one of backend, frontend"),
        ("build-fails=", "one of backend, frontend"),
        ("push-race=main", "no target"),
    ],
)
def test_a_fault_that_does_not_exist_is_refused_with_the_nearest(text: str, answer: str) -> None:
    with pytest.raises(ConfigError, match=answer):
        parse_fault(text)


def test_a_fault_without_a_target_falls_upon_every_target(tmp_path: Path) -> None:
    both = WorldFaults([parse_fault("build-fails")], tmp_path / "taken")
    one = WorldFaults([parse_fault("build-fails=frontend")], tmp_path / "taken")
    assert both.active("build-fails", "backend")
    assert both.active("build-fails", "frontend")
    assert one.active("build-fails", "frontend")
    assert not one.active("build-fails", "backend")
    assert not one.active("build-fails")


def test_a_fault_is_taken_once_over_the_life_of_a_world(tmp_path: Path) -> None:
    chosen = [parse_fault("backup-corrupt")]
    faults = WorldFaults(chosen, tmp_path / "taken")
    assert faults.take("backup-corrupt")
    assert not faults.take("backup-corrupt")
    assert not WorldFaults(chosen, tmp_path / "taken").take("backup-corrupt")
    assert not faults.take("foreign-deploy")


def test_asking_for_a_fault_that_does_not_exist_is_a_mistake_in_the_program(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no fault"):
        WorldFaults([], tmp_path / "taken").active("typo")

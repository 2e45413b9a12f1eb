"""The decision table of the way back, over everything that it can be asked: what is recommended restores service."""

from dataclasses import replace
from itertools import product

import pytest

from console.domain.rollback import COSTS_ROWS, TITLES, Verdict, verdicts
from console.domain.standing import Code, Runs, Schema, ServiceStanding, Standing, Way

SERVICES = {
    Code.OLD: (Runs.OLD, Runs.OLD),
    Code.NEW: (Runs.NEW, Runs.NEW),
    Code.MIXED: (Runs.NEW, Runs.OLD),
}
FLAGS = ("pushed", "switched", "recoverable", "backup", "fix_is_all", "fenced", "split")


def standing(code: Code = Code.NEW, schema: Schema = Schema.OLD, *, saved_copy: str = "", **flags: bool) -> Standing:
    """A standing of two services; the release is on the branch unless said otherwise."""
    services = tuple(
        ServiceStanding(key, f"crm-{key}", "c" * 40, runs)
        for key, runs in zip(("backend", "frontend"), SERVICES[code], strict=True)
    )
    base = Standing(True, services, schema, "dpg-1", "crm", saved_copy=saved_copy)
    return replace(base, **flags)  # type: ignore[arg-type]


def every_standing() -> list[Standing]:
    """Every combination of what the table looks at."""
    return [
        standing(code, schema, saved_copy=copy, **dict(zip(FLAGS, flags, strict=True)))
        for code, schema, copy in product(Code, Schema, ("", "accounts_before_020"))
        for flags in product((False, True), repeat=len(FLAGS))
    ]


EVERY = every_standing()


def verdict(of: Standing, way: Way) -> Verdict:
    return next(each for each in verdicts(of) if each.way is way)


def recommended(of: Standing) -> Way | None:
    return next((each.way for each in verdicts(of) if each.recommended), None)


def nothing_left(of: Standing) -> bool:
    """Nothing of the release is anywhere, and users are let in."""
    return of.code is Code.OLD and of.schema is Schema.OLD and not (of.pushed or of.switched or of.split or of.fenced)


def test_the_table_was_asked_about_everything() -> None:
    assert len(EVERY) == 3 * 3 * 2 * 2**7
    assert len(set(EVERY)) == len(EVERY)
    assert {each.code for each in EVERY} == set(Code)


def test_each_way_is_judged_once_with_a_reason_and_a_title() -> None:
    assert set(TITLES) == set(Way)
    for each in EVERY:
        judged = verdicts(each)
        assert sorted(v.way for v in judged) == sorted(Way)
        assert all(v.why.endswith(".") for v in judged)
        assert [v.applies for v in judged] == sorted((v.applies for v in judged), reverse=True)


def test_what_does_not_apply_never_claims_to_restore_service() -> None:
    assert not [v for each in EVERY for v in verdicts(each) if v.restores and not v.applies]


def test_at_most_one_is_recommended_and_it_stands_first_applies_and_restores() -> None:
    for each in EVERY:
        judged = verdicts(each)
        assert [v.recommended for v in judged[1:]] == [False] * (len(judged) - 1)
        if judged[0].recommended:
            assert judged[0].applies
            assert judged[0].restores


def test_one_is_recommended_wherever_one_restores_service_and_the_schema_is_known() -> None:
    for each in EVERY:
        restoring = [v for v in verdicts(each) if v.restores]
        known = each.schema is not Schema.UNKNOWN and not each.split
        assert (recommended(each) is not None) == bool(restoring and known)


def test_rows_are_given_up_only_where_no_other_way_restores_service() -> None:
    for each in EVERY:
        if recommended(each) in COSTS_ROWS:
            assert not [v for v in verdicts(each) if v.restores and v.way not in COSTS_ROWS]


def test_old_code_on_the_new_schema_is_never_said_to_restore_service() -> None:
    for each in EVERY:
        if each.schema is not Schema.OLD:
            assert not verdict(each, Way.CODE).restores
            assert not verdict(each, Way.FIX_ONLY).restores


def test_on_more_than_one_database_only_a_way_that_points_all_services_at_one_restores_service() -> None:
    for each in (each for each in EVERY if each.split):
        restoring = {v.way for v in verdicts(each) if v.restores}
        assert restoring == {way for way, has in ((Way.DATABASE, each.recoverable), (Way.BACKUP, each.backup)) if has}
        assert recommended(each) is None
        assert "more than one database" in verdict(each, Way.CODE).why


def test_one_commit_of_several_is_never_said_to_restore_service() -> None:
    assert not [each for each in EVERY if not each.fix_is_all and verdict(each, Way.FIX_ONLY).restores]


def test_nothing_is_the_way_exactly_where_nothing_of_the_release_is_left() -> None:
    for each in EVERY:
        assert (recommended(each) is Way.NOTHING) == nothing_left(each)
        assert verdict(each, Way.NOTHING).applies == nothing_left(each)
        if nothing_left(each):
            assert [v.way for v in verdicts(each) if v.applies] == [Way.NOTHING]


def test_what_a_way_needs_is_there_when_it_applies() -> None:
    for each in EVERY:
        schema = verdict(each, Way.SCHEMA)
        assert not schema.applies or (
            each.saved_copy and each.schema is Schema.NEW and not (each.switched or each.split)
        )
        assert not verdict(each, Way.DATABASE).applies or each.recoverable
        assert not verdict(each, Way.BACKUP).applies or each.backup
        assert not verdict(each, Way.FIX_ONLY).applies or each.pushed


def test_a_database_that_was_switched_back_is_not_switched_again() -> None:
    for each in EVERY:
        if each.switched and each.schema is Schema.OLD and not each.split:
            assert not [way for way in COSTS_ROWS if verdict(each, way).applies]


@pytest.mark.parametrize(
    ("name", "where", "way"),
    [
        ("build-fails: pushed, one service stands still", standing(Code.OLD), Way.CODE),
        ("the frontend's build fails, the backend's is live", standing(Code.MIXED, recoverable=True), Way.CODE),
        (
            "the migration fails: new code on the old schema",
            standing(Code.NEW, backup=True, recoverable=True),
            Way.CODE,
        ),
        (
            "kpi-breaks after the migration",
            standing(Code.NEW, Schema.NEW, saved_copy="accounts_before_020", recoverable=True, backup=True),
            Way.SCHEMA,
        ),
        ("the same without a saved copy", standing(Code.NEW, Schema.NEW, recoverable=True, backup=True), Way.DATABASE),
        ("nor a moment that can be recovered", standing(Code.NEW, Schema.NEW, backup=True), Way.BACKUP),
        ("nor a backup", standing(Code.NEW, Schema.NEW), None),
        ("nothing was pushed", standing(Code.OLD, pushed=False, backup=True, recoverable=True), Way.NOTHING),
        ("the release is one commit", standing(Code.NEW, fix_is_all=True), Way.CODE),
        ("the database does not answer", standing(Code.NEW, Schema.UNKNOWN, recoverable=True, backup=True), None),
        (
            "old code was brought back to the new schema",
            standing(Code.OLD, Schema.NEW, pushed=False, saved_copy="accounts_before_020"),
            Way.SCHEMA,
        ),
        ("a way was given up behind its fence", standing(Code.OLD, pushed=False, fenced=True), Way.CODE),
        (
            "the wrong moment was recovered",
            standing(Code.NEW, Schema.NEW, switched=True, saved_copy="accounts_before_020", recoverable=True),
            Way.DATABASE,
        ),
    ],
)
def test_named_rows(name: str, where: Standing, way: Way | None) -> None:
    assert recommended(where) is way, name


def test_after_the_migration_the_database_is_offered_and_code_alone_is_shown_as_useless() -> None:
    where = standing(Code.NEW, Schema.NEW, saved_copy="accounts_before_020", recoverable=True, backup=True)
    code, database = verdict(where, Way.CODE), verdict(where, Way.DATABASE)
    assert code.applies
    assert code.why.startswith("It cannot restore service")
    assert verdict(where, Way.FIX_ONLY).why.startswith("It cannot restore service")
    assert database.applies
    assert database.restores
    assert "is lost" in database.why
    assert [v.way for v in verdicts(where)][:3] == [Way.SCHEMA, Way.DATABASE, Way.BACKUP]


def test_a_fix_that_is_all_says_why_even_that_does_not_help_on_the_new_schema() -> None:
    only = verdict(standing(Code.NEW, Schema.NEW, fix_is_all=True), Way.FIX_ONLY)
    assert "columns that the migration has dropped" in only.why


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pushed": True}, "the branch holds it"),
        ({"pushed": False, "fenced": True}, "writes are fenced off"),
        ({"pushed": False, "switched": True}, "another database"),
        ({"pushed": False, "switched": True, "split": True}, "more than one database, or one that is not known"),
    ],
)
def test_what_reached_production_is_said(changes: dict[str, bool], words: str) -> None:
    assert words in verdict(standing(Code.OLD, **changes), Way.NOTHING).why


@pytest.mark.parametrize(
    ("runs", "code"),
    [
        ((), Code.OLD),
        ((Runs.OLD, Runs.OLD), Code.OLD),
        ((Runs.NEW, Runs.NEW), Code.NEW),
        ((Runs.OTHER, Runs.OLD), Code.MIXED),
        ((Runs.OTHER, Runs.OTHER), Code.MIXED),
        ((Runs.NEW, Runs.OTHER), Code.MIXED),
    ],
)
def test_what_the_services_run_together(runs: tuple[Runs, ...], code: Code) -> None:
    services = tuple(ServiceStanding(str(n), str(n), "c", each) for n, each in enumerate(runs))
    assert Standing(False, services, Schema.OLD, "dpg-1", "crm").code is code


@pytest.mark.parametrize(
    ("runs", "builds", "code"),
    [
        (Runs.OLD, Runs.NEW, Code.MIXED),
        (Runs.OLD, Runs.OTHER, Code.MIXED),
        (Runs.OLD, Runs.OLD, Code.OLD),
        (Runs.NEW, Runs.NEW, Code.NEW),
        (Runs.NEW, Runs.OLD, Code.NEW),
        (Runs.OLD, None, Code.OLD),
    ],
)
def test_a_deploy_under_way_counts_as_what_it_brings(runs: Runs, builds: Runs | None, code: Code) -> None:
    services = (
        ServiceStanding("backend", "crm-backend", "a" * 40, runs, building="c" * 40, builds=builds),
        ServiceStanding("frontend", "crm-frontend", "a" * 40, runs),
    )
    assert Standing(False, services, Schema.OLD, "dpg-1", "crm").code is code


def test_while_the_release_is_being_deployed_nothing_is_not_the_way() -> None:
    service = ServiceStanding("backend", "crm-backend", "b" * 40, Runs.OLD, building="c" * 40, builds=Runs.NEW)
    where = Standing(False, (service,), Schema.OLD, "dpg-1", "crm")
    assert recommended(where) is Way.CODE
    assert not verdict(where, Way.NOTHING).applies

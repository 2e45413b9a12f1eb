"""The example to copy: `config.toml` says the whole plan of migration 020."""

import os
import subprocess
import sys
from pathlib import Path

from console.actions.catalogue import CATALOGUE
from console.config import check
from console.domain.plan import DurationRange, Plan, StepKind, Strength
from console.domain.wire import decode_plan, encode_plan, plan_digest
from tests.config.conftest import EXAMPLE, Changed, loaded
from tests.config.mistakes_in_values import MESSAGE

STEPS = [
    "baseline",
    "checks.before",
    "backup.export",
    "backup.verify",
    "backup.record",
    "code.devtest",
    "code.staging",
    "code.content",
    "code.merge",
    "code.push",
    "code.backend",
    "code.frontend",
    "db.connect",
    "db.migrate",
    "db.verify",
    "db.integrity",
    "db.orphans",
    "test.kpis",
    "test.leads",
    "test.fields",
    "test.accounts",
    "test.reports",
    "test.logs",
    "monitor.logs",
    "monitor.errors",
    "monitor.users",
    "monitor.database",
    "signoff.owner",
    "signoff.devops",
    "signoff.qa",
    "signoff.product",
]


def plan() -> Plan:
    return loaded(EXAMPLE)


def test_every_line_of_the_plan_document_has_its_step() -> None:
    assert [step.id for step in plan().steps] == STEPS
    assert not [step.id for step in plan().steps if step.kind is StepKind.MANUAL], (
        "nothing a machine knows is a checkbox"
    )


def test_every_action_is_used() -> None:
    assert {step.action for step in plan().steps if step.action} == set(CATALOGUE)


def test_the_rows_add_up_to_59_to_81_minutes_and_the_total_declares_60_to_90() -> None:
    rows = plan().timeline
    total = sum((row.planned for row in rows), DurationRange(0, 0))
    assert total == DurationRange(59 * 60, 81 * 60)
    assert plan().declared_total == DurationRange(60 * 60, 90 * 60)
    assert [(row.phase, row.title) for row in rows] == [
        ("Pre", "Database Backup"),
        ("Deploy", "Code merge to main"),
        ("Deploy", "Render backend rebuild"),
        ("Deploy", "Render frontend rebuild"),
        ("Migrate", "Run database migration"),
        ("Verify", "Post-deployment tests"),
        ("Monitor", "Error monitoring"),
    ]


def test_the_steps_of_a_row_add_up_to_the_row() -> None:
    for row in plan().timeline:
        planned = [step.planned for step in plan().steps if step.id in row.steps and step.planned is not None]
        if row.phase == "Monitor":  # these run side by side
            assert set(planned) == {row.planned}
        else:
            assert sum(planned, DurationRange(0, 0)) == row.planned, row.title


def test_push_and_migration_are_typed_and_the_merge_is_asked() -> None:
    confirmed = {step.id: step.confirmation for step in plan().steps if step.confirmation}
    assert {step: (yes.strength, yes.phrase) for step, yes in confirmed.items()} == {
        "code.merge": (Strength.ASK, ""),
        "code.push": (Strength.TYPE, "main"),
        "db.migrate": (Strength.TYPE, "crm"),
    }


def test_the_migration_is_armed_while_both_services_build() -> None:
    assert plan().step("db.connect").after == ("code.push",)
    assert plan().step("code.backend").after == plan().step("code.frontend").after == ("code.push",)
    assert set(plan().step("db.migrate").after) == {"db.connect", "code.backend", "code.frontend"}


def test_the_mapping_is_what_the_sql_does_and_the_promises_are_claims() -> None:
    mapping = plan().migration.mapping
    assert {rule.value: rule.becomes for rule in mapping.rules} == {
        "active": "active",
        "pending": "on_hold",
        "expired": "inactive",
        "suspended": "suspended",
        "cancelled": "cancelled",
    }
    assert [(rule.where, rule.becomes) for rule in mapping.overrides] == [("deleted_at IS NOT NULL", "cancelled")]
    assert mapping.otherwise == "active"
    assert [claim.promised for claim in plan().migration.claims] == ["on_hold", "on_hold"]


def test_criteria_signatures_and_rollback_are_those_of_the_document() -> None:
    assert len(plan().criteria) == 7
    assert [row.title for row in plan().signoffs] == [
        "Database Owner",
        "DevOps/Render Admin",
        "QA Lead",
        "Product Lead",
    ]
    assert all(row.required for row in plan().signoffs)
    assert [row.planned for row in plan().rollback] == [DurationRange(120, 300), DurationRange(600, 1800), None]
    assert plan().rollback[0].lines[0] == "git revert 26c5a9f"


def test_the_parts_of_the_rollback_are_named_for_the_ways_back() -> None:
    assert [row.part for row in plan().rollback] == ["code", "database", "communication"]


def test_the_way_back_of_every_new_value_is_one_that_the_mapping_takes_forward_again() -> None:
    mapping, inverse = plan().migration.mapping, plan().migration.inverse
    assert {rule.value: rule.becomes for rule in inverse} == {
        "active": "active",
        "on_hold": "pending",
        "inactive": "expired",
        "suspended": "suspended",
        "cancelled": "cancelled",
    }
    forward = {rule.value: rule.becomes for rule in mapping.rules}
    assert {forward[rule.becomes]: rule.value for rule in inverse} == {value: value for value in mapping.domain}


def test_a_backend_says_where_it_reads_its_connection_string() -> None:
    named = {service.key: service.database_env for service in plan().services}
    assert named == {
        "backend": "DATABASE_URL",
        "frontend": "",
        "staging-backend": "DATABASE_URL",
        "staging-frontend": "",
        "devtest-backend": "DATABASE_URL",
        "devtest-frontend": "",
    }


def test_the_commented_message_is_one_that_can_be_used(changed: Changed) -> None:
    """Its leading comment signs taken away, it is the plan's own word for that turn."""
    assert plan().messages == ()
    (message,) = loaded(changed((MESSAGE, MESSAGE.replace("# ", "")))).messages
    assert (message.turn, message.subject) == ("declared", "Incident: {title}")
    assert message.text.startswith("The release did not go as planned.")
    assert message.text == message.text.strip()


def test_a_plan_may_do_without_the_way_back(changed: Changed) -> None:
    text = "".join(f'{rule.value:<9} = "{rule.becomes}"\n' for rule in plan().migration.inverse)
    bare = loaded(changed((text, ""), ('part    = "code"\n', ""), ('database_env = "DATABASE_URL"\n', "")))
    assert bare.migration.inverse == ()
    assert bare.rollback[0].part == ""
    assert bare.services[0].database_env == ""


def test_the_account_check_sets_each_status_and_leaves_nothing() -> None:
    check_ = plan().check("accounts.statuses")
    bodies = [request.body for request in check_.requests if request.method == "PATCH"]
    assert {body["status"] for body in bodies if isinstance(body, dict)} == set(plan().migration.mapping.domain)
    for each in plan().checks:
        if any(request.method != "GET" for request in each.requests):
            assert each.writes
            assert each.cleanup
            assert each.leftovers is not None
            assert "{marker}" in each.leftovers.sql


def test_services_of_three_environments_and_the_hosts_are_named() -> None:
    assert {service.environment for service in plan().services} == {"production", "staging", "devtest"}
    assert [service.key for service in plan().services_in("production")] == ["backend", "frontend"]
    assert plan().hosts[:2] == ("crm-backend.onrender.com", "crm-frontend.onrender.com")
    assert plan().hosts[-2:] == ("api.render.com", "github.com")


def test_the_frozen_plan_comes_back_the_same() -> None:
    again = decode_plan(encode_plan(plan()))
    assert again == plan()
    assert plan_digest(again) == plan_digest(plan())


def test_the_digest_tells_another_plan_apart(changed: Changed) -> None:
    other = loaded(changed(('lock_timeout      = "3 s"', 'lock_timeout      = "4 s"')))
    assert other.migration.lock_timeout == 4
    assert plan_digest(other) != plan_digest(plan())


def test_check_needs_no_secret() -> None:
    code = (
        "from pathlib import Path; from console.actions.catalogue import CATALOGUE; from console.config import check;"
        f"print(check(Path({str(EXAMPLE)!r}), CATALOGUE).name)"
    )
    environ = {key: value for key, value in os.environ.items() if key not in ("RENDER_API_KEY", "DATABASE_URL")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=environ,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout == "020-consolidate-account-status\n"


def test_check_is_the_plan_that_would_be_driven() -> None:
    assert check(EXAMPLE, CATALOGUE) == plan()

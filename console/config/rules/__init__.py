"""What must hold between the tables of a plan. A rule reads the sound parts and yields problems."""

from collections.abc import Callable, Iterator

from console.config.parts import Parts
from console.config.problems import Problem
from console.config.rules import checks, messages, migration, order, people, places, references, steps

Rule = Callable[[Parts], Iterator[Problem]]

RULES: tuple[Rule, ...] = (
    references.ids_are_unique,
    references.rows_name_steps,
    references.signatures,
    people.logins_are_unique,
    people.logins_need_a_shared_record,
    steps.kinds,
    steps.phases,
    steps.actions,
    steps.confirmations,
    order.neighbours_exist,
    order.no_circles,
    order.guards_come_earlier,
    checks.requests_reach_services,
    checks.placeholders_are_captured,
    checks.traces_are_removed,
    checks.expectations,
    checks.checks_fit_the_release,
    messages.placeholders_exist,
    migration.columns,
    migration.values,
    migration.inverse,
    migration.files,
    migration.branches,
    places.hosts,
    places.one_source_a_secret,
    places.no_secrets,
    places.numbers_are_finite,
)

"""Plans for the tests of the domain and the engine: small ones, and one shaped like the real one."""

from collections.abc import Mapping

from console.domain.plan import (
    Confirmation,
    Criterion,
    DatabaseTarget,
    DurationRange,
    HistoryTable,
    Hosting,
    Json,
    Migration,
    Phase,
    Plan,
    Release,
    Service,
    SignOff,
    Step,
    StepKind,
    Strength,
    Thresholds,
    TimelineRow,
    ValueMapping,
)

TYPED = Confirmation(Strength.TYPE, "main")
ASKED = Confirmation(Strength.ASK)


def step(
    step_id: str,
    *,
    action: str | None = "fake",
    after: tuple[str, ...] = (),
    guards: tuple[str, ...] = (),
    reopens: tuple[str, ...] = (),
    confirmation: Confirmation | None = None,
    kind: StepKind = StepKind.ACTION,
    role: str | None = None,
    phase: str = "all",
    params: Mapping[str, Json] | None = None,
) -> Step:
    """A step with an action; `action=None` makes it manual."""
    if action is None and kind is StepKind.ACTION:
        kind = StepKind.MANUAL
    return Step(
        id=step_id,
        title=step_id.capitalize(),
        phase=phase,
        kind=kind,
        action=action,
        params=params or {},
        after=after,
        guards=guards,
        reopens=reopens,
        confirmation=confirmation,
        role=role,
    )


def signature(role: str, *, after: tuple[str, ...]) -> Step:
    """A step that a role's signature completes."""
    return step(f"sign.{role}", action=None, kind=StepKind.SIGNOFF, role=role, after=after)


def plan(
    *steps: Step,
    criteria: tuple[Criterion, ...] = (),
    signoffs: tuple[SignOff, ...] = (),
    timeline: tuple[TimelineRow, ...] = (),
    thresholds: Thresholds | None = None,
    declared: DurationRange | None = None,
) -> Plan:
    """A plan of these steps; everything else is filled with what a small application would have."""
    return Plan(
        name="small",
        title="A small release",
        environment="production",
        declared_total=declared or DurationRange(60.0, 120.0),
        phases=tuple(Phase(each, each.capitalize()) for each in dict.fromkeys(each.phase for each in steps)),
        steps=steps,
        timeline=timeline,
        criteria=criteria,
        signoffs=signoffs,
        rollback=(),
        hosting=Hosting("http://127.0.0.1:1", "own-1", "env:TOKEN"),
        services=(Service("backend", "srv-1", "backend", "backend", "production", "main", "http://127.0.0.1:2"),),
        database=DatabaseTarget("crm", "dpg-1", "env:URL", "verify-full", 3600.0),
        release=Release("staging", "main", "a" * 40, "Release", ("a.js",), "git@example.org:crm"),
        migration=Migration(
            version="020",
            file="020.sql",
            table="accounts",
            key="id",
            removed=("old",),
            added=("new",),
            views=(),
            mapping=ValueMapping("old", "new", (), (), "active", ("active",)),
            claims=(),
            saved_copy="saved",
            history=HistoryTable("history", "version", {"file": "{file}"}),
            lock_timeout=3.0,
            statement_timeout=60.0,
            code_paths=("services",),
        ),
        checks=(),
        thresholds=thresholds or Thresholds(),
    )


def release_plan() -> Plan:
    """The real plan's shape: guards, arming, steps side by side, a manual step, criteria, two signatures."""
    return plan(
        step("backup", action="backup.export", phase="backup"),
        step("proof", action="backup.verify", after=("backup",), phase="backup"),
        step("merge", action="source.merge", after=("proof",), guards=("proof",), confirmation=ASKED, phase="code"),
        step(
            "push",
            action="source.push",
            after=("merge",),
            guards=("merge", "proof"),
            reopens=("merge",),
            confirmation=TYPED,
            phase="code",
        ),
        step("backend", action="build.follow", after=("push",), phase="code"),
        step("frontend", action="build.follow", after=("push",), phase="code"),
        step(
            "migrate",
            action="migrate.run",
            after=("backend", "frontend"),
            guards=("proof", "push"),
            confirmation=Confirmation(Strength.TYPE, "crm"),
            phase="database",
        ),
        step("test", action="checks.run", after=("migrate",), phase="after"),
        step("call", action=None, after=("migrate",), phase="after"),
        signature("owner", after=("test", "call")),
        signature("qa", after=("test", "call")),
        criteria=(
            Criterion("deployed", "All fixes deployed", ("backend", "frontend")),
            Criterion("migrated", "Migration without errors", ("migrate", "test")),
        ),
        signoffs=(SignOff("owner", "Database owner"), SignOff("qa", "QA lead")),
    )

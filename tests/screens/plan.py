"""The plan that the screens' tests and the gallery show: the shape of migration 020's."""

from console.domain.plan import (
    Confirmation,
    Criterion,
    DatabaseTarget,
    DurationRange,
    HistoryTable,
    Hosting,
    Migration,
    Phase,
    Plan,
    Release,
    Service,
    SignOff,
    Step,
    StepKind,
    Strength,
    TimelineRow,
    ValueMapping,
)

_MINUTE = 60.0
_TYPE_MAIN = Confirmation(Strength.TYPE, "main")
_TYPE_CRM = Confirmation(Strength.TYPE, "crm")
_ASK = Confirmation(Strength.ASK)
_MONITORS = ("monitor.logs", "monitor.errors", "monitor.users", "monitor.database")
_ROLES = (
    ("owner", "Database owner"),
    ("devops", "DevOps / Render admin"),
    ("qa", "QA lead"),
    ("product", "Product lead"),
)

PHASES = {
    "pre": "Before anything",
    "backup": "Database backup",
    "code": "Code deployment",
    "migration": "Database migration",
    "tests": "Post-deployment tests",
    "monitor": "Monitoring",
    "signoff": "Sign-off",
}

# id, title, action, planned seconds
_STEPS: tuple[tuple[str, str, str, tuple[float, float] | None], ...] = (
    ("baseline", "Baseline of traffic, errors and latency", "monitor.baseline", None),
    ("checks.before", "Old release passes its checks", "checks.run", None),
    ("backup.export", "Production database backup initiated", "backup.export", (360, 720)),
    ("backup.verify", "Backup verified and stored securely", "backup.verify", (180, 420)),
    ("backup.record", "Backup size, location and time recorded", "backup.record", (60, 60)),
    ("code.devtest", "All fixes deployed to devtest", "source.deployed", (10, 10)),
    ("code.staging", "All fixes deployed to staging", "source.deployed", (10, 10)),
    ("code.content", "Release changes exactly the declared files", "source.content", (10, 10)),
    ("code.merge", "Merge staging → main", "source.merge", (15, 15)),
    ("code.push", "Push to GitHub (triggers the Render deployment)", "source.push", (15, 15)),
    ("code.backend", "Render backend rebuilds", "build.follow", (180, 300)),
    ("code.frontend", "Render frontend rebuilds", "build.follow", (180, 300)),
    ("db.connect", "Connect to production database", "migrate.connect", (10, 20)),
    ("db.migrate", "Run migration 020", "migrate.run", (60, 180)),
    ("db.verify", "Verify migration success", "verify.schema", (10, 20)),
    ("db.integrity", "Check data integrity", "verify.integrity", (20, 40)),
    ("db.orphans", "Verify no orphaned columns", "verify.orphans", (20, 40)),
    ("test.kpis", "Dashboard KPIs load without errors", "checks.run", (60, 120)),
    ("test.leads", "Lead conversion works", "checks.run", (120, 180)),
    ("test.fields", "Field mapping shows the new column", "checks.run", (60, 60)),
    ("test.accounts", "Account operations work: create, edit, delete, restore", "checks.run", (180, 240)),
    ("test.reports", "Reporting and analytics queries execute", "checks.run", (60, 120)),
    ("test.logs", "No schema errors in logs", "logs.schema_errors", (120, 180)),
    ("monitor.logs", "Monitor Render logs for 30 minutes", "monitor.logs", (1800, 1800)),
    ("monitor.errors", "Check error rates", "monitor.errors", (1800, 1800)),
    ("monitor.users", "Verify user activity", "monitor.activity", (1800, 1800)),
    ("monitor.database", "Monitor database performance", "monitor.database", (1800, 1800)),
)
_PREFIXES = {"baseline": "pre", "checks": "pre", "db": "migration", "test": "tests"}
_AFTER = {
    "code.backend": ("code.push",),
    "code.frontend": ("code.push",),
    "db.connect": ("code.push",),
    "db.migrate": ("db.connect", "code.backend", "code.frontend"),
    **dict.fromkeys(_MONITORS, ("test.logs",)),
}
_GUARDS = {
    "backup.verify": ("backup.export",),
    "code.merge": ("code.staging", "code.content"),
    "code.push": ("backup.verify", "code.merge"),
    "code.backend": ("code.push",),
    "code.frontend": ("code.push",),
    "db.migrate": ("backup.verify", "code.push", "code.backend", "code.frontend", "db.connect"),
    "db.verify": ("db.migrate",),
}
_CONFIRM = {"code.merge": _ASK, "code.push": _TYPE_MAIN, "db.migrate": _TYPE_CRM}
_REOPENS = {"backup.verify": ("backup.export",), "code.push": ("code.merge",)}
_HELP = {
    "backup.export": "A logical backup at the provider; the point-in-time recovery window is recorded beside it.",
    "code.push": "From here on new code meets the old schema until the migration has run.",
    "db.migrate": "May be confirmed ahead, while the services build; it then starts by itself when both are live.",
}


def _steps() -> tuple[Step, ...]:
    steps: list[Step] = []
    for step_id, title, action, planned in _STEPS:
        prefix = step_id.split(".")[0]
        steps.append(
            Step(
                id=step_id,
                title=title,
                phase=_PREFIXES.get(prefix, prefix),
                kind=StepKind.ACTION,
                action=action,
                after=_AFTER.get(step_id, (steps[-1].id,) if steps else ()),
                guards=_GUARDS.get(step_id, ()),
                reopens=_REOPENS.get(step_id, ()),
                confirmation=_CONFIRM.get(step_id),
                planned=DurationRange(*planned) if planned else None,
                help=_HELP.get(step_id, ""),
            )
        )
    for role, title in _ROLES:
        steps.append(Step(f"signoff.{role}", f"{title} signs", "signoff", StepKind.SIGNOFF, after=_MONITORS, role=role))
    return tuple(steps)


def _rows() -> tuple[TimelineRow, ...]:
    def ids(*prefixes: str) -> tuple[str, ...]:
        return tuple(step_id for step_id, *_ in _STEPS if step_id.startswith(prefixes))

    def row(phase: str, title: str, low: float, high: float, steps: tuple[str, ...]) -> TimelineRow:
        return TimelineRow(phase, title, DurationRange(low * _MINUTE, high * _MINUTE), steps)

    code = tuple(step_id for step_id in ids("code.") if step_id not in ("code.backend", "code.frontend"))
    return (
        row("Pre", "Database backup", 10, 20, ids("backup.")),
        row("Deploy", "Code merge to main", 1, 1, code),
        row("Deploy", "Render backend rebuild", 3, 5, ("code.backend",)),
        row("Deploy", "Render frontend rebuild", 3, 5, ("code.frontend",)),
        row("Migrate", "Run database migration", 2, 5, ids("db.")),
        row("Verify", "Post-deployment tests", 10, 15, ids("test.")),
        row("Monitor", "Error monitoring", 30, 30, ids("monitor.")),
    )


_CRITERIA = (
    Criterion("fixes", "All fixes deployed to production", ("code.content", "code.push")),
    Criterion("migrated", "Database migration completed without errors", ("db.migrate", "db.verify")),
    Criterion("logs", "No schema errors in application logs", ("test.logs", "monitor.logs")),
    Criterion("kpis", "Dashboard KPIs load successfully", ("test.kpis",)),
    Criterion("leads", "Lead conversion works", ("test.leads",)),
    Criterion("orphans", "No orphaned column references", ("db.orphans",)),
    Criterion("accounts", "Users can perform all account operations", ("test.accounts",)),
)

_DOMAIN = ("active", "inactive", "on_hold", "suspended", "cancelled")


def plan_020(environment: str = "production") -> Plan:
    """The plan; an environment of `rehearsal` names loopback hosts."""
    rehearsal = environment == "rehearsal"
    hosts = ("127.0.0.1:41873", "127.0.0.1:41874") if rehearsal else ("api.render.com", "github.com")
    return Plan(
        name="020-consolidate-account-status",
        title="Account Status Consolidation",
        environment=environment,
        declared_total=DurationRange(60 * _MINUTE, 90 * _MINUTE),
        phases=tuple(Phase(phase, title) for phase, title in PHASES.items()),
        steps=_steps(),
        timeline=_rows(),
        criteria=_CRITERIA,
        signoffs=tuple(SignOff(role, title) for role, title in _ROLES),
        rollback=(),
        hosting=Hosting("https://api.render.com/v1", "tea-1", "RENDER_API_KEY"),
        services=(
            Service("backend", "srv-b", "crm-backend", "backend", "production", "main", "https://crm-backend"),
            Service("frontend", "srv-f", "crm-frontend", "frontend", "production", "main", "https://crm-frontend"),
        ),
        database=DatabaseTarget("crm", "dpg-1", "DATABASE_URL", "verify-full", 604800.0),
        release=Release("staging", "main", "26c5a9f", "Merge staging", (), "git@github.com:example/crm.git"),
        migration=Migration(
            version="020",
            file="database/migrations/020_consolidate_account_status.sql",
            table="accounts",
            key="id",
            removed=("license_status", "account_type", "is_trial"),
            added=("account_status",),
            views=("active_accounts", "deleted_accounts"),
            mapping=ValueMapping("license_status", "account_status", (), (), "active", _DOMAIN),
            claims=(),
            saved_copy="accounts_before_020",
            history=HistoryTable("schema_migrations", "version", {}),
            lock_timeout=3.0,
            statement_timeout=300.0,
            code_paths=("services",),
        ),
        checks=(),
        hosts=hosts,
    )

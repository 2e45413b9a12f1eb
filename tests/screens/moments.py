"""The moments that the gallery shows and the snapshots hold: from the start to the end of one deployment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.events import Event, Kind
from console.domain.hosting import LogEntry
from console.domain.outcome import Fact, Line, Preview, Progress, Reading, Section, Tone
from console.domain.state import RunState
from screens.heard import PARTS
from tests.screens.plan import plan_020
from tests.screens.story import Story

COMMIT = "9f31c07b44d1a0c6ce5a27d1f0b3c9a1e2d4f605"


@dataclass(frozen=True)
class News:
    """What a step said so many seconds ago."""

    step: str
    ago: float
    progress: Progress


@dataclass(frozen=True)
class Moment:
    """A state, the time, what running steps said, the log so far; the keys that lead to what is to be shown.

    With `events` it is an observer's, who can look back.
    """

    state: RunState
    now: datetime
    news: tuple[News, ...] = ()
    log: tuple[LogEntry, ...] = ()
    keys: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()


PUSH = Preview(
    summary="Pushes 9f31c07 to main. Render builds crm-backend and crm-frontend from it at once.",
    facts=(
        Fact("Commit", f"{COMMIT} “Merge staging: consolidate the account status (migration 020)”"),
        Fact("Remote tip of main", "b81c55a04e7d2f1963a0c5be8f7d914e02c6a3b7, an ancestor"),
        Fact("crm-backend", "tracks main, deploys on commit", Tone.GOOD),
        Fact("crm-frontend", "tracks main, deploys on commit", Tone.GOOD),
        Fact("Database", "crm reachable, TLS verified, role can alter accounts", Tone.GOOD),
    ),
    readings=(Reading("Requests a minute", "212"), Reading("Sessions on the database", "14")),
    consequences=(
        Line("crm-backend and crm-frontend rebuild and go live with the new code", tone=Tone.WARNING),
        Line(
            "Until migration 020 has run, dashboards fail: the new code asks for a column that is not there",
            "4–8 min",
            Tone.DANGER,
        ),
        Line("The push is never forced. If main has moved meanwhile, nothing happens"),
    ),
    sections=(
        Section(
            "Commits that reach main",
            (
                Line("9f31c07 Merge staging: consolidate the account status (migration 020)", "ops"),
                Line("26c5a9f Update lead conversion and field mapping to use account_status", "Maria Okafor"),
                Line("e1093b9 Update references from license_status to account_status in services", "Maria Okafor"),
                Line("3c231ff Drop dependent views before dropping license_status column", "Jan Vrba"),
            ),
        ),
        Section(
            "Files",
            (
                Line("services/queryBuilderService.js", "changed +14 −11"),
                Line("services/reportingService.js", "changed +9 −9"),
                Line("services/leadConversionService.js", "changed +3 −5"),
                Line("controllers/fieldMappingController.js", "changed +6 −12"),
                Line("database/migrations/020_consolidate_account_status.sql", "new +48 −0", Tone.GOOD),
            ),
        ),
        Section(
            "Services that will rebuild",
            (
                Line("crm-backend", "root directory “.”, build filter matches services/**"),
                Line("crm-frontend", "root directory “.”, no build filter"),
            ),
        ),
    ),
)

MIGRATE = Preview(
    summary="Runs 020_consolidate_account_status.sql from 9f31c07 on crm, in one transaction of the console's own.",
    facts=(
        Fact("File", "sha256 4be1c0…77, 5 statements"),
        Fact("Database", "crm on dpg-d0example, PostgreSQL 16.4, TLS verified"),
        Fact("Saved copy", "accounts_before_020: every row, by primary key", Tone.GOOD),
        Fact("Time-outs", "lock 3 s, statement 5 min"),
    ),
    readings=(
        Reading("Rows in accounts", "449", limit=500, amount=449),
        Reading("Sessions that hold accounts", "2 readers, longest 0.4 s"),
    ),
    consequences=(
        Line("accounts is locked from the first statement to COMMIT: readers wait", "about 2 s", Tone.WARNING),
        Line("license_status, account_type and is_trial are dropped", tone=Tone.WARNING),
        Line("A row that does not follow the mapping rolls everything back"),
    ),
    sections=(
        Section(
            PARTS,
            (
                Line(
                    "1. ALTER TABLE accounts ADD COLUMN account_status VARCHAR(50) DEFAULT 'active'", "ACCESS EXCLUSIVE"
                ),
                Line("2. DROP VIEW IF EXISTS active_accounts, deleted_accounts", "ACCESS EXCLUSIVE"),
                Line(
                    "3. UPDATE accounts SET account_status = CASE WHEN deleted_at IS NOT NULL THEN 'cancelled' …",
                    "ROW EXCLUSIVE",
                ),
                Line(
                    "4. ALTER TABLE accounts DROP COLUMN license_status, DROP COLUMN account_type, …",
                    "ACCESS EXCLUSIVE",
                ),
                Line("5. CREATE INDEX idx_accounts_account_status ON accounts (account_status)", "SHARE"),
            ),
        ),
        Section(
            "Promised elsewhere, not done by this SQL",
            (Line("Trial accounts become on_hold", "37 rows differ", Tone.WARNING),),
        ),
    ),
)

MIGRATING = Progress(
    text="statement 3 of 5: UPDATE accounts SET account_status = CASE …",
    share=0.4,
    lines=(
        Line("2 sessions wait for us, the longest for 11.2 s", "", Tone.WARNING),
        Line("waits for us: pid 40912 crm-backend, SELECT count(*) FROM accounts WHERE …"),
    ),
    safe_point="after this statement",
)


def news_of_migration(seconds: float) -> tuple["News", ...]:
    """What the migration has said until `seconds` after its start: it is at its third statement."""
    began = {1: 1.802, 2: 1.806, 3: 1.808}
    said = [
        News("db.migrate", seconds - after, Progress(MIGRATING.text, data={"statement": number}))
        for number, after in began.items()
    ]
    return (*said, News("db.migrate", 0.0, MIGRATING))


def log_of(now: datetime, *, trouble: bool = False) -> tuple[LogEntry, ...]:
    """Some lines of both services up to `now`."""
    texts = [
        ("srv-b", "GET /api/accounts?status=active 200 31ms", "info", "200"),
        ("srv-b", "POST /api/leads/8f21/convert 201 84ms", "info", "201"),
        ("srv-f", "GET / 200 3ms", "info", "200"),
        ("srv-b", "GET /api/dashboard/kpis 200 41ms", "info", "200"),
        ("srv-b", "GET /health 200 1ms", "info", "200"),
        ("srv-f", "GET /assets/index.js 304 1ms", "info", "304"),
    ]
    if trouble:
        texts[3] = ("srv-b", "GET /api/dashboard/kpis 500 12ms", "error", "500")
        texts.insert(4, ("srv-b", 'ERROR column "account_status" does not exist (SQLSTATE 42703)', "error", ""))
    start = now - timedelta(seconds=40)
    return tuple(
        LogEntry(f"log-{n}", start + timedelta(seconds=n), service, text, level=level, labels={"statusCode": code})
        for n in range(40)
        for service, text, level, code in (texts[n % len(texts)],)
    )


def _story(environment: str = "production") -> Story:
    return Story(
        plan_020(environment), rehearsal=environment == "rehearsal", pace=60.0 if environment == "rehearsal" else 1.0
    )


def _to_backup(story: Story) -> Story:
    story.begin().run("baseline", 34, "212 requests/min, 0.2 % errors, p95 84 ms")
    return story.run("checks.before", 12, "5 of 5 checks pass on the old release")


def _to_push(story: Story) -> Story:
    _to_backup(story).run("backup.export", 424, "Export 2026-02-04T14:30:48Z, 0.14 GB")
    story.run("backup.verify", 262, "Restored into a scratch server: 14 tables, every count within its bounds")
    story.run("backup.record", 2, "0.14 GB in Render's backup system, copy kept for 7 days")
    for step in ("code.devtest", "code.staging", "code.content"):
        story.run(step, 4)
    story.wait(41).run("code.merge", 3, "9f31c07 merges staging into main, 3 commits, 5 files", commit=COMMIT)
    return story.preview("code.push", PUSH)


def _to_builds(story: Story) -> Story:
    _to_push(story).wait(75).say_yes("code.push", PUSH)
    story.run("code.push", 4, "main is 9f31c07", commit=COMMIT)
    story.start("code.backend").start("code.frontend")
    return story.run("db.connect", 2, "crm, PostgreSQL 16.4, TLS verified, role crm_owner, clock +0.02 s").preview(
        "db.migrate", MIGRATE
    )


def _to_migration(story: Story) -> Story:
    _to_builds(story).wait(20).say_yes("db.migrate", MIGRATE, ahead=True)
    story.wait(190).succeed("code.backend", "live with 9f31c07 after 3 min 32 s")
    return story.wait(21).succeed("code.frontend", "live with 9f31c07 after 3 min 53 s").start("db.migrate")


def to_tests(story: Story) -> Story:
    """Up to the tests after the deployment: new code on the migrated schema."""
    _to_migration(story).wait(62).succeed(
        "db.migrate",
        "5 statements, 600,000 rows, committed in 58.1 s; every row follows the mapping",
        Section(PARTS, tuple(Line(line.text, "3 ms", Tone.GOOD) for line in MIGRATE.sections[0].lines)),
    )
    story.tell(Kind.CRITERION_MET, criterion="fixes", evidence="Push: main is 9f31c07")
    for step in ("db.verify", "db.integrity", "db.orphans"):
        story.run(step, 9)
    story.tell(Kind.CRITERION_MET, criterion="migrated", evidence="5 statements, 600,000 rows, committed")
    return story.tell(Kind.CRITERION_MET, criterion="orphans", evidence="nothing names a dropped column")


def _to_signoff(story: Story) -> Story:
    to_tests(story)
    for step, seconds in (("kpis", 8), ("leads", 14), ("fields", 4), ("accounts", 31), ("reports", 6), ("logs", 121)):
        story.run(f"test.{step}", seconds)
    for criterion in ("kpis", "leads", "accounts"):
        story.tell(Kind.CRITERION_MET, criterion=criterion, evidence="checks pass")
    for step in ("logs", "errors", "users", "database"):
        story.start(f"monitor.{step}")
    story.wait(1800)
    for step in ("logs", "errors", "users", "database"):
        story.succeed(f"monitor.{step}", "30 min within every threshold")
    return story.tell(Kind.CRITERION_MET, criterion="logs", evidence="0 schema errors in 41,220 lines")


def not_started() -> Moment:
    """Before anything: one warning of the preflight stands there."""
    story = _story()
    _window(story)
    return Moment(story.state, story.now)


def _window(story: Story) -> None:
    story.tell(
        Kind.FINDING_RECORDED,
        code="window.code-before-schema",
        severity="warning",
        message="Code is live before its column: dashboards fail for 4–8 min",
        evidence="services/queryBuilderService.js of 26c5a9f asks for accounts.account_status.",
        remedy="Confirm the migration while the services build: it starts when both are live.",
    )


def backup() -> Moment:
    """The export is under way, in a rehearsal."""
    story = _story("rehearsal").begin().run("baseline", 5).run("checks.before", 2)
    story.start("backup.export").wait(6)
    news = Progress(
        "Export requested 14:30:07, not listed yet. Asked 3 times.", 0.42, safe_point="when the list was read"
    )
    return Moment(story.state, story.now, (News("backup.export", 0.0, news),), log_of(story.now))


def push() -> Moment:
    """The push waits for its yes."""
    story = _story()
    _window(story)
    _to_push(story).wait(28)
    return Moment(story.state, story.now, log=log_of(story.now))


def confirm_push() -> Moment:
    """The dialog of the push."""
    moment = push()
    return Moment(moment.state, moment.now, moment.news, moment.log, ("enter",))


def building() -> Moment:
    """Both services build; the migration is armed."""
    story = _to_builds(_story()).wait(20).say_yes("db.migrate", MIGRATE, ahead=True).wait(72)
    news = (
        News("code.backend", 0.0, Progress("build_in_progress since 1 min 32 s, deploy dep-4411 of 9f31c07", 0.38)),
        News("code.frontend", 0.0, Progress("queued behind dep-4411")),
    )
    return Moment(story.state, story.now, news, log_of(story.now))


def migrating() -> Moment:
    """The migration runs, readers wait, the log has schema errors."""
    story = _story()
    _window(story)
    _to_migration(story).wait(39)
    story.tell(
        Kind.ALERT_RAISED,
        alert="window",
        severity="warning",
        message="2 requests failed on the missing column, within the limit of 20",
        offer=None,
    )
    return Moment(story.state, story.now, news_of_migration(39.0), log_of(story.now, trouble=True))


def failed_build() -> Moment:
    """The backend's build failed after the push."""
    story = _to_builds(_story()).wait(151)
    story.fail(
        "code.backend",
        "The build of crm-backend at 9f31c07 ended with build_failed.",
        "crm-backend still runs b81c55a on the schema from before the migration. crm-frontend is building 9f31c07. "
        "Users see no error yet.",
        "Read the build log (l). Push a fix and go back to the merge, or roll back while the schema is untouched.",
        "npm ERR! code ERESOLVE",
        "npm ERR! could not resolve pg@8.11.3",
    )
    story.tell(
        Kind.ALERT_RAISED,
        "code.backend",
        alert="step:code.backend",
        severity="danger",
        message="Render backend rebuilds failed: the build ended with build_failed",
        offer="incident",
    )
    return Moment(story.wait(44).state, story.now, (), log_of(story.now))


def uncertain() -> Moment:
    """The console died in the migration and was started again."""
    story = _to_migration(_story()).wait(300)
    story.doubt(
        "db.migrate",
        "A session of this step is still running on the database: it may yet commit.",
        Line("pid 41187, since 14:52:09, UPDATE accounts SET account_status …", "rc/run-1/db.migrate"),
        Line("schema_migrations has no row 020", "read 14:57:30"),
    )
    return Moment(story.wait(9).state, story.now, (), log_of(story.now, trouble=True))


def signing_story() -> Story:
    """Two of four have signed."""
    story = _to_signoff(_story()).wait(120)
    bound: dict[str, str] = {"plan": "5f0c9a1e77b24c01", "commit": COMMIT}
    story.tell(Kind.SIGNOFF_GIVEN, role="owner", name="Petra Lindqvist", note="counts compared", by_voice=True, **bound)
    return story.wait(64).tell(Kind.SIGNOFF_GIVEN, role="devops", name="Sam Adeyemi", note="", by_voice=True, **bound)


def signing() -> Moment:
    """Two of four have signed."""
    story = signing_story()
    return Moment(story.wait(30).state, story.now, (), log_of(story.now), ("s",))


def finished() -> Moment:
    """Everything is done and signed."""
    story = _to_signoff(_story())
    for role, name in (
        ("owner", "Petra Lindqvist"),
        ("devops", "Sam Adeyemi"),
        ("qa", "Ines Roth"),
        ("product", "Bo Ek"),
    ):
        story.wait(40).tell(
            Kind.SIGNOFF_GIVEN, role=role, name=name, note="", by_voice=True, plan="5f0c9a1e77b24c01", commit=COMMIT
        )
    production = "Production runs 9f31c07 on the migrated schema."
    story.wait(12).tell(Kind.RUN_FINISHED, outcome="completed", reason="", production=production)
    return Moment(story.state, story.now, (), log_of(story.now))


def incident() -> Moment:
    """An incident was declared while the tests ran."""
    story = to_tests(_story()).run("test.kpis", 8).start("test.leads").wait(12)
    story.tell(Kind.RUN_PAUSED, reason="incident")
    story.tell(Kind.INCIDENT_DECLARED, reason="Soft deletes fail: a trigger still names account_type")
    return Moment(story.wait(198).state, story.now, (), log_of(story.now, trouble=True))


def _with_keys(moment: Callable[[], Moment], *keys: str) -> Callable[[], Moment]:
    def changed() -> Moment:
        base = moment()
        return Moment(base.state, base.now, base.news, base.log, keys)

    return changed


MOMENTS: Mapping[str, Callable[[], Moment]] = {
    "start": not_started,
    "begin": _with_keys(not_started, "enter"),
    "backup": backup,
    "push": push,
    "confirm-push": confirm_push,
    "building": building,
    "migrating": migrating,
    "confirm-migrate": _with_keys(lambda: _ahead(), "enter"),
    "failed-build": failed_build,
    "ways-out": _with_keys(failed_build, "enter"),
    "uncertain": uncertain,
    "incident": incident,
    "signoff": signing,
    "warnings": _with_keys(failed_build, "w"),
    "logs": _with_keys(migrating, "l"),
    "preflight": _with_keys(push, "p"),
    "report": _with_keys(finished, "r"),
    "help": _with_keys(push, "question_mark"),
    "leave": _with_keys(migrating, "q"),
    "note": _with_keys(migrating, "n"),
    "finished": finished,
}


def _ahead() -> Moment:
    """The migration can be confirmed ahead, while the services build."""
    story = _to_builds(_story()).wait(40)
    story.tell(Kind.STEP_SUCCEEDED, "code.backend", evidence=None)
    story.succeed("code.frontend", "live")
    return Moment(story.state, story.now, (), log_of(story.now))

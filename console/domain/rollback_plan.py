"""The rollback's own plan: the steps of a way back from where production stands, as the conductor carries them out.

Pure. Steps come in the plan's vocabulary, so that the same conductor drives and the same widgets show them; ids begin
with `back.` (the second way of a run with `back2.`). What always holds: autodeploy is held before anything is pushed,
nothing is switched before it was compared, and nothing is opened before it was proven.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from console.domain.plan import (
    Confirmation,
    DurationRange,
    Json,
    Phase,
    Plan,
    Service,
    Step,
    StepKind,
    Strength,
    TimelineRow,
)
from console.domain.released import BUILD
from console.domain.standing import Code, Schema, Standing, Way
from console.domain.state import MESSAGES

POSTMORTEM = "postmortem"
"""The parameter `asks` of the step that is over when owner and date of the post-mortem are named."""

_ANOTHER_DATABASE = frozenset({Way.DATABASE, Way.BACKUP})
_DEFAULT_PLANNED = {"code": DurationRange(120, 300), "database": DurationRange(600, 1800)}
_SCHEMA_PLANNED = DurationRange(60, 300)
_NO_TIME = DurationRange(0, 0)
_LATER = "later"
_ASK = Confirmation(Strength.ASK)


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What a way adds to the run's plan."""

    phases: tuple[Phase, ...]
    steps: tuple[Step, ...]
    rows: tuple[TimelineRow, ...]


def rollback_plan(plan: Plan, standing: Standing, way: Way, *, number: int = 1) -> RollbackPlan:
    """The steps of a way; `number` counts the ways that this run has chosen, from 1."""
    return _Builder(plan, standing, way, number).build()


def planned(plan: Plan, way: Way) -> DurationRange | None:
    """How long a way is expected to take, from the plan's own rollback section; None for what takes no time."""
    if way is Way.NOTHING:
        return None
    code = _planned_part(plan, "code")
    if way is Way.SCHEMA:
        return code + _SCHEMA_PLANNED
    return code + _planned_part(plan, "database") if way in _ANOTHER_DATABASE else code


def extended(plan: Plan, added: RollbackPlan) -> Plan:
    """The plan with a way's phases, steps and rows at its end."""
    return replace(
        plan,
        phases=(*plan.phases, *added.phases),
        steps=(*plan.steps, *added.steps),
        timeline=(*plan.timeline, *added.rows),
    )


def has_time(step: Step) -> bool:
    """Whether a step of a way back is one of those that come last and may be left out."""
    return step.phase.startswith("back") and step.phase.endswith(f".{_LATER}")


def _planned_part(plan: Plan, part: str) -> DurationRange:
    return next((r.planned for r in plan.rollback if r.part == part and r.planned is not None), _DEFAULT_PLANNED[part])


def _planned_build(plan: Plan, service: Service) -> DurationRange:
    """How long the release's own build of a service was planned to take: the revert is built the same way."""
    for step in plan.steps:
        if step.action == BUILD and step.params.get("service") == service.key and step.planned is not None:
            return step.planned
    return _planned_part(plan, "code")


class _Builder:
    """Collects the steps of one way in the order in which they are shown."""

    def __init__(self, plan: Plan, standing: Standing, way: Way, number: int) -> None:
        self._plan = plan
        self._standing = standing
        self._way = way
        self._prefix = "back" if number == 1 else f"back{number}"
        self._phases: list[Phase] = []
        self._steps: list[Step] = []
        self._deployed: tuple[str, ...] = ()
        self._reverts = standing.pushed and way is not Way.NOTHING
        self._switches = way in _ANOTHER_DATABASE
        runs_old = standing.code is Code.OLD
        self._deploys = self._switches or self._reverts or (way is not Way.NOTHING and not runs_old)
        self._previous = not runs_old and self._serves_previous()
        # A way that was given up may have left autodeploy off, whatever else there is to be done now.
        self._restores_settings = self._deploys or number > 1

    def build(self) -> RollbackPlan:
        """All of them."""
        if self._way is not Way.NOTHING:
            self._code()
            self._database()
        self._services()
        self._afterwards()
        self._words()
        self._later()
        return RollbackPlan(tuple(self._phases), tuple(self._steps), self._rows())

    def _serves_previous(self) -> bool:
        """The provider's rollback brings the old environment with it: only before any switch, and on the old schema."""
        if self._standing.switched or self._switches or self._way in (Way.FIX_ONLY, Way.NOTHING):
            return False
        return self._way is Way.SCHEMA or self._standing.schema is Schema.OLD

    def _code(self) -> None:
        if not self._deploys:
            return
        phase = self._phase("code", self._title("code", "Revert Code"))
        target = self._plan.release.target
        self._add(phase, "hold", "Switch autodeploy off on every service", "rollback.hold_deploys")
        if self._previous and self._way is not Way.SCHEMA:
            self._previous_build(phase, after=("hold",))
        if self._reverts:
            scope = "fix" if self._way is Way.FIX_ONLY else "release"
            title = f"Revert {'the whole release' if scope == 'release' else self._plan.release.fix_commit}"
            self._add(phase, "revert", title, "rollback.revert", params={"scope": scope})
            self._add(
                phase,
                "push",
                f"Push the revert to {target}",
                "rollback.push",
                after=("hold", "revert"),
                guards=("hold", "revert"),
                reopens=("revert",),
                confirmation=Confirmation(Strength.TYPE, target),
            )

    def _database(self) -> None:
        name = self._plan.database.name
        typed = Confirmation(Strength.TYPE, name)
        if self._way is Way.SCHEMA:
            phase = self._phase("schema", "Rebuild the schema")
            self._add(
                phase,
                "schema",
                f"Build back what migration {self._plan.migration.version} dropped",
                "rollback.schema",
                after=("hold", "push"),
                guards=("push",),
                confirmation=typed,
                planned=_SCHEMA_PLANNED,
            )
            if self._previous:
                self._previous_build(phase, after=("hold", "schema"))
        if self._switches:
            source = "moment" if self._way is Way.DATABASE else "export"
            what = "Recover the moment before the migration" if source == "moment" else "Restore the exported backup"
            phase = self._phase("database", self._title("database", "Restore Database"))
            add = self._add
            add(
                phase,
                "fence",
                "Fence off writes and count what is lost",
                "rollback.fence",
                after=("hold",),
                confirmation=_ASK,
            )
            add(
                phase,
                "recover",
                f"{what} into a new instance",
                "rollback.recover",
                params={"from": source},
                after=("fence",),
                guards=("fence",),
                confirmation=typed,
                planned=_planned_part(self._plan, "database"),
            )
            add(
                phase,
                "compare",
                "Compare the new instance with the backup's counts",
                "rollback.compare",
                params={"from": source},
                after=("recover",),
                guards=("recover",),
                reopens=("recover",),
            )
            add(
                phase,
                "switch",
                "Point the services at the new instance",
                "rollback.switch",
                after=("compare", "push"),
                guards=("compare", "push"),
                confirmation=typed,
            )

    def _services(self) -> None:
        if not (self._deploys or self._standing.fenced or self._restores_settings):
            return
        phase = self._phase("services", "Services")
        deploys = []
        for service in self._plan.services_in("production") if self._deploys else ():
            short = f"deploy.{service.key}"
            self._add(
                phase,
                short,
                f"{service.name} runs the code from before",
                "rollback.deploy",
                params={"service": service.key},
                after=("hold", "push", "switch", "schema", "previous"),
                planned=_planned_build(self._plan, service),
            )
            deploys.append(short)
        self._deployed = tuple(deploys)
        if self._switches:
            title = "Each service proves which database it uses"
            self._add(phase, "in_use", title, "rollback.database_in_use", after=self._deployed, reopens=self._deployed)
        if self._switches or self._standing.fenced:
            before = ("in_use",) if self._switches else (*self._deployed, "schema")
            self._add(phase, "open", "Let users in again", "rollback.open", after=before, guards=before)
        if self._restores_settings:
            self._add(
                phase,
                "restore_settings",
                "Autodeploy as it was",
                "rollback.restore_deploys",
                after=(*self._deployed, "open"),
                reopens=self._deployed,
            )

    def _afterwards(self) -> None:
        phase = self._phase("after", "Afterwards")
        checks: list[Json] = [each.id for each in self._plan.checks if each.release in ("old", "both")]
        settled = tuple(each.id.partition(".")[2] for each in self._steps)
        if checks and self._way is not Way.NOTHING:
            self._add(
                phase,
                "checks",
                "The checks of the old release pass",
                "checks.run",
                params={"checks": checks},
                after=tuple(s for s in settled if s != "restore_settings"),
            )
        self._add(
            phase,
            "prove",
            "Production is as it was before",
            "rollback.prove",
            after=(*settled, "checks"),
            reopens=tuple(s for s in settled if s.startswith("deploy.")),
        )

    def _words(self) -> None:
        phase = self._phase("words", self._title("communication", "Communication"))
        self._add(
            phase,
            "told",
            "Notify stakeholders of rollback",
            "communicate.stakeholders",
            params={"asks": MESSAGES},
            after=("prove",),
        )
        self._add(phase, "papers", "Post incident summary", "communicate.papers", after=("prove", "told"))
        self._add(phase, "postmortem", "Plan post-mortem", None, params={"asks": POSTMORTEM}, after=("papers",))

    def _later(self) -> None:
        """What has time: none of it is needed for service to be restored, and each step may be left out."""
        if not self._reverts and self._way is not Way.SCHEMA:
            return
        phase = self._phase(_LATER, "Later")
        if self._reverts:
            self._add(
                phase,
                "reapply",
                "Offer a branch that brings the release again",
                "rollback.reapply_branch",
                after=("papers",),
                confirmation=_ASK,
                help="The revert must itself be reverted before these commits can be released again.",
            )
        if self._way is Way.SCHEMA:
            self._add(
                phase,
                "discard_copy",
                "Remove the saved copy",
                "rollback.discard_copy",
                after=("papers",),
                # The copy bears another name by now: what is typed is the database from which it is removed.
                confirmation=Confirmation(Strength.TYPE, self._plan.database.name),
                help="Nothing needs it now; leave the step out to keep it.",
            )

    def _previous_build(self, phase: str, *, after: tuple[str, ...]) -> None:
        self._add(
            phase,
            "previous",
            "Serve the previous build meanwhile",
            "rollback.previous_build",
            after=after,
            confirmation=_ASK,
            help="The provider keeps it: no build is needed. The revert replaces it when it is built.",
        )

    def _phase(self, name: str, title: str) -> str:
        phase = f"{self._prefix}.{name}"
        self._phases.append(Phase(phase, title))
        return phase

    def _add(
        self,
        phase: str,
        name: str,
        title: str,
        action: str | None,
        *,
        params: Mapping[str, Json] | None = None,
        after: tuple[str, ...] = (),
        guards: tuple[str, ...] = (),
        reopens: tuple[str, ...] = (),
        confirmation: Confirmation | None = None,
        planned: DurationRange | None = None,
        help: str = "",
    ) -> None:
        """Add a step; of those that it names only the ones that this way has are kept."""
        self._steps.append(
            Step(
                id=f"{self._prefix}.{name}",
                title=title,
                phase=phase,
                kind=StepKind.ACTION if action is not None else StepKind.MANUAL,
                action=action,
                params=params or {},
                after=self._known(after),
                guards=self._known(guards),
                reopens=self._known(reopens),
                confirmation=confirmation,
                planned=planned,
                help=help,
            )
        )

    def _known(self, names: tuple[str, ...]) -> tuple[str, ...]:
        ids = {step.id for step in self._steps}
        return tuple(f"{self._prefix}.{name}" for name in dict.fromkeys(names) if f"{self._prefix}.{name}" in ids)

    def _title(self, part: str, otherwise: str) -> str:
        return next((each.title for each in self._plan.rollback if each.part == part), otherwise)

    def _rows(self) -> tuple[TimelineRow, ...]:
        """A row a phase. Their planned times add up to that of the way; what the team plans no time for has none.

        The time for the code is that of the builds: it stands with the services where any is deployed.
        """
        parts = ("code", "schema", "database", "services")
        work = [phase.id for phase in self._phases if self._part(phase) in parts] or [self._phases[0].id]
        spans = dict.fromkeys(work, _NO_TIME)
        if self._way is not Way.NOTHING:
            own = {"schema": _SCHEMA_PLANNED, "database": _planned_part(self._plan, "database")}
            spans |= {phase.id: own[part] for phase in self._phases if (part := self._part(phase)) in own}
            spans[work[-1]] += _planned_part(self._plan, "code")
        return tuple(
            TimelineRow(
                phase.id,
                phase.title,
                spans.get(phase.id, _NO_TIME),
                tuple(step.id for step in self._steps if step.phase == phase.id),
            )
            for phase in self._phases
        )

    @staticmethod
    def _part(phase: Phase) -> str:
        return phase.id.rpartition(".")[2]

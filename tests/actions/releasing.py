"""A release on its way: branches, services and the database as the push finds them."""

from dataclasses import replace

from console.domain.hosting import DeployStatus
from console.domain.plan import Json
from tests.actions.fakes import ROOT, FakeClock, FakeDatabase, FakeHosting, FakeRepository, Reports, Run

MIGRATION = (ROOT / "console/sandbox/crm/release/database/migrations/020_consolidate_account_status.sql").read_bytes()
OWNED: dict[str, object] = {"owns": True, "creates": True, "inserts": True}


class Release:
    """main and staging with the release's commits, all services on the old code, a database in order."""

    def __init__(self, pace: float = 1.0) -> None:
        self.run = Run(clock=FakeClock(pace))
        plan = self.run.plan
        self.run.plan = plan = replace(plan, release=replace(plan.release, fix_commit="fix"))
        self.repository = FakeRepository(plan)
        self.old = self.repository.commit("old release")
        fix = self.repository.commit("fix", self.old)
        self.repository.branches = {"main": self.old, "staging": fix, "devtest": fix}
        self.fix = fix
        self.repository.trees[""] = {plan.migration.file: MIGRATION}
        self.hosting = FakeHosting(self.run.clock, plan)
        for service in plan.services:
            self.hosting.add(service.id, self.old if service.environment == "production" else fix)
        self.database = FakeDatabase(
            {
                "AS creates": [
                    {"name": f'"{name}"', **OWNED}
                    for name in ("accounts", "active_accounts", "deleted_accounts", "schema_migrations")
                ],
                "nspname AS schema": [{"schema": "public", "name": "accounts"}],
            },
            otherwise=True,
        )
        self.reports = Reports()
        self.backend = plan.service("backend").id
        self.frontend = plan.service("frontend").id

    def merged(self) -> str:
        """The merge commit is made in the clone."""
        commit = self.repository.commit("merge", self.old, self.fix)
        self.run.left("code.merge", {"commit": commit, "target": self.old, "source": self.fix})
        return commit

    def pushed(self, **services: str) -> str:
        """The merge commit is pushed."""
        commit = self.merged()
        self.repository.branches["main"] = commit
        ids: dict[str, Json] = {
            s.key: [deploy.id for deploy in self.hosting.all[s.id]] for s in self.run.plan.services_in("production")
        }
        outlooks: dict[str, Json] = {"backend": "build", "frontend": "build", **services}
        data: dict[str, Json] = {"commit": commit, "deploys_before": ids, "services": outlooks}
        self.run.left("code.push", data)
        return commit

    def triggered(self, commit: str) -> None:
        """The provider's reaction to the push: a deploy on each production service."""
        for service_id in (self.backend, self.frontend):
            self.hosting.add(service_id, commit, DeployStatus.BUILD, message="Merge staging")

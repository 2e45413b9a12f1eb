"""What befalls deploys on their way, under the faults that this rehearsal practises; production only."""

import re

from console.sandbox.contracts import CommitInfo, Faults, Source
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.state import Deploy, Service

_REVERT = re.compile(r"revert\b", re.IGNORECASE)


class DeployFaults:
    """Asked by the parts that deploy; each answer is a thing that then really happens."""

    def __init__(self, faults: Faults, ledger: Ledger, source: Source) -> None:
        self._faults = faults
        self._ledger = ledger
        self._source = source

    async def mark_failing(self, service: Service, deploy: Deploy) -> None:
        """Decide, as the build begins, whether it will fail.

        `build-fails`: the first new commit of a service never builds; the commit that repairs it does.
        `rollback-build-fails`: the first build of a revert fails; the next one of the same commit does not.
        """
        if service.environment != "production" or deploy.initial:
            return
        if service.unbuildable_commit is None and self._faults.active("build-fails", service.role):
            service.unbuildable_commit = deploy.commit.id
        if self._faults.active("rollback-build-fails", service.role) and await self._takes_back(service, deploy):
            deploy.unlucky = deploy.unlucky or self._faults.take("rollback-build-fails", service.role)
        self._ledger.save()

    def overriding(self, service: Service, deploy: Deploy) -> CommitInfo | None:
        """`foreign-deploy`: the commit that somebody else deploys while the backend builds a new one."""
        live = self._ledger.state.live_deploy(service)
        if (service.environment, service.role) != ("production", "backend") or live is None:
            return None
        if live.commit.id == deploy.commit.id or not self._faults.take("foreign-deploy"):
            return None
        return live.commit

    def deployed_again(self, service: Service) -> CommitInfo | None:
        """`autodeploy-refires`: the release, which the provider deploys when autodeploy is switched on again."""
        if service.environment != "production":
            return None
        born_with = self._born_with(service)
        released = [
            deploy.commit
            for deploy in self._ledger.state.deploys_of(service.id)
            if born_with is not None and deploy.commit.id != born_with.id
        ]
        # The first commit that came after birth is the release; a fix or a revert comes later.
        return released[-1] if released and self._faults.take("autodeploy-refires") else None

    def deployed_instead(self, service: Service) -> CommitInfo | None:
        """`deploys-other-commit`: what a push brings in place of the commit that was pushed."""
        if service.environment != "production" or not self._faults.active("deploys-other-commit"):
            return None
        live = self._ledger.state.live_deploy(service)
        return live.commit if live else None

    async def _takes_back(self, service: Service, deploy: Deploy) -> bool:
        """Whether a commit reverts: it says so, or is another commit with the files that the service was born with."""
        if _REVERT.match(deploy.commit.message):
            return True
        born_with = self._born_with(service)
        if born_with is None or born_with.id == deploy.commit.id:
            return False
        return not await self._source.changed_files(born_with.id, deploy.commit.id)

    def _born_with(self, service: Service) -> CommitInfo | None:
        deploys = self._ledger.state.deploys_of(service.id)
        return next((deploy.commit for deploy in deploys if deploy.initial), None)

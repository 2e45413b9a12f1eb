"""What befalls deploys on their way, under the faults that this rehearsal practises; production only."""

from console.sandbox.contracts import CommitInfo, Faults
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.state import Deploy, Service


class DeployFaults:
    """Asked by the parts that deploy; each answer is a thing that then really happens."""

    def __init__(self, faults: Faults, ledger: Ledger) -> None:
        self._faults = faults
        self._ledger = ledger

    def mark_unbuildable(self, service: Service, deploy: Deploy) -> None:
        """`build-fails`: the first new commit of a service never builds; the commit that repairs it does."""
        if service.environment != "production" or deploy.initial or service.unbuildable_commit is not None:
            return
        if self._faults.active("build-fails", service.role):
            service.unbuildable_commit = deploy.commit.id
            self._ledger.save()

    def overriding(self, service: Service, deploy: Deploy) -> CommitInfo | None:
        """`foreign-deploy`: the commit that somebody else deploys while the backend builds a new one."""
        live = self._ledger.state.live_deploy(service)
        if (service.environment, service.role) != ("production", "backend") or live is None:
            return None
        if live.commit.id == deploy.commit.id or not self._faults.take("foreign-deploy"):
            return None
        return live.commit

    def deployed_instead(self, service: Service) -> CommitInfo | None:
        """`deploys-other-commit`: what a push brings in place of the commit that was pushed."""
        if service.environment != "production" or not self._faults.active("deploys-other-commit"):
            return None
        live = self._ledger.state.live_deploy(service)
        return live.commit if live else None

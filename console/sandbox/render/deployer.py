"""Deploys: created, queued or built, updated to live, deactivated, failed or cancelled.

A service runs one deploy at a time. A deploy that begins while another one builds cancels it (or waits, if
that is the workspace's policy); behind one that is already switching over it always waits, and the latest
waiting one wins. A deploy that a stop interrupted goes on at the next start.
"""

import asyncio
import logging

from console.sandbox.contracts import CommitInfo, Pace
from console.sandbox.render import deploy_events
from console.sandbox.render.builds import Builder, BuildFailedError
from console.sandbox.render.deploy_faults import DeployFaults
from console.sandbox.render.identity import new_id
from console.sandbox.render.instances import Instances, InstanceUnhealthyError
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.seed import Overlap
from console.sandbox.render.state import (
    BUILDING,
    UNFINISHED,
    Deploy,
    DeployStatus,
    DeployTrigger,
    Service,
)
from console.sandbox.render.times import utc_now

_UPDATE_SECONDS = 10.0

_log = logging.getLogger(__name__)


class Deployer:
    """Runs the deploys of all services, each in a task of its own."""

    def __init__(
        self,
        ledger: Ledger,
        builder: Builder,
        instances: Instances,
        faults: DeployFaults,
        pace: Pace,
        overlap: Overlap,
    ) -> None:
        self._ledger = ledger
        self._builder = builder
        self._instances = instances
        self._faults = faults
        self._pace = pace
        self._overlap = overlap
        self._running: dict[str, tuple[Deploy, asyncio.Task[None]]] = {}
        self._stopping = False

    def begin(
        self,
        service: Service,
        commit: CommitInfo,
        trigger: DeployTrigger,
        *,
        built_by: Deploy | None = None,
        env: dict[str, str] | None = None,
        initial: bool = False,
    ) -> Deploy:
        """Create a deploy and start it, now or (status `queued`) when the running one has ended.

        `built_by` re-uses that deploy's build; `env` fixes the variables, otherwise the service's of the
        moment at which the deploy starts count.
        """
        now = utc_now()
        deploy = Deploy(new_id("dep"), service.id, commit, trigger, now, now, env=env, initial=initial)
        if built_by is not None:
            deploy.checkout, deploy.built_by = built_by.checkout, built_by.id
        self._ledger.state.deploys[deploy.id] = deploy
        running = self._running.get(service.id)
        if running is None:
            self._run(service, deploy)
        else:
            self._wait_behind(running[0], deploy)
        self._ledger.save()
        return deploy

    def cancel(self, deploy: Deploy) -> bool:
        """Cancel a deploy that has not ended; whether there was something to cancel."""
        if deploy.status not in UNFINISHED:
            return False
        running = self._running.get(deploy.service_id)
        self._end(deploy, "canceled")
        if running is not None and running[0] is deploy:
            running[1].cancel()
        return True

    def resume(self) -> None:
        """Go on with the deploys that the last stop interrupted."""
        for service in self._ledger.state.services.values():
            waiting = [deploy for deploy in self._ledger.state.deploys_of(service.id) if _unfinished(deploy)]
            for deploy in reversed(waiting):
                if service.id in self._running:
                    deploy.status = "queued"
                else:
                    self._run(service, deploy)

    async def finished(self, deploy: Deploy) -> None:
        """Wait until a deploy that runs now has ended, well or not."""
        running = self._running.get(deploy.service_id)
        if running is not None and running[0] is deploy:
            await asyncio.wait([running[1]])

    async def stop(self) -> None:
        """Interrupt every deploy without ending it."""
        self._stopping = True
        tasks = [task for _, task in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _wait_behind(self, running: Deploy, deploy: Deploy) -> None:
        """Let `deploy` be the next one, after `running` has ended or, while that only builds, at once."""
        for other in self._ledger.state.deploys_of(deploy.service_id):
            if other is not deploy and other is not running and _unfinished(other):
                self._end(other, "canceled")
        if self._overlap == "cancel" and running.status in BUILDING:
            self.cancel(running)
        elif _unfinished(running):
            deploy.status = "queued"

    def _run(self, service: Service, deploy: Deploy) -> None:
        task = asyncio.create_task(self._supervised(service, deploy), name=f"deploy {deploy.id}")
        self._running[service.id] = (deploy, task)
        task.add_done_callback(lambda _: self._next(service))

    def _next(self, service: Service) -> None:
        """Start what waits behind a deploy that has ended."""
        del self._running[service.id]
        if self._stopping:
            return
        waiting = [deploy for deploy in self._ledger.state.deploys_of(service.id) if _unfinished(deploy)]
        if waiting:
            self._run(service, waiting[0])

    async def _supervised(self, service: Service, deploy: Deploy) -> None:
        """Run one deploy to its end; whatever goes wrong in it is that deploy's failure and told in its log."""
        try:
            await self._deploy(service, deploy)
        except BuildFailedError as error:
            self._builder.say(service, str(error), "error")
            self._end(deploy, "build_failed")
        except InstanceUnhealthyError as error:
            self._builder.say(service, f"==> Deploy failed: {error}", "error")
            self._end(deploy, "update_failed")
        except Exception as error:
            _log.exception("deploy %s of %s broke", deploy.id, service.name)
            self._builder.say(service, f"==> Internal error: {type(error).__name__}", "error")
            failed: DeployStatus = "build_failed" if deploy.status in BUILDING else "update_failed"
            self._end(deploy, failed)

    async def _deploy(self, service: Service, deploy: Deploy) -> None:
        deploy.started_at = deploy.started_at or utc_now()
        deploy.env = dict(service.env) if deploy.env is None else deploy.env
        if deploy.checkout is None:
            self._set_status(deploy, "build_in_progress")
            self._ledger.event(service.id, "build_started", deploy_events.build_started(deploy))
            await self._build(service, deploy)
            self._ledger.event(service.id, "build_ended", deploy_events.build_ended(deploy, "succeeded"))
        self._set_status(deploy, "update_in_progress")
        self._ledger.event(service.id, "deploy_started", deploy_events.deploy_started(deploy))
        self._builder.say(service, "==> Deploying...")
        if not deploy.initial:
            await asyncio.sleep(self._pace.seconds(_UPDATE_SECONDS))
        instance = await self._instances.launch(service, deploy)
        self._instances.promote(instance)
        self._go_live(service, deploy)

    async def _build(self, service: Service, deploy: Deploy) -> None:
        await self._faults.mark_failing(service, deploy)
        async for share in self._builder.build(service, deploy):
            foreign = self._faults.overriding(service, deploy) if share >= 0.5 else None
            if foreign is not None:
                self.begin(service, foreign, "api")

    def _go_live(self, service: Service, deploy: Deploy) -> None:
        former = self._ledger.state.live_deploy(service)
        if former is not None:
            # Saved together with the new one: never are two live.
            former.status, former.updated_at = "deactivated", utc_now()
        service.live_deploy = deploy.id
        self._end(deploy, "live")
        self._builder.say(service, "==> Your service is live")

    def _set_status(self, deploy: Deploy, status: DeployStatus) -> None:
        deploy.status = status
        deploy.updated_at = utc_now()
        self._ledger.save()

    def _end(self, deploy: Deploy, status: DeployStatus) -> None:
        building = deploy.status == "build_in_progress"
        deploy.finished_at = utc_now()
        self._set_status(deploy, status)
        kind, details = deploy_events.ended(deploy, while_building=building)
        self._ledger.event(deploy.service_id, kind, details)


def _unfinished(deploy: Deploy) -> bool:
    return deploy.status in UNFINISHED

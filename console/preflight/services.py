"""Services: each tracks the branch that is pushed, deploys what it gets, and is not busy with something else."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from console.domain.findings import Finding, Severity
from console.domain.hosting import Deploy, DeployStatus, ServiceInfo
from console.domain.plan import Plan, Service
from console.errors import HostingError
from console.preflight.ground import Ground

_NOT_FOUND = 404
_PORTS = {"ssh": ":22", "https": ":443", "http": ":80", "git": ":9418"}
_POLICIES = {
    "wait": "The workspace lets a new deploy wait for the running one.",
    "cancel": "The workspace cancels a running deploy when a new one comes.",
    "unknown": "Whether the workspace would cancel it or wait is not known.",
}


async def look(ground: Ground) -> AsyncIterator[Finding]:
    """Every service of the plan; those of production block, the others warn."""
    looked = await asyncio.gather(*(_service(ground, service) for service in ground.plan.services))
    for findings in looked:
        for finding in findings:
            yield finding
    async for finding in _live_commits(ground):
        yield finding


async def _service(ground: Ground, service: Service) -> list[Finding]:
    severity = _severity(service)
    try:
        info = await ground.ports.hosting.service(service.id)
        deploys = await ground.ports.hosting.deploys(service.id, limit=5)
    except HostingError as error:
        if error.status == _NOT_FOUND:
            message = f"{service.name} ({service.environment}) does not exist at the provider."
            remedy = f'Put its id under services "{service.key}" in the plan.'
            return [Finding(f"services.missing.{service.key}", severity, message, f"{service.id}: not found", remedy)]
        message = f"{service.name} ({service.environment}) could not be looked at."
        return [Finding(f"services.not_seen.{service.key}", severity, message, error.message, error.remedy)]
    return [
        *_tracking(ground.plan, service, info),
        *_deploying(service, info),
        *_busy(ground.plan, service, deploys),
    ]


def _tracking(plan: Plan, service: Service, info: ServiceInfo) -> Iterator[Finding]:
    if info.branch != service.branch:
        yield Finding(
            f"services.branch.{service.key}",
            _severity(service),
            f"{service.name} tracks {info.branch or 'no branch'}, not {service.branch}: a push would not reach it.",
            f"branch of {info.id} at the provider: {info.branch or 'none'}",
            f"Set the service's branch to {service.branch}, or correct the plan.",
        )
    if info.repository and _same_place(info.repository) != _same_place(plan.release.repository):
        yield Finding(
            f"services.repository.{service.key}",
            _severity(service),
            f"{service.name} builds from another repository than the one that is pushed.",
            f"{info.repository} at the provider, {plan.release.repository} in the plan",
            "Correct whichever is wrong.",
        )
    if info.name != service.name:
        message = f"The service that the plan calls {service.name} is called {info.name} at the provider."
        remedy = "See that the id is the right one, and correct the name in the plan."
        yield Finding(f"services.name.{service.key}", Severity.WARNING, message, f"{info.id}", remedy)


def _deploying(service: Service, info: ServiceInfo) -> Iterator[Finding]:
    if info.suspended:
        message = f"{service.name} is suspended: it deploys nothing and serves nobody."
        yield Finding(f"services.suspended.{service.key}", _severity(service), message, remedy="Resume it.")
    if info.maintenance:
        message = f"{service.name} is in maintenance mode: users see that page."
        remedy = "Take it out of maintenance, or expect every check to fail."
        yield Finding(f"services.maintenance.{service.key}", Severity.WARNING, message, remedy=remedy)
    if service.environment != "production":
        return
    if info.auto_deploy == "checksPass":
        yield Finding(
            f"services.autodeploy.{service.key}",
            Severity.BLOCKER,
            f"{service.name} deploys only after checks have passed; where none exist, it never does.",
            "autoDeployTrigger is checksPass",
            "Set autodeploy to “on commit” for the release.",
        )
    elif info.auto_deploy != "commit":
        yield Finding(
            f"services.autodeploy.{service.key}",
            Severity.BLOCKER,
            f"Autodeploy of {service.name} is {info.auto_deploy or 'not known'}: the push would deploy nothing.",
            f"autoDeployTrigger is {info.auto_deploy or 'empty'}",
            "Switch autodeploy on.",
        )


def _busy(plan: Plan, service: Service, deploys: tuple[Deploy, ...]) -> Iterator[Finding]:
    running = [deploy for deploy in deploys if not deploy.status.ended]
    for deploy in running:
        yield Finding(
            f"services.deploying.{service.key}",
            Severity.BLOCKER if service.environment == "production" else Severity.NOTE,
            f"A deploy of {service.name} is under way.",
            f"{deploy.id} ({deploy.trigger or 'unknown trigger'}) of {deploy.commit[:7] or 'an unknown commit'}: "
            f"{deploy.status}, since {deploy.created_at:%H:%M:%S} UTC",
            f"Wait until it has ended. {_POLICIES.get(plan.hosting.overlapping_deploys, '')}".strip(),
        )
        return
    ended = next((deploy for deploy in deploys if deploy.status is not DeployStatus.DEACTIVATED), None)
    if ended is not None and ended.status.failed:
        message = f"The last deploy of {service.name} did not succeed."
        evidence = f"{ended.id} of {ended.commit[:7]}: {ended.status}"
        remedy = "Find out why, before the release meets the same."
        yield Finding(f"services.last_deploy.{service.key}", Severity.WARNING, message, evidence, remedy)


async def _live_commits(ground: Ground) -> AsyncIterator[Finding]:
    """Production runs what the target branch holds; else the push brings more than this release."""
    tip = ground.tips.target
    for service in ground.plan.services_in("production"):
        try:
            deploys = await ground.ports.hosting.deploys(service.id, limit=20)
        except HostingError:
            continue  # that it cannot be looked at has been told
        live = next((deploy for deploy in deploys if deploy.status is DeployStatus.LIVE), None)
        if live is not None and live.commit and live.commit != tip:
            yield Finding(
                f"services.behind.{service.key}",
                Severity.WARNING,
                f"{service.name} runs another commit than {ground.plan.release.target} holds.",
                f"{live.commit[:7]} is live, {tip[:7]} is the tip of {ground.plan.release.target}",
                "The push will deploy what lies between as well: see that this is meant.",
            )


def _severity(service: Service) -> Severity:
    return Severity.BLOCKER if service.environment == "production" else Severity.WARNING


def _same_place(repository: str) -> str:
    """A repository's address without what differs between its spellings: scheme, user, usual port, ending."""
    address = repository.strip().removesuffix("/").removesuffix(".git")
    scheme, separator, rest = address.partition("://")
    if scheme == "file" or address.startswith("/"):
        return rest or address
    if not separator:
        return address.rpartition("@")[2].replace(":", "/", 1).lower()
    host, slash, path = rest.rpartition("@")[2].partition("/")
    return f"{host.removesuffix(_PORTS.get(scheme, ':'))}{slash}{path}".lower()

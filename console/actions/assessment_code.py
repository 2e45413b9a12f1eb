"""The services in an assessment: which commit each runs or soon will, and whether that is the release, by its files."""

import asyncio
from dataclasses import dataclass

from console.actions.assessment_branch import BranchLook
from console.actions.deploys import described, read_deploys
from console.actions.rollback.on_branch import runs, same_tree
from console.actions.waiting import in_time
from console.actions.wording import short
from console.domain.hosting import Deploy
from console.domain.outcome import Line, Tone
from console.domain.plan import Service
from console.domain.released import release_commit
from console.domain.standing import Runs, ServiceStanding
from console.domain.state import RunState
from console.errors import HostingError
from console.ports import Hosting, Repository


@dataclass(frozen=True, slots=True)
class CodeLook:
    """The services as far as the provider answered; `answered` when it did for any of them."""

    services: tuple[ServiceStanding, ...]
    remarks: tuple[Line, ...]
    answered: bool


async def look_at_services(hosting: Hosting, repository: Repository, state: RunState, branch: BranchLook) -> CodeLook:
    """Read each production service and its deploys; one that cannot be read runs something else, and says so."""
    services = state.plan.services_in("production")
    looks = await asyncio.gather(*(_look(hosting, repository, state, branch, service) for service in services))
    return CodeLook(
        services=tuple(standing for standing, _, _ in looks),
        remarks=tuple(remark for _, remarks, _ in looks for remark in remarks),
        answered=any(answered for _, _, answered in looks),
    )


async def _look(
    hosting: Hosting, repository: Repository, state: RunState, branch: BranchLook, service: Service
) -> tuple[ServiceStanding, list[Line], bool]:
    try:
        read = asyncio.gather(hosting.service(service.id), read_deploys(hosting, service.id, release_commit(state), ()))
        info, deploys = await in_time(read, HostingError)
    except HostingError as error:
        remark = Line(f"What {service.name} runs could not be read", note=error.message, tone=Tone.WARNING)
        return ServiceStanding(service.key, service.name, "", Runs.OTHER), [remark], False
    remarks: list[Line] = []
    live = deploys.live
    if live is None:
        remarks.append(Line(f"{service.name} has no live deploy", tone=Tone.DANGER))
    building = next((deploy for deploy in deploys.all if not deploy.status.ended), None)
    if building is not None:
        remarks.append(Line(f"{service.name} is being deployed", note=described(building), tone=Tone.WARNING))
    if info.suspended:
        remarks.append(Line(f"{service.name} is suspended", tone=Tone.WARNING))
    what, doubts = await _runs(repository, state, branch, service, live)
    builds = (await _runs(repository, state, branch, service, building))[0] if building is not None else None
    standing = ServiceStanding(
        key=service.key,
        name=service.name,
        commit=live.commit if live is not None else "",
        runs=what,
        deploy=live.id if live is not None else "",
        building=building.commit if building is not None else "",
        maintenance=info.maintenance,
        builds=builds,
    )
    return standing, [*remarks, *doubts], True


async def _runs(
    repository: Repository, state: RunState, branch: BranchLook, service: Service, deploy: Deploy | None
) -> tuple[Runs, list[Line]]:
    """What a deploy's commit is, and a remark where it is not exactly one of the two."""
    if deploy is None or not deploy.commit:
        return Runs.OTHER, []
    span = branch.span
    if span is None:
        # Without the repository only the commit's own name can be compared.
        return (Runs.NEW if deploy.commit == release_commit(state) else Runs.OTHER), []
    what = await runs(repository, span, deploy.commit)
    exact = {Runs.OLD: span.before, Runs.NEW: span.commit}.get(what, "")
    if exact and await same_tree(repository, deploy.commit, exact):
        return what, []
    words = {
        Runs.OLD: "without the release, but not with the files from just before it",
        Runs.NEW: "with the release, and with commits of others",
        Runs.OTHER: "neither the release nor the code from before it",
    }
    return what, [Line(f"{service.name} runs {short(deploy.commit)}: {words[what]}", tone=Tone.WARNING)]

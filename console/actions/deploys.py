"""The deploys of a service, read against the commit that is being released: ours, others', what is live.

Ours are the deploys of the released commit; a deploy of any other commit that came since the push is somebody
else's, whoever started it, and is named by id, trigger and commit.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from console.actions.waiting import looks
from console.actions.wording import at, short
from console.domain.hosting import Deploy, DeployStatus
from console.errors import HostingError, OutcomeUnknown, StepFailed
from console.ports import Clock, Hosting

_SENDS = 3
_SECONDS_TO_APPEAR = 6.0


@dataclass(frozen=True, slots=True)
class Deploys:
    """A service's latest deploys, newest first, with the commit that is released and the ids known before."""

    all: tuple[Deploy, ...]
    commit: str
    known: Collection[str]

    @property
    def ours(self) -> Deploy | None:
        """The newest deploy of the released commit that was not known before."""
        return next((d for d in self.all if d.commit == self.commit and d.id not in self.known), None)

    @property
    def live(self) -> Deploy | None:
        """What the service runs now."""
        return next((deploy for deploy in self.all if deploy.status is DeployStatus.LIVE), None)

    @property
    def foreign(self) -> tuple[Deploy, ...]:
        """Deploys of other commits that came since, newest first."""
        return tuple(d for d in self.all if d.commit != self.commit and d.id not in self.known)

    def newer_foreign(self, deploy: Deploy) -> Deploy | None:
        """The first deploy of another commit that was created after `deploy`."""
        newer = [other for other in self.foreign if other.created_at >= deploy.created_at]
        return newer[-1] if newer else None


async def read_deploys(hosting: Hosting, service_id: str, commit: str, known: Collection[str]) -> Deploys:
    """The latest deploys; goes further back when nothing among them is live."""
    latest = await hosting.deploys(service_id)
    if not any(deploy.status is DeployStatus.LIVE for deploy in latest) and len(latest) >= 20:
        latest = await hosting.deploys(service_id, limit=100)
    return Deploys(tuple(latest), commit, known)


async def live_deploy(hosting: Hosting, service_id: str) -> Deploy | None:
    """The deploy that a service runs now, or None when none of the latest is live."""
    return (await read_deploys(hosting, service_id, "", ())).live


def described(deploy: Deploy) -> str:
    """A deploy as a message names it: id, trigger, commit and subject, when it was created."""
    subject = deploy.commit_message.partition("\n")[0]
    trigger = f", trigger {deploy.trigger}" if deploy.trigger else ""
    return f"{deploy.id} ({short(deploy.commit)} {subject}{trigger}, created {at(deploy.created_at)})"


def running_sentence(name: str, deploys: Deploys, *, what: str = "the release") -> str:
    """Which commit a service runs now, and whether that is what it should be."""
    live = deploys.live
    if live is None:
        return f"{name} has no live deploy."
    if live.commit == deploys.commit:
        return f"{name} runs {what}, {short(live.commit)}."
    return f"{name} runs {short(live.commit)} {live.commit_message.partition(chr(10))[0]}, not {what}."


async def deploy_by_commit(hosting: Hosting, clock: Clock, service_id: str, commit: str) -> None:
    """Start a deploy of a commit exactly once, whatever becomes of the answer.

    Raises StepFailed when the provider does not take it, OutcomeUnknown when nobody can tell.
    """
    existing = await _ids_of(hosting, service_id, commit)
    message = ""
    for _ in range(_SENDS):
        try:
            await hosting.start_deploy(service_id, commit)
            return
        except HostingError as error:
            if error.status is not None and error.status < 500:
                raise
            message = error.message
            if error.sent and await _appeared(hosting, clock, service_id, commit, existing):
                return
    raise StepFailed(
        f"The provider did not take the request to deploy {short(commit)}, and no deploy of it has appeared. {message}",
        remedy="Start it in the provider's dashboard (manual deploy of a specific commit), then retry.",
    )


async def _appeared(hosting: Hosting, clock: Clock, service_id: str, commit: str, existing: Sequence[str]) -> bool:
    try:
        async for _ in looks(clock, _SECONDS_TO_APPEAR):
            if set(await _ids_of(hosting, service_id, commit)) - set(existing):
                return True
    except HostingError as error:
        raise OutcomeUnknown(
            f"A deploy of {short(commit)} was asked for, the answer was lost, and the deploys cannot be read either: "
            f"{error.message}",
            remedy="When the provider answers again, let the console look for it.",
        ) from error
    return False


async def _ids_of(hosting: Hosting, service_id: str, commit: str) -> list[str]:
    return [deploy.id for deploy in await hosting.deploys(service_id) if deploy.commit == commit]

"""Knocking at the services' front doors, as a user would: the requests that the plan's checks declare.

Only plain GETs are sent, and only those meant for the release that runs after the way back. A service for which the
plan declares none is asked for its first page.
"""

from dataclasses import dataclass

from console.actions.waiting import looks, paced
from console.domain.outcome import Progress
from console.domain.plan import Plan, Request, Service
from console.errors import ServiceError, StepFailed
from console.ports import Context, HttpAnswer, Report, Web

_PLANNED_TO_ANSWER = 300.0
_LEAST_TO_ANSWER = 30.0
_TIMEOUT_S = 10.0
_MOST = 2


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """One request to a service, and the statuses that are an answer; none declared: whatever is not an error."""

    service: Service
    path: str
    statuses: tuple[int, ...] = ()

    def fits(self, status: int) -> bool:
        """Whether this status is an answer."""
        return status in self.statuses if self.statuses else 200 <= status < 400

    def __str__(self) -> str:
        return f"{self.service.name}: GET {self.path}"


def front_doors(plan: Plan, service: Service) -> tuple[FrontDoor, ...]:
    """The requests for one service: its health, where one is declared, and one that does more."""
    declared = {
        request.path: request
        for check in plan.checks
        if check.release in ("old", "both")
        for request in check.requests
        if request.service == service.key and request.method == "GET" and "{" not in request.path
    }
    healthy_first = sorted(declared.values(), key=lambda request: "health" not in request.path)
    found = tuple(_door(service, request) for request in healthy_first[:_MOST])
    return found or (FrontDoor(service, "/"),)


async def knock(ctx: Context, web: Web, door: FrontDoor, report: Report) -> HttpAnswer:
    """Ask until there is an answer, for some time: a service that was shut needs a moment. Raises StepFailed."""
    limit = paced(_PLANNED_TO_ANSWER, ctx.clock, floor=_LEAST_TO_ANSWER)
    found = ""
    async for _ in looks(ctx.clock, limit):
        try:
            answer = await ask(ctx, web, door)
        except ServiceError as error:
            found = error.message
        else:
            if door.fits(answer.status):
                return answer
            found = f"it answers {answer.status}"
        await report(Progress(f"{door}: {found}"))
    raise StepFailed(
        f"{door}: no answer as it should be after {limit:.0f} s: {found}.",
        remedy="Look at the service's log and its maintenance mode. Retry, or choose another way back.",
    )


async def ask(ctx: Context, web: Web, door: FrontDoor) -> HttpAnswer:
    """One request. Raises ServiceError when there is no answer."""
    url = door.service.url.rstrip("/") + door.path
    return await web.request("GET", url, headers={"X-Release-Console": ctx.marker}, timeout=_TIMEOUT_S)


def _door(service: Service, request: Request) -> FrontDoor:
    return FrontDoor(service, request.path, request.status)

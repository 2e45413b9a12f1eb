"""The provider's refusals and silences in the console's words: what failed, what it means, what to do next.

No message holds the API key, a value that was sent, or a signed link.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from console.adapters.render.models import Complaint
from console.errors import HostingError

Body = dict[str, object]
Params = dict[str, str | int | list[str]]

_REMEDIES = {
    400: "The request does not suit the provider: compare the plan's ids and settings with the dashboard.",
    401: "The API key is wrong, revoked or expired: make a new one in the account settings and name it in the plan.",
    402: "The workspace's plan or payment does not allow this: look into its billing page.",
    403: "The API key may not do this: use one of a member of the workspace who may.",
    404: "Check this id in the plan, and that the API key belongs to the workspace that owns it.",
    409: "Something else is under way there: look at its state, then try again.",
    410: "It was deleted: put its successor's id into the plan.",
    429: "The provider's rate limit is used up: wait a minute, or stop what else uses this API key.",
}
_LOOK = "Look at the provider's status page, then try again."


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `what` names in words what it is about ("the deploys of service srv-…").

    `hide` are values in the body that no message may show.
    """

    method: str
    path: str
    what: str
    params: Params = field(default_factory=dict)
    body: Body | None = field(default=None, repr=False)
    hide: tuple[str, ...] = field(default=(), repr=False)

    @property
    def reads(self) -> bool:
        """It changes nothing."""
        return self.method == "GET"

    @property
    def harmless(self) -> bool:
        """Sent twice it does what it does once."""
        return self.method in ("GET", "PUT", "PATCH", "DELETE")

    @property
    def kind(self) -> str:
        """Requests of one kind share a rate limit: reads, other writes, and deploy-like ones of one service."""
        if self.reads:
            return "read"
        deploy_like = re.fullmatch(r"/services/([^/]+)(/deploys|/rollback|/suspend|/resume)?", self.path)
        return f"service {deploy_like[1]}" if deploy_like else "write"


def part(identifier: str) -> str:
    """An id as one segment of a path, whatever it holds."""
    return quote(identifier, safe="")


def refused(call: Call, response: httpx.Response, secrets: tuple[str, ...]) -> HostingError:
    """The provider answered with an error. After a 4xx nothing was done; after a 5xx nobody knows."""
    status = response.status_code
    said = _clean(_complaint(response), (*secrets, *call.hide))
    message = f"The provider answered {status} to {_doing(call)}" + (f": {said}" if said else ".")
    if status >= 500:
        return _unclear(call, message, status)
    return HostingError(
        message,
        status=status,
        sent=False,
        retryable=status == 429,
        production=_untouched(call),
        remedy=_REMEDIES.get(status, "Compare the plan's ids and settings with the provider's dashboard."),
    )


def lost(call: Call, why: str, *, sent: bool) -> HostingError:
    """No answer came. `sent`: the request may have reached the provider."""
    message = f"The provider did not answer to {_doing(call)}: {why}."
    if sent:
        return _unclear(call, message, None)
    return HostingError(
        message,
        sent=False,
        retryable=True,
        production=_untouched(call),
        remedy="Check the network and the plan's api_url. " + _LOOK,
    )


def not_understood(call: Call, problem: str) -> HostingError:
    """The provider did what was asked, and its answer is not what its description promises."""
    return HostingError(
        f"The provider's answer to {_doing(call)} cannot be understood: {problem}.",
        sent=not call.reads,
        production=_untouched(call) if call.reads else "The provider accepted the request.",
        remedy="Look in the provider's dashboard what stands there; its API may have changed.",
    )


def problem_of(error: ValidationError) -> str:
    """Where an answer differs from its model, without quoting it."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    place = ".".join(str(step) for step in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]


def _unclear(call: Call, message: str, status: int | None) -> HostingError:
    return HostingError(
        message,
        status=status,
        sent=True,
        retryable=call.reads,
        production=_untouched(call) if call.reads else "It is not known whether the provider carried it out.",
        remedy=_LOOK if call.reads else "Look whether it was carried out before it is sent again.",
    )


def _doing(call: Call) -> str:
    return f"reading {call.what}" if call.reads else call.what


def _untouched(call: Call) -> str:
    return "Nothing was changed." if call.reads else "This request changed nothing."


def _complaint(response: httpx.Response) -> str:
    try:
        return Complaint.model_validate_json(response.content).message
    except ValidationError:
        return ""  # a proxy's page instead of the provider's JSON; the status says enough


def _clean(text: str, secrets: tuple[str, ...]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    printable = "".join(character if character.isprintable() else " " for character in text)
    return printable.strip()[:300]

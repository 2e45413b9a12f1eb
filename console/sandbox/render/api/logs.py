"""Endpoints of the log: pages of entries, values of a label, and the live stream."""

import time
from itertools import islice

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from console.sandbox.render.api.exchange import ApiError, choice, limit_of
from console.sandbox.render.ledger import Ledger
from console.sandbox.render.log_query import LABEL_FILTERS, Condition, LogQuery, label_condition, text_condition
from console.sandbox.render.log_store import LogStore
from console.sandbox.render.times import NS, parse_ns, rfc3339_ns

_HOUR_NS = 3600 * NS
_LABELS = ("instance", "host", "statusCode", "method", "level", "type")


class LogsApi:
    """Reads the log."""

    def __init__(self, ledger: Ledger, logs: LogStore) -> None:
        self._ledger = ledger
        self._logs = logs

    def routes(self) -> list[Route]:
        """The endpoints' paths, below `/v1`."""
        return [Route("/logs", self.list_logs), Route("/logs/values", self.list_values)]

    async def list_logs(self, request: Request) -> JSONResponse:
        """`GET /logs`: a page, newest first unless `direction=forward`."""
        query = log_query(request.query_params, self._ledger)
        direction = choice(request, "direction", ("forward", "backward"), "backward")
        page = self._logs.page(query, forward=direction == "forward", limit=limit_of(request))
        return JSONResponse(
            {
                "hasMore": page.has_more,
                "nextStartTime": rfc3339_ns(page.next_start_ns),
                "nextEndTime": rfc3339_ns(page.next_end_ns),
                "logs": [entry.shown() for entry in page.entries],
            }
        )

    async def list_values(self, request: Request) -> JSONResponse:
        """`GET /logs/values`: the values that a label takes among the entries asked for."""
        query = log_query(request.query_params, self._ledger)
        label = choice(request, "label", _LABELS, "")
        found = {entry.labels[label] for entry in self._logs.matching(query) if label in entry.labels}
        return JSONResponse(list(islice(sorted(found), limit_of(request))))


def log_query(params: QueryParams, ledger: Ledger) -> LogQuery:
    """The query that the parameters ask for; ApiError (400, 403, 404) when they ask for none."""
    state = ledger.state
    owner = params.get("ownerId")
    resources = [name for text in params.getlist("resource") for name in text.split(",") if name]
    if not owner or not resources:
        raise ApiError(400, "ownerId and resource are required")
    if owner != state.owner_id:
        raise ApiError(403, "no access to this workspace")
    for resource in resources:
        if resource not in state.services and resource not in state.postgres:
            raise ApiError(404, f"resource not found: {resource}")
    now = time.time_ns()
    try:
        end = parse_ns(params["endTime"]) if "endTime" in params else now
        start = parse_ns(params["startTime"]) if "startTime" in params else min(now, end) - _HOUR_NS
        labels: dict[str, tuple[Condition, ...]] = {}
        for name in LABEL_FILTERS:
            if wanted := params.getlist(name):
                labels[name] = tuple(label_condition(value) for value in wanted)
        texts = tuple(text_condition(value) for value in params.getlist("text"))
    except ValueError as error:
        raise ApiError(400, str(error)) from None
    return LogQuery(frozenset(resources), start, end, labels, texts)

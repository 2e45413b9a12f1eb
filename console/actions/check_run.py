"""One declared check, from its first request to its clean-up.

What a check may create is journaled before the request that creates it, and what it captured right after, so
that the clean-up is possible after a crash. Clean-up happens whether the check passed, failed, was stopped or
cancelled; what then is left is a problem of the check.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from console.actions.expectations import MissingName, differences, filled, filled_text, found_at
from console.actions.own_rows import OwnRows
from console.domain.outcome import Line, Progress, Tone
from console.domain.plan import Check, Json, Query, Request
from console.errors import ConsoleError, ServiceError, Stopped
from console.ports import Context, Database, HttpAnswer, Report, Web

_CLEANUP_TRIES = 2


@dataclass(slots=True)
class CheckResult:
    """What a check found: a line for every request and query, and its problems (sentences; none: it passed)."""

    check: Check
    lines: list[Line] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    requests: int = 0
    slowest: float = 0.0
    """Milliseconds."""


class CheckRun:
    """Runs checks over the web and the database for one step."""

    def __init__(self, ctx: Context, web: Web, database: Database, report: Report, own: OwnRows | None = None) -> None:
        self._ctx = ctx
        self._own = own
        self._web = web
        self._database = database
        self._report = report
        self._fixed: dict[str, Json] = {"run": ctx.run, "marker": ctx.marker}

    async def run(self, check: Check) -> CheckResult:
        """Run a check and clean up after it. Raises Stopped, after the clean-up, when asked to stop."""
        result = CheckResult(check)
        names = dict(self._fixed)
        try:
            await self._requests(check, names, result)
            await self._queries(check, names, result)
        finally:
            if check.cleanup:
                result.problems += await self.clean(check, names, result)
        result.problems += await self.leftovers(check)
        return result

    async def clean(self, check: Check, captured: Mapping[str, Json], result: CheckResult | None = None) -> list[str]:
        """Remove what a check created. What could not be removed, a sentence each."""
        names = {**self._fixed, **await self._looked_up(check, captured), **captured}
        problems: list[str] = []
        for request in check.cleanup:
            try:
                problem = await self._clean_one(request, names, result)
            except MissingName:
                continue  # what was never captured was never created
            if problem:
                problems.append(problem)
        if not problems:
            data: dict[str, Json] = {"check": check.id, "cleaned": True}
            await self._report(Progress(f"{check.title}: cleaned up", data=data, durable=True))
        return problems

    async def _looked_up(self, check: Check, captured: Mapping[str, Json]) -> dict[str, Json]:
        """What bears our mark although its answer never came: a console died, or a request was cut off, in between."""
        found: dict[str, Json] = {}
        for name, query in check.lookup.items():
            if name in captured:
                continue
            rows = await self._database.fetch(filled_text(query, self._fixed, lambda text: text.replace("'", "''")))
            value = next(iter(rows[0].values()), None) if rows else None
            if isinstance(value, str | int | float):
                found[name] = value
            elif value is not None:
                found[name] = str(value)
        return found

    async def leftovers(self, check: Check) -> list[str]:
        """What the check's query for leftovers finds, a sentence each."""
        if check.leftovers is None:
            return []
        _, problems = await self._query(check.leftovers, self._fixed)
        return [f"left behind by “{check.title}” ({self._ctx.marker}): {problem}" for problem in problems]

    async def _requests(self, check: Check, names: dict[str, Json], result: CheckResult) -> None:
        journaled = False
        for request in check.requests:
            if self._ctx.stopping():
                raise Stopped(f"Stopped in the middle of “{check.title}”; what it had created was removed.")
            await self._report(Progress(f"{check.title}: {request.method} {request.path}"))
            if check.cleanup and request.method != "GET" and not journaled:
                journaled = True
                await self._journal(check, names)
            try:
                answer = await self._send(request, names, check.timeout)
            except ServiceError as error:
                problem = f"{request.method} {request.path}: no answer: {error.message}"
                result.lines.append(Line(problem, tone=Tone.DANGER))
                result.problems.append(problem)
                return
            problems = self._judge(request, answer, names)
            result.requests += 1
            result.slowest = max(result.slowest, answer.milliseconds)
            result.lines.append(_line(request, answer, problems))
            result.problems += problems
            if request.capture and check.cleanup:
                await self._journal(check, names)
            if problems:
                return

    async def _queries(self, check: Check, names: dict[str, Json], result: CheckResult) -> None:
        if result.problems:
            return
        for query in check.queries:
            await self._report(Progress(f"{check.title}: query"))
            line, problems = await self._query(query, names)
            result.lines.append(line)
            result.problems += problems

    async def _journal(self, check: Check, names: Mapping[str, Json]) -> None:
        captured = {name: value for name, value in names.items() if name not in self._fixed}
        data: dict[str, Json] = {"check": check.id, "captured": captured}
        await self._report(
            Progress(f"{check.title}: creates what is marked {self._ctx.marker}", data=data, durable=True)
        )

    async def _send(self, request: Request, names: Mapping[str, Json], timeout: float) -> HttpAnswer:
        base = self._ctx.plan.service(request.service).url.rstrip("/")
        path = filled_text(request.path, names, lambda text: quote(text, safe=""))
        try:
            return await self._web.request(
                request.method,
                base + path,
                body=filled(request.body, names),
                headers={"X-Release-Console": self._ctx.marker},
                timeout=timeout,
            )
        finally:
            # Also without an answer: the service may have written all the same.
            if self._own is not None and request.method != "GET":
                await self._own.look()

    def _judge(self, request: Request, answer: HttpAnswer, names: dict[str, Json]) -> list[str]:
        """Compare an answer with what is expected, and keep what it captures."""
        place = f"{request.method} {request.path}"
        if answer.status not in request.status:
            wanted = " or ".join(map(str, request.status))
            return [f"{place} answered {answer.status}, {wanted} expected{_complaint(answer)}"]
        problems: list[str] = []
        for name, path in request.capture.items():
            there, value = found_at(answer.body, path)
            if there and isinstance(value, str | int | float):
                names[name] = value
            else:
                problems.append(f"{place}: the answer holds no {path}")
        if not problems:
            problems = [f"{place}: {problem}" for problem in differences(answer.body, request.expect, names)]
        return problems

    async def _query(self, query: Query, names: Mapping[str, Json]) -> tuple[Line, list[str]]:
        sql = filled_text(query.sql, names, lambda text: text.replace("'", "''"))
        shown = " ".join(query.sql.split())
        try:
            rows = await self._database.fetch(sql)
        except ConsoleError as error:
            return Line(shown, note=error.message, tone=Tone.DANGER), [f"{shown}: {error.message}"]
        problems = differences(rows[0] if rows else {}, query.expect, names)
        found = ", ".join(f"{key} = {value}" for key, value in rows[0].items()) if rows else "no row"
        return Line(shown, note=found, tone=Tone.DANGER if problems else Tone.GOOD), problems

    async def _clean_one(self, request: Request, names: Mapping[str, Json], result: CheckResult | None) -> str:
        problem = ""
        for _ in range(_CLEANUP_TRIES):
            try:
                answer = await self._send(request, names, 10.0)
            except ServiceError as error:
                problem = f"not removed: {_place(request, names)}: {error.message}"
                continue
            if answer.status in request.status:
                if result is not None:
                    result.lines.append(_line(request, answer, [], note="clean-up"))
                return ""
            problem = f"not removed: {_place(request, names)} answered {answer.status}{_complaint(answer)}"
        return problem


def _place(request: Request, names: Mapping[str, Json]) -> str:
    return f"{request.method} {filled_text(request.path, names)}"


def _line(request: Request, answer: HttpAnswer, problems: list[str], note: str = "") -> Line:
    remark = problems[0] if problems else note
    return Line(
        f"{request.method} {request.path}: {answer.status} in {answer.milliseconds:.0f} ms",
        note=remark,
        tone=Tone.DANGER if problems else Tone.QUIET if note else Tone.GOOD,
    )


def _complaint(answer: HttpAnswer) -> str:
    """What the answer says went wrong: the database's error where the service passes it on."""
    body = answer.body
    if isinstance(body, dict):
        said = next((str(body[key]) for key in ("error", "message", "detail") if body.get(key)), "")
        code = next((str(body[key]) for key in ("sqlstate", "code") if body.get(key)), "")
        return f": {said}" + (f" (SQLSTATE {code})" if code else "") if said else ""
    text = " ".join(answer.text.split())[:160]
    return f": {text}" if text else ""

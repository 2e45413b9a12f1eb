"""From the tables of a file to the domain's plan. Nothing can fail here: every rule has been held."""

from collections.abc import Mapping
from pathlib import Path as File
from textwrap import dedent

from console.config import model
from console.config.document import Document
from console.config.durations import parse_duration
from console.config.rules.order import predecessors
from console.config.toml_lines import Path
from console.domain import plan
from console.domain.catalogue import ActionSpec, ParamType
from console.domain.places import host_of
from console.domain.plan import Json


def build(file: model.PlanFile, document: Document, catalogue: Mapping[str, ActionSpec]) -> plan.Plan:
    """The plan of a checked file. Paths of secret files count from the file that names them."""
    before = predecessors(file.steps)
    return plan.Plan(
        name=file.name,
        title=file.title,
        environment=file.environment,
        declared_total=file.declared_total,
        phases=tuple(plan.Phase(phase.id, phase.title) for phase in file.phases),
        steps=tuple(_step(step, before[step.id], catalogue) for step in file.steps),
        timeline=tuple(plan.TimelineRow(row.phase, row.title, row.planned, row.steps) for row in file.timeline),
        criteria=tuple(plan.Criterion(row.id, row.title, row.proven_by, row.required) for row in file.criteria),
        signoffs=tuple(plan.SignOff(row.role, row.title, row.required, row.login or "") for row in file.signoffs),
        rollback=tuple(plan.RollbackStep(row.title, row.planned, row.lines, row.part or "") for row in file.rollback),
        hosting=_hosting(file, document),
        services=tuple(_service(service) for service in file.services),
        database=_database(file, document),
        release=_release(file),
        migration=_migration(file.migration),
        checks=tuple(_check(check) for check in file.checks),
        thresholds=plan.Thresholds(**file.thresholds.model_dump()),
        description=file.description,
        hosts=_hosts(file),
        date="" if file.date is None else file.date.isoformat(),
        risk=file.risk or "",
        channels=_channels(file, document),
        messages=tuple(_message(row) for row in file.messages),
        journal_directory=_beside(document, ("journal", "directory"), file.journal.directory),
        readable_by=file.journal.readable_by,
        journal_url_source=_source(document, ("journal", "url_file"), file.journal.url_env, file.journal.url_file),
        journal_tls=file.journal.tls,
        four_eyes=file.policy.four_eyes,
    )


def _service(service: model.ServiceTable) -> plan.Service:
    address, variable = service.url.rstrip("/"), service.database_env or ""
    return plan.Service(**{**service.model_dump(), "url": address, "database_env": variable})


def _step(step: model.StepTable, after: tuple[str, ...], catalogue: Mapping[str, ActionSpec]) -> plan.Step:
    kind = plan.StepKind.SIGNOFF if step.role else plan.StepKind.ACTION if step.action else plan.StepKind.MANUAL
    confirmation = None
    if step.confirm is not None:
        confirmation = plan.Confirmation(plan.Strength(step.confirm), step.phrase or "")
    return plan.Step(
        id=step.id,
        title=step.title,
        phase=step.phase,
        kind=kind,
        action=step.action,
        params=_params(step, catalogue),
        after=after,
        guards=step.guards,
        reopens=step.reopens,
        confirmation=confirmation,
        role=step.role,
        planned=step.planned,
        help=step.help,
    )


def _params(step: model.StepTable, catalogue: Mapping[str, ActionSpec]) -> dict[str, Json]:
    """The parameters, durations in seconds."""
    kinds = catalogue[step.action].params if step.action is not None else {}
    params: dict[str, Json] = {}
    for name, value in step.params.items():
        params[name] = parse_duration(str(value)) if kinds[name].type is ParamType.DURATION else value
    return params


def _hosting(file: model.PlanFile, document: Document) -> plan.Hosting:
    render = file.render
    return plan.Hosting(
        api_url=render.api_url.rstrip("/"),
        owner_id=render.owner_id,
        token_source=_source(document, ("render", "token_file"), render.token_env, render.token_file),
        overlapping_deploys=render.overlapping_deploys,
        answers_within=render.answers_within,
    )


def _database(file: model.PlanFile, document: Document) -> plan.DatabaseTarget:
    database, backup = file.database, file.backup
    scratch = _source(document, ("backup", "scratch_url_file"), backup.scratch_url_env, backup.scratch_url_file)
    return plan.DatabaseTarget(
        name=database.name,
        postgres_id=database.postgres_id,
        url_source=_source(document, ("database", "url_file"), database.url_env, database.url_file),
        tls=database.tls,
        keep_backup_for=backup.keep_for,
        scratch_url_source=scratch or None,
    )


def _release(file: model.PlanFile) -> plan.Release:
    release = file.release
    return plan.Release(
        source=release.source,
        target=release.target,
        fix_commit=release.fix_commit,
        merge_message=release.merge_message,
        files=release.files,
        repository=file.repository.url,
    )


def _migration(table: model.MigrationTable) -> plan.Migration:
    mapping = table.mapping
    return plan.Migration(
        version=table.version,
        file=table.file,
        table=table.table,
        key=table.key,
        removed=table.removed,
        added=table.added,
        views=table.views,
        mapping=plan.ValueMapping(
            source=mapping.source,
            target=mapping.target,
            rules=tuple(plan.MappingRule(rule.value, rule.becomes) for rule in mapping.rules),
            overrides=tuple(plan.OverrideRule(rule.where, rule.becomes) for rule in mapping.overrides),
            otherwise=mapping.otherwise,
            domain=mapping.domain,
        ),
        claims=tuple(plan.Claim(claim.title, claim.where, claim.promised) for claim in table.claims),
        saved_copy=table.saved_copy,
        history=plan.HistoryTable(table.history.table, table.history.version_column, table.history.columns),
        lock_timeout=table.lock_timeout,
        statement_timeout=table.statement_timeout,
        code_paths=table.code_paths,
        dropped_views=table.dropped_views,
        inverse=tuple(plan.MappingRule(value, becomes) for value, becomes in table.inverse.items()),
    )


def _check(check: model.CheckTable) -> plan.Check:
    return plan.Check(
        id=check.id,
        title=check.title,
        release=check.release,
        requests=tuple(_request(request, check.service) for request in check.requests),
        queries=tuple(_query(query) for query in check.queries),
        writes=check.writes,
        cleanup=tuple(_request(request, check.service) for request in check.cleanup),
        leftovers=None if check.leftovers is None else _query(check.leftovers),
        timeout=check.timeout,
        lookup=dict(check.lookup),
    )


def _request(request: model.RequestTable, service: str | None) -> plan.Request:
    method, _, path = request.send.partition(" ")
    return plan.Request(
        method=method,
        service=request.service or service or "",
        path=path,
        body=request.body,
        status=request.status,
        capture=request.capture,
        expect=request.expect,
    )


def _query(query: model.QueryTable) -> plan.Query:
    return plan.Query(dedent(query.sql).strip(), query.expect)


def _channels(file: model.PlanFile, document: Document) -> tuple[plan.Channel, ...]:
    return tuple(
        plan.Channel(
            channel.name, _source(document, ("channels", place, "url_file"), channel.url_env, channel.url_file)
        )
        for place, channel in enumerate(file.channels)
    )


def _message(row: model.MessageTable) -> plan.MessageTemplate:
    return plan.MessageTemplate(row.turn, row.subject, dedent(row.text).strip())


def _hosts(file: model.PlanFile) -> tuple[str, ...]:
    """Every host that the plan names, production first, each once."""
    addresses = [service.url for service in file.services if service.environment == "production"]
    addresses += [service.url for service in file.services if service.environment != "production"]
    addresses += [file.render.api_url, file.repository.url]
    return tuple(dict.fromkeys(host for address in addresses if (host := host_of(address))))


def _source(document: Document, path: Path, variable: str | None, file: str | None) -> str:
    """Where a secret comes from: `env:NAME`, `file:/path`, or nothing."""
    if variable is not None:
        return f"env:{variable}"
    return f"file:{_beside(document, path, file)}" if file is not None else ""


def _beside(document: Document, path: Path, name: str | None) -> str:
    """An absolute path; a relative one counts from the file in which it stands."""
    if name is None:
        return ""
    origin, _ = document.origin(path)
    return str((origin.parent / File(name).expanduser()).absolute())

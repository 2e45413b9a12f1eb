"""The configuration overlay with which the console drives a world like the provider, and its files of secrets.

Secrets stand in files of their own (0600); the overlay itself holds none.
"""

from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.items import Table

from console.sandbox.journal_server import DRIVER_URL
from console.sandbox.private_files import write_private
from console.sandbox.workspace_seed import DATABASE_VARIABLE
from console.sandbox.world_spec import WorldSpec

OVERLAY_FILE = "overlay.toml"
_SECRETS = ("render-token", "database-url", "channel-url")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a running world is reached; `database_url` holds a password."""

    render_url: str
    database_url: str
    git_remote: str


def write_overlay(state_dir: Path, spec: WorldSpec, endpoints: Endpoints) -> Path:
    """Write the overlay and its secrets into `state_dir`, and return the overlay's path.

    Where the order names a plan, the overlay extends it and is a whole configuration.
    """
    token_file, url_file, channel_file = (state_dir / name for name in _SECRETS)
    write_private(token_file, spec.render_token + "\n")
    write_private(url_file, endpoints.database_url + "\n")
    write_private(channel_file, spec.channel_url + "\n")
    document = tomlkit.document()
    document.add(tomlkit.comment("Made by the rehearsal's sandbox: the plan's services are this machine's."))
    if spec.plan is not None:
        document["extends"] = spec.plan
    document["environment"] = "rehearsal"
    document["render"] = _table(api_url=endpoints.render_url, owner_id=spec.owner_id, token_file=str(token_file))
    services = tomlkit.aot()
    for service in spec.services:
        table = _table(
            key=service.key,
            id=service.id,
            name=service.name,
            branch=service.branch,
            url=service.url,
        )
        if service.role == "backend":
            table["database_env"] = DATABASE_VARIABLE
        services.append(table)
    document["services"] = services
    document["database"] = _table(name="crm", postgres_id=spec.postgres_id, url_file=str(url_file), tls="disable")
    if spec.shared:
        document["journal"] = _table(url_file=str(state_dir / DRIVER_URL), tls="disable")
    document["repository"] = _table(url=endpoints.git_remote)
    # The plan's own channels lead to people; the whole list is replaced.
    channels = tomlkit.aot()
    channels.append(_table(name="stakeholders", url_file=str(channel_file)))
    document["channels"] = channels
    overlay = state_dir / OVERLAY_FILE
    write_private(overlay, tomlkit.dumps(document))
    return overlay


def _table(**fields: str) -> Table:
    table = tomlkit.table()
    for key, value in fields.items():
        table[key] = value
    return table

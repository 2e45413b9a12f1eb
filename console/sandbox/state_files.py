"""The files by which a supervisor and its clients find each other, in the world's folder."""

import json
from dataclasses import dataclass
from pathlib import Path

WORLD = "world.json"
PROGRESS = "progress.jsonl"
LOCK = "supervisor.lock"
LOG = "supervisor.log"
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class WorldInfo:
    """Where a running world is reached and with which secrets; `services` as the plan keys them."""

    render_url: str
    render_token: str
    owner_id: str
    services: tuple[dict[str, str], ...]
    postgres_id: str
    database_url: str
    git_remote: str
    overlay: str
    state_dir: str
    control_url: str
    control_token: str
    pid: int

    def __repr__(self) -> str:
        return f"WorldInfo(state_dir={self.state_dir!r}, pid={self.pid})"


def read_world_info(state_dir: Path) -> WorldInfo | None:
    """What the running supervisor published, or None."""
    try:
        fields = json.loads((state_dir / WORLD).read_text())
    except FileNotFoundError:
        return None
    return WorldInfo(**{**fields, "services": tuple(fields["services"])})

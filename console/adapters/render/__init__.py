"""Render behind the ports: `RenderClient` speaks to its API; hosting, backups and telemetry share one client."""

from console.adapters.render.backups import RenderBackups
from console.adapters.render.client import Patience, RenderClient
from console.adapters.render.hosting import RenderHosting, RenderSwitches
from console.adapters.render.telemetry import RenderTelemetry

__all__ = ["Patience", "RenderBackups", "RenderClient", "RenderHosting", "RenderSwitches", "RenderTelemetry"]

"""Render behind the ports: `RenderClient` speaks to its API; everything else here shares one client."""

from console.adapters.render.backups import RenderBackups
from console.adapters.render.client import Patience, RenderClient
from console.adapters.render.hosting import RenderHosting
from console.adapters.render.instances import RenderInstances
from console.adapters.render.switches import RenderSwitches
from console.adapters.render.telemetry import RenderTelemetry

__all__ = [
    "Patience",
    "RenderBackups",
    "RenderClient",
    "RenderHosting",
    "RenderInstances",
    "RenderSwitches",
    "RenderTelemetry",
]

"""The Render stand-in of the rehearsal: the provider's HTTP API over real builds, processes and databases."""

from console.sandbox.render.seed import BuildFilter, PostgresSeed, ServiceSeed, WorldSeed
from console.sandbox.render.stand_in import RenderStandIn, StandInStartError

__all__ = ["BuildFilter", "PostgresSeed", "RenderStandIn", "ServiceSeed", "StandInStartError", "WorldSeed"]

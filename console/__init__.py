"""Everything but the screens: the plan, the engine that drives it, and the outside world."""

__version__ = "0.1.0"

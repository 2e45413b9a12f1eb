"""Everything but the screens: the plan, the engine that drives it, and the outside world."""

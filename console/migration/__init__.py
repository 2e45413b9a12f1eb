"""SQL as a subject: split and parse, mapping, dependents, code references, integrity, the runner."""

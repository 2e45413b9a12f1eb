"""The ports' implementations: the provider, git, PostgreSQL, HTTP. Translate errors, bound time."""

"""SQL as a subject: the migration file, the mapping, the saved copy, the runner, and what names the columns that go."""

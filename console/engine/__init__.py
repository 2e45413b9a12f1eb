"""The conductor, its journal and what follows from them. Knows actions only by their contract."""

"""The actions of the ways back: code, schema, database."""

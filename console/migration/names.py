"""Names and literals of SQL, quoted so that no text from a plan or a table can be read as code.

A name in a plan is the name as the catalog has it, without quotes: `accounts`, or `public.accounts`.
"""

from dataclasses import dataclass


def quote_identifier(name: str) -> str:
    """The name as a quoted identifier. Raises ValueError for what no identifier can hold."""
    if not name or "\0" in name:
        raise ValueError(f"not a possible name in SQL: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """The text as a string literal, whatever `standard_conforming_strings` says. Raises ValueError for NUL."""
    if "\0" in text:
        raise ValueError("PostgreSQL text cannot hold a NUL character")
    quoted = "'" + text.replace("'", "''") + "'"
    return " E" + quoted.replace("\\", "\\\\") if "\\" in quoted else quoted


@dataclass(frozen=True, slots=True)
class QualifiedName:
    """A relation's name; `schema` is empty where the plan leaves it to the search path."""

    schema: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "QualifiedName":
        """Read `name` or `schema.name`."""
        schema, dot, name = text.partition(".")
        return cls(schema, name) if dot else cls("", text)

    @property
    def sql(self) -> str:
        """The name as SQL, quoted."""
        name = quote_identifier(self.name)
        return f"{quote_identifier(self.schema)}.{name}" if self.schema else name

    def matches(self, other: "QualifiedName") -> bool:
        """Whether both may mean the same relation: an empty schema matches any."""
        return self.name == other.name and (not self.schema or not other.schema or self.schema == other.schema)

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name

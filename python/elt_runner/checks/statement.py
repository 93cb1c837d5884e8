"""SQL of checks: names are quoted, values are bound; only what the user wrote as SQL is SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from elt_runner.checks.database import CheckError, Database, quoted

PLACEHOLDER = re.compile(r"\{(partition_key|start|end)\}")
#: And a comment behind it, which has no quotes: else it might be part of a text.
LAST_SEMICOLON = re.compile(r""";\s*(?:--[^\n'"]*(?:\n\s*|$))*$""")
NAME_PART = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')

#: Values of the placeholders for one partition, or for all of a step's; None = it has no such value.
Values = dict[str, str | None]


def table_name(text: str) -> list[str]:
    """`orders`, `raw.orders` or `"odd.schema".orders` as its parts."""
    parts: list[str] = []
    at = 0
    while at <= len(text):
        match = NAME_PART.match(text, at)
        if match is None:
            raise CheckError(f'"{text}" is not the name of a table')
        parts.append(match[1].replace('""', '"') if match[1] is not None else match[2].strip())
        at = match.end()
        if at == len(text):
            break
        if text[at] != ".":
            raise CheckError(f'"{text}" is not the name of a table')
        at += 1
    if len(parts) > 2:
        raise CheckError(f'"{text}": write the table as <schema>.<table>, the database is that of the connection')
    return parts


def qualified(schema: str | None, table: str) -> str:
    return quoted(table) if schema is None else f"{quoted(schema)}.{quoted(table)}"


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def fill(database: Database, text: str, values: Values) -> tuple[str, dict[str, Any]]:
    """A user's SQL with its placeholders as bound values."""
    bound: dict[str, Any] = {}
    parts: list[str] = []
    for literal, name in _split(text):
        parts.append(database.literal(literal))
        if name is None:
            continue
        value = values.get(name)
        if value is None:
            raise CheckError(f"{{{name}}} is used, and this run has no such value")
        bound[f"elt_{name}"] = value
        parts.append(database.marker(f"elt_{name}"))
    return "".join(parts), bound


def as_rows(text: str) -> str:
    """A query that can stand inside another one: without its last semicolon, on lines of its own as it may end with a comment."""
    return f"(\n{LAST_SEMICOLON.sub('', text.strip())}\n) as elt_rows"


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    at = 0
    for match in PLACEHOLDER.finditer(text):
        yield text[at : match.start()], match[1]
        at = match.end()
    yield text[at:], None

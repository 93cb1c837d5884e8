"""What a check needs of a database. One module per kind; each opens a read-only connection with a time-out."""

from __future__ import annotations

from typing import Any


class CheckError(Exception):
    """A check that cannot be run, with the reason and what to do about it. It counts as failed, never as passed."""


class Busy(Exception):
    """The database file is locked by another process: worth waiting for."""


class Database:
    #: What people call it.
    kind = ""
    #: Of `cast(… as …)`.
    text_type = "varchar"

    def rows(self, sql: str, values: dict[str, Any], limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and at most `limit` rows. Raises CheckError with the database's own words, Busy for a lock."""
        raise NotImplementedError

    def columns(self, schema: str | None, table: str) -> dict[str, str]:
        """Names of a table's columns with their types, in order; empty if there is no such table."""
        raise NotImplementedError

    def use(self, schema: str) -> None:
        """Names without a schema in a user's query are looked for there first."""

    def marker(self, name: str) -> str:
        """A bound value inside a statement."""
        raise NotImplementedError

    def literal(self, text: str) -> str:
        """A user's own text inside a statement that has bound values."""
        return text

    def close(self) -> None:
        raise NotImplementedError


def quoted(name: str) -> str:
    """An identifier as SQL writes it: the same in all three databases."""
    if "\0" in name:
        raise CheckError("a name must not hold a NUL character")
    return '"' + name.replace('"', '""') + '"'


def one_line(error: BaseException) -> str:
    """A database's message without the lines that draw an arrow under the statement."""
    lines = [line.strip() for line in str(error).splitlines()]
    kept = [line for line in lines if line and set(line) != {"^"} and not line.startswith("LINE ")]
    return "; ".join(kept)[:1_000] or type(error).__name__

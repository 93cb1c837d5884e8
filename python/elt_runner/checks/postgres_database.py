"""Checks against Postgres, with whichever driver the pipeline's environment has."""

from __future__ import annotations

import importlib
from typing import Any

from elt_runner.checks.database import CheckError, Database, one_line, quoted

#: `dlt[postgres]` and `dbt-postgres` bring psycopg2.
DRIVERS = ("psycopg", "psycopg2")
CONNECT_SECONDS = 15


class PostgresDatabase(Database):
    kind = "postgres"
    text_type = "text"

    def __init__(self, dsn: dict[str, Any], seconds: float) -> None:
        driver = _driver()
        self._error = driver.Error
        self._seconds = seconds
        try:
            self._connection = driver.connect(**{"connect_timeout": CONNECT_SECONDS, **dsn})
            # After connecting, not as start-up options: poolers refuse those.
            self._execute("set session characteristics as transaction read only", None)
            self._execute(f"set statement_timeout = {int(seconds * 1000)}", None)
            self._execute("set timezone = 'UTC'", None)
            self._execute("set datestyle = 'ISO, YMD'", None)
            self._connection.commit()
        except self._error as error:
            raise CheckError(_reason(error, seconds)) from None

    def rows(self, sql: str, values: dict[str, Any], limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        try:
            cursor = self._execute(sql, values)
            if cursor.description is None:
                return [], []
            return [column[0] for column in cursor.description], cursor.fetchmany(limit)
        except self._error as error:
            raise CheckError(_reason(error, self._seconds)) from None
        finally:
            # Nothing to keep, and after an error the only way on.
            if not self._connection.closed:
                self._connection.rollback()

    def columns(self, schema: str | None, table: str) -> dict[str, str]:
        name = quoted(table) if schema is None else f"{quoted(schema)}.{quoted(table)}"
        _, rows = self.rows(
            "select attname, pg_catalog.format_type(atttypid, atttypmod) from pg_catalog.pg_attribute "
            "where attrelid = pg_catalog.to_regclass(%(name)s) and attnum > 0 and not attisdropped order by attnum",
            {"name": name},
            100_000,
        )
        return {str(column): str(kind) for column, kind in rows}

    def use(self, schema: str) -> None:
        try:
            self._execute(f"set search_path = {quoted(schema)}, public", None)
            self._connection.commit()
        except self._error as error:
            self._connection.rollback()
            raise CheckError(_reason(error, self._seconds)) from None

    def marker(self, name: str) -> str:
        return f"%({name})s"

    def literal(self, text: str) -> str:
        return text.replace("%", "%%")

    def close(self) -> None:
        self._connection.close()

    def _execute(self, sql: str, values: dict[str, Any] | None) -> Any:
        cursor = self._connection.cursor()
        cursor.execute(sql, values)
        return cursor


def _driver() -> Any:
    for name in DRIVERS:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise CheckError("the step's environment has no driver for Postgres: add the line psycopg2-binary to requirements.txt")


def _reason(error: Exception, seconds: float) -> str:
    if getattr(error, "pgcode", None) == "57014" or getattr(error, "sqlstate", None) == "57014":
        return f"the query ran longer than {seconds:g} s and was ended"
    return one_line(error)

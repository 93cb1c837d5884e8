"""Checks against a DuckDB file."""

from __future__ import annotations

import os
import re
import threading
from typing import Any

from elt_runner.checks.database import Busy, CheckError, Database, one_line, quoted

BUSY = re.compile(r"Could not set lock on file|Conflicting lock is held")


class DuckDbDatabase(Database):
    kind = "duckdb"

    def __init__(self, path: str, seconds: float) -> None:
        try:
            import duckdb
        except ImportError:
            raise CheckError("the step's environment has no DuckDB: add the line duckdb to requirements.txt") from None
        # DuckDB's own message would name a path of this machine's temporary folders only.
        if not os.path.exists(path):
            raise CheckError(f"there is no DuckDB file {path}")
        self._seconds = seconds
        self._error = duckdb.Error
        try:
            self._connection = duckdb.connect(path, read_only=True)
            self._connection.execute("set timezone = 'UTC'")
        except duckdb.Error as error:
            raise self._failure(error) from None

    def rows(self, sql: str, values: dict[str, Any], limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        alarm = threading.Timer(self._seconds, self._connection.interrupt)
        alarm.daemon = True
        alarm.start()
        try:
            cursor = self._connection.execute(sql, values)
            found = cursor.fetchmany(limit)
            return [column[0] for column in cursor.description or []], found
        except self._error as error:
            if type(error).__name__ == "InterruptException":
                raise CheckError(f"the query ran longer than {self._seconds:g} s and was ended") from None
            raise self._failure(error) from None
        finally:
            alarm.cancel()

    def columns(self, schema: str | None, table: str) -> dict[str, str]:
        where = "schema_name = current_schema()" if schema is None else "lower(schema_name) = lower($schema)"
        _, rows = self.rows(
            "select column_name, data_type from duckdb_columns() where database_name = current_database() "
            f"and {where} and lower(table_name) = lower($table) order by column_index",
            {"table": table, **({} if schema is None else {"schema": schema})},
            100_000,
        )
        return {str(name): str(kind) for name, kind in rows}

    def use(self, schema: str) -> None:
        path = f"{quoted(schema)},main".replace("'", "''")
        self.rows(f"set search_path = '{path}'", {}, 1)

    def marker(self, name: str) -> str:
        return f"${name}"

    def close(self) -> None:
        self._connection.close()

    @staticmethod
    def _failure(error: Exception) -> Exception:
        return Busy(one_line(error)) if BUSY.search(str(error)) else CheckError(one_line(error))

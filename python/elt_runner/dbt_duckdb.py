"""What dbt-duckdb does not say by itself: how many rows a statement wrote, and how a table stands afterwards."""

from __future__ import annotations

import threading
from typing import Any

_local = threading.local()


def install() -> bool:
    """Makes dbt-duckdb fill `rows_affected`; False if the project's adapter is another one."""
    try:
        from dbt.adapters.contracts.connection import AdapterResponse
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    except ImportError:
        return False
    execute = DuckDBConnectionManager.execute

    def execute_counting(self: Any, sql: str, auto_begin: bool = False, fetch: bool = False, limit: int | None = None) -> Any:
        _local.fetch, _local.rows = fetch, None
        try:
            return execute(self, sql, auto_begin, fetch, limit)
        finally:
            _local.fetch = True

    def get_response(cls: Any, cursor: Any) -> Any:
        # Asked twice per statement, and the count can be read once. Rows that dbt wants to fetch itself are left alone.
        if not getattr(_local, "fetch", True) and _local.rows is None:
            _local.rows = _written(cursor)
        rows = None if getattr(_local, "fetch", True) else _local.rows
        return AdapterResponse(_message="OK") if rows is None else AdapterResponse(_message="OK", rows_affected=rows)

    DuckDBConnectionManager.execute = execute_counting
    DuckDBConnectionManager.get_response = classmethod(get_response)
    return True


def _written(cursor: Any) -> int | None:
    """DuckDB answers INSERT, UPDATE, DELETE, MERGE and CREATE TABLE AS with one row: the count."""
    try:
        description = cursor.description
        if not description or len(description) != 1 or description[0][0] != "Count":
            return None
        row = cursor.fetchone()
    except Exception:
        return None
    return int(row[0]) if row and isinstance(row[0], int) else None


def inspect(relation: str) -> tuple[int | None, dict[str, str] | None]:
    """Rows of a table and its columns with their types, asked through dbt's own connection to the file."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    try:
        cursor = DuckDBConnectionManager.env().handle().cursor()
        cursor.execute(f"select count(*) from {relation}")
        rows = cursor.fetchone()[0]
        cursor.execute(f"describe {relation}")
        columns = {row[0]: row[1] for row in cursor.fetchall()}
        cursor.close()
    except Exception:
        return None, None
    return int(rows), columns

"""Checks against a SQLite file; needs the standard library alone."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from typing import Any
from urllib.parse import quote

from elt_runner.checks.database import Busy, CheckError, Database, one_line

BUSY = re.compile(r"database (?:table )?is locked")
#: How long a writer's own commit is waited for.
WAIT_SECONDS = 5.0
#: Instructions of SQLite's virtual machine between two looks at the clock.
LOOK_EVERY = 10_000


class SqliteDatabase(Database):
    kind = "sqlite"
    text_type = "text"

    def __init__(self, path: str, seconds: float) -> None:
        if not os.path.exists(path):
            raise CheckError(f"there is no SQLite file {path}")
        self._seconds = seconds
        self._connection = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True, timeout=WAIT_SECONDS)
        # Text of another encoding is shown as far as it can be.
        self._connection.text_factory = lambda data: data.decode("utf-8", "replace")

    def rows(self, sql: str, values: dict[str, Any], limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        until = time.monotonic() + self._seconds
        self._connection.set_progress_handler(lambda: time.monotonic() > until, LOOK_EVERY)
        try:
            cursor = self._connection.execute(sql, values)
            found = cursor.fetchmany(limit)
            return [column[0] for column in cursor.description or []], found
        except sqlite3.Error as error:
            if str(error) == "interrupted":
                raise CheckError(f"the query ran longer than {self._seconds:g} s and was ended") from None
            raise (Busy(one_line(error)) if BUSY.search(str(error)) else CheckError(one_line(error))) from None

    def columns(self, schema: str | None, table: str) -> dict[str, str]:
        _, rows = self.rows(
            "select name, type from pragma_table_info(:table, :schema)", {"table": table, "schema": schema or "main"}, 100_000
        )
        return {str(name): str(kind) for name, kind in rows}

    def marker(self, name: str) -> str:
        return f":{name}"

    def close(self) -> None:
        self._connection.close()

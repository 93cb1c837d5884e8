"""The six kinds of checks. Each looks at one table, or one query, once, and says what it found."""

from __future__ import annotations

import datetime
import decimal
import json
import os
import re
from typing import Any

from elt_runner import events, targets
from elt_runner.checks.database import CheckError, Database, quoted
from elt_runner.checks.statement import Values, as_rows, fill, qualified

#: Rows at fault are counted up to here; a table that is wrong as a whole need not be read to its end.
MOST_COUNTED = 1_000
SAMPLE_ROWS = 5
SAMPLE_COLUMNS = 20
SAMPLE_TEXT = 200

Settings = dict[str, Any]


class Result:
    def __init__(self, passed: bool, message: str, **metadata: Any) -> None:
        self.passed = passed
        self.metadata = {"message": message, **events.without_none(metadata)}


class Table:
    """What a check is about. Its name is quoted here and nowhere else."""

    def __init__(self, database: Database, schema: str | None, name: str) -> None:
        self.database = database
        self.schema = schema
        self.name = name
        self.sql = qualified(schema, name)
        self.columns = database.columns(schema, name)
        if not self.columns:
            raise CheckError(f"there is no table {self}")

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"

    def column(self, name: str) -> str:
        """A column's name, quoted as the table has it."""
        for known in (name, *(each for each in self.columns if each.lower() == name.lower())):
            if known in self.columns:
                return quoted(known)
        raise CheckError(f"{self} has no column {name}; it has {', '.join(list(self.columns)[:20])}")

    def where(self, settings: Settings, values: Values) -> tuple[str, dict[str, Any]]:
        """A condition in brackets. User's own SQL: it ends on a line of its own, as it may end with a comment."""
        if "where" not in settings:
            return "", {}
        condition, bound = fill(self.database, settings["where"], values)
        return f" and (\n{condition}\n)", bound


def row_count(table: Table, settings: Settings) -> Result:
    _, ((count,),) = table.database.rows(f"select count(*) from {table.sql}", {}, 1)
    least, most = settings.get("min"), settings.get("max")
    if least is not None and count < least:
        return Result(False, f"{count} rows, at least {least} are needed", rows=count, min=least, max=most)
    if most is not None and count > most:
        return Result(False, f"{count} rows, at most {most} are allowed", rows=count, min=least, max=most)
    return Result(True, f"{count} rows", rows=count, min=least, max=most)


def freshness(table: Table, settings: Settings, now: datetime.datetime) -> Result:
    column = table.column(settings["column"])
    text_type = table.database.text_type
    _, ((newest,),) = table.database.rows(f"select cast(max({column}) as {text_type}) from {table.sql}", {}, 1)
    if newest is None:
        return Result(False, f"{table} has no value in {settings['column']}", max_age_seconds=settings["max_age"])
    return of_age(instant(newest), settings, now)


def of_age(newest: datetime.datetime, settings: Settings, now: datetime.datetime) -> Result:
    age = (now - newest).total_seconds()
    most = settings["max_age"]
    message = f"the newest is {span(age)} old, at most {span(most)} is allowed"
    return Result(age <= most, message, age_seconds=round(age, 3), max_age_seconds=most, newest=newest.isoformat())


def no_schema_change(table: Table, settings: Settings, file: str, run_id: str) -> Result:
    """Compares with the schema that the last other run saw: a retry of this run must not find its own change known."""
    known = targets.read(file)
    before = known.get("before") if known.get("run_id") == run_id else known.get("columns")
    targets.write(file, {"columns": table.columns, "run_id": run_id, "before": before})
    shown = {"columns": table.columns}
    if before is None:
        return Result(True, f"{len(table.columns)} columns, recorded for the next time", **shown)
    changes = [
        *({"change": "column_added", "column": name, "type": kind} for name, kind in table.columns.items() if name not in before),
        *({"change": "column_removed", "column": name, "type": kind} for name, kind in before.items() if name not in table.columns),
        *(
            {"change": "type_changed", "column": name, "type": table.columns[name], "before": kind}
            for name, kind in before.items()
            if name in table.columns and table.columns[name] != kind
        ),
    ]
    allowed = {"column_added"} if settings.get("allow_new_columns") else set()
    counted = [change for change in changes if change["change"] not in allowed]
    if not changes:
        return Result(True, f"{len(table.columns)} columns, as before", **shown)
    words = ", ".join(f"{change['column']} {change['change'].split('_')[1]}" for change in changes[:10])
    return Result(not counted, words, schema_changes=changes[:100], **shown)


def not_null(table: Table, settings: Settings, values: Values) -> Result:
    columns = [table.column(name) for name in columns_of(settings)]
    where, bound = table.where(settings, values)
    condition = " or ".join(f"{column} is null" for column in columns)
    return _faults(table.database, f"select * from {table.sql} where ({condition}){where}", bound, "a value is missing")


def unique(table: Table, settings: Settings, values: Values) -> Result:
    """As UNIQUE of SQL: rows with NULL in a column are equal to none."""
    columns = ", ".join(table.column(name) for name in columns_of(settings))
    where, bound = table.where(settings, values)
    present = " and ".join(f"{table.column(name)} is not null" for name in columns_of(settings))
    query = f"select {columns}, count(*) as elt_times from {table.sql} where ({present}){where} group by {columns} having count(*) > 1"
    return _faults(table.database, query, bound, "a value is there more than once")


def sql(database: Database, settings: Settings, values: Values) -> Result:
    query, bound = fill(database, settings["sql"], values)
    return _faults(database, f"select * from {as_rows(query)}", bound, "the query gives rows")


def columns_of(settings: Settings) -> list[str]:
    names = [*settings.get("columns", []), *([settings["column"]] if "column" in settings else [])]
    return list(dict.fromkeys(names))


def schema_file(folder: str, digest: str) -> str:
    return os.path.join(folder, "schemas", f"{digest}.json")


def _faults(database: Database, query: str, bound: dict[str, Any], words: str) -> Result:
    names, rows = database.rows(f"{query} limit {MOST_COUNTED + 1}", bound, MOST_COUNTED + 1)
    if not rows:
        return Result(True, "no rows at fault", failing_rows=0)
    count = min(len(rows), MOST_COUNTED)
    many = "more than " if len(rows) > MOST_COUNTED else ""
    sample = [dict(zip(names[:SAMPLE_COLUMNS], map(_shown, row), strict=False)) for row in rows[:SAMPLE_ROWS]]
    message = f"{words}: {many}{count} {'row' if count == 1 else 'rows'} at fault"
    return Result(False, message, failing_rows=count, sample=sample)


def _shown(value: Any) -> Any:
    """A value of a row as metadata: short, and something that JSON has."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{len(bytes(value))} bytes"
    text = json.dumps(value, default=str) if isinstance(value, (dict, list, tuple)) else str(value)
    return text if len(text) <= SAMPLE_TEXT else f"{text[:SAMPLE_TEXT]}…"


def instant(text: str) -> datetime.datetime:
    """A database's text of a time: ISO 8601 in its forms, a date, or seconds or milliseconds since 1970. UTC if it says none."""
    if re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        number = float(text)
        # In seconds that would be after the year 5000.
        return datetime.datetime.fromtimestamp(number / 1000 if number > 1e11 else number, datetime.timezone.utc)
    match = re.fullmatch(
        r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2})?(\.\d+)?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?", text.strip()
    )
    if match is None:
        raise CheckError(f'"{text[:100]}" is not a time')
    date, time, seconds, fraction, zone = match.groups()
    # Python 3.10 reads only this form of them all.
    fraction = (fraction or ".0")[:7].ljust(7, "0")
    digits = (zone or "").replace(":", "")
    zone = "+00:00" if digits in ("", "Z", "UTC") else f"{digits[:3]}:{digits[3:] or '00'}"
    return datetime.datetime.fromisoformat(f"{date}T{time or '00:00'}{seconds or ':00'}{fraction}{zone}")


def span(seconds: float) -> str:
    """`2 d 3 h`, `45 s`: the two largest units."""
    left = abs(round(seconds))
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size} {unit}")
            left %= size
        elif parts:
            break
    return ("-" if seconds <= -0.5 else "") + (" ".join(parts) or "0 s")

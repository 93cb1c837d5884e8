"""What only a replication's source can tell: the tables that a pattern stands for, and what an update_key holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from elt_runner.errors import Failure

#: Sling writes these through DuckDB's program, which it downloads.
DUCKDB_KINDS = ("duckdb", "motherduck", "ducklake")
NAIVE = ("timestamp", "timestamp_ntz", "datetime")
WHOLE = re.compile(r"^(?:big|small|tiny)?int|^integer$|^decimal$|^number|^numeric")
KINDS = "timestamp, timestamptz, date, yyyymmdd, epoch_seconds or epoch_milliseconds"


def connection(name: str) -> dict[str, Any]:
    """A connection variable, a URL or JSON, as far as it can be told without Sling: `type`, and of SQLite `path`."""
    value = os.environ.get(name, os.environ.get(name.upper(), ""))
    if value.startswith("{"):
        try:
            fields = json.loads(value)
        except ValueError:
            return {}
        return {"type": str(fields.get("type")), "path": fields.get("instance") or fields.get("database")}
    parts = urlsplit(value)
    kind = parts.scheme or ("file" if name.upper() == "LOCAL" else "")
    return {"type": kind, "path": unquote(parts.netloc + parts.path)} if kind else {}


def refuse_duckdb(*names: str) -> None:
    """Sling would fail with its download, or, had it one, with a file that a newer DuckDB has written."""
    if os.environ.get("DUCKDB_PATH"):
        return
    for name in names:
        if connection(name).get("type") in DUCKDB_KINDS:
            raise Failure(
                "config",
                f"{name} is a DuckDB database, which Sling reads and writes with a DuckDB program that it downloads; that one "
                "cannot open files of a newer DuckDB. Load it with dlt, or give the program in DUCKDB_PATH in env: of dagster.yaml",
            )


class Source:
    """Asks by `sling conns discover`; `run` runs a command so that a cancel can reach it."""

    def __init__(self, sling: str, name: str, run: Callable[[list[str]], subprocess.CompletedProcess[bytes]]) -> None:
        self._sling = sling
        self._name = name
        self._run = run
        self._tables: dict[str, list[str]] = {}
        self._kinds: dict[tuple[str, str], str] = {}

    def tables(self, pattern: str) -> list[str]:
        """Tables and views, as names of streams."""
        if pattern not in self._tables:
            rows = self._discover(pattern)
            self._tables[pattern] = [_name(row["Schema"], row["Name"]) for row in rows if _matches(pattern, row)]
        return self._tables[pattern]

    def range(self, stream: str, update_key: str, declared: str | None, ranges: dict[str, str]) -> str:
        """Of the forms of a window the one that fits the column."""
        if declared is not None:
            return _chosen(stream, update_key, declared, ranges)
        found = connection(self._name)
        if found.get("type") in ("sqlite", "sqlite3") and found.get("path"):
            return _sqlite_range(found["path"], stream, update_key, ranges)
        if (stream, update_key) not in self._kinds:
            self._kinds[stream, update_key] = self._kind(stream, update_key)
        return _chosen(stream, update_key, self._kinds[stream, update_key], ranges)

    def _kind(self, stream: str, update_key: str) -> str:
        schema, table = _parts(stream)
        pattern = stream if re.fullmatch(r"\w+\.\w+", stream) else f"{schema}.*"
        wanted = _plain(update_key)
        for row in self._discover(pattern, "--columns"):
            if (_plain(row["Schema"]), _plain(row["Table"]), _plain(row["Column"])) != (_plain(schema), _plain(table), wanted):
                continue
            kind = str(row["General Type"]).lower()
            if kind in NAIVE:
                return "timestamp"
            if kind in ("timestampz", "timestamptz", "timestamp_tz"):
                return "timestamptz"
            if kind == "date":
                return kind
            raise _unclear(stream, update_key, "whole numbers" if WHOLE.match(kind) else str(row["Native Type"]))
        raise Failure("config", f"{self._name} has no column {update_key} of {stream}")

    def _discover(self, pattern: str, *options: str) -> list[dict[str, Any]]:
        result = self._run([self._sling, "conns", "discover", self._name, "--pattern", pattern, *options])
        text = result.stdout.decode("utf-8", "replace")
        start = text.find('{"fields"')
        if result.returncode != 0:
            said = re.sub(r"\x1b\[[0-9;]*m|^fatal:|~ ", "", (result.stderr or result.stdout).decode("utf-8", "replace"), flags=re.M)
            raise Failure("", " ".join(said.split())[:1_000] or f"{self._name} could not be asked for {pattern}")
        if start < 0:
            return []
        answer = json.loads(text[start:])
        return [dict(zip(answer["fields"], row)) for row in answer["rows"]]


def _chosen(stream: str, update_key: str, kind: str, ranges: dict[str, str]) -> str:
    if kind in ranges:
        return ranges[kind]
    raise Failure("config", f"{stream}: {update_key} holds dates, and the partition's window is not made of whole days")


def _unclear(stream: str, update_key: str, held: str) -> Failure:
    return Failure(
        "config",
        f"{stream}: {update_key} holds {held}, from which a partition's window cannot be told: say what it is with "
        f"meta: {{dagster: {{cursor: …}}}} of the stream ({KINDS}), or use {{START}} and {{END}} in a query",
    )


def _sqlite_range(path: str, stream: str, update_key: str, ranges: dict[str, str]) -> str:
    """SQLite compares texts as texts: the range has to be written as the values are, whatever the column is declared as."""
    schema, table = _parts(stream)
    column, prefix = _plain_quotes(update_key), f'"{schema}".' if schema else ""
    form = f'case typeof("{column}") when \'text\' then substr("{column}", 11, 1) || \'text\' else typeof("{column}") end'
    query = f'select distinct {form} from {prefix}"{table}" where "{column}" is not null limit 2'
    import sqlite3

    try:
        with sqlite3.connect(f"file:{os.path.abspath(path)}?mode=ro", uri=True, timeout=5) as database:
            forms = [row[0] for row in database.execute(query)]
    except sqlite3.Error as error:
        raise Failure("", f"{stream}: {error}") from error
    if not forms:
        return ranges["timestamp"]
    if len(forms) > 1:
        raise _unclear(stream, update_key, "values of different forms")
    if forms[0] == "text":
        return _chosen(stream, update_key, "date", ranges).split(",")[0] + "," + ranges["date"].split(",")[1] + "~"
    if forms[0] not in (" text", "Ttext"):
        raise _unclear(stream, update_key, "whole numbers" if forms[0] == "integer" else f"values such as {forms[0]}")
    lower, upper = ranges["timestamp"].split(",")
    # Text without seconds stands before the one that has them.
    lower = lower.removesuffix(":00")
    # What follows the second (a fraction, Z, +00:00) stands before the tilde.
    return f"{lower},{upper[:19]}~".replace(" ", forms[0][0])


def _matches(pattern: str, row: dict[str, Any]) -> bool:
    schema, table = pattern.split(".", 1)
    glob = re.escape(_plain(table)).replace(r"\*", ".*")
    return _plain(schema) == _plain(row["Schema"]) and re.fullmatch(glob, _plain(row["Name"])) is not None


def _name(schema: str, table: str) -> str:
    is_plain = re.fullmatch(r"[a-z_][a-z0-9_]*", schema) and re.fullmatch(r"[a-z_][a-z0-9_]*", table)
    return f"{schema}.{table}" if is_plain else f'"{schema}"."{table}"'


def _parts(stream: str) -> tuple[str, str]:
    parts = re.findall(r'"([^"]*)"|`([^`]*)`|([^."`]+)', stream)
    names = [next(filter(None, part), "") for part in parts]
    return (names[-2] if len(names) > 1 else "", names[-1] if names else "")


def same(one: str, other: str) -> bool:
    """Whether two names are those of one table."""
    return tuple(map(_plain, _parts(one))) == tuple(map(_plain, _parts(other)))


def _plain(name: str) -> str:
    return _plain_quotes(name).lower()


def _plain_quotes(name: str) -> str:
    return name.replace('"', "").replace("`", "")

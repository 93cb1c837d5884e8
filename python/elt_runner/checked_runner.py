"""Runs a step's tool as a process of its own, then the checks that dagster.yaml declares, as part of the same attempt.

A process between the supervisor and the tool: it passes on how the tool ended, and goes on only when the tool has done its
work. `written` in the event stream says that from there on nothing is written any more, so that an attempt that ends in
the middle of its checks is followed by one that only checks.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from elt_runner import events, targets
from elt_runner.checks import kinds
from elt_runner.checks.connect import named, open_place
from elt_runner.checks.database import Busy, CheckError, Database
from elt_runner.checks.statement import Values, placeholders, table_name
from elt_runner.targets import Known, Place
from elt_runner.warm import forked

Request = dict[str, Any]
Check = dict[str, Any]
#: Partitions that a result is about, [None] = the asset as a whole.
Outcome = tuple[list[str | None], kinds.Result]

CANCEL_SIGNALS = (signal.SIGTERM, signal.SIGINT)
MASK = "***"


def main(request: Request) -> int:
    known = Known(request["known_file"])
    command = request["command"]
    if command is not None:
        told: list[int] = []
        code = _run(command, told)
        found = targets.read(os.environ[targets.VARIABLE])
        said = _Said(os.environ["ELT_EVENTS_FILE"])
        is_done = code == 0 and said.is_done(request["tool"])
        # Also of a tool that failed: some of its assets may be written, and the next attempt makes only the others.
        known.keep(found, request["written"] if is_done else [])
        if not is_done:
            return _leave(code)
        for key in request["written"]:
            # Else the engine would record it after the checks, which then would not be of the newest write.
            if key not in said.materialized:
                events.materialization(key, {})
        events.emit("written")
        if told:
            # The tool finished its work all the same; the checks are what was not begun.
            return _leave(-told[0])
    else:
        found = {}
    return Checks(request, known, found).run()


def _run(command: list[str], told: list[int]) -> int:
    """The tool's exit code, negative for a signal. Signals go to the whole process group: the tool has its own copy."""
    for number in CANCEL_SIGNALS:
        # A handler, not SIG_IGN, which the tool would inherit.
        signal.signal(number, lambda received, _: told.append(received))
    try:
        if forked.can_run(command):
            code = forked.run(command, CANCEL_SIGNALS)
        else:
            code = subprocess.Popen(command, stdin=subprocess.DEVNULL).wait()
    except OSError as error:
        message = f"{command[0]}: {error.strerror}"
        events.emit("end", status="failed", failure_class="config", error={"name": "OSError", "message": message})
        print(message, file=sys.stderr)
        code = 127
    for number in CANCEL_SIGNALS:
        # Checks only read: they may end at once.
        signal.signal(number, signal.SIG_DFL)
    return code


def _leave(code: int) -> int:
    """As the tool ended, so that the supervisor sees its signal too."""
    if code < 0:
        os.kill(os.getpid(), -code)
    return code if code >= 0 else 128 - code


class _Said:
    """What the tool said in the event stream, in our own words or in those of Dagster Pipes."""

    def __init__(self, file: str) -> None:
        self.materialized: set[str] = set()
        self._end: dict[str, Any] | None = None
        self._has_failed = False
        with open(file, "rb") as lines:
            for line in lines:
                if any(word in line for word in (b'"end"', b'"closed"', b"materialization")):
                    self._take(line)

    def is_done(self, tool: str) -> bool:
        """With exit code 0. A plain script need not say anything."""
        if self._has_failed or self._end is None:
            return not self._has_failed and tool == "python"
        return self._end.get("status") == "ok" and not self._end.get("unfinished_assets")

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
        except ValueError:
            return
        if not isinstance(event, dict):
            return
        parameters = event.get("params") or {}
        if event.get("type") == "end":
            self._end = event
        elif event.get("type") == "materialization":
            self.materialized.add(str(event.get("asset_key")))
        elif event.get("method") == "report_asset_materialization":
            self.materialized.add(str(parameters.get("asset_key")))
        elif event.get("method") == "closed":
            self._has_failed = bool(parameters.get("exception"))


def _asked(check: Check) -> set[str]:
    """Names of a partition's values in the user's SQL."""
    settings = check["settings"]
    return placeholders(settings.get("sql") or settings.get("where") or "")


def _whole(result: kinds.Result) -> list[Outcome]:
    return [([None], result)]


def _not_run(error: CheckError) -> kinds.Result:
    return kinds.Result(False, f"could not be checked: {error}", could_not_run=True)


class Checks:
    def __init__(self, request: Request, known: Known, found: dict[str, dict[str, Any]]) -> None:
        self._request = request
        self._known = known
        self._found = found
        self._databases: dict[str, Database] = {}
        self._secrets: set[str] = set()

    def run(self) -> int:
        events.emit("stage_start", stage="checks")
        started = time.monotonic()
        failed = 0
        try:
            for asset in self._request["assets"]:
                for check in asset["checks"]:
                    failed += not self._check(asset["key"], check)
        except Busy as busy:
            return self._end_busy(busy)
        finally:
            for database in self._databases.values():
                database.close()
        seconds = round(time.monotonic() - started, 3)
        events.emit("stage_end", stage="checks", ok=failed == 0, seconds=seconds)
        events.emit("end", status="ok")
        return 0

    def _check(self, asset_key: str, check: Check) -> bool:
        started = time.monotonic()
        details: dict[str, Any] = {"check_type": check["type"]}
        try:
            outcomes = self._evaluate(asset_key, check, details)
        except CheckError as error:
            outcomes = [(keys, _not_run(error)) for keys, _ in self._portions(_asked(check))]
        seconds = round(time.monotonic() - started, 3)
        for keys, result in outcomes:
            metadata = {**details, **self._masked(result.metadata), "seconds": seconds}
            for key in keys:
                events.emit(
                    "check",
                    asset_key=asset_key,
                    check_name=check["name"],
                    passed=result.passed,
                    severity=check["severity"],
                    partition=key,
                    metadata=metadata,
                )
        failed = [(keys, result) for keys, result in outcomes if not result.passed]
        message = self._masked((failed or outcomes)[0][1].metadata["message"])
        if failed and len(outcomes) > 1:
            more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
            message = f"{', '.join(str(keys[0]) for keys, _ in failed[:3])}{more}: {message}"
        print(f"check {asset_key}:{check['name']} {'FAILED' if failed else 'passed'}: {message}", flush=True)
        return not failed

    def _evaluate(self, asset_key: str, check: Check, details: dict[str, Any]) -> list[Outcome]:
        kind, settings = check["type"], check["settings"]
        now = datetime.datetime.now(datetime.timezone.utc)
        if kind == "freshness" and "column" not in settings:
            at = self._known.assets.get(asset_key, {}).get("at")
            if at is None:
                raise CheckError("it was never written")
            return _whole(kinds.of_age(datetime.datetime.fromtimestamp(at, datetime.timezone.utc), settings, now))
        place = self._place(asset_key, settings, needs_table=kind != "sql")
        database = self._open(place)
        details["destination"] = database.kind
        if kind == "sql":
            if place.get("schema"):
                database.use(place["schema"])
            return self._each(check, lambda values: kinds.sql(database, settings, values))
        table = kinds.Table(database, place.get("schema"), place["table"])
        details["table"] = str(table)
        if kind == "row_count":
            return _whole(kinds.row_count(table, settings))
        if kind == "freshness":
            return _whole(kinds.freshness(table, settings, now))
        if kind == "no_schema_change":
            digest = hashlib.sha256(f"{asset_key}\0{check['name']}".encode()).hexdigest()[:16]
            file = kinds.schema_file(self._request["state_dir"], digest)
            return _whole(kinds.no_schema_change(table, settings, file, os.environ.get("ELT_RUN_ID", "")))
        look = {"not_null": kinds.not_null, "unique": kinds.unique}[kind]
        return self._each(check, lambda values: look(table, settings, values))

    def _place(self, asset_key: str, settings: dict[str, Any], needs_table: bool) -> Place:
        """Where to look: `connection` and `table` say so, the tool's own word stands in for what they leave out."""
        entries = [known.get(asset_key, {}) for known in (self._found, self._known.assets)]
        written: list[Place] = next((entry["places"] for entry in entries if entry.get("places")), [])
        if not needs_table:
            return self._connection(asset_key, settings, written)
        parts = table_name(settings["table"]) if "table" in settings else []
        if not parts and len(written) == 1:
            parts = [part for part in (written[0].get("schema"), written[0]["table"]) if part]
        if not parts:
            names = ", ".join(sorted({place["table"] for place in written}))
            several = f"{asset_key} wrote the tables {names}: say which one is meant" if names else f"which table {asset_key} wrote is not known: name it"
            raise CheckError(f"{several}, by `table:` of the check")
        named_so = [place for place in written if place["table"] == parts[-1]]
        place = self._connection(asset_key, settings, named_so or written)
        schema = parts[0] if len(parts) == 2 else None
        if schema is None and "connection" not in settings:
            schema = place.get("schema")
        return {**place, "schema": schema, "table": parts[-1]}

    def _connection(self, asset_key: str, settings: dict[str, Any], written: list[Place]) -> Place:
        if "connection" in settings:
            place = named(settings["connection"])
            # Another database has the schema of the same name, or another one; the table's own name says it.
            return {**place, "schema": None}
        if not written:
            raise CheckError(f"where {asset_key} was written is not known: name the database by `connection:` of the check")
        return self._with_password(written[0])

    def _with_password(self, place: Place) -> Place:
        """The attempt that wrote an asset is gone with its password; another asset of this one may stand in the same place."""
        dsn = place.get("dsn")
        if dsn is None or "password" in dsn:
            return place
        for entry in self._found.values():
            for other in entry["places"]:
                same = {name: value for name, value in other.get("dsn", {}).items() if name != "password"}
                if same == dsn:
                    return {**place, "dsn": other["dsn"]}
        return place

    def _open(self, place: Place) -> Database:
        where = json.dumps({name: value for name, value in place.items() if name not in ("schema", "table")}, sort_keys=True)
        database = self._databases.get(where)
        if database is None:
            password = place.get("dsn", {}).get("password")
            if password:
                self._secrets.add(str(password))
            database = self._databases[where] = open_place(place, self._request["statement_seconds"])
        return database

    def _each(self, check: Check, look: Any) -> list[Outcome]:
        """Once for the table, or for each partition of the step if the user's SQL asks for a partition's values."""
        outcomes: list[Outcome] = []
        for keys, values in self._portions(_asked(check)):
            try:
                outcomes.append((keys, look(values)))
            except CheckError as error:
                outcomes.append((keys, _not_run(error)))
        return outcomes

    def _portions(self, used: set[str]) -> list[tuple[list[str | None], Values]]:
        """What to look at, one after the other: the partitions that a look is about, and their values."""
        each, span = self._request["partitions"], self._request["span"]
        if not used or not each:
            return [([None], {})]
        if span is not None and "partition_key" not in used:
            return [([values["partition_key"] for values in each], {"partition_key": None, **span})]
        return [([values["partition_key"]], values) for values in each]

    def _masked(self, value: Any) -> Any:
        """A database's own words may repeat how it was asked to connect."""
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, MASK)
            return value
        if isinstance(value, dict):
            return {name: self._masked(child) for name, child in value.items()}
        if isinstance(value, list):
            return [self._masked(child) for child in value]
        return value

    def _end_busy(self, busy: Busy) -> int:
        message = f"the checks wait for a database file that another process has locked: {self._masked(str(busy))}"
        print(message, file=sys.stderr)
        events.emit(
            "end",
            status="failed",
            failure_class="resource_busy",
            error={"name": "ResourceBusy", "message": message, "stack": None, "file": None, "line": None},
        )
        return 1

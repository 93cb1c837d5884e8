"""Builds nodes of a dbt project with their tests in this process, and reports each as soon as it is through."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time
from typing import Any

from dbt.adapters.factory import FACTORY
from dbt.cli.main import dbtRunner
from google.protobuf.json_format import MessageToDict

from elt_runner import dbt_appends, dbt_duckdb, dbt_freshness, dbt_target, events
from elt_runner.dbt_failures import classify, explain, one_line
from elt_runner.dbt_select import selection, used_vars
from elt_runner.errors import Failure

Request = dict[str, Any]

EXIT_CANCELLED = 130
PARTIAL_PARSE = "partial_parse.msgpack"
KEPT_PARSES = 5
CANCEL_SECONDS = 5


def main(request: Request) -> int:
    signal.signal(signal.SIGINT, _cancel)
    signal.signal(signal.SIGTERM, _cancel)
    # As when dbt is started by hand: Python models and hooks find the project's modules.
    sys.path.insert(0, os.getcwd())
    build = Build(request)
    try:
        return build.run()
    except KeyboardInterrupt:
        return build.end_cancelled()
    except Failure as failure:
        return build.end_failed(failure.failure_class, str(failure), 2)


def _cancel(_signal: int, _frame: Any) -> None:
    if not Build.cancelled and Build.current is not None:
        threading.Thread(target=Build.current.leave_after_cancel, daemon=True).start()
    Build.cancelled = True
    # dbt's own way: it cancels running queries and lets the other threads end.
    raise KeyboardInterrupt


class Build:
    cancelled = False
    current: Build | None = None

    def __init__(self, request: Request) -> None:
        self._request = request
        self._asset_of = {asset["unique_id"]: asset["key"] for asset in request["assets"]}
        self._unfinished = dict(self._asset_of)
        self._failures: list[tuple[str, str | None]] = []
        self._failed_tests: list[str] = []
        self._tests: dict[str, str] = {}
        self._manifest: Any = None
        self._partition: str | None = None
        self._appends: dbt_appends.Appends | None = None
        self._columns = _Columns(os.path.join(request["state_dir"], "columns.json"))
        # Callbacks come from dbt's worker threads.
        self._lock = threading.Lock()
        Build.current = self

    def run(self) -> int:
        for warning in self._request["warnings"]:
            events.log("warning", warning)
        self._is_duckdb = dbt_duckdb.install()
        self._install_packages()
        for nth, portion in enumerate(self._request["portions"]):
            code = self._build(portion, is_first=nth == 0)
            if code != 0:
                return code
        events.emit("end", status="ok")
        return 0

    def _build(self, portion: dict[str, Any], is_first: bool) -> int:
        """Builds and tests all nodes of the step once, for one partition or for what the step has."""
        request = self._request
        self._partition = portion["partition"]
        self._unfinished = dict(self._asset_of)
        os.environ.update(portion["variables"])
        arguments = self._arguments(portion)
        self._parse(arguments)
        if is_first:
            self._check_sources(arguments)
        written = self._written_before()
        terms, self._tests = selection(self._manifest, list(self._asset_of), written)
        if not terms:
            return 0
        command = ["build", *arguments, "--indirect-selection", "empty"]
        if request["full_refresh"]:
            command.append("--full-refresh")
        result = dbtRunner(manifest=self._manifest, callbacks=[self._on_event]).invoke([*command, "--select", *terms])
        if self.cancelled:
            return self.end_cancelled()
        if result.exception is not None:
            return self._end_exception(result.exception)
        if not result.success or self._failures or self._failed_tests:
            return self._end_unsuccessful()
        if self._unfinished:
            missing = ", ".join(self._unfinished.values())
            return self.end_failed("user", f"dbt ended without building {missing}", 1)
        return 0

    def _written_before(self) -> set[str]:
        """Models whose rows an earlier attempt at this step appended; they are recorded, and only tested."""
        adapter = next(iter(FACTORY.adapters.values()))
        if self._appends is None:
            file = os.path.join(self._request["state_dir"], "appends.json")
            self._appends = dbt_appends.Appends(file, self._request["work"], dbt_appends.is_alone(adapter))
        nodes = [self._manifest.nodes[unique_id] for unique_id in self._asset_of if unique_id in self._manifest.nodes]
        written: set[str] = set()
        for node in nodes:
            if not self._is_append(node) or not self._appends.knows(node.unique_id, self._partition):
                continue
            with adapter.connection_named("appends"):
                rows = dbt_appends.count(adapter, node)
            if self._appends.was_written(node, self._partition, rows):
                written.add(node.unique_id)
                self._record_written(node, rows, adapter)
        return written

    def _record_written(self, node: Any, rows: int | None, adapter: Any) -> None:
        key = self._asset_of[node.unique_id]
        self._unfinished.pop(node.unique_id, None)
        events.log("info", f"{node.name}: an earlier attempt appended its rows already, not appended again")
        dbt_target.record(key, {"alias": node.alias, "schema": node.schema}, adapter)
        metadata = {"total_rows": rows, "relation": node.relation_name, "dataset": node.schema, "materialized": "incremental"}
        events.materialization(key, {**metadata, "destination": adapter.type(), "recovered": True}, self._partition)

    def _is_append(self, node: Any) -> bool:
        return dbt_appends.appends(node, self._request["full_refresh"])

    def _arguments(self, portion: dict[str, Any]) -> list[str]:
        request = self._request
        used = used_vars(set(portion["vars"])) if portion["vars"] else set()
        self._partition_vars_used = bool(used)
        variables = {**request["vars"], **{name: portion["vars"][name] for name in sorted(used)}}
        arguments = ["--vars", json.dumps(variables)] if variables else []
        return [*arguments, *(["--target", request["target"]] if request["target"] else [])]

    def _parse(self, arguments: list[str]) -> None:
        """Parses the project. Its state is kept per content of the folder; with a partition's vars it would fit no other run."""
        target, cache = self._request["target_path"], self._request["parse_cache"]
        os.makedirs(target, exist_ok=True)
        if not self._partition_vars_used and os.path.exists(cache):
            shutil.copyfile(cache, os.path.join(target, PARTIAL_PARSE))
        events.emit("stage_start", stage="parse")
        result = dbtRunner().invoke(["--quiet", "parse", *arguments])
        events.emit("stage_end", stage="parse", ok=result.success)
        if self.cancelled:
            raise KeyboardInterrupt
        if not result.success:
            text = str(result.exception or "the dbt project could not be parsed")
            raise Failure(classify(text, "config"), one_line(explain(text)))
        self._manifest = result.result
        parsed = os.path.join(target, PARTIAL_PARSE)
        if not self._partition_vars_used and os.path.exists(parsed):
            folder = os.path.dirname(cache)
            os.makedirs(folder, exist_ok=True)
            temporary = f"{cache}.{os.getpid()}"
            shutil.copyfile(parsed, temporary)
            os.replace(temporary, cache)
            _prune(folder)

    def _check_sources(self, arguments: list[str]) -> None:
        known = {unique_id: key for unique_id, key in self._asset_of.items() if unique_id in self._manifest.nodes}
        dbt_freshness.check(self._manifest, known, arguments)
        if self.cancelled:
            raise KeyboardInterrupt

    def _install_packages(self) -> None:
        """`dbt deps`, once per content of the files that name packages."""
        files = [name for name in ("packages.yml", "dependencies.yml", "package-lock.yml") if os.path.exists(name)]
        if "packages.yml" not in files and "dependencies.yml" not in files:
            return
        digest = hashlib.sha256()
        for name in files:
            with open(name, "rb") as content:
                digest.update(content.read())
        marker = os.path.join(self._request["state_dir"], "packages")
        if os.path.isdir("dbt_packages") and _read(marker) == digest.hexdigest():
            return
        events.emit("stage_start", stage="deps")
        result = dbtRunner().invoke(["deps"])
        events.emit("stage_end", stage="deps", ok=result.success)
        if not result.success:
            text = str(result.exception or "dbt deps failed")
            raise Failure(classify(text, "config"), one_line(explain(text)))
        os.makedirs(os.path.dirname(marker), exist_ok=True)
        with open(marker, "w", encoding="utf-8") as file:
            file.write(digest.hexdigest())

    def _on_event(self, event: Any) -> None:
        if event.info.name not in ("LogStartLine", "NodeExecuting", "NodeFinished"):
            return
        data = MessageToDict(event.data, preserving_proto_field_name=True)
        unique_id = data["node_info"]["unique_id"]
        if event.info.name == "NodeExecuting":
            self._node_executing(unique_id)
            return
        with self._lock:
            if event.info.name == "LogStartLine":
                if unique_id in self._asset_of:
                    name = data["node_info"]["node_name"]
                    events.emit("stage_start", stage=name, asset_key=self._asset_of[unique_id])
            elif unique_id in self._asset_of:
                self._node_finished(unique_id, data)
            elif unique_id in self._tests:
                self._test_finished(unique_id, data["run_result"])

    def _node_executing(self, unique_id: str) -> None:
        """In the thread that builds the node, with its connection, before the first statement."""
        if unique_id in self._asset_of and self._appends is not None:
            node = self._manifest.nodes[unique_id]
            if self._is_append(node):
                rows = dbt_appends.count(next(iter(FACTORY.adapters.values())), node)
                self._appends.begin(unique_id, self._partition, rows)

    def _node_finished(self, unique_id: str, data: dict[str, Any]) -> None:
        result, info = data["run_result"], data["node_info"]
        key = self._asset_of[unique_id]
        ok = result.get("status") == "success"
        seconds = float(result.get("execution_time", 0))
        events.emit("stage_end", stage=info["node_name"], asset_key=key, ok=ok, seconds=round(seconds, 3))
        if ok:
            self._unfinished.pop(unique_id, None)
            if self._appends is not None and self._is_append(self._manifest.nodes[unique_id]):
                self._appends.end(unique_id, self._partition)
            dbt_target.record(key, info.get("node_relation", {}), next(iter(FACTORY.adapters.values())))
            events.materialization(key, self._metadata(unique_id, info, result, seconds), self._partition)
        elif result.get("status") != "skipped":
            self._failures.append((str(result.get("message", "failed")), self._file_of(unique_id)))

    def _metadata(self, unique_id: str, info: dict[str, Any], result: dict[str, Any], seconds: float) -> dict[str, Any]:
        relation = info.get("node_relation", {})
        response = result.get("adapter_response") or {}
        affected = response.get("rows_affected")
        # Postgres gives -1 for statements without a count.
        rows = int(affected) if affected is not None and float(affected) >= 0 else None
        is_table = info.get("materialized") not in ("view", "ephemeral")
        total, columns = (None, None)
        if self._is_duckdb and is_table and relation.get("relation_name"):
            total, columns = dbt_duckdb.inspect(relation["relation_name"])
            if rows is None and info.get("materialized") in ("table", "seed"):
                rows = total
        changes = self._columns.changes(unique_id, relation.get("alias") or info["node_name"], columns)
        return {
            **events.throughput(rows, seconds),
            "total_rows": total,
            "schema_changes": changes or None,
            "destination": self._manifest.metadata.adapter_type,
            "dataset": relation.get("schema"),
            "relation": relation.get("relation_name"),
            "materialized": info.get("materialized"),
            "full_refresh": True if self._request["full_refresh"] else None,
        }

    def _test_finished(self, unique_id: str, result: dict[str, Any]) -> None:
        test = self._manifest.nodes[unique_id]
        status = result.get("status")
        if status == "skipped":
            return
        owner = self._tests[unique_id]
        severity = "WARN" if status == "warn" else str(test.config.severity).upper()
        events.emit(
            "check",
            asset_key=self._asset_of[owner],
            check_name=test.fqn[-1],
            passed=status == "pass",
            severity="WARN" if severity == "WARN" else "ERROR",
            partition=self._partition,
            metadata=events.without_none(
                {
                    "failures": int(result.get("num_failures", 0)),
                    "message": result.get("message"),
                    "seconds": round(float(result.get("execution_time", 0)), 3),
                    "column": getattr(test, "column_name", None),
                }
            ),
        )
        if status in ("fail", "error"):
            # The rows are there, but the retry of a failed step has to build and test them again.
            self._unfinished[owner] = self._asset_of[owner]
            self._failed_tests.append(f"{test.fqn[-1]}: {result.get('message', status)}")

    def _file_of(self, unique_id: str) -> str | None:
        node = self._manifest.nodes.get(unique_id)
        return None if node is None else str(node.original_file_path)

    def _end_unsuccessful(self) -> int:
        if self._failures:
            message, file = self._failures[0]
            return self.end_failed(classify(message, "user"), one_line(explain(message)), 1, file)
        text = "; ".join(self._failed_tests) or "dbt says that the build failed, and not why"
        return self.end_failed("data" if self._failed_tests else "user", text, 1)

    def _end_exception(self, error: BaseException) -> int:
        text = str(error)
        return self.end_failed(classify(text, "config"), one_line(explain(text)), 2)

    def end_failed(self, failure_class: str, message: str, code: int, file: str | None = None) -> int:
        print(message, file=sys.stderr)
        events.emit(
            "end",
            status="failed",
            failure_class=failure_class,
            error={"name": "DbtError", "message": message, "stack": None, "file": file, "line": None},
            unfinished_assets=self._unfinished_assets(),
        )
        return code

    def end_cancelled(self) -> int:
        events.emit("end", status="cancelled", unfinished_assets=self._unfinished_assets())
        return EXIT_CANCELLED

    def leave_after_cancel(self) -> None:
        """dbt cancels the queries that run, then waits for its threads: one that was just about to start its query would
        hold the process until that query is through."""
        time.sleep(CANCEL_SECONDS)
        with self._lock:
            sys.stdout.flush()
            os._exit(self.end_cancelled())

    def _unfinished_assets(self) -> list[str]:
        """With several partitions to build, none is finished before the last one."""
        several = len(self._request["portions"]) > 1
        return list((self._asset_of if several else self._unfinished).values())


class _Columns:
    """Columns of each model after its last build: what differs now is a schema change."""

    def __init__(self, file: str) -> None:
        self._file = file

    def changes(self, unique_id: str, table: str, columns: dict[str, str] | None) -> list[dict[str, Any]]:
        if columns is None:
            return []
        known = json.loads(_read(self._file) or "{}")
        before: dict[str, str] | None = known.get(unique_id)
        if before == columns:
            return []
        known[unique_id] = columns
        os.makedirs(os.path.dirname(self._file), exist_ok=True)
        with open(self._file + ".tmp", "w", encoding="utf-8") as file:
            json.dump(known, file)
        os.replace(self._file + ".tmp", self._file)
        if before is None:
            return [{"table": table, "change": "table_added", "column": name, "type": kind} for name, kind in columns.items()]
        added = [
            {"table": table, "change": "column_added" if name not in before else "type_changed", "column": name, "type": kind}
            for name, kind in columns.items()
            if before.get(name) != kind
        ]
        removed = [
            {"table": table, "change": "column_removed", "column": name, "type": kind}
            for name, kind in before.items()
            if name not in columns
        ]
        return added + removed


def _prune(folder: str) -> None:
    files = sorted((os.path.join(folder, name) for name in os.listdir(folder)), key=os.path.getmtime, reverse=True)
    for file in files[KEPT_PARSES:]:
        os.remove(file)


def _read(file: str) -> str | None:
    try:
        with open(file, encoding="utf-8") as content:
            return content.read()
    except FileNotFoundError:
        return None

"""Turns dlt's own trace into step events, and keeps what each load wrote."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dlt
from dlt.common.runtime.collector import NullCollector
from dlt.common.runtime.collector_base import Collector
from dlt.common.schema.utils import get_root_table
from dlt.pipeline import trace as dlt_trace

from elt_runner import events

STAGES = ("extract", "normalize", "load")
PROGRESS_SECONDS = 1.0


class Load:
    """What one call of `Pipeline.run` did."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Any]] = {}
        self.load_ids: list[str] = []
        self.schema_changes: list[dict[str, Any]] = []
        self.pipeline: str | None = None
        self.destination: str | None = None
        self.dataset: str | None = None
        self.first_run = False
        self.seconds = 0.0
        #: Seconds of extract, normalize and load.
        self.stages: dict[str, float] = {}
        #: Rows that a resource read before its cursor sorted out the old ones, as far as dlt counts them.
        self.scanned: dict[str, int] = {}
        #: Resource → cursor → last value, as they were before.
        self.cursors_before: dict[str, dict[str, Any]] = {}
        self.trace: dict[str, Any] = {}
        #: Load id → table → rows that were written or not, and taken for one of it as dagster.yaml says.
        self.uncertain: dict[str, dict[str, int]] = {}
        #: Counts could not be read from dlt's trace: better none than wrong ones.
        self.uncounted = False

    def as_json(self) -> dict[str, Any]:
        return dict(events.plain(vars(self)))

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Load:
        load = cls()
        vars(load).update({name: value for name, value in stored.items() if name in vars(load)})
        return load


class Observer:
    """One of dlt's tracking modules: methods are called by dlt at each step of a pipeline."""

    def __init__(self, asset_of: Callable[[str], str | None]) -> None:
        self.load = Load()
        self.on_change: Callable[[], None] = lambda: None
        #: Filled by the recovery: rows that may have been written or not.
        self.uncertain: dict[str, dict[str, int]] = {}
        self._asset_of = asset_of
        self._started: dict[str, float] = {}

    def install(self) -> None:
        # dlt fills the list when its first pipeline is made; None until then.
        dlt_trace.TRACKING_MODULES = [*(dlt_trace.TRACKING_MODULES or []), self]

    def on_start_trace(self, trace: Any, step: str, pipeline: Any) -> None:
        if isinstance(pipeline.collector, NullCollector):
            pipeline.collector = Progress(self._asset_of)

    def on_start_trace_step(self, trace: Any, step: str, pipeline: Any) -> None:
        if step in STAGES:
            self.load.pipeline = pipeline.pipeline_name
            if step == "extract":
                self.load.cursors_before = cursors(pipeline)
            self._started[step] = time.monotonic()
            events.emit("stage_start", stage=step)

    def on_end_trace_step(self, trace: Any, step: Any, pipeline: Any, step_info: Any, send_state: bool) -> None:
        if step.step not in STAGES:
            return
        seconds = time.monotonic() - self._started.get(step.step, time.monotonic())
        ok = step.step_exception is None
        metadata: dict[str, Any] = {}
        info = step.step_info
        if info is not None and ok:
            self.load.seconds += seconds
            self.load.stages[step.step] = self.load.stages.get(step.step, 0.0) + seconds
            try:
                metadata = getattr(self, f"_{step.step}")(pipeline, info)
            except Exception as error:  # dlt would only log it
                self.load.uncounted = True
                events.log("warning", f"the counts of dlt's {step.step} could not be read: {error!r}")
        if not ok and self.uncertain:
            metadata["uncertain"] = self.uncertain
        events.emit("stage_end", stage=step.step, ok=ok, seconds=round(seconds, 3), metadata=metadata)
        if ok:
            self.on_change()

    def on_end_trace(self, trace: Any, pipeline: Any, send_state: bool) -> None:
        self.load.trace = {
            "transaction_id": trace.transaction_id,
            "started_at": str(trace.started_at),
            "finished_at": str(trace.finished_at),
            "dlt_version": dlt.__version__,
        }

    def _extract(self, pipeline: Any, info: Any) -> dict[str, Any]:
        self.load.load_ids = list(info.loads_ids)
        rows: dict[str, int] = {}
        for metrics in _each(info.metrics):
            for name, resource in metrics["resource_metrics"].items():
                if name.startswith("_dlt_"):
                    continue
                rows[name] = rows.get(name, 0) + resource.items_count
                for incremental in (resource.custom_metrics or {}).get("incremental", []):
                    scanned = incremental.get("unfiltered_items_count", 0)
                    self.load.scanned[name] = self.load.scanned.get(name, 0) + scanned
        return {"rows": sum(rows.values()), "resources": rows, "scanned": self.load.scanned or None}

    def _normalize(self, pipeline: Any, info: Any) -> dict[str, Any]:
        schemas = {package.load_id: package.schema_name for package in info.load_packages}
        for load_id, all_metrics in info.metrics.items():
            schema = pipeline.schemas[schemas[load_id]]
            for metrics in all_metrics:
                for table, numbers in metrics["table_metrics"].items():
                    if table.startswith("_dlt_"):
                        continue
                    entry = self._table(schema, table)
                    entry["rows"] += numbers.items_count
                    entry["bytes"] += numbers.file_size
        return {"rows": sum(table["rows"] for table in self.load.tables.values())}

    def _load(self, pipeline: Any, info: Any) -> dict[str, Any]:
        self.load.load_ids = list(info.loads_ids)
        self.load.destination = info.destination_name
        self.load.dataset = info.dataset_name
        self.load.first_run = self.load.first_run or bool(info.first_run)
        for package in info.load_packages:
            schema = pipeline.schemas[package.schema_name]
            for state, jobs in package.jobs.items():
                for job in jobs:
                    table = job.job_file_info.table_name
                    if table.startswith("_dlt_") or table not in schema.tables:
                        continue
                    # A package that an earlier attempt normalized has no row counts here, but its tables are known.
                    entry = self._table(schema, table)
                    # Statements that merge what was loaded carry no data of their own.
                    if state == "completed_jobs" and job.job_file_info.file_format not in ("sql", "model"):
                        entry["files"] += 1
                        entry["bytes_stored"] += job.file_size
            self.load.schema_changes.extend(_schema_changes(schema, package.schema_update))
        return {"load_ids": self.load.load_ids}

    def _table(self, schema: Any, table: str) -> dict[str, Any]:
        root = get_root_table(schema.tables, table)
        return self.load.tables.setdefault(
            table,
            {
                "rows": 0,
                "bytes": 0,
                "bytes_stored": 0,
                "files": 0,
                "resource": root.get("resource") or root["name"],
                "root": root["name"] == table,
            },
        )


def cursors(pipeline: Any) -> dict[str, dict[str, Any]]:
    """Last values of the incremental cursors that dlt keeps: resource → cursor → value."""
    found: dict[str, dict[str, Any]] = {}
    for source in pipeline.state.get("sources", {}).values():
        for name, state in source.get("resources", {}).items():
            for cursor, values in state.get("incremental", {}).items():
                found.setdefault(name, {})[cursor] = values.get("last_value")
    return found


def _each(metrics: dict[str, list[Any]]) -> list[Any]:
    return [each for all_metrics in metrics.values() for each in all_metrics]


def _schema_changes(schema: Any, update: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Columns and tables that a load added, dlt's own ones aside."""
    changes: list[dict[str, Any]] = []
    for table, change in (update or {}).items():
        if table.startswith("_dlt_"):
            continue
        columns = change.get("columns", {})
        known = schema.tables.get(table, {}).get("columns", {})
        is_new = all(name in columns for name, column in known.items() if column.get("data_type"))
        for name, column in columns.items():
            if name.startswith("_dlt_"):
                continue
            what = "table_added" if is_new else "column_added"
            changes.append({"table": table, "change": what, "column": name, "type": column.get("data_type")})
    return changes


class Progress(Collector):
    """Counts of dlt as progress events, at most one per second."""

    def __init__(self, asset_of: Callable[[str], str | None]) -> None:
        self.step = ""
        self._asset_of = asset_of
        self._counts: dict[str, int] = {}
        self._last = 0.0

    def update(
        self,
        name: str,
        inc: int = 1,
        total: int | None = None,
        inc_total: int | None = None,
        message: str | None = None,
        label: str | None = None,
    ) -> None:
        if label:
            return
        self._counts[name] = self._counts.get(name, 0) + inc
        now = time.monotonic()
        if now - self._last < PROGRESS_SECONDS:
            return
        self._last = now
        stage = self.step.split(" ")[0].lower() or "run"
        counters = {"extract": None, "normalize": "Items", "load": "Jobs"}
        wanted = counters.get(stage)
        rows = [count for counter, count in self._counts.items() if counter not in ("Resources", "Files", "Jobs")]
        text = ", ".join(f"{counter} {count}" for counter, count in self._counts.items())
        events.emit(
            "progress",
            stage=stage,
            asset_key=self._asset_of(name),
            rows=None if wanted == "Jobs" else sum(rows),
            message=text,
        )

    def _start(self, step: str) -> None:
        self._counts = {}
        self._last = 0.0

    def _stop(self) -> None:
        self._counts = {}

"""Materializations of a dlt step: which rows belong to which asset."""

from __future__ import annotations

from typing import Any

from elt_runner import dlt_target, events
from elt_runner.dlt_observe import STAGES, Load, cursors
from elt_runner.errors import Failure

Request = dict[str, Any]
#: `bytes`: as text, before compression; `bytes_stored`: the files that were handed to the destination.
PER_TABLE = ("rows", "bytes", "bytes_stored", "files")


class Report:
    def __init__(self, request: Request) -> None:
        self._request = request
        self._assets: list[dict[str, Any]] = request["assets"]

    def asset_of(self, resource: str) -> str | None:
        """The asset that a resource belongs to; None if the step has several and none of them is it."""
        if len(self._assets) == 1:
            return str(self._assets[0]["key"])
        return next((asset["key"] for asset in self._assets if asset["resource"] == resource), None)

    def check_resources(self, seen: set[str]) -> None:
        """A resource that the script never offered cannot have been loaded."""
        missing = sorted({asset["resource"] for asset in self._assets if asset["resource"]} - seen)
        if missing:
            offered = ", ".join(sorted(seen)) or "none"
            raise Failure("config", f"the folder has no resource {', '.join(missing)}; it offers: {offered}")

    def materialize(self, loads: list[Load], pipelines: list[Any], offered: set[str], partition: str | None) -> None:
        if not loads:
            events.log("warning", "the script loaded nothing through dlt: rows are not known")
        for asset in self._assets:
            dlt_target.record(asset["key"], asset["resource"], offered, pipelines)
            events.materialization(asset["key"], self._metadata(asset, loads, pipelines), partition)

    def _metadata(self, asset: dict[str, Any], loads: list[Load], pipelines: list[Any]) -> dict[str, Any]:
        """Names and units are documented in docs/dlt.md."""
        resource, source = asset["resource"], asset["source"]
        tables: dict[str, dict[str, int]] = {}
        rows = 0
        changes: list[dict[str, Any]] = []
        own: list[Load] = []
        if source is not None:
            loads = [load for load in loads if load.pipeline == source]
            pipelines = [pipeline for pipeline in pipelines if pipeline.pipeline_name == source]
        for load in loads:
            mine = {name: t for name, t in load.tables.items() if resource is None or t["resource"] == resource}
            if mine or resource is None or len(self._assets) == 1:
                own.append(load)
            for name, table in mine.items():
                entry = tables.setdefault(name, dict.fromkeys(PER_TABLE, 0))
                for number in PER_TABLE:
                    # A journal of an older release has fewer.
                    entry[number] += table.get(number, 0)
                # Child tables hold parts of the rows of their parents.
                rows += table["rows"] if table["root"] else 0
            changes.extend(c for c in load.schema_changes if resource is None or c["table"] in mine)
        own = own or loads
        counted = bool(loads) and not any(load.uncounted for load in own)
        seconds = sum(load.seconds for load in own) if own else None
        scanned = [load.scanned[name] for load in own for name in load.scanned if resource is None or name == resource]
        last = own[-1] if own else Load()
        before: dict[str, dict[str, Any]] = {}
        for load in own:
            before = {**load.cursors_before, **before}
        after: dict[str, dict[str, Any]] = {}
        for pipeline in pipelines:
            after.update(cursors(pipeline))
        return {
            **events.throughput(rows if counted else None, seconds),
            "rows_scanned": sum(scanned) if scanned else None,
            **{name: sum(table[name] for table in tables.values()) if counted else None for name in PER_TABLE if name != "rows"},
            "tables": tables if counted and tables else None,
            **{f"{stage}_seconds": round(sum(load.stages.get(stage, 0.0) for load in own), 3) for stage in STAGES if own},
            "schema_changes": changes or None,
            "cursor": _of(after, resource) or None,
            "cursor_before": _of(before, resource) or None,
            "load_ids": [load_id for load in own for load_id in load.load_ids] or None,
            "pipeline": last.pipeline,
            "destination": last.destination,
            "dataset": last.dataset,
            "first_run": True if any(load.first_run for load in own) else None,
            "full_refresh": True if self._request["refresh"] else None,
            "uncertain": {load_id: named for load in own for load_id, named in load.uncertain.items()} or None,
            "trace": last.trace or None,
        }


def _of(known: dict[str, dict[str, Any]], resource: str | None) -> dict[str, Any]:
    """By `<resource>.<cursor>`, or by the cursor of one resource."""
    if resource is not None:
        return known.get(resource, {})
    return {f"{name}.{cursor}": value for name, values in known.items() for cursor, value in values.items()}

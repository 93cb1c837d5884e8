"""Materializations of a dlt step: which rows belong to which asset."""

from __future__ import annotations

from typing import Any

from elt_runner import dlt_target, events
from elt_runner.dlt_observe import Load
from elt_runner.errors import Failure

Request = dict[str, Any]


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
        resource = asset["resource"]
        tables: dict[str, dict[str, int]] = {}
        rows = 0
        changes: list[dict[str, Any]] = []
        own: list[Load] = []
        for load in loads:
            mine = {name: t for name, t in load.tables.items() if resource is None or t["resource"] == resource}
            if mine or resource is None or len(self._assets) == 1:
                own.append(load)
            for name, table in mine.items():
                entry = tables.setdefault(name, {"rows": 0, "bytes": 0})
                entry["rows"] += table["rows"]
                entry["bytes"] += table["bytes"]
                # Child tables hold parts of the rows of their parents.
                rows += table["rows"] if table["root"] else 0
            changes.extend(c for c in load.schema_changes if resource is None or c["table"] in mine)
        own = own or loads
        counted = bool(loads) and not any(load.uncounted for load in own)
        seconds = sum(load.seconds for load in own) if own else None
        last = own[-1] if own else Load()
        return {
            **events.throughput(rows if counted else None, seconds),
            "bytes": sum(table["bytes"] for table in tables.values()) if counted else None,
            "tables": tables if counted and tables else None,
            "load_ids": [load_id for load in own for load_id in load.load_ids] or None,
            "schema_changes": changes or None,
            "cursor": _cursors(pipelines, resource) or None,
            "destination": last.destination,
            "dataset": last.dataset,
            "full_refresh": True if self._request["refresh"] else None,
        }


def _cursors(pipelines: list[Any], resource: str | None) -> dict[str, Any]:
    """Last values of incremental cursors that dlt keeps, by `<resource>.<cursor>`, or by the cursor of one resource."""
    found: dict[str, Any] = {}
    for pipeline in pipelines:
        for source in pipeline.state.get("sources", {}).values():
            for name, state in source.get("resources", {}).items():
                if resource is not None and name != resource:
                    continue
                for cursor, values in state.get("incremental", {}).items():
                    found[cursor if resource is not None else f"{name}.{cursor}"] = values.get("last_value")
    return found

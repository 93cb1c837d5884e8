"""Stands between the user's script and `Pipeline.run`: selection, window, refresh, and what an earlier attempt left."""

from __future__ import annotations

import os
from typing import Any

from dlt.extract import DltResource, DltSource, SourceFactory
from dlt.pipeline.pipeline import Pipeline

from elt_runner import dlt_adopt, dlt_drop, dlt_exclusive, dlt_locks, dlt_recover, dlt_settings, dlt_unique, dlt_window, events
from elt_runner.dlt_journal import Journal
from elt_runner.dlt_observe import Load, Observer
from elt_runner.errors import Failure

Request = dict[str, Any]
#: What `Pipeline.run` needs to reach the destination; the rest describes the data.
PLACE_ARGUMENTS = ("destination", "staging", "dataset_name", "credentials")


class Interception:
    def __init__(self, request: Request, observer: Observer, journal: Journal) -> None:
        self._request = request
        self._observer = observer
        self._journal = journal
        self._wanted: set[str] | None = None if request["resources"] is None else set(request["resources"])
        self._original = Pipeline.run
        self._counts: dict[str, int] = {}
        self._recovered: dict[str, Load] = {}
        self._recovery = dlt_recover.Recovery(request["on_uncertain"])
        observer.uncertain = self._recovery.uncertain
        #: Pipelines used, newest last: state and pending packages are asked of them at the end.
        self.pipelines: dict[str, Any] = {}
        self._adopted: set[str] = set()
        #: Names of resources that the script offered, wanted or not.
        self.seen: set[str] = set()
        #: Loads since the runner last took them.
        self.loads: list[Load] = []
        self.appended: set[str] = set()
        #: [start, end) that cursors are set to; None while the script handles partitions itself.
        self.window: dict[str, str] | None = None

    def install(self) -> None:
        interception = self

        def run(pipeline: Any, data: Any = None, **arguments: Any) -> Any:
            return interception.run(pipeline, data, arguments)

        run.__doc__ = self._original.__doc__
        Pipeline.run = run  # type: ignore[method-assign]
        self._recovery.install()
        dlt_exclusive.install(self._request["lock_dir"])
        dlt_settings.install()
        if self._request["own_resource"] is not None:
            dlt_unique.install()

    def run(self, pipeline: Any, data: Any, arguments: dict[str, Any]) -> Any:
        resources: list[Any] | None = None
        if data is not None and self._wanted is not None:
            # A pipeline of which nothing is wanted is left alone: another step may be at work with it.
            data, resources = self._select(data, arguments)
            if data is None:
                return None
        if self._request["own_resource"] is not None:
            dlt_unique.rename(pipeline, self._request["own_resource"])
        self._claim(pipeline)
        if dlt_drop.finish_interrupted(pipeline, os.path.dirname(self._request["loaded_file"])):
            # What earlier attempts loaded is gone with it.
            self._journal.forget(pipeline.pipeline_name)
        if data is not None and self._request["assets_share_state"]:
            self._adopt(pipeline, data, arguments)
        recovered = self._finish_pending(pipeline, arguments)
        if data is None:
            return recovered or self._original(pipeline, None, **arguments)
        if resources is None:
            data, resources = self._select(data, arguments)
        number = self._counts.get(pipeline.pipeline_name, 0)
        self._counts[pipeline.pipeline_name] = number + 1
        call = f"{pipeline.pipeline_name}#{number}"
        for resource in resources:
            done = dlt_window.apply(resource, self._request, self.window)
            if done is not None:
                events.log("info", done)
        if self._request["refresh"] and arguments.get("refresh") is None:
            arguments["refresh"] = self._request["refresh"]
        if self._request["write_disposition"] and arguments.get("write_disposition") is None:
            arguments["write_disposition"] = self._request["write_disposition"]
        contract = dlt_settings.contract(self._request["schema_contract"])
        if contract is not None and arguments.get("schema_contract") is None:
            arguments["schema_contract"] = contract
        names = sorted(resource.name for resource in resources) or [_name_of(data, arguments) or ""]
        appends = self._appending(resources, arguments)
        once = bool(appends) or self._replaces_by_cursor(resources, arguments)
        done_before = self._done_before(call, names, pipeline, once)
        if done_before is not None:
            events.log("info", f"{', '.join(names)}: loaded by an earlier attempt already, not loaded again")
            self._journal.update(call, state="done", resources=names, load=done_before.as_json())
            self.loads.append(done_before)
            return recovered or (pipeline.last_trace.last_load_info if pipeline.last_trace else None)
        self.appended.update(appends)
        override = _disposition(arguments.get("write_disposition"))
        if call in self._recovered and all(_is_append(override, resource) for resource in resources):
            # These rows came on top of what the cursor finds now.
            self.loads.append(self._recovered.pop(call))
        return self._load(pipeline, call, names, data, arguments)

    def _claim(self, pipeline: Any) -> None:
        """Sees to it that nobody else works on the pipeline's state."""
        if not dlt_locks.claim(self._request["lock_dir"], f"state {pipeline.working_dir}"):
            raise Failure("resource_busy", f"another process is loading with the pipeline {pipeline.pipeline_name}")
        self.pipelines[pipeline.pipeline_name] = pipeline

    def _adopt(self, pipeline: Any, data: Any, arguments: dict[str, Any]) -> None:
        """Once for each pipeline."""
        if pipeline.pipeline_name in self._adopted:
            return
        self._adopted.add(pipeline.pipeline_name)
        sources = {each.name for each in (data if isinstance(data, (list, tuple)) else [data]) if isinstance(each, DltSource)}
        place = {name: arguments[name] for name in PLACE_ARGUMENTS if name in arguments}
        base = dlt_unique.given.get(pipeline.pipeline_name, pipeline.pipeline_name)
        with dlt_locks.held(self._request["lock_dir"], f"adopt {pipeline.pipelines_dir} {base}"):
            dlt_adopt.adopt(pipeline, self._request["own_resource"], place, sources, self._original)

    def _load(self, pipeline: Any, call: str, names: list[str], data: Any, arguments: dict[str, Any]) -> Any:
        load = self._observer.load = Load()
        self._journal.update(call, state="started", resources=names, load={})
        self._observer.on_change = lambda: self._journal.update(call, load=load.as_json())
        try:
            info = self._original(pipeline, data, **arguments)
        finally:
            self._observer.on_change = lambda: None
        self._journal.update(call, state="done", load=load.as_json())
        self.loads.append(load)
        return info

    def _finish_pending(self, pipeline: Any, arguments: dict[str, Any]) -> Any:
        """Loads what an earlier attempt extracted and could not load: dlt would do so instead of loading the new data."""
        dlt_recover.tidy(pipeline)
        if not pipeline.has_pending_data:
            return None
        place = {name: arguments[name] for name in PLACE_ARGUMENTS if name in arguments}
        if self._request["on_pending"] == "abort":
            self._abort(pipeline, place)
            return None
        events.log("info", f"{pipeline.pipeline_name}: finishing a load that an earlier attempt left pending")
        events.emit("pending", pipeline=pipeline.pipeline_name)
        call = self._journal.started_before(pipeline.pipeline_name)
        stored = self._journal.before.get(call or "", {}).get("load") or {}
        load = self._observer.load = Load.from_json(stored)
        load.schema_changes = []
        load.pipeline = pipeline.pipeline_name
        info = self._original(pipeline, None, **place)
        # dlt saves cursors a moment after it has put a package aside: they stand in the destination now, in any case.
        pipeline._state_restored = False
        load.uncertain = {load_id: self._recovery.uncertain[load_id] for load_id in load.load_ids if load_id in self._recovery.uncertain}
        if call is not None:
            self._recovered[call] = load
        return info

    def _done_before(self, call: str, names: list[str], pipeline: Any, once: bool) -> Load | None:
        """The load of an earlier attempt that this call would repeat: one that was left pending and is through now, or,
        where repeating it changes what comes out (`once`), one that was through already."""
        before = self._journal.before.get(call)
        if before is None or before.get("resources") != names:
            return None
        same_work = self._journal.is_retry or (once and self._request["partitioned"])
        if call in self._recovered:
            return self._recovered[call] if same_work else None
        if not self._journal.is_retry or not once or self._request["refresh"]:
            return None
        load = Load.from_json(before.get("load") or {})
        through = bool(load.load_ids) and all(dlt_recover.is_loaded(pipeline, load_id) for load_id in load.load_ids)
        return load if before.get("state") == "done" or through else None

    def _abort(self, pipeline: Any, place: dict[str, Any]) -> None:
        """Drops what an earlier attempt left pending (`dlt.on_pending: abort`); its data is extracted again."""
        where = {name: place[name] for name in ("destination", "staging", "dataset_name") if name in place}
        pipeline.sync_destination(**where)
        pending = [*pipeline.list_extracted_load_packages(), *pipeline.list_normalized_load_packages()]
        written = dlt_recover.tables_written(pipeline, pending)
        dlt_recover.abort(pipeline)
        events.log("info", f"{pipeline.pipeline_name}: aborted what was left pending (dlt.on_pending: abort): {', '.join(pending)}")
        if written:
            events.log("warning", f"rows that the aborted load had written already stay where they are: {', '.join(written)}")

    def _appending(self, resources: list[Any], arguments: dict[str, Any]) -> list[str]:
        """Resources that add their rows to what is there, whatever is there."""
        override = _disposition(arguments.get("write_disposition"))
        if not resources:
            return [] if override in ("replace", "merge") else ["*"]
        found = []
        for resource in resources:
            if not _keeps_state(resource) and _is_append(override, resource):
                found.append(resource.name)
        return found

    def _replaces_by_cursor(self, resources: list[Any], arguments: dict[str, Any]) -> bool:
        """Whether a resource replaces its table by what its cursor finds, which is less the second time."""
        override = _disposition(arguments.get("write_disposition"))
        return any(
            (override or _disposition(resource.write_disposition)) == "replace" and _keeps_state(resource) for resource in resources
        )

    def _select(self, data: Any, arguments: dict[str, Any]) -> tuple[Any, list[Any]]:
        """The wanted part of what the script loads, and its resources; (None, []) if nothing of it is wanted."""
        if isinstance(data, DltSource):
            names = list(data.resources.selected.keys())
            self.seen.update(names)
            kept = names if self._wanted is None else [name for name in names if name in self._wanted]
            if not kept:
                return None, []
            chosen = data if len(kept) == len(names) else data.with_resources(*kept)
            return chosen, [chosen.resources[name] for name in kept]
        if isinstance(data, DltResource):
            self.seen.add(data.name)
            return (data, [data]) if self._wanted is None or data.name in self._wanted else (None, [])
        if isinstance(data, (list, tuple)) and data and isinstance(data[0], (DltSource, DltResource)):
            chosen = [self._select(each, arguments) for each in data]
            kept = [(part, found) for part, found in chosen if part is not None]
            return ([part for part, _ in kept], [each for _, found in kept for each in found]) if kept else (None, [])
        if isinstance(data, SourceFactory):
            return self._select(data(), arguments)
        name = _name_of(data, arguments)
        if name is not None:
            self.seen.add(name)
        if self._wanted is not None and name is not None and name not in self._wanted:
            return None, []
        return data, []


def _name_of(data: Any, arguments: dict[str, Any]) -> str | None:
    """The resource's name that dlt gives to plain data."""
    name = arguments.get("table_name") or getattr(data, "__name__", None)
    return name if isinstance(name, str) else None


def _disposition(config: Any) -> str | None:
    return config.get("disposition") if isinstance(config, dict) else config if isinstance(config, str) else None


def _keeps_state(resource: Any) -> bool:
    """Whether a load moves the resource's cursor."""
    cursor = dlt_window.current_incremental(resource)
    return cursor is not None and cursor.end_value is None


def _is_append(override: str | None, resource: Any) -> bool:
    """A disposition that depends on the rows (a function) counts as append, the one that can double them."""
    return (override or _disposition(resource.write_disposition) or "append") == "append"

"""Stands between the user's script and `Pipeline.run`: selection, window, refresh, and what an earlier attempt left."""

from __future__ import annotations

import os
from typing import Any

from dlt.extract import DltResource, DltSource, SourceFactory
from dlt.pipeline.pipeline import Pipeline

from elt_runner import dlt_drop, dlt_window, events
from elt_runner.dlt_journal import Journal
from elt_runner.dlt_observe import Load, Observer

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
        #: Pipelines used, newest last: state and pending packages are asked of them at the end.
        self.pipelines: dict[str, Any] = {}
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

    def run(self, pipeline: Any, data: Any, arguments: dict[str, Any]) -> Any:
        self.pipelines[pipeline.pipeline_name] = pipeline
        if dlt_drop.finish_interrupted(pipeline, os.path.dirname(self._request["loaded_file"])):
            # What earlier attempts loaded is gone with it.
            self._journal.forget(pipeline.pipeline_name)
        recovered = self._finish_pending(pipeline, arguments)
        if data is None:
            return recovered or self._original(pipeline, None, **arguments)
        data, resources = self._select(data, arguments)
        if data is None:
            return None
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
        names = sorted(resource.name for resource in resources) or [_name_of(data, arguments) or ""]
        appends = self._appending(resources, arguments)
        if appends and not self._request["refresh"]:
            done_before = self._done_before(call, names, pipeline)
            if done_before is not None:
                events.log("info", f"{', '.join(names)}: loaded by an earlier attempt already, not appended again")
                self._journal.update(call, **self._journal.before[call])
                self.loads.append(done_before)
                return pipeline.last_trace.last_load_info if pipeline.last_trace else None
        self.appended.update(appends)
        override = _disposition(arguments.get("write_disposition"))
        if call in self._recovered and all(_is_append(override, resource) for resource in resources):
            # These rows came on top of what the cursor finds now.
            self.loads.append(self._recovered.pop(call))
        return self._load(pipeline, call, names, data, arguments)

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
        if not pipeline.has_pending_data:
            return None
        events.log("info", f"{pipeline.pipeline_name}: finishing a load that an earlier attempt left pending")
        events.emit("pending", pipeline=pipeline.pipeline_name)
        call = self._journal.started_before(pipeline.pipeline_name)
        stored = self._journal.before.get(call or "", {}).get("load") or {}
        load = self._observer.load = Load.from_json(stored)
        load.schema_changes = []
        info = self._original(pipeline, None, **{name: arguments[name] for name in PLACE_ARGUMENTS if name in arguments})
        if call is not None:
            self._recovered[call] = load
        return info

    def _done_before(self, call: str, names: list[str], pipeline: Any) -> Load | None:
        """The load of an earlier attempt that this call would repeat; only asked where repeating doubles rows."""
        before = self._journal.before.get(call)
        if before is None or before.get("resources") != names:
            return None
        same_work = self._journal.is_retry or self._request["partitioned"]
        if call in self._recovered:
            return self._recovered[call] if same_work else None
        if not self._journal.is_retry:
            return None
        load = Load.from_json(before.get("load") or {})
        through = set(load.load_ids) <= set(pipeline.list_completed_load_packages())
        if before.get("state") == "done" or (load.load_ids and through):
            return load
        return None

    def _appending(self, resources: list[Any], arguments: dict[str, Any]) -> list[str]:
        """Resources that add their rows to what is there, whatever is there."""
        override = _disposition(arguments.get("write_disposition"))
        if not resources:
            return [] if override in ("replace", "merge") else ["*"]
        found = []
        for resource in resources:
            cursor = dlt_window.current_incremental(resource)
            keeps_state = cursor is not None and cursor.end_value is None
            if not keeps_state and _is_append(override, resource):
                found.append(resource.name)
        return found

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


def _is_append(override: str | None, resource: Any) -> bool:
    """A disposition that depends on the rows (a function) counts as append, the one that can double them."""
    return (override or _disposition(resource.write_disposition) or "append") == "append"

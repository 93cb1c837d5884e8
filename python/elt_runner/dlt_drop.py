"""Resets resources of a dlt pipeline: their tables and state in the destination, what is kept of them here, pending packages.

A drop is several steps in two places. Before the first of them it is written down in `drop.json`, and after the last it is
crossed out: whoever comes next, a repeated drop or a load, finishes what was begun before doing anything else. A load on
tables that are gone with cursors that stayed would leave rows out for good.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import shutil
import time
from collections.abc import Iterator
from typing import Any

from dlt.pipeline import helpers

from elt_runner import dlt_state, events
from elt_runner.errors import Failure

Facts = dict[str, Any]

FILE = "drop.json"
#: In older releases of dlt the class has another name.
Command = getattr(helpers, "pipeline_drop", None) or getattr(helpers, "DropCommand")


class Kept:
    """What is kept beside dlt's own working directories, all below `<state>/dlt`."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._file = os.path.join(folder, FILE)

    def unfinished(self) -> Facts | None:
        """{run_id, at, resources, pipelines: {name: what it takes away}} of a drop that was begun."""
        try:
            with open(self._file, encoding="utf-8") as content:
                stored = json.load(content)
        except (FileNotFoundError, ValueError):
            return None
        return stored if isinstance(stored, dict) and isinstance(stored.get("pipelines"), dict) else None

    def begin(self, resources: list[str] | None, plans: list[Facts]) -> Facts:
        """What an earlier drop began and did not finish becomes part of this one."""
        before = self.unfinished() or {"resources": [], "pipelines": {}}
        both = None if resources is None or before["resources"] is None else sorted({*resources, *before["resources"]})
        pipelines = {**before["pipelines"], **{plan["pipeline"]: plan for plan in plans}}
        intent = {"run_id": os.environ.get("ELT_RUN_ID", ""), "at": time.time(), "resources": both, "pipelines": pipelines}
        self.write(intent)
        return intent

    def write(self, intent: Facts) -> None:
        os.makedirs(self.folder, exist_ok=True)
        with open(self._file + ".tmp", "w", encoding="utf-8") as target:
            json.dump(intent, target)
            target.flush()
            os.fsync(target.fileno())
        os.replace(self._file + ".tmp", self._file)
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def cross_out(self, intent: Facts, pipeline: str) -> None:
        """One pipeline is done; with the last one the whole drop."""
        del intent["pipelines"][pipeline]
        if intent["pipelines"]:
            self.write(intent)
            return
        self._forget(intent["resources"])
        os.remove(self._file)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Loads of several partitions may begin at once; one of them finishes what was interrupted, the others wait."""
        descriptor = os.open(self._file + ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def partition_dirs(self) -> list[str]:
        return sorted(glob.glob(os.path.join(glob.escape(self.folder), "partitions", "*")))

    def _forget(self, resources: list[str] | None) -> None:
        """Journals are about pending packages, of which none is left; partitions that were appended can be appended again."""
        for file in glob.glob(os.path.join(glob.escape(self.folder), "journal-*.json")):
            os.remove(file)
        loaded = os.path.join(self.folder, "loaded.json")
        if resources is None:
            if os.path.exists(loaded):
                os.remove(loaded)
            return
        try:
            with open(loaded, encoding="utf-8") as content:
                known = json.load(content)
        except (FileNotFoundError, ValueError):
            return
        with open(loaded + ".tmp", "w", encoding="utf-8") as target:
            json.dump({name: keys for name, keys in known.items() if name not in resources}, target)
        os.replace(loaded + ".tmp", loaded)


def planned(view: dlt_state.View, wanted: list[str] | None, partition_dirs: list[str]) -> Facts:
    """What a drop takes away of one pipeline: looked up, not done."""
    tables = list(dlt_state.tables_of(view))
    dlt_state.count_rows(view.stored, tables)
    known = dlt_state.resources(view, {}, tables)
    chosen = [resource for resource in known if wanted is None or resource["name"] in wanted]
    names = [resource["name"] for resource in chosen]
    return {
        "pipeline": view.pipeline.pipeline_name,
        "destination": (view.pipeline.destination and view.pipeline.destination.destination_name) or None,
        "dataset": view.pipeline.dataset_name,
        "resources": names,
        "tables": [
            {"name": table["name"], "resource": table["resource"], "rows": table["rows"], "nested": table["parent"] is not None}
            for table in tables
            if table["resource"] in names
        ],
        "cursors": [
            {"resource": resource["name"], "path": cursor["path"], "last_value": cursor["last_value"]}
            for resource in chosen
            for cursor in resource["cursors"]
        ],
        "pending": dlt_state.pending_everywhere(view.pipeline, partition_dirs),
    }


def refuse_foreign_pending(view: dlt_state.View, plan: Facts, wanted: list[str] | None) -> None:
    """A package of other resources too cannot be taken away for one of them: what it has loaded already would come twice."""
    if wanted is None:
        return
    for package in plan["pending"]:
        owners = {dlt_state.resource_of([view.pipeline, view.source], package["schema"], table) for table in package["tables"]}
        others = sorted(owners - set(wanted))
        if others:
            raise Failure(
                "config",
                f"load {package['load_id']} of {plan['pipeline']} is pending and holds rows of {', '.join(others)} too:"
                " run the load to its end first, or drop the whole pipeline",
                "PendingLoad",
            )


def execute(pipeline: Any, wanted: list[str] | None) -> None:
    """Takes the resources away. Done again after it was interrupted anywhere, it comes to the same end."""
    pipeline.activate()
    _abort_pending(pipeline)
    if pipeline.destination is None:
        return
    pipeline.sync_destination()
    for schema_name in list(pipeline.schema_names):
        if wanted is None:
            command = Command(pipeline, schema_name=schema_name, state_paths="*", drop_all=True)
        else:
            command = Command(pipeline, resources=wanted, schema_name=schema_name)
        if not command.is_empty:
            command()


def remove_partition_dirs(kept: Kept) -> None:
    """What loads of partitions left pending is of what is dropped; their cursors and schemas stand in the destination."""
    for folder in kept.partition_dirs():
        shutil.rmtree(folder, ignore_errors=True)


def _abort_pending(pipeline: Any) -> None:
    if not pipeline.list_extracted_load_packages() and not pipeline.list_normalized_load_packages():
        return
    abort = getattr(pipeline, "abort_packages", None) or pipeline.drop_pending_packages
    abort()
    if pipeline.list_extracted_load_packages() or pipeline.list_normalized_load_packages():
        raise Failure("user", f"the pending packages of {pipeline.pipeline_name} could not be removed", "PendingLoad")


def verify(pipeline: Any, wanted: list[str] | None) -> None:
    """Asks the destination anew: what was dropped must not stand there."""
    with dlt_state.view(pipeline) as view:
        left = [resource for resource in dlt_state.resources(view, {}, list(dlt_state.tables_of(view))) if wanted is None or resource["name"] in wanted]
        names = sorted(resource["name"] for resource in left if resource["tables"] or resource["cursors"])
    if names:
        raise Failure("user", f"{pipeline.pipeline_name} still has tables or state of {', '.join(names)} after the drop", "DropFailed")


def finish_interrupted(pipeline: Any, folder: str) -> bool:
    """Called before a load: a drop that was begun for this pipeline and not finished is finished first.

    @returns whether there was one
    """
    kept = Kept(folder)
    if kept.unfinished() is None:
        return False
    with kept.alone():
        intent = kept.unfinished()
        name = pipeline.pipeline_name
        if intent is None or name not in intent["pipelines"]:
            return False
        what = "all its resources" if intent["resources"] is None else ", ".join(intent["resources"])
        events.log("warning", f"{name}: the drop of {what} by run {intent['run_id']} was interrupted; finishing it before anything is loaded")
        target = pipeline
        if _is_of_a_partition(pipeline, folder):
            _abort_pending(pipeline)
            target = dlt_state.beside(pipeline, os.path.join(folder, "pipelines"))
        execute(target, intent["resources"])
        verify(target, intent["resources"])
        events.emit("dlt_dropped", finished_for=intent["run_id"], pipelines=[intent["pipelines"][name]])
        kept.cross_out(intent, name)
        pipeline.activate()
    return True


def _is_of_a_partition(pipeline: Any, folder: str) -> bool:
    partitions = os.path.realpath(os.path.join(folder, "partitions"))
    return os.path.realpath(pipeline.pipelines_dir).startswith(partitions + os.sep)

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
from collections.abc import Callable, Iterator
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
        """{run_id, at, pipelines: {name: what it takes away}} of a drop that was begun."""
        try:
            with open(self._file, encoding="utf-8") as content:
                stored = json.load(content)
        except (FileNotFoundError, ValueError):
            return None
        return stored if isinstance(stored, dict) and isinstance(stored.get("pipelines"), dict) else None

    def begin(self, plans: list[Facts]) -> Facts:
        """What an earlier drop began and did not finish becomes part of this one."""
        pipelines = (self.unfinished() or {"pipelines": {}})["pipelines"]
        for plan in plans:
            before = pipelines.get(plan["pipeline"])
            if before is not None:
                pipelines[plan["pipeline"]] = _both(before, plan)
            elif takes_something(plan):
                pipelines[plan["pipeline"]] = plan
        intent = {"run_id": os.environ.get("ELT_RUN_ID", ""), "at": time.time(), "pipelines": pipelines}
        if pipelines:
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
        plan = intent["pipelines"].pop(pipeline)
        self._forget(plan["resources"])
        if intent["pipelines"]:
            self.write(intent)
        else:
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

    def _forget(self, resources: list[str]) -> None:
        """Journals are about pending packages, of which none is left, and about loads that are gone; partitions that were
        appended can be appended again."""
        for file in glob.glob(os.path.join(glob.escape(self.folder), "journal-*.json")):
            os.remove(file)
        shutil.rmtree(os.path.join(self.folder, "finished"), ignore_errors=True)
        loaded = os.path.join(self.folder, "loaded.json")
        try:
            with open(loaded, encoding="utf-8") as content:
                known = json.load(content)
        except (FileNotFoundError, ValueError):
            return
        with open(loaded + ".tmp", "w", encoding="utf-8") as target:
            json.dump({name: keys for name, keys in known.items() if name not in resources}, target)
        os.replace(loaded + ".tmp", loaded)


def _both(before: Facts, plan: Facts) -> Facts:
    """What two drops of a pipeline take away together; the newer one knows better what is still there."""
    resources = sorted({*before["resources"], *plan["resources"]})
    whole = before["whole"] or plan["whole"]
    return {**plan, "resources": resources, "whole": whole, "shares_schema": before["shares_schema"] or plan["shares_schema"]}


class Target:
    """A pipeline of the folder. `is_own`: whether a resource is loaded under its name; others of its source may be loaded
    under names of their own, and share its schema."""

    def __init__(self, pipeline: Any, offered: dict[str, Facts], is_own: Callable[[str], bool], shares_schema: bool) -> None:
        self.pipeline = pipeline
        self.offered = offered
        self.is_own = is_own
        self.shares_schema = shares_schema


def planned(target: Target, view: dlt_state.View, wanted: list[str] | None, partition_dirs: list[str]) -> Facts:
    """What a drop takes away of one pipeline: looked up, not done.

    Of the whole pipeline, that is what its code offers, what it has a state of, and what its working directory knows: a
    schema of the same name in the destination can have tables of somebody else.
    """
    tables = list(dlt_state.tables_of(view))
    dlt_state.count_rows(view.stored, tables)
    known = dlt_state.resources(view, {}, tables)
    own = {*target.offered, *dlt_state.stateful(view.state), *dlt_state.local_resources(view.pipeline)}
    chosen = [
        resource
        for resource in known
        if target.is_own(resource["name"]) and (resource["name"] in own if wanted is None else resource["name"] in wanted)
    ]
    names = [resource["name"] for resource in chosen]
    return {
        "pipeline": view.pipeline.pipeline_name,
        "destination": (view.pipeline.destination and view.pipeline.destination.destination_name) or None,
        "dataset": view.pipeline.dataset_name,
        "whole": wanted is None,
        "shares_schema": target.shares_schema,
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


def takes_something(plan: Facts) -> bool:
    return bool(plan["resources"] or plan["pending"])


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


def execute(pipeline: Any, plan: Facts) -> None:
    """Takes the resources away. Done again after it was interrupted anywhere, it comes to the same end."""
    pipeline.activate()
    _abort_pending(pipeline)
    if pipeline.destination is None or not plan["resources"]:
        return
    pipeline.sync_destination()
    if plan["shares_schema"]:
        dlt_state.widen(pipeline, pipeline)
    for schema_name in list(pipeline.schema_names):
        # State of the source itself, beside that of its resources, goes with the whole of it.
        paths = "*" if plan["whole"] else ()
        command = Command(pipeline, resources=plan["resources"], schema_name=schema_name, state_paths=paths)
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


def verify(pipeline: Any, plan: Facts) -> None:
    """Asks the destination anew: what was dropped must not stand there."""
    with dlt_state.view(pipeline, plan["shares_schema"]) as view:
        tables = list(dlt_state.tables_of(view))
        dlt_state.count_rows(view.stored, tables)
        there = {table["resource"] for table in tables if table["rows"] is not None}
        left = sorted((there | set(dlt_state.stateful(view.state))) & set(plan["resources"]))
    if left:
        raise Failure("user", f"{pipeline.pipeline_name} still has tables or state of {', '.join(left)} after the drop", "DropFailed")


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
        plan = intent["pipelines"][name]
        what = ", ".join(plan["resources"]) or "nothing"
        events.log("warning", f"{name}: the drop of {what} by run {intent['run_id']} was interrupted; finishing it before anything is loaded")
        target = pipeline
        if _is_of_a_partition(pipeline, folder):
            _abort_pending(pipeline)
            target = dlt_state.beside(pipeline, os.path.join(folder, "pipelines"))
        execute(target, plan)
        verify(target, plan)
        events.emit("dlt_dropped", finished_for=intent["run_id"], pipelines=[plan])
        kept.cross_out(intent, name)
        pipeline.activate()
    return True


def _is_of_a_partition(pipeline: Any, folder: str) -> bool:
    partitions = os.path.realpath(os.path.join(folder, "partitions"))
    return os.path.realpath(pipeline.pipelines_dir).startswith(partitions + os.sep)

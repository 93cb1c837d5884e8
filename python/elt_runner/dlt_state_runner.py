"""Looks at a dlt pipeline's state, or drops it, as a step: same environment, same working directory, same limits as a load."""

from __future__ import annotations

import difflib
import json
import os
import signal
import sys
from typing import Any

import dlt

from elt_runner import dlt_drop, dlt_runner, dlt_state, dlt_window, events
from elt_runner.dlt_look import Look
from elt_runner.errors import Failure

Request = dict[str, Any]
Facts = dict[str, Any]

#: Of one event's tables, in bytes of JSON: an event has to fit into a line.
LARGEST_PART = 200_000
#: A state beyond this is not told.
LARGEST_STATE = 400_000


def main(request: Request) -> int:
    signal.signal(signal.SIGTERM, dlt_runner.cancel)
    signal.signal(signal.SIGINT, dlt_runner.cancel)
    sys.path.insert(0, os.getcwd())
    sys.dont_write_bytecode = True
    dlt_window.lower_row_order()
    step = dlt_runner.Step(request)
    try:
        look = _look(request, step)
        kept = dlt_drop.Kept(os.path.dirname(request["loaded_file"]))
        if request["operation"]["action"] == "read":
            _read(request["operation"], look, kept)
        else:
            _drop(request["operation"], look, kept)
    except BaseException as error:
        return step.fail(error)
    events.emit("end", status="ok")
    return 0


def _look(request: Request, step: dlt_runner.Step) -> Look:
    """Runs the folder's code as for its newest partition, or for none."""
    look = Look()
    key = None
    for partition in request["partitions"]:
        key = partition["key"]
        os.environ.update(partition["variables"])
    entry, _ = step.entry()
    look.through(lambda: entry(key))
    for pipeline in list(look.pipelines.values()):
        for own in dlt_state.names_of_resources(pipeline):
            if own not in look.pipelines:
                look.pipelines[own] = dlt_state.beside(pipeline, pipeline.pipelines_dir, own)
    return look


def _read(operation: Facts, look: Look, kept: dlt_drop.Kept) -> None:
    intent = kept.unfinished()
    names = list(look.pipelines)
    for number, (name, pipeline) in enumerate(look.pipelines.items()):
        with dlt_state.view(pipeline) as view:
            facts, tables, state = dlt_state.report(view, look.offered.get(name, {}), operation["rows"], kept.partition_dirs())
        if number == 0:
            facts["warnings"] = [*look.warnings, *facts["warnings"]]
        unfinished = None
        if intent is not None and name in intent["pipelines"]:
            unfinished = {"run_id": intent["run_id"], "resources": intent["resources"]}
        events.emit("dlt_state", pipeline=name, of=names, dlt_version=dlt.__version__, facts={**facts, "unfinished_drop": unfinished})
        for part in _parts(tables):
            events.emit("dlt_state_tables", pipeline=name, tables=part)
        too_long = len(json.dumps(state, default=str)) > LARGEST_STATE
        events.emit("dlt_state_json", pipeline=name, state=None if too_long else state)


def _parts(tables: list[Facts]) -> list[list[Facts]]:
    parts: list[list[Facts]] = []
    size = LARGEST_PART
    for table in tables:
        length = len(json.dumps(table, default=str))
        if size + length > LARGEST_PART:
            parts.append([])
            size = 0
        parts[-1].append(table)
        size += length
    return parts


def _drop(operation: Facts, look: Look, kept: dlt_drop.Kept) -> None:
    wanted: list[str] | None = operation["resources"]
    dirs = kept.partition_dirs()
    plans = []
    known: set[str] = {name for offered in look.offered.values() for name in offered}
    for pipeline in look.pipelines.values():
        with dlt_state.view(pipeline) as view:
            plan = dlt_drop.planned(view, wanted, dirs)
            known.update(resource["name"] for resource in dlt_state.resources(view, {}, list(dlt_state.tables_of(view))))
            dlt_drop.refuse_foreign_pending(view, plan, wanted)
        plans.append(plan)
    _refuse_unknown(wanted, known)
    if operation["action"] == "preview":
        events.emit("dlt_drop_preview", pipelines=plans)
        return
    # From here on a wish to stop comes too late: what is begun is brought to its end, which is near.
    signal.signal(signal.SIGTERM, _finish_first)
    signal.signal(signal.SIGINT, _finish_first)
    intent = kept.begin(wanted, plans)
    dlt_drop.remove_partition_dirs(kept)
    for name, pipeline in look.pipelines.items():
        dlt_drop.execute(pipeline, intent["resources"])
        dlt_drop.verify(pipeline, intent["resources"])
    events.emit("dlt_dropped", finished_for=None, pipelines=[intent["pipelines"][plan["pipeline"]] for plan in plans])
    for plan in plans:
        print(_told(plan))
        kept.cross_out(intent, plan["pipeline"])


def _refuse_unknown(wanted: list[str] | None, known: set[str]) -> None:
    for name in wanted or []:
        if name in known:
            continue
        near = difflib.get_close_matches(name, sorted(known), 1)
        hint = f"did you mean {near[0]}?" if near else f"it has: {', '.join(sorted(known)) or 'none'}"
        raise Failure("config", f"the pipeline has no resource {name}; {hint}", "UnknownResource")


def _finish_first(_signal: int, _frame: Any) -> None:
    events.log("warning", "a drop that was begun is finished; it cannot be stopped half way")


def _told(plan: Facts) -> str:
    tables = ", ".join(f"{table['name']} ({table['rows']} rows)" for table in plan["tables"]) or "no tables"
    return f"{plan['pipeline']}: dropped {tables}; cursors reset: {len(plan['cursors'])}"

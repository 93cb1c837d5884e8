"""Looks at a dlt pipeline's state, or drops it, as a step: same environment, same working directory, same limits as a load."""

from __future__ import annotations

import difflib
import json
import os
import signal
import sys
from typing import Any

import dlt

from elt_runner import dlt_drop, dlt_runner, dlt_state, dlt_unique, dlt_window, events
from elt_runner.dlt_drop import Target
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
        targets, warnings = _look(request, step)
        kept = dlt_drop.Kept(os.path.dirname(request["loaded_file"]))
        if request["operation"]["action"] == "read":
            _read(request["operation"], targets, warnings, kept)
        else:
            _drop(request["operation"], targets, kept)
    except BaseException as error:
        return step.fail(error)
    events.emit("end", status="ok")
    return 0


def _look(request: Request, step: dlt_runner.Step) -> tuple[list[Target], list[str]]:
    """Runs the folder's code as for its newest partition, or for none. @returns its pipelines, and what went wrong"""
    look = Look()
    key = None
    for partition in request["partitions"]:
        key = partition["key"]
        os.environ.update(partition["variables"])
    entry, _ = step.entry()
    look.through(lambda: entry(key))
    targets: list[Target] = []
    for name, pipeline in look.pipelines.items():
        targets.extend(_family(pipeline, look.offered.get(name, {}), set(look.pipelines)))
    return targets, look.warnings


def _family(pipeline: Any, offered: dict[str, Facts], made: set[str]) -> list[Target]:
    """The pipeline, and those that load single resources of it under names of their own."""
    base = pipeline.pipeline_name
    names = [name for name in dlt_state.names_of_resources(pipeline, offered) if name not in made]
    if not names:
        return [Target(pipeline, offered, lambda _: True, False)]
    dlt_unique.keep_sections()
    for name in names:
        dlt_unique.given[name] = base
    family = [Target(pipeline, offered, lambda resource: dlt_unique.name_for(base, resource) not in names, True)]
    for name in names:
        own = dlt_state.beside(pipeline, pipeline.pipelines_dir, name)
        family.append(Target(own, offered, lambda resource, own_name=name: dlt_unique.name_for(base, resource) == own_name, True))
    return family


def _read(operation: Facts, targets: list[Target], warnings: list[str], kept: dlt_drop.Kept) -> None:
    unfinished = kept.unfinished() or {"pipelines": {}}
    for number, target in enumerate(targets):
        name = target.pipeline.pipeline_name
        with dlt_state.view(target.pipeline, target.shares_schema) as view:
            facts, tables, state = dlt_state.report(view, target.offered, target.is_own, operation["rows"], kept.partition_dirs())
        plan = unfinished["pipelines"].get(name)
        facts["unfinished_drop"] = None if plan is None else {"run_id": unfinished["run_id"], "resources": plan["resources"]}
        facts["warnings"] = [*(warnings if number == 0 else []), *facts["warnings"]]
        events.emit("dlt_state", pipeline=name, dlt_version=dlt.__version__, facts=facts)
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


def _drop(operation: Facts, targets: list[Target], kept: dlt_drop.Kept) -> None:
    wanted: list[str] | None = operation["resources"]
    dirs = kept.partition_dirs()
    plans = []
    known: set[str] = {name for target in targets for name in target.offered}
    for target in targets:
        with dlt_state.view(target.pipeline, target.shares_schema) as view:
            plan = dlt_drop.planned(target, view, wanted, dirs)
            known.update(resource["name"] for resource in dlt_state.resources(view, {}, list(dlt_state.tables_of(view))))
            dlt_drop.refuse_foreign_pending(view, plan, wanted)
        plans.append(plan)
    _refuse_unknown(wanted, known)
    if operation["action"] == "preview":
        events.emit("dlt_drop_preview", pipelines=[plan for plan in plans if dlt_drop.takes_something(plan)] or plans[:1])
        return
    # From here on a wish to stop comes too late: what is begun is brought to its end, which is near.
    signal.signal(signal.SIGTERM, _finish_first)
    signal.signal(signal.SIGINT, _finish_first)
    intent = kept.begin(plans)
    dlt_drop.remove_partition_dirs(kept)
    done = []
    for target in targets:
        plan = intent["pipelines"].get(target.pipeline.pipeline_name)
        if plan is not None:
            dlt_drop.execute(target.pipeline, _of_family(plan, intent))
            dlt_drop.verify(target.pipeline, _of_family(plan, intent))
            done.append(plan)
    events.emit("dlt_dropped", finished_for=None, pipelines=done or plans[:1])
    for plan in done:
        print(_told(plan))
        kept.cross_out(intent, plan["pipeline"])


def _of_family(plan: Facts, intent: Facts) -> Facts:
    """Pipelines that share a schema drop the resources of all of them: each has stored a version of it, the newest counts."""
    if not plan["shares_schema"]:
        return plan
    names = {name for other in intent["pipelines"].values() if other["shares_schema"] for name in other["resources"]}
    return {**plan, "resources": sorted(names)}


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

"""Reads what dlt knows of a pipeline: its working directory here, and what stands in its destination. Changes neither.

What stands in the destination is read into a working directory of its own that is thrown away: to restore it into the
pipeline's would already be what the next load does, and can take pending packages with it.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import glob
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import dlt

from elt_runner import dlt_target, dlt_unique

Facts = dict[str, Any]

#: Loads of the destination that are named, newest first.
LAST_LOADS = 5
#: Longer lists of a state (hashes of rows at the cursor's last value) are told by their length.
LONGEST_LIST = 20
LONGEST_TEXT = 2_000


class View:
    """One pipeline as it stands. `stored` is the pipeline as its destination knows it, None if nothing stands there."""

    def __init__(self, pipeline: Any, stored: Any | None, warnings: list[str]) -> None:
        self.pipeline = pipeline
        self.stored = stored
        self.warnings = warnings
        local = pipeline.state
        remote = stored.state if stored is not None else None
        #: Where the next load goes on from: the destination wins unless a load that is still pending came further.
        self.from_destination = remote is not None and (
            not _has_sources(local) or remote["_state_version"] >= local["_state_version"]
        )
        self.source = stored if self.from_destination else pipeline
        self.state: Facts = remote if self.from_destination and remote is not None else local


@contextlib.contextmanager
def view(pipeline: Any, shares_schema: bool = False) -> Iterator[View]:
    pipeline.activate()
    with tempfile.TemporaryDirectory(prefix="elt-dlt-") as scratch:
        warnings: list[str] = []
        stored = None
        if _may_exist(pipeline):
            stored = beside(pipeline, scratch)
            stored.sync_destination()
            if not stored.schema_names and not _has_sources(stored.state):
                stored = None
            elif shares_schema:
                widen(stored, stored)
        yield View(pipeline, stored, warnings)
        pipeline.activate()


def beside(pipeline: Any, pipelines_dir: str, name: str | None = None) -> Any:
    """The same pipeline with another working directory or name: same destination, credentials and dataset."""
    other = dlt.pipeline(
        pipeline_name=name or pipeline.pipeline_name,
        pipelines_dir=pipelines_dir,
        destination=_unbound(pipeline.destination),
        staging=_unbound(pipeline.staging),
    )
    with other.managed_state():
        # As it is: a layout of dataset names that the configuration has is in it already.
        other.dataset_name = pipeline.dataset_name
    return other


def _unbound(destination: Any) -> Any:
    """A pipeline binds its destination to its own working directory, which another one must not inherit."""
    if destination is None:
        return None
    free = copy.copy(destination)
    free.config_params = {name: value for name, value in destination.config_params.items() if name != "pipeline_working_dir"}
    return free


def _may_exist(pipeline: Any) -> bool:
    """A database in a file that is not there holds nothing, and to open it would make it."""
    if pipeline.destination is None:
        return False
    # Not entered: that would connect.
    config = pipeline.destination_client().config
    place = dlt_target.database(config) if hasattr(config, "credentials") else {}
    return place.get("kind") not in ("duckdb", "sqlite") or os.path.exists(place["path"])


def names_of_resources(pipeline: Any, offered: Iterable[str]) -> list[str]:
    """Names under which single resources of the pipeline are loaded by processes of their own: `github__issues`.

    Working directories here are this folder's; in the destination other folders may have names that begin alike.
    """
    name = pipeline.pipeline_name
    found = {os.path.basename(path) for path in glob.glob(os.path.join(glob.escape(pipeline.pipelines_dir), f"{glob.escape(name)}__*"))}
    possible = {dlt_unique.name_for(name, resource) for resource in offered} - {name}
    if possible and _may_exist(pipeline):
        rows = _ask(pipeline, "SELECT DISTINCT pipeline_name FROM {table}", "_dlt_pipeline_state")
        found.update(possible & {row[0] for row in rows})
    return sorted(found)


def widen(pipeline: Any, stored: Any | None) -> None:
    """Adds tables to the pipeline's schemas that only other stored versions of them have, if they are there.

    Pipelines that load the resources of one source each store a schema of the same name, which has their own tables alone.
    """
    for name in pipeline.schema_names:
        query = "SELECT {schema} FROM {table} WHERE schema_name = %s ORDER BY inserted_at DESC"
        schema = pipeline.schemas[name]
        for (text,) in _ask(stored, query, "_dlt_version", name):
            for table in json.loads(text)["tables"].values():
                if table["name"] not in schema.tables and not table["name"].startswith("_dlt_") and _is_there(stored, name, table["name"]):
                    schema.tables[table["name"]] = table
        pipeline.schemas.save_schema(schema)


def _is_there(stored: Any, schema_name: str, table: str) -> bool:
    with _sql(stored, schema_name) as client:
        return client is not None and _count(client, table) is not None


def _ask(stored: Any | None, query: str, table: str, *values: Any) -> list[Any]:
    """Rows of one of dlt's own tables; none where the destination has none."""
    from dlt.destinations.exceptions import DatabaseUndefinedRelation

    if stored is None:
        return []
    with _sql(stored, stored.default_schema_name) as client:
        if client is None:
            return []
        text = query.format(table=client.make_qualified_table_name(table), schema=client.escape_column_name("schema"))
        try:
            return list(client.execute_sql(text, *values) or [])
        except DatabaseUndefinedRelation:
            return []


def report(
    pipeline_view: View, offered: dict[str, Facts], is_own: Callable[[str], bool], rows: bool, partition_dirs: list[str]
) -> tuple[Facts, list[Facts], Any]:
    """What is told of a pipeline: its facts, its tables, its state. `is_own`: whether a resource is loaded under its name."""
    pipeline = pipeline_view.pipeline
    offered = {name: facts for name, facts in offered.items() if is_own(name)}
    tables = [table for table in tables_of(pipeline_view) if is_own(table["resource"])]
    if rows:
        count_rows(pipeline_view.stored, tables)
    facts = {
        "name": pipeline.pipeline_name,
        "destination": _destination(pipeline),
        "dataset": pipeline.dataset_name,
        "working_dir": pipeline.working_dir,
        "has_local_state": _has_sources(pipeline.state) or bool(pipeline.schema_names),
        "stored_in_destination": pipeline_view.stored is not None,
        "state_from": "destination" if pipeline_view.from_destination else "working_dir",
        "state_version": pipeline_view.state.get("_state_version"),
        "schemas": [_schema(pipeline_view.source, name) for name in pipeline_view.source.schema_names],
        "resources": [one for one in resources(pipeline_view, offered, tables) if is_own(one["name"])],
        "pending": pending_everywhere(pipeline, partition_dirs),
        "loads": _loads(pipeline_view.stored),
        "trace": _trace(pipeline),
        "warnings": pipeline_view.warnings,
    }
    shown = {name: value for name, value in pipeline_view.state.items() if name != "_local"}
    return facts, tables, shorten(shown)


def resources(pipeline_view: View, offered: dict[str, Facts], tables: list[Facts]) -> list[Facts]:
    """Resources that the code offers, that have a state, or that have tables; with what was loaded last of each."""
    found: dict[str, Facts] = {}

    def entry(name: str) -> Facts:
        return found.setdefault(name, {"name": name, "source": None, "cursors": [], "rows": None, "tables": [], "write_disposition": None})

    for name in offered:
        entry(name)
    for source_name, source in (pipeline_view.state.get("sources") or {}).items():
        for name, state in (source.get("resources") or {}).items():
            facts = entry(name)
            facts["source"] = source_name
            for path, values in (state.get("incremental") or {}).items():
                facts["cursors"].append(
                    {"path": path, "initial_value": plain(values.get("initial_value")), "last_value": plain(values.get("last_value"))}
                )
    for table in tables:
        facts = entry(table["resource"])
        facts["tables"].append(table["name"])
        if table["parent"] is None:
            facts["write_disposition"] = table["write_disposition"]
            # Tables of nested data hold parts of these rows.
            if table["rows"] is not None:
                facts["rows"] = (facts["rows"] or 0) + table["rows"]
    for name, declared in offered.items():
        path = declared["cursor_path"]
        if path is not None and not any(cursor["path"] == path for cursor in found[name]["cursors"]):
            found[name]["cursors"].append({"path": path, "initial_value": plain(declared["initial_value"]), "last_value": None})
    return [found[name] for name in sorted(found)]


def tables_of(pipeline_view: View) -> Iterator[Facts]:
    for schema_name in pipeline_view.source.schema_names:
        schema = pipeline_view.source.schemas[schema_name]
        for table in schema.data_tables(seen_data_only=True):
            root = table
            while root.get("parent"):
                root = schema.tables[root["parent"]]
            yield {
                "name": table["name"],
                "schema": schema_name,
                "resource": root.get("resource") or root["name"],
                "parent": table.get("parent"),
                "write_disposition": root.get("write_disposition"),
                "columns": [
                    {
                        "name": name,
                        "type": column.get("data_type"),
                        "nullable": column.get("nullable", True),
                        "primary_key": bool(column.get("primary_key")),
                    }
                    for name, column in table.get("columns", {}).items()
                    if column.get("data_type")
                ],
                "rows": None,
            }


def count_rows(stored: Any | None, tables: list[Facts]) -> None:
    """Rows that stand in the destination now; None where it cannot be asked."""
    if stored is None:
        return
    for schema_name in {table["schema"] for table in tables}:
        with _sql(stored, schema_name) as client:
            for table in tables if client is not None else []:
                if table["schema"] == schema_name:
                    table["rows"] = _count(client, table["name"])


@contextlib.contextmanager
def _sql(stored: Any, schema_name: str | None) -> Iterator[Any | None]:
    from dlt.common.destination.exceptions import SqlClientNotAvailable

    try:
        client = stored.sql_client(schema_name)
    except SqlClientNotAvailable:
        yield None
        return
    with client:
        yield client


def _count(client: Any, table: str) -> int | None:
    from dlt.destinations.exceptions import DatabaseUndefinedRelation

    try:
        found = client.execute_sql(f"SELECT count(*) FROM {client.make_qualified_table_name(table)}")
    except DatabaseUndefinedRelation:
        return None
    return int(found[0][0]) if found else None


def _loads(stored: Any | None) -> list[Facts]:
    names = stored.schema_names if stored is not None else []
    where = f"WHERE schema_name IN ({', '.join(['%s'] * len(names))}) " if names else ""
    query = "SELECT load_id, inserted_at, schema_name, status FROM {table} " + where + f"ORDER BY inserted_at DESC LIMIT {LAST_LOADS}"
    found = _ask(stored, query, "_dlt_loads", *names)
    return [{"load_id": row[0], "at": plain(row[1]), "schema": row[2], "ok": row[3] == 0} for row in found]


def _destination(pipeline: Any) -> Facts | None:
    if pipeline.destination is None:
        return None
    return {"name": pipeline.destination.destination_name, "type": pipeline.destination.destination_type.rpartition(".")[2]}


def _schema(pipeline: Any, name: str) -> Facts:
    schema = pipeline.schemas[name]
    return {"name": name, "version": schema.version, "version_hash": schema.version_hash, "is_default": name == pipeline.default_schema_name}


def pending(pipeline: Any) -> list[Facts]:
    """Packages that were extracted and not loaded: the next load begins with them."""
    found: list[Facts] = []
    stages = (("extracted", pipeline.list_extracted_load_packages()), ("normalized", pipeline.list_normalized_load_packages()))
    for stage, load_ids in stages:
        for load_id in load_ids:
            info = pipeline.get_load_package_info(load_id)
            jobs = [job for state in info.jobs.values() for job in state]
            tables = sorted({job.job_file_info.table_name for job in jobs})
            found.append(
                {
                    "load_id": load_id,
                    "stage": stage,
                    "schema": info.schema_name,
                    "tables": [table for table in tables if not table.startswith("_dlt_")],
                    "failed_jobs": len(info.jobs.get("failed_jobs", [])),
                    "partition_dir": None,
                }
            )
    return found


def pending_everywhere(pipeline: Any, partition_dirs: list[str]) -> list[Facts]:
    found = pending(pipeline)
    for folder in partition_dirs:
        if not os.path.isdir(os.path.join(folder, "pipelines", pipeline.pipeline_name)):
            continue
        other = beside(pipeline, os.path.join(folder, "pipelines"))
        found.extend({**package, "partition_dir": os.path.basename(folder)} for package in pending(other))
    return found


def resource_of(pipelines: list[Any], schema_name: str, table: str) -> str:
    """The resource that a table belongs to; its own name, if no schema knows it yet."""
    for pipeline in pipelines:
        tables = pipeline.schemas[schema_name].tables if schema_name in pipeline.schema_names else {}
        if table in tables:
            found = tables[table]
            while found.get("parent"):
                found = tables[found["parent"]]
            return str(found.get("resource") or found["name"])
    return table


def stateful(state: Facts) -> list[str]:
    """Resources that a state has something of."""
    return [name for source in (state.get("sources") or {}).values() for name in source.get("resources") or {}]


def local_resources(pipeline: Any) -> set[str]:
    """Resources that have tables in the schemas of the working directory."""
    found = set()
    for name in pipeline.schema_names:
        for table in pipeline.schemas[name].data_tables(include_incomplete=True):
            if table.get("parent") is None:
                found.add(table.get("resource") or table["name"])
    return found


def _trace(pipeline: Any) -> Facts | None:
    try:
        trace = pipeline.last_trace
    except Exception:  # written by another version of dlt
        return None
    if trace is None:
        return None
    return {
        "started_at": plain(trace.started_at),
        "finished_at": plain(trace.finished_at),
        "steps": [
            {
                "step": step.step,
                "started_at": plain(step.started_at),
                "seconds": round((step.finished_at - step.started_at).total_seconds(), 3) if step.finished_at else None,
                "ok": step.step_exception is None,
                "error": str(step.step_exception)[:LONGEST_TEXT] if step.step_exception else None,
            }
            for step in trace.steps
        ],
    }


def _has_sources(state: Facts) -> bool:
    return bool(state.get("sources"))


def shorten(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): shorten(child) for name, child in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        items = list(value)
        return [shorten(item) for item in items] if len(items) <= LONGEST_LIST else f"… {len(items)} values"
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return value[:LONGEST_TEXT] + "…"
    return plain(value)


def plain(value: Any) -> Any:
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)

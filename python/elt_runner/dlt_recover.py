"""Decides about load jobs that an attempt began and did not bring to a record: whether the destination has their rows.

dlt records a finished job a moment after the destination's commit. A process that dies in between leaves a job that looks
as if it had never run, and dlt would run it once more: rows that are appended would be there twice. Rows carry ids, so the
destination is asked for some of the job's ids before the job is run again.
"""

from __future__ import annotations

import collections
import contextlib
import csv
import itertools
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

from dlt.common.schema.typing import C_DLT_ID, C_DLT_LOAD_ID
from dlt.common.storages import FileStorage
from dlt.common.storages.exceptions import LoadPackageNotFound
from dlt.common.storages.load_package import ParsedLoadJobFileName
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.load.load import Load

from elt_runner import events
from elt_runner.errors import Failure

#: Rows at each end of a job's file that are looked for: a job is one transaction nearly everywhere, so a few tell of all.
SAMPLE = 100
#: Statements that come out the same when they run twice, and pointers to files of a staging destination.
NOT_DATA = ("sql", "model")
MOST_NAMED = 10


class Recovery:
    """`uncertain` maps load ids to tables and the rows that are there or not: filled where nobody can tell."""

    def __init__(self, on_uncertain: str) -> None:
        self._on_uncertain = on_uncertain
        self._resumed: set[str] = set()
        self.uncertain: dict[str, dict[str, int]] = {}

    def install(self) -> None:
        resume, complete, recovery = Load.resume_started_jobs, SqlJobClientBase.complete_load, self

        def resume_started_jobs(load: Any, load_id: str, schema: Any) -> Any:
            recovery.settle(load, load_id, schema)
            return resume(load, load_id, schema)

        def complete_load(client: Any, load_id: str) -> None:
            if load_id not in recovery._resumed or not is_registered(client, load_id):
                complete(client, load_id)

        Load.resume_started_jobs = resume_started_jobs  # type: ignore[method-assign]
        SqlJobClientBase.complete_load = complete_load  # type: ignore[method-assign]

    def settle(self, load: Any, load_id: str, schema: Any) -> None:
        """Marks jobs whose rows are at the destination as done, as dlt itself would have done a moment later."""
        packages = load.load_storage.normalized_packages
        jobs = packages.get_load_package_jobs(load_id)
        if jobs["started_jobs"] or jobs["completed_jobs"]:
            self._resumed.add(load_id)
        open_jobs = [
            path
            for path in packages.list_started_jobs(load_id)
            if not _is_recorded(packages, load_id, os.path.basename(path))
        ]
        if not open_jobs:
            return
        unknown: dict[str, int] = {}
        with load.get_destination_client(schema) as client:
            for path in open_jobs:
                name = os.path.basename(path)
                job = ParsedLoadJobFileName.parse(path)
                full = packages.storage.make_full_path(path)
                verdict = _verdict(load, client, schema, job, full, load_id)
                if verdict is None:
                    unknown[job.table_name] = unknown.get(job.table_name, 0) + (_rows_of(full, job.file_format) or 0)
                    verdict = self._on_uncertain == "skip"
                if verdict:
                    events.log("info", f"{job.table_name}: load {load_id} had been committed already, not loaded again")
                    _record(packages, load_id, name)
        if unknown:
            self.uncertain[load_id] = unknown
            self._tell(load_id, unknown)

    def _tell(self, load_id: str, tables: dict[str, int]) -> None:
        named = ", ".join(f"{table} ({rows} rows)" for table, rows in list(tables.items())[:MOST_NAMED])
        text = f"an attempt ended between the destination's commit and its record: load {load_id} may have written {named} or not"
        if self._on_uncertain == "fail":
            raise Failure(
                "data",
                f"{text}. Look whether the rows are there, then say in dagster.yaml: dlt: {{ on_uncertain: skip }} if they are,"
                " or { on_uncertain: load } if they are not",
                "LoadUncertain",
            )
        done = "taken as written" if self._on_uncertain == "skip" else "written again"
        events.log("warning", f"{text}; {done} (dlt.on_uncertain: {self._on_uncertain})")


def _is_recorded(packages: Any, load_id: str, name: str) -> bool:
    look = getattr(packages, "load_pending_transition", None)
    return look is not None and look(load_id, name) is not None


def _record(packages: Any, load_id: str, name: str) -> None:
    """Older releases of dlt have no record between the destination's commit and the end of a job."""
    record = getattr(packages, "save_pending_transition", None)
    if record is not None:
        record(load_id, name, "completed")
    else:
        packages.complete_job(load_id, name)


def _verdict(load: Any, client: Any, schema: Any, job: Any, path: str, load_id: str) -> bool | None:
    """True: the destination has the job's rows. False: running the job again doubles nothing. None: nobody can tell."""
    if load.is_staging_destination_job(path):
        # A copy into a bucket, under a name that is the job's own.
        return False
    table = client.prepare_load_table(job.table_name)
    if job.file_format in NOT_DATA:
        return _was_swapped(client, table)
    if not isinstance(client, SqlJobClientBase):
        # Files have names that are their job's own; other stores have no transactions to ask for.
        return False if client.config.destination_type.endswith("filesystem") else None
    in_staging = client.should_load_data_to_staging_dataset(job.table_name) if hasattr(client, "with_staging_dataset") else False
    if in_staging and not hasattr(load.load_storage.normalized_packages, "save_pending_transition"):
        # Only dlt itself can end a job that others follow on; rows that are twice in a staging table are merged by their key.
        return False
    with load.maybe_with_staging_dataset(client, in_staging):
        try:
            return _has_rows(client, schema, job, path, load_id)
        except DatabaseUndefinedRelation:
            return False


def _has_rows(client: Any, schema: Any, job: Any, path: str, load_id: str) -> bool | None:
    sql, naming = client.sql_client, schema.naming
    relation = sql.make_qualified_table_name(job.table_name)
    columns = schema.get_table_columns(job.table_name)
    id_column = naming.normalize_identifier(C_DLT_ID)
    ids = _row_ids(path, job.file_format, id_column) if id_column in columns else None
    if ids:
        marks = ", ".join(["%s"] * len(ids))
        query = f"SELECT count(*) FROM {relation} WHERE {sql.escape_column_name(id_column)} IN ({marks})"
        found = sql.execute_sql(query, *ids)[0][0]
        return True if found == len(ids) else False if found == 0 else None
    load_column = naming.normalize_identifier(C_DLT_LOAD_ID)
    if load_column in columns:
        query = f"SELECT count(*) FROM {relation} WHERE {sql.escape_column_name(load_column)} = %s"
        return False if sql.execute_sql(query, load_id)[0][0] == 0 else None
    return False if sql.execute_sql(f"SELECT count(*) FROM {relation}")[0][0] == 0 else None


def _was_swapped(client: Any, table: Any) -> bool:
    """A table that replaces another one whole is renamed: once that is done, the statement has nothing to rename."""
    if table.get("write_disposition") != "replace" or table.get("x-replace-strategy") != "staging-optimized":
        return False
    with client.with_staging_dataset():
        return not any(columns for _, columns in client.get_storage_tables([table["name"]]))


def is_registered(client: Any, load_id: str) -> bool:
    """Whether the destination's table of loads has this one: the very last thing that a load writes."""
    name = client.sql_client.make_qualified_table_name(client.schema.loads_table_name)
    column = client.sql_client.escape_column_name(client.schema.naming.normalize_identifier("load_id"))
    try:
        return client.sql_client.execute_sql(f"SELECT count(*) FROM {name} WHERE {column} = %s", load_id)[0][0] > 0
    except DatabaseUndefinedRelation:
        return False


def tidy(pipeline: Any) -> None:
    """Finishes moves of packages that a killed process left half done: dlt would trip over them in every run to come.

    A package that is through is marked first and moved then; one that is normalized is put in place before what it was
    made of is deleted."""
    if not pipeline.list_normalized_load_packages() and not pipeline.list_completed_load_packages():
        return
    packages = pipeline._get_load_storage()
    for load_id in pipeline.list_normalized_load_packages():
        if packages.normalized_packages.is_package_completed(load_id):
            packages.storage.rename_tree(packages.get_normalized_package_path(load_id), packages.get_loaded_package_path(load_id))
    beyond = {*pipeline.list_normalized_load_packages(), *pipeline.list_completed_load_packages()}
    for load_id in pipeline.list_extracted_load_packages():
        if load_id in beyond:
            pipeline._get_normalize_storage().extracted_packages.delete_package(load_id)


def is_loaded(pipeline: Any, load_id: str) -> bool:
    """Whether a package came to its end: by the working directory, and where that has lost it by the destination."""
    try:
        return pipeline.get_load_package_info(load_id).state == "loaded"
    except LoadPackageNotFound:
        pass
    if pipeline.default_schema_name is None:
        return False
    with pipeline.destination_client() as client:
        return isinstance(client, SqlJobClientBase) and is_registered(client, load_id)


def abort(pipeline: Any) -> None:
    """Drops pending packages, and takes cursors back to where they were before."""
    if hasattr(pipeline, "abort_packages"):
        pipeline.abort_packages()
        return
    # Older releases of dlt leave the cursors beyond rows that are gone: what the destination knows counts.
    pipeline.drop_pending_packages()
    pipeline.drop()


def tables_written(pipeline: Any, load_ids: list[str]) -> list[str]:
    """Tables that packages which are not through have written to, with the words that find their rows."""
    found: list[str] = []
    for load_id in load_ids:
        with contextlib.suppress(LoadPackageNotFound):
            jobs = pipeline.get_load_package_info(load_id).jobs["completed_jobs"]
            tables = sorted({job.job_file_info.table_name for job in jobs if job.job_file_info.file_format not in NOT_DATA})
            found.extend(f"{table} (_dlt_load_id = '{load_id}')" for table in tables if not table.startswith("_dlt_"))
    return found


def _row_ids(path: str, file_format: str, column: str) -> list[str] | None:
    """Ids of the first and the last rows of a job's file; None if it has none that can be read."""
    with contextlib.suppress(KeyError, ValueError, IndexError, ImportError):
        ids = iter(_READERS[file_format](path, column))
        first = list(itertools.islice(ids, SAMPLE))
        return sorted({*first, *collections.deque(ids, maxlen=SAMPLE)}) or None
    return None


def _rows_of(path: str, file_format: str) -> int | None:
    if file_format == "parquet":
        import pyarrow.parquet

        return int(pyarrow.parquet.read_metadata(path).num_rows)
    headers = {"insert_values": 2, "csv": 1}
    with FileStorage.open_zipsafe_ro(path, "r", encoding="utf-8") as file:
        return max(0, sum(1 for line in file if line.strip()) - headers.get(file_format, 0))


def _ids_of_statement(path: str, column: str) -> Iterator[str]:
    """`INSERT INTO {}("a", "_dlt_id") / VALUES / (1, E'…'),`: a row is a line."""
    with FileStorage.open_zipsafe_ro(path, "r", encoding="utf-8") as file:
        header = file.readline()
        names = [name.strip().strip('"`[]').lower() for name in header[header.index("(") + 1 : header.rindex(")")].split(",")]
        index = names.index(column.lower())
        for line in file:
            if line.startswith("("):
                yield _value_at(line, index)


def _value_at(row: str, index: int) -> str:
    """The text literal at a position of one row of VALUES; commas and quotes inside of literals do not count."""
    at, quoted, start, depth = 0, False, 1, 0
    position = 1
    while position < len(row):
        letter = row[position]
        if quoted:
            if letter == "\\" and row[start : start + 2].strip().startswith(("E'", "e'")):
                position += 1
            elif letter == "'":
                quoted = False
        elif letter == "'":
            quoted = True
        elif letter in "([{":
            depth += 1
        elif depth > 0 and letter in ")]}":
            depth -= 1
        elif letter in ",)":
            if at == index:
                return row[start:position].strip().lstrip("EeNn").strip("'")
            at, start = at + 1, position + 1
        position += 1
    raise ValueError(row[:100])


def _ids_of_lines(path: str, column: str) -> Iterator[str]:
    with FileStorage.open_zipsafe_ro(path, "r", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield str(json.loads(line)[column])


def _ids_of_csv(path: str, column: str) -> Iterator[str]:
    with FileStorage.open_zipsafe_ro(path, "r", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield row[column]


def _ids_of_parquet(path: str, column: str) -> Iterator[str]:
    import pyarrow.parquet

    for value in pyarrow.parquet.read_table(path, columns=[column]).column(column).to_pylist():
        yield str(value)


_READERS: dict[str, Callable[[str, str], Iterator[str]]] = {
    "insert_values": _ids_of_statement,
    "jsonl": _ids_of_lines,
    "typed-jsonl": _ids_of_lines,
    "csv": _ids_of_csv,
    "parquet": _ids_of_parquet,
}

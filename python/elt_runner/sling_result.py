"""What is reported of a replication's streams: rows, bytes, seconds, tables, the newest value of a cursor."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from elt_runner import events, targets
from elt_runner.sling_source import connection

Request = dict[str, Any]
Stream = dict[str, Any]


def metadata(request: Request, results: list[dict[str, Any]]) -> dict[str, Any]:
    rows = sum(result["rows"] for result in results)
    written = [size(result) for result in results]
    cursors = {name: value for result in results for name, value in (result["cursor"] or {}).items()}
    files = [file for result in results for file in result["files"]]
    schemas = {result["object"].split(".")[0] for result in results if "." in result["object"] and "://" not in result["object"]}
    return {
        **events.throughput(rows, sum(result["seconds"] for result in results)),
        "bytes": sum(size for size in written if size is not None) if any(size is not None for size in written) else None,
        "tables": {table: figures for result in results for table, figures in _tables(result)} or None,
        "files": files or None,
        "cursor": cursors or None,
        "destination": connection(request["target"]).get("type"),
        "dataset": schemas.pop() if len(schemas) == 1 else None,
        "full_refresh": True if request["full_refresh"] else None,
    }


def _tables(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each table got; bytes and seconds are those of the stream, if it has written that one table."""
    for table, rows in result["tables"].items():
        alone = {"bytes": size(result), "seconds": round(result["seconds"], 3)} if len(result["tables"]) == 1 else {}
        yield table, events.without_none({"rows": rows, **alone})


def record_target(request: Request, asset_key: str, results: list[dict[str, Any]]) -> None:
    """For checks: tables as Sling's log names them. A stream without rows is not in it; its `object` may have placeholders."""
    if not targets.wanted():
        return
    names = {name for result in results for name in result["tables"] if "://" not in name}
    for result in results:
        written = result["object"].replace('"', "")
        if not result["tables"] and "://" not in written and "{" not in written:
            names.add(written)
    places = []
    for name in sorted(names):
        schema, _, table = name.rpartition(".")
        places.append({"kind": "variable", "variable": request["target"], "schema": schema or None, "table": table})
    targets.record(asset_key, places)


def size(result: dict[str, Any]) -> int | None:
    """Exact for files, written or read; else as Sling rounds it."""
    sizes = [os.path.getsize(path) for path in map(_path, result["files"]) if path and os.path.isfile(path)]
    if sizes:
        return sum(sizes)
    return result["source_bytes"] if result["source_bytes"] is not None else result["bytes"]


def source_size(stream: str) -> int | None:
    path = _path(stream)
    if path is None:
        return None
    files = [each for each in glob.glob(path) if os.path.isfile(each)]
    if os.path.isdir(path):
        files = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    return sum(os.path.getsize(file) for file in files) if files else None


def _path(url: str) -> str | None:
    return unquote(url[len("file://") :]) if url.startswith("file://") else None


def cursor(target: str, stream: Stream) -> dict[str, Any] | None:
    """The newest value in the target, which is where Sling's next incremental run starts; asked of SQLite only."""
    database_file = connection(target)
    if stream["mode"] != "incremental" or not stream["update_key"] or database_file.get("type") != "sqlite":
        return None
    table = stream["object"].split(".")[-1].replace('"', "")
    column = stream["update_key"].replace('"', "")
    import sqlite3

    try:
        with sqlite3.connect(f"file:{os.path.abspath(database_file['path'])}?mode=ro", uri=True, timeout=1) as database:
            (newest,) = database.execute(f'select max("{column}") from "{table}"').fetchone()
    except sqlite3.Error:
        return None
    return {stream["update_key"]: newest}

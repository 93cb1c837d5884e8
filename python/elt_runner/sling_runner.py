"""Runs the streams of a Sling replication, one process each, and reports what each of them wrote."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import selectors
import signal
import sqlite3
import subprocess
import sys
import time
from typing import Any
from urllib.parse import unquote, urlsplit

from elt_runner import events, targets
from elt_runner.sling_log import StreamLog, classify, explain

Request = dict[str, Any]
Stream = dict[str, Any]

EXIT_CANCELLED = 130


class Cancel:
    """SIGINT and SIGTERM end Sling by SIGINT: only then it removes its temporary table."""

    def __init__(self) -> None:
        self.requested = False
        self.child: subprocess.Popen[bytes] | None = None
        signal.signal(signal.SIGINT, self._on_signal)
        signal.signal(signal.SIGTERM, self._on_signal)

    def _on_signal(self, _signal: int, _frame: Any) -> None:
        self.requested = True
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(signal.SIGINT)


def main(request: Request) -> int:
    cancel = Cancel()
    missing = [name for name in request["variables"] if name not in os.environ]
    if missing:
        lines = ", ".join(f"{name}=…" for name in missing)
        return _end_failed(
            request, "config", f"{request['replication']} reads {', '.join(missing)}, which is not set: add the line {lines} to .env"
        )
    journal = _Journal(request["journal"])
    failures: list[tuple[str, str, str]] = []
    unfinished: list[str] = []
    for asset in request["assets"]:
        for portion in asset["portions"]:
            results = _run_portion(request, asset["key"], portion, journal, failures, cancel)
            if results is not None:
                _record_target(request, asset["key"], results)
                events.materialization(asset["key"], _metadata(request, results), portion["partition"])
            elif asset["key"] not in unfinished:
                unfinished.append(asset["key"])
    if cancel.requested and unfinished:
        events.emit("end", status="cancelled", unfinished_assets=unfinished)
        return EXIT_CANCELLED
    if failures:
        return _end(failures, unfinished)
    journal.remove()
    events.emit("end", status="ok")
    return 0


def _run_portion(
    request: Request,
    asset_key: str,
    portion: dict[str, Any],
    journal: _Journal,
    failures: list[tuple[str, str, str]],
    cancel: Cancel,
) -> list[dict[str, Any]] | None:
    """All streams of an asset for one partition, or for what the step has; None unless every one of them is through."""
    streams = portion["streams"]
    if not streams:
        failures.append((asset_key, "config", f"{request['replication']} has no stream that is not disabled"))
    results = []
    for stream in streams:
        if cancel.requested:
            break
        done = journal.done(portion["partition"], stream["name"])
        if done is not None:
            events.log("info", f"{stream['name']}: loaded by an earlier attempt of this run, not loaded again")
            results.append(done)
            continue
        result, failure = _run_stream(request, asset_key, stream, cancel)
        if failure is None:
            journal.add(portion["partition"], stream["name"], result)
            results.append(result)
        elif not cancel.requested:
            failures.append((stream["name"], classify(failure), explain(failure, request["replication"])))
    return results if results and len(results) == len(streams) else None


def _run_stream(request: Request, asset_key: str, stream: Stream, cancel: Cancel) -> tuple[dict[str, Any], str | None]:
    for warning in stream["warnings"]:
        events.log("warning", warning)
    if not stream["exists"]:
        return {}, f"Did not match any streams: {request['replication']} has no stream {stream['name']}"
    events.emit("stage_start", stage=stream["name"], asset_key=asset_key)
    started = time.monotonic()
    log = StreamLog()
    try:
        cancel.child = subprocess.Popen(
            [request["sling"], "run", "-r", stream["file"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        return {}, f"Sling did not start: {error}"
    if cancel.requested:
        cancel.child.send_signal(signal.SIGINT)
    _pump(cancel.child, log)
    exit_code = cancel.child.wait()
    cancel.child = None
    seconds = time.monotonic() - started
    failure = log.failure(exit_code)
    if log.empty:
        events.log("warning", f"{stream['name']}: the source has no rows; Sling leaves the target as it is")
    result = {
        "rows": log.rows or 0,
        "bytes": log.bytes,
        "seconds": seconds,
        "tables": log.tables,
        "files": [target for target in log.tables if "://" in target],
        "source_bytes": _source_size(stream["name"]),
        "object": stream["object"],
        "cursor": None if failure else _cursor(request["target"], stream),
    }
    events.emit(
        "stage_end",
        stage=stream["name"],
        asset_key=asset_key,
        ok=failure is None,
        seconds=round(seconds, 3),
        metadata={"rows": log.rows, "mode": stream["mode"]},
    )
    return result, failure


def _pump(child: subprocess.Popen[bytes], log: StreamLog) -> None:
    """Shows both outputs while they come; Sling's JSON as plain lines."""
    assert child.stdout is not None and child.stderr is not None
    partial = {child.stdout: b"", child.stderr: b""}
    with selectors.DefaultSelector() as selector:
        for stream in partial:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                stream: Any = key.fileobj
                chunk = os.read(stream.fileno(), 65_536)
                *lines, rest = (partial[stream] + chunk).split(b"\n")
                partial[stream] = rest
                if not chunk:
                    selector.unregister(stream)
                    lines.append(rest)
                for line in lines:
                    _show(log.line(line))


def _show(shown: tuple[str, str] | None) -> None:
    if shown is None:
        return
    level, text = shown
    print(text, file=sys.stderr if level == "error" else sys.stdout, flush=True)
    if level == "warning":
        events.log("warning", text)


def _metadata(request: Request, results: list[dict[str, Any]]) -> dict[str, Any]:
    rows = sum(result["rows"] for result in results)
    written = [_size_of(result) for result in results]
    cursors = {name: value for result in results for name, value in (result["cursor"] or {}).items()}
    files = [file for result in results for file in result["files"]]
    schemas = {result["object"].split(".")[0] for result in results if "." in result["object"] and "://" not in result["object"]}
    return {
        **events.throughput(rows, sum(result["seconds"] for result in results)),
        "bytes": sum(size for size in written if size is not None) if any(size is not None for size in written) else None,
        "tables": {table: {"rows": count} for result in results for table, count in result["tables"].items()} or None,
        "files": files or None,
        "cursor": cursors or None,
        "destination": _destination(request["target"]),
        "dataset": schemas.pop() if len(schemas) == 1 else None,
        "full_refresh": True if request["full_refresh"] else None,
    }


def _record_target(request: Request, asset_key: str, results: list[dict[str, Any]]) -> None:
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


def _size_of(result: dict[str, Any]) -> int | None:
    """Exact for files, written or read; else as Sling rounds it."""
    sizes = [os.path.getsize(path) for path in map(_path, result["files"]) if path and os.path.isfile(path)]
    if sizes:
        return sum(sizes)
    return result["source_bytes"] if result["source_bytes"] is not None else result["bytes"]


def _source_size(stream: str) -> int | None:
    path = _path(stream)
    if path is None:
        return None
    files = [each for each in glob.glob(path) if os.path.isfile(each)]
    if os.path.isdir(path):
        files = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    return sum(os.path.getsize(file) for file in files) if files else None


def _path(url: str) -> str | None:
    return unquote(url[len("file://") :]) if url.startswith("file://") else None


def _destination(target: str) -> str | None:
    """The kind of the target: `sqlite`, `postgres`, `file`."""
    value = os.environ.get(target, "")
    if value.startswith("{"):
        try:
            return str(json.loads(value).get("type"))
        except ValueError:
            return None
    return urlsplit(value).scheme or ("file" if target.upper() == "LOCAL" else None)


def _cursor(target: str, stream: Stream) -> dict[str, Any] | None:
    """The newest value in the target, which is where Sling's next incremental run starts; asked of SQLite only."""
    url = os.environ.get(target, "")
    if stream["mode"] != "incremental" or not stream["update_key"] or not url.startswith("sqlite:"):
        return None
    path = urlsplit(url).netloc + urlsplit(url).path
    table = stream["object"].split(".")[-1].replace('"', "")
    column = stream["update_key"].replace('"', "")
    try:
        with sqlite3.connect(f"file:{os.path.abspath(path)}?mode=ro", uri=True, timeout=1) as database:
            (newest,) = database.execute(f'select max("{column}") from "{table}"').fetchone()
    except sqlite3.Error:
        return None
    return {stream["update_key"]: newest}


def _end_failed(request: Request, failure_class: str, message: str) -> int:
    return _end([("", failure_class, message)], [asset["key"] for asset in request["assets"]])


def _end(failures: list[tuple[str, str, str]], unfinished: list[str]) -> int:
    """One stream's class speaks for the step: first what no retry can mend, then what is simply busy."""
    order = ("config", "data", "user", "transient", "resource_busy")
    failures.sort(key=lambda failure: order.index(failure[1]))
    name, failure_class, message = failures[0]
    text = "; ".join(f"{stream}: {reason}" if stream else reason for stream, _, reason in failures)
    print(text, file=sys.stderr)
    events.emit(
        "end",
        status="failed",
        failure_class=failure_class,
        error={"name": "SlingError", "message": text, "stack": None, "file": None, "line": None},
        unfinished_assets=unfinished,
    )
    return 1


class _Journal:
    """Streams that earlier attempts of this step of this run have loaded: some modes would append them again."""

    def __init__(self, folder: str) -> None:
        identity = f"{os.environ.get('ELT_RUN_ID', '')}\0{os.environ.get('ELT_STEP_KEY', '')}"
        self._file = os.path.join(folder, f"journal-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json")
        try:
            with open(self._file, encoding="utf-8") as content:
                self._done: dict[str, Any] = json.load(content)
        except (FileNotFoundError, ValueError):
            self._done = {}

    def done(self, partition: str | None, stream: str) -> dict[str, Any] | None:
        return self._done.get(f"{partition or ''}\0{stream}")

    def add(self, partition: str | None, stream: str, result: dict[str, Any]) -> None:
        self._done[f"{partition or ''}\0{stream}"] = result
        os.makedirs(os.path.dirname(self._file), exist_ok=True)
        with open(self._file + ".tmp", "w", encoding="utf-8") as file:
            json.dump(self._done, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._file + ".tmp", self._file)

    def remove(self) -> None:
        if os.path.exists(self._file):
            os.remove(self._file)

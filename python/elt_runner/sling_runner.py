"""Runs the streams of a Sling replication, one process each, and reports what each of them wrote."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from typing import Any

from elt_runner import events, sling_result
from elt_runner.errors import Failure
from elt_runner.sling_log import StreamLog, classify, explain
from elt_runner.sling_source import Source, refuse_duckdb, same

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

    def run(self, argv: list[str]) -> subprocess.CompletedProcess[bytes]:
        """A question to Sling, ended by a cancel as a stream is."""
        env = {**os.environ, "SLING_OUTPUT": "json"}
        with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as child:
            self.child = child
            if self.requested:
                # The signal came before there was a child to send it to.
                child.send_signal(signal.SIGINT)
            stdout, stderr = child.communicate()
            self.child = None
            return subprocess.CompletedProcess(argv, child.returncode, stdout, stderr)


def main(request: Request) -> int:
    cancel = Cancel()
    missing = [name for name in request["variables"] if name not in os.environ]
    if missing:
        lines = ", ".join(f"{name}=…" for name in missing)
        return _end_failed(
            request, "config", f"{request['replication']} reads {', '.join(missing)}, which is not set: add the line {lines} to .env"
        )
    try:
        refuse_duckdb(request["source"], request["target"])
    except Failure as failure:
        return _end_failed(request, failure.failure_class, str(failure))
    journal = _Journal(request["journal"])
    source = Source(request["sling"], request["source"], cancel.run)
    failures: list[tuple[str, str, str]] = []
    unfinished: list[str] = []
    for asset in request["assets"]:
        for portion in asset["portions"]:
            results = _run_portion(request, asset["key"], portion, source, journal, failures, cancel)
            if results is not None:
                sling_result.record_target(request, asset["key"], results)
                events.materialization(asset["key"], sling_result.metadata(request, results), portion["partition"])
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
    source: Source,
    journal: _Journal,
    failures: list[tuple[str, str, str]],
    cancel: Cancel,
) -> list[dict[str, Any]] | None:
    """All streams of an asset for one partition, or for what the step has; None unless every one of them is through."""
    try:
        streams = [each for stream in portion["streams"] for each in _expanded(request, stream, source)]
    except Failure as failure:
        if not cancel.requested:
            failures.append((asset_key, *_worded(request, failure)))
        return None
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
        try:
            result = _run_stream(request, asset_key, stream, source, cancel)
        except Failure as failure:
            if not cancel.requested:
                failures.append((stream["name"], *_worded(request, failure)))
            continue
        journal.add(portion["partition"], stream["name"], result)
        results.append(result)
    return results if results and len(results) == len(streams) else None


def _worded(request: Request, failure: Failure) -> tuple[str, str]:
    """Class and text of a failure; one without a class is in Sling's or a driver's own words."""
    text = str(failure)
    return (failure.failure_class, text) if failure.failure_class else (classify(text), explain(text, request["replication"]))


def _expanded(request: Request, stream: Stream, source: Source) -> list[Stream]:
    """A pattern as the streams of the tables that it stands for now, without those that the replication has by name."""
    if not stream["is_pattern"]:
        return [stream]
    tables = [table for table in source.tables(stream["name"]) if not any(same(table, name) for name in request["named_streams"])]
    if not tables:
        raise Failure("config", f"{stream['name']}: {request['source']} has no table of this pattern")
    events.log("info", f"{stream['name']}: {len(tables)} tables: {', '.join(tables)}"[:2_000])
    with open(stream["file"], encoding="utf-8") as file:
        content = json.load(file)
    settings = content["streams"][stream["name"]]
    expanded = []
    for number, table in enumerate(tables):
        target = f"{stream['file'].removesuffix('.json')}-{number}.json"
        _write_private(target, {**content, "streams": {table: settings}})
        written = table if stream["object"] == stream["name"] else stream["object"]
        expanded.append({**stream, "name": table, "file": target, "object": written})
    return expanded


def _apply_window(stream: Stream, source: Source) -> None:
    """Writes the partition's window into the rendered stream, in the form that the values of its update_key have."""
    if stream["ranges"] is None:
        return
    chosen = source.range(stream["name"], stream["update_key"], stream["cursor"], stream["ranges"])
    with open(stream["file"], encoding="utf-8") as file:
        content = json.load(file)
    settings = content["streams"][stream["name"]]
    settings["source_options"] = {**settings.get("source_options", {}), "range": chosen}
    _write_private(stream["file"], content)


def _write_private(path: str, content: dict[str, Any]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)


def _run_stream(request: Request, asset_key: str, stream: Stream, source: Source, cancel: Cancel) -> dict[str, Any]:
    """Runs one stream to its end; raises Failure with what Sling says, or with what it cannot be asked to do."""
    for warning in stream["warnings"]:
        events.log("warning", warning)
    if not stream["exists"]:
        raise Failure("config", f"Did not match any streams: {request['replication']} has no stream {stream['name']}")
    _apply_window(stream, source)
    events.emit("stage_start", stage=stream["name"], asset_key=asset_key)
    started = time.monotonic()
    log = StreamLog()
    try:
        cancel.child = subprocess.Popen(
            [request["sling"], "run", *(["-d"] if request["debug"] else []), "-r", stream["file"]], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise Failure("config", f"Sling did not start: {error}") from error
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
        "source_bytes": sling_result.source_size(stream["name"]),
        "object": stream["object"],
        "cursor": None if failure else sling_result.cursor(request["target"], stream),
    }
    events.emit(
        "stage_end",
        stage=stream["name"],
        asset_key=asset_key,
        ok=failure is None,
        seconds=round(seconds, 3),
        metadata=events.without_none({"rows": log.rows, "bytes": sling_result.size(result), "mode": stream["mode"]}),
    )
    if failure is not None:
        raise Failure("", failure)
    return result


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

    def __init__(self, file: str) -> None:
        self._file = file
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

"""Records what a dlt folder would load, without loading it: `python -I discover_dlt.py request.json`.

The user's script runs as `__main__` with every method of `Pipeline` that works replaced by one that takes notes; generators
never start and the network is off. The answer goes to the file that the request names. Standard library and dlt only, and
nothing of this package but what it loads by its path: with `-I` no module of it can stand in the way of the folder's own.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import json
import os
import re
import resource
import runpy
import signal
import socket
import sys
import traceback
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

MOST_PLACEHOLDERS = 50
LARGEST_FILE = 50_000_000
#: Tried in turn for a setting whose type does not tell what fits.
GUESSES = ["placeholder", "1", "{}", "[]", "2024-01-01T00:00:00Z", "postgresql://user:pass@localhost/db"]

Facts = dict[str, Any]


class NetworkOff(OSError):
    """The folder's code tried to reach something while it was only being looked at."""


def main(request_file: str) -> None:
    request = json.loads(Path(request_file).read_text("utf-8"))
    folder = Path.cwd().resolve()
    # A service that died cannot end this process.
    signal.alarm(int(request["seconds"]) + 5)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    leave_network()
    notes = Notes(folder)
    answer: Facts = {"error": None}
    try:
        import dlt  # noqa: F401 - its absence is told apart from a mistake in the folder
    except Exception as error:
        answer["error"] = describe(error, folder)
        answer["error"]["kind"] = "tool"
    else:
        sys.path.insert(0, str(folder))
        lend_variables(folder, request["script"])
        install(notes)
        try:
            run(request, notes)
        except SystemExit as end:
            if end.code not in (None, 0) and not notes.resources:
                answer["error"] = describe(end, folder)
        except BaseException as error:  # noqa: BLE001 - whatever the folder's code raises
            answer["error"] = describe(error, folder)
    answer["resources"] = list(notes.resources.values())
    answer["pipelines"] = notes.pipelines
    Path(request["output"]).write_text(json.dumps(answer, default=str), "utf-8")
    # Threads of the folder's code must not keep the process.
    os._exit(0)


def run(request: Facts, notes: Notes) -> None:
    if request["source_module"] is not None:
        module = importlib.import_module(request["source_module"])
        factory = getattr(module, request["source_name"])
        notes.take(factory(**request["source_args"]), {})
    elif request["script"] == "definitions.py":
        run_definitions(notes)
    else:
        values = runpy.run_path(request["script"], run_name="__main__")
        entry = values.get("run")
        if not notes.resources and callable(entry):
            parameters = inspect.signature(entry).parameters
            entry(**({"partition_key": "2024-01-01"} if "partition_key" in parameters else {}))


def run_definitions(notes: Notes) -> None:
    """By the reader that a run has too."""
    platform = neighbour("dlt_dagster").Platform()
    for item, kinds, meta, line in neighbour("dlt_definitions").configured("definitions.py", platform):
        notes.take(item, {})
        notes.resources[item.name].update({"kinds": kinds, "meta": meta, "line": line})
    for assets in platform.assets:
        before = set(notes.resources)
        notes.take(assets.source, {})
        notes.used(assets.pipeline)
        group = {} if assets.group is None else {"dagster": {"group_name": assets.group}}
        for name in set(notes.resources) - before:
            notes.resources[name].update({"meta": group, "line": assets.line})


def neighbour(name: str) -> Any:
    """A module of this package that stands alone; with `-I` it is found by its path only."""
    spec = importlib.util.spec_from_file_location(f"_elt_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Notes:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.resources: dict[str, Facts] = {}
        self.pipelines: list[Facts] = []

    def used(self, pipeline: Any) -> None:
        destination = getattr(pipeline.destination, "destination_name", None)
        self.pipelines.append({"name": pipeline.pipeline_name, "destination": destination, "dataset": pipeline.dataset_name})

    def take(self, data: Any, arguments: Facts) -> None:
        from dlt.extract import DltResource, DltSource
        from dlt.extract.decorators import SourceFactory

        if isinstance(data, DltSource):
            for item in data.resources.selected.values():
                self.add(item)
        elif isinstance(data, DltResource):
            self.add(data)
        elif isinstance(data, SourceFactory):
            self.take(data(), arguments)
        elif isinstance(data, (list, tuple)) and data and not isinstance(data[0], (dict, str)):
            for item in data:
                self.take(item, arguments)
        elif data is not None:
            name = arguments.get("table_name") or getattr(data, "__name__", None)
            if isinstance(name, str):
                self.resources.setdefault(name, {"name": name, "write_disposition": plain_disposition(arguments.get("write_disposition"))})

    def add(self, item: Any) -> None:
        facts: Facts = {"name": item.name}
        with contextlib.suppress(Exception):
            facts["description"] = inspect.getdoc(item._pipe.gen) if callable(item._pipe.gen) else None
        with contextlib.suppress(Exception):
            facts["cursor_path"] = cursor_of(item)
        with contextlib.suppress(Exception):
            facts["write_disposition"] = plain_disposition(item.write_disposition)
        with contextlib.suppress(Exception):
            table = item.compute_table_schema()
            columns = table.get("columns", {})
            facts["columns"] = [
                {"name": name, "type": column.get("data_type"), "description": column.get("description")}
                for name, column in columns.items()
                if column.get("data_type")
            ]
            facts["primary_key"] = [name for name, column in columns.items() if column.get("primary_key")]
        self.resources.setdefault(item.name, facts)


def cursor_of(item: Any) -> str | None:
    """An incremental that is a default argument is not bound before the resource starts."""
    with contextlib.suppress(Exception):  # dlt raises for a resource without parameters
        for value in item.explicit_args.values():
            if isinstance(path := getattr(value, "cursor_path", None), str):
                return path
    step = item.incremental
    bound = getattr(step, "incremental", None) or getattr(step, "_incremental", None) or step
    if isinstance(path := getattr(bound, "cursor_path", None), str):
        return path
    function = item._pipe.gen
    # A resource that was called is a function without parameters around the user's own.
    while callable(function):
        parameters: Any = ()
        with contextlib.suppress(TypeError, ValueError):
            parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
        for parameter in parameters:
            if isinstance(path := getattr(parameter.default, "cursor_path", None), str):
                return path
        function = getattr(function, "__wrapped__", None)
    return None


def plain_disposition(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("disposition")
    return value if isinstance(value, str) else None


def install(notes: Notes) -> None:
    """Puts note-takers in place of what would work, and placeholders in place of secrets that are not there."""
    from dlt.extract.decorators import DltSourceFactoryWrapper
    from dlt.pipeline.pipeline import Pipeline

    def recorder(self: Any, data: Any = None, **arguments: Any) -> Any:
        notes.used(self)
        notes.take(data, arguments)
        return MagicMock(name="load_info")

    def nothing(self: Any, *_: Any, **__: Any) -> Any:
        return MagicMock()

    Pipeline.run = recorder
    Pipeline.extract = recorder
    for name in ("normalize", "load", "drop", "sync_destination", "sql_client", "dataset"):
        setattr(Pipeline, name, nothing)
    Pipeline.last_trace = property(lambda self: MagicMock())
    Pipeline.has_pending_data = property(lambda self: False)
    call = DltSourceFactoryWrapper.__call__

    def with_placeholders(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return retrying(lambda: call(self, *arguments, **keywords))

    DltSourceFactoryWrapper.__call__ = with_placeholders


def retrying(call: Any) -> Any:
    from dlt.common.configuration.exceptions import ConfigFieldMissingException, ConfigurationException

    tried: dict[str, int] = {}
    for _ in range(MOST_PLACEHOLDERS):
        try:
            return call()
        except ConfigFieldMissingException as missing:
            for key, hint in missing_keys(missing):
                tried[key] = tried.get(key, -1) + 1
                os.environ[key] = placeholder(hint, tried[key])
        except ConfigurationException:
            # A placeholder did not fit: the next guess.
            again = [key for key, count in tried.items() if count + 1 < len(GUESSES)]
            if not again:
                raise
            for key in again:
                tried[key] += 1
                os.environ[key] = GUESSES[tried[key]]
    return call()


def missing_keys(missing: Any) -> list[tuple[str, Any]]:
    keys: list[tuple[str, Any]] = []

    def walk(traces: Any, hints: Any) -> None:
        for field, found in traces.items():
            first = found[0]
            if hasattr(first, "traces"):
                walk(first.traces, {})
            else:
                keys.append((first.key, hints.get(field)))

    walk(missing.traces, missing.config.get_resolvable_fields())
    return keys


def placeholder(hint: Any, attempt: int) -> str:
    """Typed by the field: dlt refuses "placeholder" where a number is wanted."""
    if attempt == 0:
        for kind, text in ((bool, "true"), (int, "1"), (float, "1.0"), (dict, "{}"), (list, "[]")):
            if hint is kind or getattr(hint, "__origin__", None) is kind:
                return text
    return GUESSES[min(attempt, len(GUESSES) - 1)]


def lend_variables(folder: Path, script: str) -> None:
    """`os.environ["X"]` in the folder's own code gets a placeholder; libraries see what is really there."""
    kind = type(os.environ)
    original = kind.__getitem__

    def get(self: Any, key: str) -> str:
        try:
            return original(self, key)
        except KeyError:
            if not sys._getframe(1).f_code.co_filename.startswith((str(folder), script)):
                raise
            return "2024-01-01" if re.search(r"PARTITION|DATE|START|END|SINCE", key) else "placeholder"

    kind.__getitem__ = get


def leave_network() -> None:
    """An own, empty network where the kernel lets us, and sockets that refuse in any case."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise NetworkOff("the network is off while a folder is only being looked at")

    socket.socket.connect = refuse
    socket.socket.connect_ex = refuse
    socket.getaddrinfo = refuse
    socket.create_connection = refuse
    if sys.platform != "linux":
        return
    with contextlib.suppress(Exception):
        import ctypes

        new_user, new_network = 0x10000000, 0x40000000
        uid, gid = os.getuid(), os.getgid()
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(new_network) != 0 and libc.unshare(new_user | new_network) == 0:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")


def describe(error: BaseException, folder: Path) -> Facts:
    """What went wrong and where in the folder: the innermost line of its own code."""
    place = None
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        full = path if path.is_absolute() else folder / path
        if full.is_relative_to(folder):
            place = (full.relative_to(folder).as_posix(), frame.lineno or 0)
    if isinstance(error, SyntaxError) and error.filename:
        full = folder / error.filename
        if full.is_relative_to(folder):
            place = (full.relative_to(folder).as_posix(), error.lineno or 0)
    kind = "exception"
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, NetworkOff):
            kind = "network"
        chain = chain.__cause__ or chain.__context__
    if isinstance(error, (SyntaxError, ImportError)) and kind == "exception":
        kind = "import"
    lines = str(error).strip().splitlines()
    return {
        "kind": kind,
        "type": type(error).__name__,
        "message": lines[0][:500] if lines else "",
        "module": getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None,
        "file": place[0] if place else None,
        "line": place[1] if place else 0,
    }


if __name__ == "__main__":
    main(sys.argv[1])

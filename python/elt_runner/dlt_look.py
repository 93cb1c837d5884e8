"""Finds the dlt pipelines of a folder the way its own code makes them, destination and credentials included, and loads nothing.

The code runs as in a load, with every method of `Pipeline` that works replaced by one that takes notes. Generators never
start. Code around `pipeline.run()` may do anything, so what it cannot take back is refused while it is only looked at: it
deletes, overwrites and starts nothing, and reaches no server. Code that has to reach one before its pipeline exists (it
fetches credentials) is run once more with connections, and ends where it would begin to load.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

from dlt.extract import DltResource, DltSource, SourceFactory
from dlt.pipeline.pipeline import Pipeline

from elt_runner import dlt_window
from elt_runner.errors import Failure

Facts = dict[str, Any]

#: Methods that reach the destination or the working directory.
QUIET = ("normalize", "load", "drop", "sync_destination", "sync_schema", "sql_client", "dataset", "abort_packages", "drop_pending_packages")
#: Audit events of Python by what they are about; the first argument of the second kind is a path.
CONNECTIONS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "sqlite3.connect"}
CHANGES = {"os.remove", "os.rename", "os.rmdir", "os.truncate", "shutil.rmtree", "shutil.move"}
PROCESSES = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"}
#: Drivers that connect without Python's sockets.
DRIVERS = ("duckdb", "psycopg2", "psycopg")


_INHERITED = object()


class Refused(OSError):
    """What code wanted to do while it was only being looked at."""


class LoadReached(BaseException):
    """The code would begin to load here. Not an Exception: user code that catches those must not go on."""


class Look:
    """What the folder's code makes and offers."""

    def __init__(self) -> None:
        #: Pipelines that load something, by name, in the order of the script; else those that were only made.
        self.pipelines: dict[str, Any] = {}
        #: Pipeline → resource → what its declaration says.
        self.offered: dict[str, dict[str, Facts]] = {}
        self.warnings: list[str] = []
        self._made: dict[str, Any] = {}

    def through(self, entry: Callable[[], Any]) -> None:
        """Runs the code. @raises its error, or `Failure`, if no pipeline was made before it."""
        with _guarded(allow_connections=False) as guard, self._taking_notes(stops=False):
            error = _outcome(entry)
        if not self._found() and guard.refused:
            with _guarded(allow_connections=True), self._taking_notes(stops=True):
                error = _outcome(entry)
        if not self.pipelines:
            self.pipelines = self._made
        if not self.pipelines:
            raise error or Failure("config", "the folder's code makes no dlt pipeline, so there is no state to look at")
        if error is not None:
            self.warnings.append(f"the folder's code did not come to its end while it was looked at: {error}")

    def _found(self) -> bool:
        return bool(self.pipelines or self._made)

    @contextlib.contextmanager
    def _taking_notes(self, stops: bool) -> Iterator[None]:
        look = self
        originals: dict[str, Any] = {}

        def replace(name: str, value: Any) -> None:
            # A release of dlt can have it in a class above, or not at all.
            if hasattr(Pipeline, name):
                originals[name] = vars(Pipeline).get(name, _INHERITED)
                setattr(Pipeline, name, value)

        init = Pipeline.__init__

        def made(self: Any, *arguments: Any, **keywords: Any) -> None:
            init(self, *arguments, **keywords)
            look._made[self.pipeline_name] = self

        def recorder(self: Any, data: Any = None, **arguments: Any) -> Any:
            look._note(self, data, arguments)
            if stops:
                raise LoadReached
            info = MagicMock()
            info.__str__.return_value = f"{self.pipeline_name} is only being looked at: nothing is loaded"
            return info

        replace("__init__", made)
        replace("run", recorder)
        replace("extract", recorder)
        for name in QUIET:
            replace(name, lambda self, *_, **__: MagicMock())
        replace("last_trace", property(lambda self: MagicMock()))
        replace("has_pending_data", property(lambda self: False))
        try:
            yield
        finally:
            for name, value in originals.items():
                if value is _INHERITED:
                    delattr(Pipeline, name)
                else:
                    setattr(Pipeline, name, value)

    def _note(self, pipeline: Any, data: Any, arguments: Facts) -> None:
        name = pipeline.pipeline_name
        self.pipelines[name] = pipeline
        if any(arguments.get(key) is not None for key in ("destination", "staging", "credentials")):
            pipeline._set_destinations(
                destination=arguments.get("destination"),
                staging=arguments.get("staging"),
                destination_credentials=arguments.get("credentials"),
            )
        if arguments.get("dataset_name"):
            pipeline._set_dataset_name(arguments["dataset_name"])
        if pipeline.dev_mode:
            self.warnings.append(f"{name} is made with dev_mode: every load begins in a new dataset, and no state is kept")
        for resource, facts in _resources(data, arguments):
            self.offered.setdefault(name, {})[resource] = facts


def _outcome(entry: Callable[[], Any]) -> BaseException | None:
    try:
        entry()
    except LoadReached:
        return None
    except Exception as error:
        return error
    return None


def _resources(data: Any, arguments: Facts) -> Iterator[tuple[str, Facts]]:
    if isinstance(data, DltSource):
        for item in data.resources.selected.values():
            yield item.name, _facts(item)
    elif isinstance(data, DltResource):
        yield data.name, _facts(data)
    elif isinstance(data, SourceFactory):
        yield from _resources(data(), arguments)
    elif isinstance(data, (list, tuple)) and data and isinstance(data[0], (DltSource, DltResource, SourceFactory)):
        for item in data:
            yield from _resources(item, arguments)
    elif data is not None:
        name = arguments.get("table_name") or getattr(data, "__name__", None)
        if isinstance(name, str):
            yield name, {"cursor_path": None, "initial_value": None}


def _facts(resource: Any) -> Facts:
    cursor = dlt_window.current_incremental(resource)
    return {
        "cursor_path": str(cursor.cursor_path) if cursor is not None else None,
        "initial_value": cursor.initial_value if cursor is not None else None,
    }


class _Guard:
    def __init__(self, allow_connections: bool) -> None:
        self.allow_connections = allow_connections
        self.refused: list[str] = []
        own = (os.environ.get("DLT_DATA_DIR"), os.environ.get("HOME"), "/dev", "/proc/self")
        self._free = [os.path.realpath(folder) for folder in own if folder]
        self._scratch = os.path.realpath(tempfile.gettempdir())
        self._folder = os.path.realpath(os.getcwd())

    def audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if _overwrites(mode, flags) and not self._is_free(path):
                self.refuse(f"write {path}")
        elif event in CHANGES:
            if not self._is_free(arguments[0]):
                self.refuse(f"change {arguments[0]}")
        elif event in PROCESSES:
            self.refuse("start another program")
        elif event in CONNECTIONS and not self.allow_connections and ":memory:" not in arguments:
            self.refuse("connect to a server or database")

    def refuse(self, what: str) -> None:
        self.refused.append(what)
        raise Refused(f"the folder's code is only being looked at and must not {what}")

    def _is_free(self, path: Any) -> bool:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return True
        real = os.path.realpath(os.fsdecode(path))
        if any(_is_in(folder, real) for folder in self._free):
            return True
        return _is_in(self._scratch, real) and not _is_in(self._folder, real)


def _is_in(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)


def _overwrites(mode: str | None, flags: int) -> bool:
    """A log file that is only appended to does no harm."""
    if mode is not None:
        return any(letter in mode for letter in "wx+") and "a" not in mode
    return bool(flags & (os.O_WRONLY | os.O_RDWR)) and not flags & os.O_APPEND


#: The guard that watches now, if any.
_watching: list[_Guard] = []
_is_hooked = False


@contextlib.contextmanager
def _guarded(allow_connections: bool) -> Iterator[_Guard]:
    global _is_hooked
    if not _is_hooked:
        # Python keeps a hook for the rest of the process; without a guard it lets everything pass.
        sys.addaudithook(_audit)
        _is_hooked = True
    drivers = [] if allow_connections else _refuse_drivers()
    guard = _Guard(allow_connections)
    _watching.append(guard)
    try:
        yield guard
    finally:
        _watching.remove(guard)
        for module, connect in drivers:
            module.connect = connect


def _audit(event: str, arguments: tuple[Any, ...], watching: list[_Guard] = _watching) -> None:
    # The names of this module are gone before the process is.
    for guard in watching:
        guard.audit(event, arguments)


def _refuse_drivers() -> list[tuple[Any, Any]]:
    replaced = []
    for name in DRIVERS:
        if importlib.util.find_spec(name) is None:
            continue
        module = importlib.import_module(name)

        def connect(*arguments: Any, _original: Any = module.connect, **keywords: Any) -> Any:
            for guard in _watching if ":memory:" not in arguments else []:
                guard.refuse("connect to a server or database")
            return _original(*arguments, **keywords)

        replaced.append((module, module.connect))
        module.connect = connect
    return replaced

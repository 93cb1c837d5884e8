"""Runs a dlt pipeline's folder: its `run()`, the source that dagster.yaml declares, or its script as it is."""

from __future__ import annotations

import ast
import asyncio
import importlib
import importlib.util
import inspect
import os
import runpy
import shutil
import signal
import sys
from collections.abc import Callable
from typing import Any

import dlt

from elt_runner import dlt_recover, dlt_window, events
from elt_runner.dlt_dagster import Platform
from elt_runner.dlt_definitions import configured
from elt_runner.dlt_failures import classify
from elt_runner.dlt_intercept import Interception
from elt_runner.dlt_journal import Journal, Loaded
from elt_runner.dlt_observe import Observer
from elt_runner.dlt_report import Report
from elt_runner.errors import Cancelled, Failure, chain, describe

Request = dict[str, Any]
Partition = dict[str, Any]

EXIT_CANCELLED = 143


def main(request: Request) -> int:
    signal.signal(signal.SIGTERM, cancel)
    signal.signal(signal.SIGINT, cancel)
    # The folder's own modules are found as when its script is started by hand, and leave no byte code behind: the working
    # directory outlives revisions, and a file of another revision may have the same size and time.
    sys.path.insert(0, os.getcwd())
    sys.dont_write_bytecode = True
    dlt_window.lower_row_order()

    step = Step(request)
    try:
        step.run()
    except BaseException as error:
        return step.fail(error)
    events.emit("end", status="ok")
    step.clean_up()
    return 0


class Step:
    def __init__(self, request: Request) -> None:
        self._request = request
        self._report = Report(request)
        self._observer = Observer(self._report.asset_of)
        data_dir = os.environ["DLT_DATA_DIR"]
        identity = (request["work_run_id"], os.environ.get("ELT_STEP_KEY", ""))
        self._journal = Journal(data_dir, os.path.join(os.path.dirname(request["loaded_file"]), "finished"), *identity)
        self._loaded = Loaded(request["loaded_file"])
        self._interception = Interception(request, self._observer, self._journal)
        self._unfinished = [asset["key"] for asset in request["assets"]]

    def run(self) -> None:
        for warning in self._request["warnings"]:
            events.log("warning", warning)
        self._observer.install()
        self._interception.install()
        entry, takes_keys = self.entry()
        partitions: list[Partition] = self._request["partitions"]
        if not partitions or (self._request["span"] is not None and not takes_keys):
            # Without partitions, or a stretch of time that the cursors take as a whole.
            self._once(entry, None, self._request["span"], None if takes_keys else self._request["span"])
            self._finish(None, partitions)
            return
        for partition in partitions:
            window = partition["window"]
            self._once(entry, partition, window, None if takes_keys else window)
            self._finish(partition["key"], [partition])

    def _once(
        self, entry: Callable[..., Any], partition: Partition | None, window: Any, cursor_window: Any
    ) -> None:
        """Calls the user's code once. Variables tell it the partition; cursors get a window unless it takes the key itself."""
        if partition is not None:
            os.environ.update(partition["variables"])
        if window is not None:
            os.environ["DLT_INTERVAL_START"] = window["start"]
            os.environ["DLT_INTERVAL_END"] = window["end"]
        self._interception.window = cursor_window
        entry(partition["key"] if partition is not None else None)

    def entry(self) -> tuple[Callable[..., Any], bool]:
        """What to call with a partition key (or None), and whether the user's code takes keys itself."""
        script = self._request["script"]
        if os.path.basename(script) == "definitions.py" and os.path.exists(script):
            return self._definitions(script), False
        if os.path.exists(script) and _defines_run(script):
            return self._run_function(_load_module(script))
        if self._request["source_module"] or self._request["sources"]:
            return self._declared_sources(), False
        if not os.path.exists(script):
            raise Failure("config", f"the folder has no {script} and dagster.yaml declares no source")
        return (lambda _key: _run_script(script)), False

    def _run_function(self, module: Any) -> tuple[Callable[..., Any], bool]:
        function = module.run
        parameters = inspect.signature(function).parameters
        takes_key = "partition_key" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        required = [
            name
            for name, p in parameters.items()
            if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and name != "partition_key"
        ]
        if required:
            raise Failure("config", f"run() in {self._request['script']} needs {', '.join(required)}; it is called with partition_key only")

        def call(key: str | None) -> None:
            needs_key = "partition_key" in parameters and parameters["partition_key"].default is inspect.Parameter.empty
            arguments = {"partition_key": key} if takes_key and (key is not None or needs_key) else {}
            result = function(**arguments)
            if inspect.isawaitable(result):
                asyncio.run(_wait(result))

        return call, takes_key

    def _declared_sources(self) -> Callable[[str | None], Any]:
        request = self._request
        single = {"name": request["pipeline_name"], "dataset": request["dataset_name"], "args": request["source_args"]}
        single |= {"module": request["source_module"], "source": request["source_name"]}
        declared = [(each, _source_factory(each)) for each in request["sources"] or [single]]

        def call(key: str | None) -> None:
            for each, factory in declared:
                arguments = {name: _fill(value, key) for name, value in each["args"].items()}
                print(self._pipeline(each["name"], each["dataset"]).run(factory(**arguments)))

        return call

    def _definitions(self, script: str) -> Callable[[str | None], Any]:
        """Resources given to `ConfigurableDltResource`, one load for each schema that their names begin with."""

        def call(_key: str | None) -> None:
            by_schema: dict[str | None, list[Any]] = {}
            platform = Platform()
            resources = [each.resource for each in configured(script, platform)]
            if platform.idle:
                events.log("warning", f"{script} takes {', '.join(sorted(platform.idle))} from Dagster, which does nothing here")
            for assets in platform.assets:
                platform.load(assets)
            if not resources and not platform.assets:
                text = f"{script} configures no resource: ConfigurableDltResource.config(dlt.resource(…)) or @dlt_assets does"
                raise Failure("config", text)
            for resource in resources:
                schema = resource.name.rpartition(".")[0] or None
                by_schema.setdefault(self._request["dataset_name"] or schema, []).append(resource)
            for schema, resources in by_schema.items():
                name = self._request["pipeline_name"]
                own_name = name if len(by_schema) == 1 or schema is None else f"{name}__{schema}"
                print(self._pipeline(own_name, schema).run(resources))

        return call

    def _pipeline(self, name: str, dataset: str | None) -> Any:
        """A pipeline for code that makes none itself; DuckDB unless another destination is named."""
        destination = self._request["destination"]
        variables = ("DESTINATION_TYPE", f"{name.upper()}__DESTINATION_TYPE")
        if destination is None and not any(variable in os.environ for variable in variables):
            destination = "duckdb"
        if destination == "duckdb" and "DUCKDB_DATABASE" in os.environ and "DESTINATION__CREDENTIALS" not in os.environ:
            # The shared file, unless dlt has been told another one in its own way.
            os.environ.setdefault("DESTINATION__DUCKDB__CREDENTIALS", os.environ["DUCKDB_DATABASE"])
        return dlt.pipeline(pipeline_name=name, destination=destination, dataset_name=dataset)

    def _finish(self, key: str | None, partitions: list[Partition]) -> None:
        """Reports what the loads since the last call wrote, once it is known to be whole."""
        interception = self._interception
        self._report.check_resources(interception.seen)
        # A resource that was not offered has not been loaded, whatever the exit code would be.
        self._report.materialize(interception.loads, list(interception.pipelines.values()), interception.seen, key)
        if key is None or key == self._request["partitions"][-1]["key"]:
            self._unfinished = []
        for resource in sorted(interception.appended):
            again = [each["key"] for each in partitions if self._loaded.add(resource, each["key"])]
            if again:
                events.log(
                    "warning",
                    f"{resource} appends, and {', '.join(again[:5])} had been loaded before: its rows are there twice now."
                    " Use write_disposition merge with a merge_key, or delete the window first",
                )
        interception.loads = []
        interception.appended = set()

    def fail(self, error: BaseException) -> int:
        sys.stdout.flush()
        cancelled = isinstance(error, (Cancelled, KeyboardInterrupt)) or any(
            type(each).__name__ == "SignalReceivedException" for each in chain(error)
        )
        if cancelled:
            events.emit("end", status="cancelled", unfinished_assets=self._unfinished)
            # Threads of an extraction may still be waiting for a server.
            sys.stderr.flush()
            os._exit(EXIT_CANCELLED)
        failure_class, told = classify(error)
        if any(type(each).__name__ == "DataValidationError" for each in chain(error)):
            self._abort_pending()
        description = describe(error, told)
        print(f"{description['name']}: {description['message']}", file=sys.stderr)
        if not isinstance(told, Failure) and description["stack"]:
            print(description["stack"], file=sys.stderr)
        events.emit("end", status="failed", failure_class=failure_class, error=description, unfinished_assets=self._unfinished)
        return 1

    def _abort_pending(self) -> None:
        """Data that breaks a schema's contract can never be loaded: kept pending, it would fail every later run."""
        for pipeline in self._interception.pipelines.values():
            try:
                if pipeline.has_pending_data:
                    dlt_recover.abort(pipeline)
            except Exception as error:
                events.log("warning", f"{pipeline.pipeline_name}: the refused package could not be removed: {error}")

    def clean_up(self) -> None:
        """The step is through: its journal is of no more use, nor is the working folder of a partition (its state stands in
        the destination)."""
        self._journal.finish()
        own = self._request["partition_data_dir"]
        if own is not None and not any(pipeline.has_pending_data for pipeline in self._interception.pipelines.values()):
            shutil.rmtree(own, ignore_errors=True)


def cancel(_signal: int, _frame: Any) -> None:
    raise Cancelled()


def _source_factory(declared: Request) -> Callable[..., Any]:
    name = declared["module"]
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise Failure("config", f"dlt.source_module: the folder has no module {name}") from None
    factory = getattr(module, declared["source"], None)
    if factory is None:
        raise Failure("config", f"dlt.source_name: {name} has no {declared['source']}")
    if not callable(factory):
        raise Failure("config", f"dlt.source_name: {declared['source']} of {name} is no function with @dlt.source")
    return factory


async def _wait(result: Any) -> Any:
    return await result


def _defines_run(script: str) -> bool:
    """Whether the script has a `run` at its top level, without executing it."""
    with open(script, "rb") as file:
        tree = ast.parse(file.read(), script)
    for node in _top_level(tree.body):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "run":
            return True
        if isinstance(node, (ast.Import, ast.ImportFrom)) and any((a.asname or a.name) == "run" for a in node.names):
            return True
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "run" for t in node.targets):
            return True
    return False


def _load_module(script: str) -> Any:
    name = os.path.splitext(os.path.basename(script))[0]
    spec = importlib.util.spec_from_file_location(name, os.path.abspath(script))
    if spec is None or spec.loader is None:
        raise Failure("config", f"{script} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _run_script(script: str) -> None:
    path = os.path.abspath(script)
    argv, sys.argv = sys.argv, [path]
    try:
        runpy.run_path(path, run_name="__main__")
    except SystemExit as leave:
        if leave.code not in (None, 0):
            text = leave.code if isinstance(leave.code, str) else f"{script} ended with exit code {leave.code}"
            raise Failure("user", text, "SystemExit") from leave
    finally:
        sys.argv = argv


def _fill(value: Any, key: str | None) -> Any:
    """`{partition_key}`, `{window_start}` and `{window_end}` in declared arguments of a source."""
    if not isinstance(value, str):
        return value
    values = {
        "partition_key": key or "",
        "window_start": os.environ.get("DLT_INTERVAL_START", ""),
        "window_end": os.environ.get("DLT_INTERVAL_END", ""),
    }
    for name, text in values.items():
        value = value.replace("{" + name + "}", text)
    return value


def _top_level(body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements that run on import: also those inside `if` and `try`, but for `if __name__ == "__main__"`."""
    found: list[ast.stmt] = []
    for node in body:
        found.append(node)
        if isinstance(node, ast.If) and "__name__" not in ast.dump(node.test):
            found.extend(_top_level(node.body + node.orelse))
        elif isinstance(node, ast.Try):
            found.extend(_top_level(node.body + node.orelse + [s for h in node.handlers for s in h.body]))
    return found

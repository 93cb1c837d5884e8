"""Stands in for Dagster in a `definitions.py` whose assets are `@dlt_assets`: no Dagster is needed to load them.

Honoured: source, pipeline and group of `@dlt_assets`, its function with `context` and `DagsterDltResource`, and `resources` of
`Definitions`. Every other name of Dagster's can be imported and does nothing; which ones were, is told.

Stands alone (standard library only): discovery loads it by its path.
"""

from __future__ import annotations

import datetime
import inspect
import logging
import os
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

ROOTS = ("dagster", "dagster_dlt", "dagster_embedded_elt")


class Assets:
    """What one `@dlt_assets` declares."""

    def __init__(self, source: Any, pipeline: Any, group: str | None, function: Callable[..., Any], line: int | None) -> None:
        self.source = source
        self.pipeline = pipeline
        self.group = group
        self.function = function
        self.line = line


class Platform:
    """The modules that stand in; `assets` and `resources` are what a file that is imported after `install` declares."""

    def __init__(self) -> None:
        self.assets: list[Assets] = []
        self.resources: dict[str, Any] = {}
        #: Names of Dagster's that were taken and do nothing.
        self.idle: set[str] = set()

    def install(self) -> None:
        sys.meta_path.insert(0, _Finder(self))
        for name in [name for name in sys.modules if name.partition(".")[0] in ROOTS]:
            del sys.modules[name]

    def load(self, assets: Assets) -> None:
        """Calls the function of an asset as Dagster would."""
        arguments: dict[str, Any] = {}
        for name, parameter in inspect.signature(assets.function).parameters.items():
            if name == "context":
                arguments[name] = Context(assets)
            elif name in self.resources:
                arguments[name] = self.resources[name]
            elif parameter.annotation is DagsterDltResource or "DagsterDltResource" in str(parameter.annotation):
                arguments[name] = DagsterDltResource()
            elif parameter.default is inspect.Parameter.empty:
                raise TypeError(f"{assets.function.__name__} needs {name}, which Definitions(resources=…) does not have")
        for resource in arguments.values():
            if isinstance(resource, DagsterDltResource):
                resource.assets = assets
        result = assets.function(**arguments)
        if inspect.isgenerator(result):
            for _ in result:
                pass

    def names(self) -> dict[str, Any]:
        def dlt_assets(*, dlt_source: Any, dlt_pipeline: Any, group_name: str | None = None, **_: Any) -> Any:
            frame = sys._getframe(1)

            def decorate(function: Callable[..., Any]) -> Assets:
                declared = Assets(dlt_source, dlt_pipeline, group_name, function, frame.f_lineno)
                self.assets.append(declared)
                return declared

            return decorate

        def definitions(*_: Any, resources: dict[str, Any] | None = None, **__: Any) -> Nothing:
            self.resources.update(resources or {})
            return Nothing()

        return {
            "dlt_assets": dlt_assets,
            "DagsterDltResource": DagsterDltResource,
            "Definitions": definitions,
            "AssetExecutionContext": Context,
            "define_asset_job": Nothing,
            "multiprocess_executor": Nothing(),
            "multi_process_executor": Nothing(),
            "in_process_executor": Nothing(),
        }


class DagsterDltResource:
    def __init__(self, *_: Any, **__: Any) -> None:
        self.assets: Assets | None = None

    def run(self, context: Any = None, dlt_source: Any = None, dlt_pipeline: Any = None, **arguments: Any) -> Loaded:
        """Loads at once; what comes back can be iterated over, as Dagster's events are."""
        declared = context.assets if isinstance(context, Context) else self.assets
        source = dlt_source if dlt_source is not None else declared.source
        pipeline = dlt_pipeline if dlt_pipeline is not None else declared.pipeline
        arguments.pop("dagster_dlt_translator", None)
        print(pipeline.run(source, **arguments))
        return Loaded()


class Loaded:
    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def fetch_row_count(self) -> Loaded:
        return self

    fetch_column_metadata = fetch_row_count


class Context:
    """The part of Dagster's context that a load looks at."""

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.log = logging.getLogger("dagster")
        self.run_id = os.environ.get("ELT_RUN_ID", "")
        self.retry_number = int(os.environ.get("ELT_RETRY_NUMBER", 0))

    @property
    def has_partition_key(self) -> bool:
        return "ELT_PARTITION_KEY" in os.environ

    @property
    def partition_key(self) -> str:
        return os.environ["ELT_PARTITION_KEY"]

    @property
    def partition_time_window(self) -> Any:
        start, end = (datetime.datetime.fromisoformat(os.environ[f"ELT_PARTITION_{side}"]) for side in ("START", "END"))
        return types.SimpleNamespace(start=start, end=end)


class Nothing:
    """Can be called, subclassed and asked for anything, and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __call__(self, *_: Any, **__: Any) -> Any:
        return Nothing()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def __or__(self, _: Any) -> Any:
        return self

    __and__ = __ror__ = __rand__ = __or__


class _Module(types.ModuleType):
    def __init__(self, name: str, platform: Platform) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._platform = platform
        self._names = platform.names()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._names:
            return self._names[name]
        self._platform.idle.add(f"{self.__name__}.{name}")
        return type(name, (Nothing,), {})


class _Finder:
    """Finds every module of Dagster's, installed or not."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        if name.partition(".")[0] not in ROOTS:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self, is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Module(spec.name, self._platform)

    def exec_module(self, _module: types.ModuleType) -> None:
        pass

"""Reads a `definitions.py` of resources that were configured for Dagster: `ConfigurableDltResource.config(resource, …)`, or
sources that were decorated for it (`@dlt_assets`).

Stands alone (standard library, dlt and its neighbour `dlt_dagster`): discovery loads it by its path.
"""

from __future__ import annotations

import ast
import importlib
import os
import sys
import types
from collections.abc import Iterator
from typing import Any, NamedTuple

PACKAGE = "_elt_folder"
CLASS = "ConfigurableDltResource"
SKIPPED = ("__pycache__", "node_modules", "venv")


class Configured(NamedTuple):
    resource: Any
    kinds: list[str] | None
    meta: dict[str, Any] | None
    #: Where in definitions.py; None if a neighbour configures it.
    line: int | None


def configured(script: str, platform: Any) -> list[Configured]:
    """The resources in the order in which they are configured; `platform` (of `dlt_dagster`) takes down `@dlt_assets`.

    Neighbours are imported as `.data`. The class is ours wherever the folder's code takes it from: the team's platform need
    not be installed. Raises what the folder's code raises, and TypeError for what is not a resource.
    """
    script = os.path.abspath(script)
    folder = os.path.dirname(script)
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    package = types.ModuleType(PACKAGE)
    package.__path__ = [folder]
    sys.modules[PACKAGE] = package
    found: list[Configured] = []
    platform.install()
    for module in dict.fromkeys(_homes(folder)):
        _provide(module, folder, script, found)
    importlib.import_module(f"{PACKAGE}.{os.path.splitext(os.path.basename(script))[0]}")
    return found


def _homes(folder: str) -> Iterator[str]:
    """Modules that the folder's code takes the class from, by their full names."""
    for path in _python_files(folder):
        parents = [PACKAGE, *os.path.relpath(path, folder).split(os.sep)[:-1]]
        try:
            with open(path, "rb") as file:
                tree = ast.parse(file.read(), path)
        except SyntaxError:
            # Told where it stands once somebody imports it.
            continue
        aliases: dict[str, str] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                aliases.update({name.asname or name.name: name.name for name in node.names})
            elif isinstance(node, ast.ImportFrom):
                base = parents[: len(parents) - node.level + 1] if node.level else []
                module = ".".join([*base, *([node.module] if node.module else [])])
                aliases.update({name.asname or name.name: f"{module}.{name.name}" for name in node.names})
                if any(name.name == CLASS for name in node.names):
                    yield module
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == CLASS:
                dotted = ast.unparse(node.value)
                yield from (f"{full}{dotted[len(name) :]}" for name, full in aliases.items() if f"{dotted}.".startswith(f"{name}."))


def _python_files(folder: str) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        yield from (os.path.join(place, name) for name in sorted(files) if name.endswith(".py"))


def _provide(module: str, folder: str, script: str, found: list[Configured]) -> None:
    """Makes the class of a module, or of one that is made up where there is none, take down what it configures."""

    def config(resource: Any = None, *_: Any, kinds: Any = None, meta: Any = None, **__: Any) -> Any:
        from dlt.extract import DltResource

        if not isinstance(resource, DltResource):
            raise TypeError(f"{CLASS}.config needs a dlt.resource(…), this is {type(resource).__name__}: {resource!r:.80}")
        frame: Any = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != script:
            frame = frame.f_back
        names = None if kinds is None else sorted({kinds} if isinstance(kinds, str) else {str(kind) for kind in kinds})
        found.append(Configured(resource, names, dict(meta) if meta else None, frame.f_lineno if frame else None))
        return resource

    own = _own_file(module, folder)
    if own is not None and _takes_it_from_elsewhere(own):
        return
    try:
        configurable = getattr(importlib.import_module(module), CLASS)
    except Exception:  # whatever an absent or half installed platform raises
        if own is not None:
            raise
        configurable = _made_up(module)
    configurable.config = staticmethod(config)
    if configurable.__module__ == __name__:
        configurable.__new__ = lambda _class, *arguments, **named: config(*arguments, **named)


def _own_file(module: str, folder: str) -> str | None:
    parts = module.removeprefix(f"{PACKAGE}.").split(".")
    path = os.path.join(folder, *parts)
    return next((each for each in (f"{path}.py", os.path.join(path, "__init__.py")) if os.path.isfile(each)), None)


def _takes_it_from_elsewhere(path: str) -> bool:
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    return any(isinstance(node, ast.ImportFrom) and any(name.name == CLASS for name in node.names) for node in ast.walk(tree))


def _made_up(module: str) -> Any:
    configurable = type(CLASS, (), {"__module__": __name__})
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        prefix = ".".join(parts[:end])
        if prefix not in sys.modules:
            sys.modules[prefix] = _Absent(prefix)
            if end > 1:
                setattr(sys.modules[".".join(parts[: end - 1])], parts[end - 1], sys.modules[prefix])
    setattr(sys.modules[module], CLASS, configurable)
    return configurable


class _Absent(types.ModuleType):
    """A module of a platform that is not installed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        full = self.__name__.removeprefix(f"{PACKAGE}.")
        raise ImportError(f"{full} is not installed, only {CLASS} stands in for it: add its package to requirements.txt to use {name}", name=full)

"""Reads a `definitions.py` of resources that were configured for Dagster: `ConfigurableDltResource.config(resource, …)`."""

from __future__ import annotations

import ast
import importlib
import os
import sys
import types
from typing import Any

PACKAGE = "_elt_folder"


def configured_resources(script: str) -> list[Any]:
    """The resources in the order of the file. Neighbours are imported as `.data`; the class comes from wherever the team's
    platform has it, or is made up where that platform is not installed."""
    folder = os.path.dirname(os.path.abspath(script))
    for name in [name for name in sys.modules if name == PACKAGE or name.startswith(f"{PACKAGE}.")]:
        del sys.modules[name]
    package = types.ModuleType(PACKAGE)
    package.__path__ = [folder]
    sys.modules[PACKAGE] = package
    found: list[Any] = []
    with open(script, "rb") as file:
        tree = ast.parse(file.read(), script)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(name.name == "ConfigurableDltResource" for name in node.names):
            _collect_into(found, "." * node.level + (node.module or ""))
    importlib.import_module(f"{PACKAGE}.{os.path.splitext(os.path.basename(script))[0]}")
    return found


def _collect_into(found: list[Any], name: str) -> None:
    relative = name.startswith(".")
    try:
        module = importlib.import_module(name, PACKAGE if relative else None)
        configurable = module.ConfigurableDltResource
    except (ImportError, AttributeError):
        configurable = type("ConfigurableDltResource", (), {})
        full = PACKAGE + (name if name != "." else "") if relative else name
        parts = full.split(".")
        for end in range(1, len(parts) + 1):
            prefix = ".".join(parts[:end])
            if prefix not in sys.modules:
                made_up = types.ModuleType(prefix)
                made_up.__path__ = []
                sys.modules[prefix] = made_up
        sys.modules[full].ConfigurableDltResource = configurable  # type: ignore[attr-defined]

    def config(item: Any, *_: Any, **__: Any) -> Any:
        found.append(item)
        return item

    configurable.config = staticmethod(config)

"""Imports what the steps of a tool import, and notes which variables those imports looked at.

A module that reads a variable while it is imported keeps its value for good: a step that has another one must start cold.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any

#: What the steps of a tool import sooner or later, beside what its runner imports; a part that is not installed is left out.
LATER = {
    "dlt": (
        "elt_runner.checked_runner",
        "dlt._workspace._plugins",
        "dlt.sources.helpers.requests",
        "duckdb",
        "dlt.destinations.impl.duckdb.duck",
        "dlt.destinations.impl.duckdb.sql_client",
        "pendulum.locales.en.locale",
    ),
    "sling": ("elt_runner.checked_runner", "sqlite3", "hashlib"),
    "dbt": (
        "elt_runner.checked_runner",
        "dbt.task.build",
        "dbt.parser.manifest",
        "dbt.adapters.duckdb",
        "dbt.adapters.postgres",
    ),
}
#: Modules that look at these while they are imported, and for which `renew` sets right what they keep, or that keep nothing
#: of meaning: a step's home folder is new and empty.
KNOWN_LOOKS = {
    "HOME": {"fsspec.config", "sysconfig", "site"},
    "cwd": {"multiprocessing.process"},
    "DLT_INTERVAL_TIMEZONE": {"dlt.common.time"},
}
#: Frames between a module and the look that it takes.
BETWEEN = {"os", "posixpath", "genericpath", "pathlib", "collections.abc", "importlib._bootstrap"}


class Unfit(Exception):
    """These imports cannot be shared by steps."""


class Preloaded:
    def __init__(self) -> None:
        #: Variables that the imports read: a step needs the very values that the server has.
        self.names: set[str] = set()
        #: Beginnings of variables of packages that went through all of them.
        self.prefixes: set[str] = set()
        #: What the interpreter (its locale) and the imports set.
        self.variables: dict[bytes, bytes] = {}
        #: Modules that only `LATER` brought in: a folder's own module of such a name goes first.
        self.later: set[str] = set()


def preload(tool: str) -> Preloaded:
    preloaded = Preloaded()
    # Objects of imports live as long as the process: nothing to collect, and a collection would touch (copy) all pages.
    gc.disable()
    with open("/proc/self/environ", "rb") as file:
        given = set(file.read().split(b"\0"))
    with _Watch() as watch:
        importlib.import_module(f"elt_runner.{tool}_runner")
        before = set(sys.modules)
        for name in LATER[tool]:
            try:
                importlib.import_module(name)
            except ImportError:
                continue
    preloaded.later = set(sys.modules) - before
    preloaded.variables = {name: value for name, value in os.environb.items() if b"%s=%s" % (name, value) not in given}
    for name, modules in watch.looks.items():
        unknown = modules - KNOWN_LOOKS.get(name, set())
        if not unknown:
            continue
        if name in ("HOME", "cwd"):
            raise Unfit(f"{sorted(unknown)[0]} looks at the {'home' if name == 'HOME' else 'working'} folder while it is imported")
        preloaded.names.add(name)
    # A package's own variables begin with its name: FSSPEC_…, NETWORKX_….
    preloaded.prefixes = {module.partition(".")[0].upper() + "_" for module in watch.through}
    _require_clean_dlt()
    gc.collect()
    gc.freeze()
    return preloaded


def _require_clean_dlt() -> None:
    """dlt keeps what it read of its configuration in one container: a step must find none there."""
    module = sys.modules.get("dlt.common.configuration.container")
    if module is not None and any(context for context, _ in module.Container().thread_contexts.values()):
        raise Unfit("a plugin of dlt reads configuration while it is imported")


class _Watch:
    """Notes who looks at the environment and at the working folder."""

    def __init__(self) -> None:
        self.looks: dict[str, set[str]] = {}
        #: Modules that went through all variables.
        self.through: set[str] = set()

    def __enter__(self) -> _Watch:
        environ: Any = type(os.environ)
        self._get, self._iterate, self._getcwd = environ.__getitem__, environ.__iter__, os.getcwd
        watch = self

        def get(mapping: Any, name: Any) -> Any:
            watch._note(name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else str(name))
            return watch._get(mapping, name)

        def iterate(mapping: Any) -> Any:
            watch.through.add(_looker())
            return watch._iterate(mapping)

        def getcwd() -> str:
            watch._note("cwd")
            return watch._getcwd()

        environ.__getitem__, environ.__iter__, os.getcwd = get, iterate, getcwd
        return self

    def __exit__(self, *_: object) -> None:
        environ: Any = type(os.environ)
        environ.__getitem__, environ.__iter__, os.getcwd = self._get, self._iterate, self._getcwd

    def _note(self, name: str) -> None:
        looker = _looker()
        # Whoever goes through all of them also gets each.
        if looker not in self.through:
            self.looks.setdefault(name, set()).add(looker)


def _looker() -> str:
    """The module that looks, whatever of the standard library it does so by."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") in (*BETWEEN, __name__):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__"))

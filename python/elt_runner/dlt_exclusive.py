"""Makes processes of this machine wait for each other where dlt would fail.

DuckDB refuses the second process that opens a file. Two first loads into one dataset can both find a table missing, and
the slower one fails to create it. Two processes that make a pipeline of one name would each clear its new folder.
"""

from __future__ import annotations

import contextlib
import os
from contextlib import AbstractContextManager
from typing import Any

from dlt.load.load import Load
from dlt.pipeline.pipeline import Pipeline

from elt_runner import dlt_locks


def install(folder: str) -> None:
    make, initialize = Pipeline.__init__, Load.initialize_package
    # In older releases of dlt these are one with the public methods.
    sync_name = "_sync_destination" if hasattr(Pipeline, "_sync_destination") else "sync_destination"
    load_name = "_load" if hasattr(Pipeline, "_load") else "load"
    sync, load = getattr(Pipeline, sync_name), getattr(Pipeline, load_name)

    def init(pipeline: Any, pipeline_name: str, pipelines_dir: str, *arguments: Any, **named: Any) -> None:
        with dlt_locks.held(folder, f"make {os.path.realpath(pipelines_dir)}"):
            make(pipeline, pipeline_name, pipelines_dir, *arguments, **named)

    def sync_destination(pipeline: Any, *arguments: Any, **named: Any) -> Any:
        with _file_of(folder, pipeline):
            return sync(pipeline, *arguments, **named)

    def load_packages(pipeline: Any, *arguments: Any, **named: Any) -> Any:
        with _file_of(folder, pipeline):
            return load(pipeline, *arguments, **named)

    def initialize_package(loader: Any, *arguments: Any) -> Any:
        config = loader.initial_client_config
        dataset = getattr(config, "dataset_name", None)
        with dlt_locks.held(folder, f"tables {config.destination_type} {config.fingerprint()} {dataset}"):
            return initialize(loader, *arguments)

    Pipeline.__init__ = init  # type: ignore[method-assign]
    setattr(Pipeline, sync_name, sync_destination)
    setattr(Pipeline, load_name, load_packages)
    Load.initialize_package = initialize_package  # type: ignore[method-assign]


def _file_of(folder: str, pipeline: Any) -> AbstractContextManager[None]:
    """The lock of the DuckDB file that a pipeline writes to; of other destinations none."""
    destination = pipeline._destination
    if destination is None or not destination.destination_type.endswith(".duckdb"):
        return contextlib.nullcontext()
    try:
        # A dataset is asked for by every destination and changes nothing about the file.
        config = destination.configuration(destination.spec()._bind_dataset_name("elt"))
        database = config.credentials.database
    except Exception:  # dlt will say by itself what is missing
        return contextlib.nullcontext()
    if database.startswith(":"):
        return contextlib.nullcontext()
    return dlt_locks.held(folder, f"file {os.path.realpath(database)}")

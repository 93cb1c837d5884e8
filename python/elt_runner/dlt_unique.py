"""A pipeline name of its own for each resource that is loaded by a process of its own.

The state of a pipeline stands under its name: two processes with one name would overwrite each other's cursors. Everything
else goes on as under the name that the code gives: its dataset, DuckDB's default file, sections of the configuration.
"""

from __future__ import annotations

import os
import re
from typing import Any

from dlt.common.configuration import resolve
from dlt.pipeline.pipeline import Pipeline

#: Names as the code gives them, by the names that stand in their place.
given: dict[str, str] = {}


def name_for(pipeline_name: str, resource: str) -> str:
    """`github` and `issues` → `github__issues`; a name that ends with the resource's is one of its own already."""
    suffix = suffix_of(resource)
    return pipeline_name if pipeline_name.endswith(f"_{suffix}") else f"{pipeline_name}__{suffix}"


def suffix_of(resource: str) -> str:
    """A resource's name as a part of a pipeline's, which is the name of a folder."""
    return re.sub(r"\W+", "_", resource)


def install() -> None:
    """Lets a pipeline that is renamed keep everything else."""
    dataset, bind = Pipeline._make_dataset_name, Pipeline._bind_local_files

    def make_dataset_name(pipeline: Any, *arguments: Any) -> str:
        return _as_given(pipeline, lambda: dataset(pipeline, *arguments))

    def bind_local_files(pipeline: Any, local_files: Any) -> Any:
        bound = _as_given(pipeline, lambda: bind(pipeline, local_files))
        bound.pipeline_working_dir = os.path.join(pipeline.pipelines_dir, bound.pipeline_name)
        return bound

    Pipeline._make_dataset_name = make_dataset_name  # type: ignore[method-assign]
    Pipeline._bind_local_files = bind_local_files  # type: ignore[method-assign]
    keep_sections()


def rename(pipeline: Any, resource: str) -> None:
    """Gives a pipeline that is about to load the resource a name of its own, in place: the user's code holds on to it."""
    before = pipeline.pipeline_name
    name = name_for(before, resource)
    if before in given or name == before:
        return
    given[name] = before
    dataset, storage = pipeline.dataset_name, pipeline._schema_storage_config
    # As dlt's own drop() makes a pipeline anew.
    pipeline.__init__(
        name,
        pipeline.pipelines_dir,
        pipeline.pipeline_salt,
        pipeline._destination,
        pipeline._staging,
        dataset,
        storage.import_schema_path,
        storage.export_schema_path,
        pipeline.dev_mode,
        pipeline.collector,
        False,
        pipeline.config,
        refresh=pipeline.refresh,
    )
    pipeline.activate()
    with pipeline.managed_state():
        # A layout of dataset names is in it already.
        pipeline.dataset_name = dataset


def _as_given(pipeline: Any, call: Any) -> Any:
    own = pipeline.pipeline_name
    pipeline.pipeline_name = given.get(own, own)
    try:
        return call()
    finally:
        pipeline.pipeline_name = own


def keep_sections() -> None:
    """`GITHUB__DESTINATION__…` and `[github.destination]` hold for `github__issues` too."""
    look = resolve.resolve_single_provider_value

    def resolve_single_provider_value(provider: Any, key: str, hint: Any, pipeline_name: Any = None, *sections: Any) -> Any:
        value, traces = look(provider, key, hint, pipeline_name, *sections)
        base = given.get(pipeline_name, pipeline_name)
        if value is None and base != pipeline_name:
            value, more = look(provider, key, hint, base, *sections)
            traces = [*traces, *more]
        return value, traces

    resolve.resolve_single_provider_value = resolve_single_provider_value

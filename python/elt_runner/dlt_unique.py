"""A pipeline name of its own for each resource that is loaded by a process of its own.

The state of a pipeline stands under its name: two processes with one name would overwrite each other's cursors. Everything
else goes on as under the name that the code gives: its dataset, DuckDB's default file, sections of the configuration.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from typing import Any

from dlt.common.configuration import resolve
from dlt.pipeline.pipeline import Pipeline

#: Names as the code gives them, by the names that stand in their place.
given: dict[str, str] = {}
_as_it_is = False


def name_for(pipeline_name: str, resource: str) -> str:
    """`github` and `issues` → `github__issues`; a name that ends with the resource's is one of its own already."""
    suffix = suffix_of(resource)
    return pipeline_name if pipeline_name.endswith(f"_{suffix}") else f"{pipeline_name}__{suffix}"


def suffix_of(resource: str) -> str:
    """A resource's name as a part of a pipeline's, which is the name of a folder."""
    return re.sub(r"\W+", "_", resource)


def install(resource: str) -> None:
    """From here on, pipelines are made under the name of this resource."""
    init, dataset, bind = Pipeline._init_working_dir, Pipeline._make_dataset_name, Pipeline._bind_local_files

    def init_working_dir(pipeline: Any, pipeline_name: str, pipelines_dir: str) -> None:
        # A pipeline that is dropped is made anew under the name that it has.
        name = pipeline_name if _as_it_is or pipeline_name in given else name_for(pipeline_name, resource)
        if name != pipeline_name:
            given[name] = pipeline_name
        init(pipeline, name, pipelines_dir)

    def make_dataset_name(pipeline: Any, *arguments: Any) -> str:
        return _as_given(pipeline, lambda: dataset(pipeline, *arguments))

    def bind_local_files(pipeline: Any, local_files: Any) -> Any:
        bound = _as_given(pipeline, lambda: bind(pipeline, local_files))
        bound.pipeline_working_dir = os.path.join(pipeline.pipelines_dir, bound.pipeline_name)
        return bound

    Pipeline._init_working_dir = init_working_dir  # type: ignore[method-assign]
    Pipeline._make_dataset_name = make_dataset_name  # type: ignore[method-assign]
    Pipeline._bind_local_files = bind_local_files  # type: ignore[method-assign]
    _keep_sections()


@contextlib.contextmanager
def unchanged() -> Iterator[None]:
    """Pipelines that are made inside have the names that they are given."""
    global _as_it_is
    before, _as_it_is = _as_it_is, True
    try:
        yield
    finally:
        _as_it_is = before


def _as_given(pipeline: Any, call: Any) -> Any:
    own = pipeline.pipeline_name
    pipeline.pipeline_name = given.get(own, own)
    try:
        return call()
    finally:
        pipeline.pipeline_name = own


def _keep_sections() -> None:
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

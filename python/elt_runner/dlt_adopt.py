"""Takes over cursors when the resources of a pipeline begin, or cease, to be loaded under names of their own.

The state of a resource stands under one name at a time: it is moved, so the one that is found under another name is the
newest. Packages that the other name left pending are loaded first: its cursors have moved past their rows.
"""

from __future__ import annotations

import copy
import glob
import os
from collections.abc import Callable
from typing import Any

from dlt.common.schema.utils import normalize_schema_name
from dlt.pipeline.pipeline import Pipeline

from elt_runner import dlt_state, dlt_unique, events


def adopt(
    pipeline: Any, own_resource: str | None, place: dict[str, Any], named: set[str], run: Callable[..., Any]
) -> None:
    """Brings the state of the pipeline's other names into it.

    `own_resource`: the one that the pipeline is named after; None for a pipeline that has all of them. `place` are the
    arguments of `run` that say where it loads to, `run` is dlt's own. `named`: sources that have a name of their own.
    """
    others = _others(pipeline, own_resource)
    if not others:
        return
    pipeline.sync_destination(**{name: place[name] for name in ("destination", "staging", "dataset_name") if name in place})
    pipeline._state_restored = True
    for name in others:
        other = dlt_state.beside(pipeline, pipeline.pipelines_dir, name)
        if other.has_pending_data:
            events.log("info", f"{name}: finishing a load that was left pending, before {pipeline.pipeline_name} goes on from its state")
            run(other, None, **place)
        resource = own_resource if own_resource is not None else name.removeprefix(f"{pipeline.pipeline_name}__")
        _move(pipeline, other, resource, named)
    pipeline.activate()


def _others(pipeline: Any, own_resource: str | None) -> list[str]:
    """Names with a working directory here: the shared one, or those of the single resources."""
    name = pipeline.pipeline_name
    if own_resource is not None:
        shared = dlt_unique.given.get(name, name)
        return [shared] if shared != name and _has_state(pipeline.pipelines_dir, shared) else []
    found = glob.glob(os.path.join(glob.escape(pipeline.pipelines_dir), f"{glob.escape(name)}__*"))
    names = [os.path.basename(path) for path in sorted(found)]
    return [each for each in names if _has_state(pipeline.pipelines_dir, each)]


def _has_state(pipelines_dir: str, name: str) -> bool:
    return os.path.exists(os.path.join(pipelines_dir, name, Pipeline.STATE_FILE))


def _move(pipeline: Any, other: Any, resource: str, named: set[str]) -> None:
    own_schema, other_schema = (normalize_schema_name(each.pipeline_name) for each in (pipeline, other))
    moved: list[tuple[str, str]] = []
    with pipeline.managed_state() as state:
        for source_name, source in copy.deepcopy(other.state.get("sources", {})).items():
            names = [name for name in source.get("resources", {}) if _same(name, resource)]
            if not names:
                continue
            # Data without a source of its own has one that is named after the pipeline.
            is_made_up = source_name == other_schema and source_name not in named
            own = state.setdefault("sources", {}).setdefault(own_schema if is_made_up else source_name, {})
            for key, value in source.items():
                if key != "resources":
                    own.setdefault(key, value)
            for name in names:
                own.setdefault("resources", {})[name] = source["resources"][name]
                moved.append((source_name, name))
    if not moved:
        return
    other.activate()
    with other.managed_state() as state:
        for source_name, name in moved:
            del state["sources"][source_name]["resources"][name]
    names = ", ".join(name for _, name in moved)
    events.log("info", f"{pipeline.pipeline_name}: goes on from the state that {other.pipeline_name} had of {names}")


def _same(name: str, resource: str) -> bool:
    """`resource` may be the end of a pipeline's name, in which letters that no name can have are gone."""
    return name == resource or dlt_unique.suffix_of(name) == resource

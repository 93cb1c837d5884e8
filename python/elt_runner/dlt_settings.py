"""Settings that guides for dlt write and dlt itself does not know: they are given the names that it does know."""

from __future__ import annotations

import os
from typing import Any

import dlt

#: Not normalize: its workers are processes, which a step would pay for.
STAGES = ("EXTRACT", "LOAD")


def install() -> None:
    """`[runtime] workers` of `.dlt/config.toml` or the environment is the number of threads of each stage."""
    workers = dlt.config.get("runtime.workers", int)
    if workers is None:
        return
    for stage in STAGES:
        # A stage that has a number of its own keeps it.
        if dlt.config.get(f"{stage.lower()}.workers", int) is None:
            os.environ[f"{stage}__WORKERS"] = str(workers)


def contract(declared: Any) -> Any:
    """The schema contract of a load: `dlt.schema_contract`, else what `[schema] allow_new_columns` says; None: the code's."""
    if declared is not None:
        return declared
    allowed = dlt.config.get("schema.allow_new_columns", bool)
    return {"columns": "freeze"} if allowed is False else None

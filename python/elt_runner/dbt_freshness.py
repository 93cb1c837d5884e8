"""How fresh the sources of a step's models are, as dbt itself tells it: a check of each model that reads them."""

from __future__ import annotations

from typing import Any

from dbt.cli.main import dbtRunner

from elt_runner import events
from elt_runner.dbt_failures import one_line

PASSED = "pass"


def check(manifest: Any, assets: dict[str, str], arguments: list[str]) -> None:
    """Asks for the sources that the assets (unique id → key) read themselves and that have criteria. Never fails a step."""
    readers: dict[str, list[str]] = {}
    for unique_id, key in assets.items():
        for parent in getattr(getattr(manifest.nodes[unique_id], "depends_on", None), "nodes", []):
            if parent in manifest.sources and _worst(manifest.sources[parent]) is not None:
                readers.setdefault(parent, []).append(key)
    if not readers:
        return
    terms = [f"source:{manifest.sources[each].source_name}.{manifest.sources[each].name}" for each in readers]
    events.emit("stage_start", stage="source freshness")
    result = dbtRunner(manifest=manifest).invoke(["--quiet", "source", "freshness", *arguments, "--select", *terms])
    answers = getattr(result.result, "results", None) or []
    events.emit("stage_end", stage="source freshness", ok=result.exception is None)
    if result.exception is not None:
        events.log("warning", f"how fresh the sources are could not be asked: {result.exception}")
    for answer in answers:
        for key in readers.get(answer.node.unique_id, []):
            _report(answer, key)


def _report(answer: Any, key: str) -> None:
    source, status = answer.node, str(getattr(answer.status, "value", answer.status))
    newest, asked, age = (getattr(answer, name, None) for name in ("max_loaded_at", "snapshotted_at", "age"))
    events.emit(
        "check",
        asset_key=key,
        check_name=f"source_freshness_{source.source_name}_{source.name}",
        passed=status == PASSED,
        severity="WARN" if status == "warn" else _worst(source) or "ERROR",
        metadata=events.without_none(
            {
                "message": one_line(answer.message or "") or f"the newest row is {_hours(age)} old" if status != PASSED else None,
                "max_loaded_at": newest,
                "asked_at": asked,
                "age_seconds": None if age is None else round(float(age)),
            }
        ),
    )


def _worst(source: Any) -> str | None:
    """What `discover_dbt.py` gives such a check as its severity; None if the source has no criteria."""
    criteria = source.freshness
    if criteria is None:
        return None
    if getattr(criteria.error_after, "count", None) is not None:
        return "ERROR"
    return "WARN" if getattr(criteria.warn_after, "count", None) is not None else None


def _hours(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"{float(seconds) / 3600:.1f} hours"

"""Appends step events to ELT_EVENTS_FILE: one JSON object per line, one write per line.

The file is shared with Dagster Pipes and read while it grows; `src/events/step-event.ts` has the shapes.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import os
import time
from typing import Any

LONGEST_LINE = 900_000

_file: int | None = None


def emit(type: str, **fields: Any) -> None:
    """Writes one event. A line that would be too long loses its metadata and says so."""
    event = {"type": type, "ts": round(time.time(), 3), **fields}
    line = _encode(event)
    if len(line) > LONGEST_LINE:
        line = _encode({**event, "metadata": {"truncated": True}, "message": str(event.get("message", ""))[:10_000]})
    os.write(_descriptor(), line)


def log(level: str, message: str) -> None:
    emit("log", level=level, message=message)


def materialization(asset_key: str, metadata: dict[str, Any], partition: str | None = None) -> None:
    emit("materialization", asset_key=asset_key, partition=partition, metadata=without_none(metadata))


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def throughput(rows: int | None, seconds: float | None) -> dict[str, Any]:
    """`rows`, `seconds` and their quotient, as far as they are known."""
    rate = round(rows / seconds, 1) if rows is not None and seconds else None
    return {"rows": rows, "seconds": None if seconds is None else round(seconds, 3), "rows_per_second": rate}


def _descriptor() -> int:
    global _file
    if _file is None:
        _file = os.open(os.environ["ELT_EVENTS_FILE"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return _file


def _encode(event: dict[str, Any]) -> bytes:
    return json.dumps(plain(event), ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def plain(value: Any) -> Any:
    """JSON has no NaN, no decimals and no instants."""
    if isinstance(value, dict):
        return {str(name): plain(child) for name, child in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(child) for child in value]
    if isinstance(value, bool) or value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, decimal.Decimal):
        return float(value) if value.is_finite() else None
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return str(value)

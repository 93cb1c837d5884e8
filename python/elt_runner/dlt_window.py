"""Gives a resource's incremental cursor a window, or another start, without touching the user's code."""

from __future__ import annotations

import datetime
import inspect
import os
import re
from typing import Any

import dlt

Request = dict[str, Any]

_SHAPE = re.compile(
    r"^\d{4}-\d\d-\d\d(?:(?P<separator>[T ])\d\d:\d\d(?P<seconds>:\d\d)?(?:\.(?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d\d:?\d\d)?$"
)


def lower_row_order() -> None:
    """dlt takes `row_order` in lower case only and silently ignores "ASC", which then reads the whole source."""
    incremental = dlt.sources.incremental
    original = incremental.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if isinstance(self.row_order, str):
            self.row_order = self.row_order.lower()

    incremental.__init__ = init


def current_incremental(resource: Any) -> Any | None:
    """The incremental that a resource loads by: given in its call, by hints, as a step, or as the default of an argument."""
    given = _given(resource)
    if given is not None:
        return given
    step = resource.incremental
    found = getattr(step, "_incremental", step)
    if isinstance(found, dlt.sources.incremental):
        return found
    function = resource._pipe.gen
    # A resource that was called is a function without parameters around the user's own.
    while callable(function):
        try:
            parameters = inspect.signature(function, follow_wrapped=False).parameters.values()
        except (TypeError, ValueError):
            parameters = ()
        for parameter in parameters:
            if isinstance(parameter.default, dlt.sources.incremental):
                return parameter.default
        function = getattr(function, "__wrapped__", None)
    return None


def _given(resource: Any) -> Any | None:
    try:
        arguments = resource.explicit_args.values()
    except Exception:  # dlt raises for a resource without parameters
        return None
    return next((value for value in arguments if isinstance(value, dlt.sources.incremental)), None)


def apply(resource: Any, request: Request, window: dict[str, str] | None) -> str | None:
    """Sets the cursor's range: variables of the operator first, then the partition's window.

    Returns what was done, for the log; None if nothing was.
    """
    declared = request["incremental"].get(resource.name, {})
    cursor = current_incremental(resource)
    if cursor is None and declared:
        initial = declared.get("initial_value")
        cursor = dlt.sources.incremental(declared["cursor_path"], initial_value=initial)
        resource.apply_hints(incremental=cursor)
    if cursor is None:
        return None
    kind = declared.get("format") or cursor.initial_value
    prefix = re.sub(r"\W", "_", resource.name).upper()
    start = os.environ.get(f"{prefix}_INITIAL_VALUE") or None
    end = os.environ.get(f"{prefix}_END_VALUE") or None
    if start is not None:
        if end is None:
            return _set(resource, cursor, from_text(start, kind), None)
        # The pair promises ascending rows: dlt stops reading at the first one beyond the end.
        return _set(resource, cursor, from_text(start, kind), from_text(end, kind), "asc")
    if window is None:
        return None
    first, last = from_instant(window["start"], kind), from_instant(window["end"], kind)
    if first is None:
        return f"{resource.name}: its cursor {cursor.cursor_path} is not a time, so the partition's window is left to the script"
    return _set(resource, cursor, first, last)


def _set(resource: Any, cursor: Any, start: Any, end: Any | None, row_order: str | None = None) -> str:
    # One that was given in the call outranks hints, so it is changed itself.
    is_given = cursor is _given(resource)
    changed = cursor if is_given else cursor.copy()
    changed.initial_value = start
    changed.end_value = end
    changed.row_order = cursor.row_order or row_order
    changed.allow_external_schedulers = False
    if not is_given:
        resource.apply_hints(incremental=changed)
    return f"{resource.name}: {cursor.cursor_path} from {start}" + ("" if end is None else f" to before {end}")


def from_instant(text: str, kind: Any) -> Any | None:
    """An instant (ISO 8601, UTC) as the type and shape of a cursor's values; None if the cursor is not a time.

    `kind` is a sample value (the initial value) or a format: `epoch`, `epoch_ms`, or a strftime pattern.
    """
    instant = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if kind == "epoch":
        return int(instant.timestamp())
    if kind == "epoch_ms":
        return int(instant.timestamp() * 1000)
    if isinstance(kind, datetime.datetime):
        return instant if kind.tzinfo is not None else instant.replace(tzinfo=None)
    if isinstance(kind, datetime.date):
        return instant.date()
    if not isinstance(kind, str):
        return None
    if "%" in kind:
        return instant.strftime(kind)
    shape = _SHAPE.match(kind)
    if shape is None:
        return None
    if shape["separator"] is None:
        return instant.strftime("%Y-%m-%d")
    fraction = f".{instant.microsecond:06d}".ljust(len(shape["fraction"]) + 1, "0")[: len(shape["fraction"]) + 1] if shape["fraction"] else ""
    zone = {None: "", "Z": "Z"}.get(shape["zone"], "+00:00" if shape["zone"] and ":" in shape["zone"] else "+0000")
    seconds = ":%S" if shape["seconds"] else ""
    return instant.strftime(f"%Y-%m-%d{shape['separator']}%H:%M{seconds}") + fraction + zone


def from_text(text: str, kind: Any) -> Any:
    """A variable's text as the type of a cursor's values."""
    if isinstance(kind, bool) or kind is None:
        return text
    if isinstance(kind, int) or kind in ("epoch", "epoch_ms"):
        return int(text)
    if isinstance(kind, float):
        return float(text)
    if isinstance(kind, datetime.datetime):
        instant = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        if kind.tzinfo is None:
            return instant.replace(tzinfo=None)
        return instant if instant.tzinfo is not None else instant.replace(tzinfo=datetime.timezone.utc)
    if isinstance(kind, datetime.date):
        return datetime.date.fromisoformat(text[:10])
    return text

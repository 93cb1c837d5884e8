"""Remembers what the loads of a step reached, so that a retry neither loses nor doubles rows.

dlt keeps a package that was extracted but not loaded, and its next `run` loads it *instead of* the data given to it. The
journal says which call of the script that package belongs to, and which calls were through before the step died.
"""

from __future__ import annotations

import json
import os
from typing import Any

Call = dict[str, Any]


class Journal:
    """`calls` maps `<pipeline>#<n>`, the n-th load of that pipeline in the script, to what is known of it."""

    def __init__(self, file: str, run_id: str, step_key: str) -> None:
        self._file = file
        self._identity = [run_id, step_key]
        stored = _read(file)
        #: Written by an earlier attempt of this very step of this run.
        self.is_retry = stored.get("step") == self._identity
        self.before: dict[str, Call] = stored.get("calls", {})
        self.calls: dict[str, Call] = {}

    def update(self, name: str, **fields: Any) -> None:
        self.calls.setdefault(name, {}).update(fields)
        # What the earlier attempt reached holds until this one has come as far.
        merged = {**self.before, **self.calls} if self.is_retry else self.calls
        os.makedirs(os.path.dirname(self._file), exist_ok=True)
        with open(self._file + ".tmp", "w", encoding="utf-8") as file:
            json.dump({"step": self._identity, "calls": merged}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._file + ".tmp", self._file)

    def started_before(self, pipeline: str) -> str | None:
        """The call that an earlier attempt began and did not bring to its end."""
        for name, call in self.before.items():
            if name.rpartition("#")[0] == pipeline and call.get("state") == "started":
                return name
        return None

    def remove(self) -> None:
        if os.path.exists(self._file):
            os.remove(self._file)


class Loaded:
    """Which partitions were appended to which resource: appending one again doubles its rows."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._keys: dict[str, list[str]] = _read(file)

    def add(self, resource: str, partition: str) -> bool:
        """Notes a load; True if the partition was there already."""
        known = self._keys.setdefault(resource, [])
        if partition in known:
            return True
        known.append(partition)
        os.makedirs(os.path.dirname(self._file), exist_ok=True)
        with open(self._file + ".tmp", "w", encoding="utf-8") as file:
            json.dump(self._keys, file)
        os.replace(self._file + ".tmp", self._file)
        return False


def _read(file: str) -> dict[str, Any]:
    try:
        with open(file, encoding="utf-8") as content:
            stored = json.load(content)
    except (FileNotFoundError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}

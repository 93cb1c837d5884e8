"""Remembers what the loads of a step reached, so that a retry neither loses nor doubles rows.

dlt keeps a package that was extracted but not loaded, and its next `run` loads it *instead of* the data given to it. The
journal says which call of the script that package belongs to, and which calls were through before the step died.
"""

from __future__ import annotations

import contextlib
import glob
import hashlib
import json
import os
import shutil
import time
from typing import Any

from elt_runner import dlt_locks

Call = dict[str, Any]

KEPT_SECONDS = 30 * 86_400
#: How long it is known that a step came to its end: a process can die after its last word and before it is gone.
FINISHED_DAYS = 8


class Journal:
    """`calls` maps `<pipeline>#<n>`, the n-th load of that pipeline in the script, to what is known of it."""

    def __init__(self, folder: str, finished: str, run_id: str, step_key: str) -> None:
        digest = hashlib.sha256(f"{run_id}\0{step_key}".encode()).hexdigest()
        self._name = f"journal-{digest[:16]}.json"
        self._file = os.path.join(folder, self._name)
        self._finished = finished
        own = [file for file in [self._file, *self._among_finished()] if os.path.exists(file)]
        #: Written by an earlier attempt of this very step of this run.
        self.is_retry = len(own) > 0
        self.before: dict[str, Call] = _read(own[0]) if own else _earlier(folder)
        self.calls: dict[str, Call] = {}

    def update(self, name: str, **fields: Any) -> None:
        self.calls.setdefault(name, {}).update(fields)
        # What the earlier attempt reached holds until this one has come as far.
        _write(self._file, {**self.before, **self.calls} if self.is_retry else self.calls)

    def started_before(self, pipeline: str) -> str | None:
        """The call that an earlier attempt began and did not bring to its end."""
        for name, call in self.before.items():
            if name.rpartition("#")[0] == pipeline and call.get("state") == "started":
                return name
        return None

    def forget(self, pipeline: str) -> None:
        """Nothing of what earlier attempts loaded by this pipeline stands any more."""
        self.before = {name: call for name, call in self.before.items() if name.rpartition("#")[0] != pipeline}

    def finish(self) -> None:
        """Puts the journal aside: the step is through, and nobody else asks for it."""
        if not os.path.exists(self._file):
            return
        folder = os.path.join(self._finished, time.strftime("%Y-%m-%d", time.gmtime()))
        os.makedirs(folder, exist_ok=True)
        os.replace(self._file, os.path.join(folder, self._name))

    def _among_finished(self) -> list[str]:
        """Where it lies if its step came to its end; days that are long past are removed."""
        days = sorted(os.listdir(self._finished), reverse=True) if os.path.isdir(self._finished) else []
        for day in days[FINISHED_DAYS:]:
            shutil.rmtree(os.path.join(self._finished, day), ignore_errors=True)
        return [os.path.join(self._finished, day, self._name) for day in days[:FINISHED_DAYS]]


class Loaded:
    """Which partitions were appended to which resource: appending one again doubles its rows."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._keys: dict[str, list[str]] = _read(file)

    def add(self, resource: str, partition: str) -> bool:
        """Notes a load; True if the partition was there already."""
        # Another step of the pipeline may note its own.
        with dlt_locks.held(os.path.dirname(self._file), "loaded"):
            self._keys = _read(self._file)
            known = self._keys.setdefault(resource, [])
            if partition in known:
                return True
            known.append(partition)
            _write(self._file, self._keys)
            return False


def _earlier(folder: str) -> dict[str, Call]:
    """What other steps wrote, the newest word about each call; journals that nobody will retry any more are removed."""
    calls: dict[str, Call] = {}
    for file in sorted(glob.glob(os.path.join(glob.escape(folder), "journal-*.json")), key=_changed):
        if _changed(file) < time.time() - KEPT_SECONDS:
            with contextlib.suppress(FileNotFoundError):
                os.remove(file)
        else:
            calls.update(_read(file))
    return calls


def _changed(file: str) -> float:
    """0 for one that its step has just removed."""
    try:
        return os.path.getmtime(file)
    except FileNotFoundError:
        return 0.0


def _write(file: str, content: dict[str, Any]) -> None:
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file + ".tmp", "w", encoding="utf-8") as target:
        json.dump(content, target)
        target.flush()
        os.fsync(target.fileno())
    os.replace(file + ".tmp", file)


def _read(file: str) -> dict[str, Any]:
    try:
        with open(file, encoding="utf-8") as content:
            stored = json.load(content)
    except (FileNotFoundError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}

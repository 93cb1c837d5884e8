"""Models that append: what is known of a build whose end nobody saw, so that a retry does not write its rows again.

Tables, keys and microbatches may be built again. Before an append the rows of its table are counted and noted in
`appends.json`, afterwards that it is written. A retry of the same work counts again: as many rows as before means that
nothing was committed. More of them mean that it was, if nobody else can have written meanwhile (`alone`: DuckDB, whose file
one process has at a time, so that whoever comes next settles what the last one left open).
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from elt_runner.errors import Failure

#: Of other work, per model; older ones nobody will try again.
KEPT = 200
#: Strategies that need a key for not writing rows twice; None is the adapter's own choice.
BY_KEY = {None, "default", "delete+insert", "merge"}
#: Instead of a count: there was no table.
NO_TABLE = -1


def appends(node: Any, full_refresh: bool) -> bool:
    config = node.config
    if getattr(config, "materialized", None) != "incremental":
        return False
    wish = getattr(config, "full_refresh", None)
    if wish if wish is not None else full_refresh:
        return False
    strategy = getattr(config, "incremental_strategy", None)
    return strategy == "append" or (strategy in BY_KEY and not getattr(config, "unique_key", None))


def count(adapter: Any, node: Any) -> int | None:
    """Asked through the connection of this thread; None: it cannot be told."""
    try:
        relation = adapter.get_relation(node.database, node.schema, node.alias)
        if relation is None:
            return NO_TABLE
        _, table = adapter.execute(f"select count(*) from {relation}", fetch=True)
        return int(table.rows[0][0])
    except Exception:
        return None


def is_alone(adapter: Any) -> bool:
    """Whether no other process can write while this one is connected: a DuckDB file, and nothing attached to it."""
    credentials = adapter.config.credentials
    if credentials.type != "duckdb" or getattr(credentials, "attach", None):
        return False
    return "://" not in credentials.path and not credentials.path.startswith(("md:", "motherduck:", "ducklake:"))


class Appends:
    """`work` names what is tried again: a step of a run and of the runs that were made to try it again."""

    def __init__(self, file: str, work: str, alone: bool) -> None:
        self._file, self._work, self._alone = file, work, alone
        self._threads = threading.Lock()

    def begin(self, unique_id: str, partition: str | None, rows: int | None) -> None:
        """Notes that the model is about to be built, with the rows that its table has."""
        with self._entries(unique_id) as entries:
            self._settle(entries, rows)
            entries[:] = [each for each in entries if not self._is_own(each, partition)]
            entries.append({"work": self._work, "partition": partition, "before": rows, "state": "begun"})
            others = [each for each in entries if each["work"] != self._work]
            entries[:] = [*others[-KEPT:], *(each for each in entries if each["work"] == self._work)]

    def end(self, unique_id: str, partition: str | None) -> None:
        with self._entries(unique_id) as entries:
            for each in entries:
                if self._is_own(each, partition):
                    each["state"] = "written"

    def knows(self, unique_id: str, partition: str | None) -> bool:
        """Whether an earlier attempt at this work began the model."""
        return any(self._is_own(each, partition) for each in self._read().get(unique_id, []))

    def was_written(self, node: Any, partition: str | None, rows: int | None) -> bool:
        """Whether an earlier attempt at this work wrote the model, if its table has so many rows now. Fails if nobody can tell."""
        with self._entries(node.unique_id) as entries:
            self._settle(entries, rows)
            own = next(each for each in entries if self._is_own(each, partition))
        state, before = own["state"], own["before"]
        if state in ("written", "not written"):
            return bool(state == "written")
        if rows is not None and before is not None:
            # A hook that takes the old rows away makes it safe to build the model again.
            if (state == "begun" and rows == before) or (rows < before and node.config.pre_hook):
                return False
        raise Failure(
            "data",
            f"an attempt ended while {node.name} appended its rows: nobody can tell whether they are in {node.relation_name}"
            f" (rows before: {_words(before)}, now: {_words(rows)}). If they are missing, run it again, else leave it",
        )

    def _settle(self, entries: list[dict[str, Any]], rows: int | None) -> None:
        """What earlier attempts left open, of this work and of others: only they can have written since."""
        if not self._alone:
            return
        for each in entries:
            if each["state"] == "begun":
                before = each["before"]
                is_unknown = rows is None or before is None or rows < before
                each["state"] = "unknown" if is_unknown else "written" if rows > before else "not written"

    def _is_own(self, entry: dict[str, Any], partition: str | None) -> bool:
        return bool(entry["work"] == self._work and entry["partition"] == partition)

    @contextmanager
    def _entries(self, unique_id: str) -> Iterator[list[dict[str, Any]]]:
        with self._all() as models:
            yield models.setdefault(unique_id, [])

    @contextmanager
    def _all(self) -> Iterator[dict[str, list[dict[str, Any]]]]:
        """Shared with the pipeline's other processes; on the disk before anything of it is done."""
        os.makedirs(os.path.dirname(self._file), exist_ok=True)
        with self._threads, open(self._file + ".lock", "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = self._read()
            models = json.loads(json.dumps(before))
            yield models
            if models == before:
                return
            with open(self._file + ".tmp", "w", encoding="utf-8") as file:
                json.dump(models, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(self._file + ".tmp", self._file)

    def _read(self) -> dict[str, list[dict[str, Any]]]:
        try:
            with open(self._file, encoding="utf-8") as file:
                return json.load(file)  # type: ignore[no-any-return]
        except FileNotFoundError:
            return {}


def _words(rows: int | None) -> str:
    return "not known" if rows is None else "no table" if rows == NO_TABLE else str(rows)

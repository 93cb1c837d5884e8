"""Where assets were written: what a runner knows of it, for the checks that follow in the same step.

Runners note it in ELT_TARGETS_FILE (0600, gone with the attempt), which is set only if the step has checks. A place is
{kind, path | dsn | variable, schema, table}; `dsn` holds libpq's keywords, its password included.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

Place = dict[str, Any]

VARIABLE = "ELT_TARGETS_FILE"


def wanted() -> bool:
    return VARIABLE in os.environ


def record(asset_key: str, places: list[Place]) -> None:
    """The newest word about an asset holds. An asset that was written without new rows keeps the places known before."""
    file = os.environ[VARIABLE]
    known = read(file)
    before = known.get(asset_key, {}).get("places", [])
    known[asset_key] = {"places": places or before, "at": time.time()}
    write(file, known)


class Known:
    """The places of a pipeline's assets over all its steps, without passwords: what an attempt that only checks goes by."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.assets: dict[str, dict[str, Any]] = read(file)

    def keep(self, found: dict[str, dict[str, Any]], asset_keys: list[str]) -> None:
        """Adds what an attempt noted; `asset_keys` were all written by it, whether their tool says where or not."""
        for key, entry in found.items():
            places = [_without_password(place) for place in entry["places"]]
            self.assets[key] = {**entry, "places": places or self.assets.get(key, {}).get("places", [])}
        for key in asset_keys:
            self.assets.setdefault(key, {"places": []})["at"] = time.time()
        write(self._file, self.assets)


def read(file: str) -> dict[str, Any]:
    try:
        with open(file, encoding="utf-8") as content:
            stored = json.load(content)
    except (FileNotFoundError, ValueError):
        return {}
    return stored if isinstance(stored, dict) else {}


def write(file: str, content: dict[str, Any]) -> None:
    """Whole or not at all, readable by its owner alone."""
    os.makedirs(os.path.dirname(file), exist_ok=True)
    descriptor = os.open(file + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as target:
        json.dump(content, target)
    os.replace(file + ".tmp", file)


def _without_password(place: Place) -> Place:
    if "dsn" not in place:
        return place
    return {**place, "dsn": {name: value for name, value in place["dsn"].items() if name != "password"}}

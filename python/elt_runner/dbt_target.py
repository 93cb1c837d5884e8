"""Where a dbt project's models stand."""

from __future__ import annotations

import os
from typing import Any

from elt_runner import targets
from elt_runner.targets import Place

#: Fields of a Postgres profile that libpq has under the same name.
SAME = ("host", "port", "user", "password", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "keepalives_idle")


def record(asset_key: str, relation: dict[str, Any], adapter: Any) -> None:
    """Notes the relation of a model that was built; an ephemeral one has none."""
    if not targets.wanted() or not relation.get("alias"):
        return
    place = _database(adapter.config.credentials)
    if place["kind"] == "postgres":
        place["dbt"] = {"profile": adapter.config.profile_name, "target": adapter.config.target_name}
    targets.record(asset_key, [{**place, "schema": relation.get("schema"), "table": relation["alias"]}])


def of_profile(folder: str, profile: str, target: str | None) -> Place:
    """A profile of profiles.yml, rendered as dbt does."""
    from dbt.config.profile import Profile, read_profile
    from dbt.config.renderer import ProfileRenderer

    raw = read_profile(folder)
    found = Profile.from_raw_profiles(raw, profile, renderer=ProfileRenderer({}), target_override=target)
    return _database(found.credentials)


def _database(credentials: Any) -> Place:
    kind = str(credentials.type)
    if kind == "duckdb":
        return {"kind": kind, "path": os.path.abspath(credentials.path)}
    if kind != "postgres":
        return {"kind": f"dbt's {kind}"}
    dsn = {name: getattr(credentials, name, None) for name in SAME}
    dsn["dbname"] = credentials.database
    return {"kind": kind, "dsn": {key: value for key, value in dsn.items() if value not in ("", None, 0)}}

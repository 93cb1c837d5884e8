"""Where a dbt project's models stand."""

from __future__ import annotations

import os
from typing import Any

from elt_runner import targets
from elt_runner.targets import Place

#: libpq's keywords of a Postgres profile, by the words that dbt has for them.
WORDS = {
    **{name: name for name in ("host", "port", "user", "password", "dbname", "sslmode", "sslrootcert", "sslcert", "sslkey")},
    **{"pass": "password", "database": "dbname", "connect_timeout": "connect_timeout"},
}


def record(asset_key: str, relation: dict[str, Any], adapter: Any) -> None:
    """Notes the relation of a model that was built; an ephemeral one has none."""
    if not targets.wanted() or not relation.get("alias"):
        return
    credentials = adapter.config.credentials
    place = _database({"type": credentials.type, **vars(credentials)})
    if place["kind"] == "postgres":
        place["dbt"] = {"profile": adapter.config.profile_name, "target": adapter.config.target_name}
    targets.record(asset_key, [{**place, "schema": relation.get("schema"), "table": relation["alias"]}])


def of_profile(folder: str, profile: str, target: str | None) -> Place | None:
    """A profile of profiles.yml, rendered as dbt does; None if there is none of this name."""
    from dbt.config.profile import Profile, read_profile
    from dbt.config.renderer import ProfileRenderer
    from dbt_common.context import set_invocation_context

    # What `env_var` of a profile reads.
    set_invocation_context(dict(os.environ))
    profiles = read_profile(folder)
    if profile not in profiles:
        return None
    _, fields = Profile.render_profile(profiles[profile], profile, target, ProfileRenderer({}))
    return _database(fields)


def _database(fields: dict[str, Any]) -> Place:
    kind = str(fields["type"])
    if kind == "duckdb":
        return {"kind": kind, "path": os.path.abspath(fields["path"])}
    if kind != "postgres":
        return {"kind": f"dbt's {kind}"}
    dsn = {WORDS[name]: value for name, value in fields.items() if name in WORDS and value not in ("", None)}
    return {"kind": kind, "dsn": dsn}

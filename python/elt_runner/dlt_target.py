"""Where a dlt pipeline wrote: database, dataset and tables of a resource."""

from __future__ import annotations

import os
from typing import Any

from elt_runner import events, targets
from elt_runner.targets import Place


def record(asset_key: str, resource: str | None, offered: set[str], pipelines: list[Any]) -> None:
    """Notes the root tables of an asset; tables that dlt makes of nested data hang on these."""
    if not targets.wanted():
        return
    places: list[Place] = []
    for pipeline in pipelines:
        try:
            places.extend(_places(pipeline, {resource} if resource is not None else offered))
        except Exception as error:
            # The rows are there: that a check does not find them is for the check to say.
            events.log("warning", f"{pipeline.pipeline_name}: where it wrote is not known to checks: {error!r}")
    targets.record(asset_key, places)


def _places(pipeline: Any, resources: set[str]) -> list[Place]:
    found: list[Place] = []
    for schema in pipeline.schemas.values():
        tables = [
            table["name"]
            for table in schema.data_tables(seen_data_only=True)
            if table.get("parent") is None and (table.get("resource") or table["name"]) in resources
        ]
        if not tables:
            continue
        with pipeline.destination_client(schema.name) as client:
            place = database(client.config)
            sql_client = getattr(client, "sql_client", None)
            dataset = getattr(sql_client, "dataset_name", None) or pipeline.dataset_name
        found.extend({**place, "schema": dataset, "table": table} for table in tables)
    return found


def of_destination(name: str, type: str | None) -> Place | None:
    """A destination as dlt's own configuration knows it; None if it knows none of this name."""
    from dlt.common.destination.exceptions import UnknownDestinationModule
    from dlt.common.destination.reference import Destination

    try:
        # Only a name without a type is looked up as one that the configuration gives a type.
        destination = Destination.from_reference(name) if type is None else Destination.from_reference(type, destination_name=name)
    except UnknownDestinationModule:
        return None
    # A dataset is asked for by every destination and changes nothing about the connection.
    return database(destination.configuration(destination.spec()._bind_dataset_name("elt")))


def database(config: Any) -> Place:
    kind = config.destination_type.rpartition(".")[2]
    credentials = config.credentials
    if kind == "sqlalchemy":
        kind = str(credentials.drivername).partition("+")[0]
    kind = "postgres" if kind == "postgresql" else kind
    if kind in ("duckdb", "sqlite"):
        return {"kind": kind, "path": os.path.abspath(credentials.database)}
    if kind != "postgres":
        return {"kind": kind}
    dsn = {
        "host": credentials.host,
        "port": credentials.port,
        "user": credentials.username,
        "password": credentials.password,
        "dbname": credentials.database,
        **dict(credentials.query or {}),
    }
    return {
        "kind": kind,
        "dsn": {key: value for key, value in dsn.items() if value not in ("", None)},
        "dlt": {"name": config.destination_name, "type": config.destination_type},
    }

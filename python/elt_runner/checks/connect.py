"""Finds the database that a check looks at: a connection that dagster.yaml names, or where the asset's tool wrote."""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from elt_runner.checks.database import CheckError, Database, one_line
from elt_runner.targets import Place

#: The first bytes of a database file say what it is, whatever it is called.
MAGIC = ((b"SQLite format 3\0", 0, "sqlite"), (b"DUCK", 8, "duckdb"))
POSTGRES = re.compile(r"^postgres(?:ql)?(?:\+\w+)?$")


def open_place(place: Place, seconds: float) -> Database:
    """Raises CheckError, or Busy for a file that another process has locked."""
    place = resolved(place)
    kind = place["kind"]
    if kind == "duckdb":
        from elt_runner.checks.duckdb_database import DuckDbDatabase

        return DuckDbDatabase(place["path"], seconds)
    if kind == "sqlite":
        from elt_runner.checks.sqlite_database import SqliteDatabase

        return SqliteDatabase(place["path"], seconds)
    if kind == "postgres":
        from elt_runner.checks.postgres_database import PostgresDatabase

        return PostgresDatabase(place["dsn"], seconds)
    raise CheckError(f"checks read DuckDB, SQLite and Postgres, not {kind}")


def resolved(place: Place) -> Place:
    """A place that says how to connect: the value of its variable, or the password that is never kept."""
    if place["kind"] == "variable":
        return {**place, **named(place["variable"])}
    if place["kind"] != "postgres" or "password" in place["dsn"]:
        return place
    found = _of_dlt(**place["dlt"]) if "dlt" in place else _of_dbt(**place["dbt"]) if "dbt" in place else None
    password = (found or {}).get("dsn", {}).get("password")
    return place if password is None else {**place, "dsn": {**place["dsn"], "password": password}}


def named(name: str) -> Place:
    """What `connection:` names: a variable as Sling has it, else a dlt destination, else a dbt profile."""
    for variable in (name, name.upper(), f"DESTINATION__{name.upper()}__CREDENTIALS"):
        if os.environ.get(variable):
            return of_text(variable, os.environ[variable])
    place = _of_dlt(name, None) if _has_dlt(name) else None
    if place is None and os.path.exists(_profiles()):
        profile, _, target = name.partition(".")
        place = _of_dbt(profile, target or None)
    if place is not None:
        return place
    raise CheckError(
        f"connection {name}: the step has no variable {name}, and there is no dlt destination or dbt profile of this name; "
        f"add the line {name}=<address> to .env"
    )


def of_text(name: str, text: str) -> Place:
    """A connection as a variable holds it: an address, a file, or fields in JSON or YAML."""
    text = text.strip()
    if text.startswith("{") or re.match(r"^\w+:\s", text):
        return _of_fields(name, _fields(name, text))
    parts = urlsplit(text)
    if POSTGRES.match(parts.scheme):
        return {"kind": "postgres", "dsn": _of_address(name, text)}
    if parts.scheme in ("duckdb", "sqlite", "file"):
        path = _file(unquote(parts.netloc + parts.path))
        return {"kind": _kind_of(path) if parts.scheme == "file" else parts.scheme, "path": path}
    if "://" in text:
        raise CheckError(f"connection {name}: checks read DuckDB, SQLite and Postgres, not {parts.scheme}")
    path = os.path.abspath(text)
    return {"kind": _kind_of(path), "path": path}


def _of_address(name: str, text: str) -> dict[str, Any]:
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        raise CheckError(f"connection {name}: its port is not a number") from None
    dsn = {
        "host": unquote(parts.hostname or ""),
        "port": port,
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "dbname": unquote(parts.path.lstrip("/")),
        **dict(parse_qsl(parts.query)),
    }
    # Of Sling's own options libpq knows nothing.
    dsn.pop("schema", None)
    return {key: value for key, value in dsn.items() if value not in ("", None)}


def _of_fields(name: str, fields: dict[str, Any]) -> Place:
    address = fields.get("url") or fields.get("instance")
    kind = str(fields.get("type", "")).lower()
    if kind in ("duckdb", "sqlite") and address:
        text = str(address)
        return of_text(name, text) if "://" in text else {"kind": kind, "path": os.path.abspath(text)}
    if POSTGRES.match(kind):
        if fields.get("url"):
            return of_text(name, str(fields["url"]))
        words = {"user": "user", "username": "user", "database": "dbname", "dbname": "dbname"}
        known = ("host", "port", "password", "sslmode", "sslrootcert", "sslcert", "sslkey")
        dsn = {words.get(key, key): value for key, value in fields.items() if key in words or key in known}
        return {"kind": "postgres", "dsn": dsn}
    raise CheckError(f"connection {name}: checks read DuckDB, SQLite and Postgres, not {kind or 'a connection without type'}")


def _fields(name: str, text: str) -> dict[str, Any]:
    try:
        fields = json.loads(text)
    except ValueError:
        try:
            import yaml

            fields = yaml.safe_load(text)
        except Exception:
            fields = None
    if not isinstance(fields, dict):
        # Not its text: that may hold a password.
        raise CheckError(f"connection {name}: its value is neither an address nor fields in JSON or YAML")
    return fields


def _file(path: str) -> str:
    """Sling reads three slashes as an absolute path, SQLAlchemy as a relative one and wants four: the file that is there."""
    absolute = os.path.abspath(re.sub(r"^/+", "/", path))
    relative = os.path.abspath(path.lstrip("/"))
    return relative if not os.path.exists(absolute) and os.path.exists(relative) else absolute


def _kind_of(path: str) -> str:
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        raise CheckError(f"the database file {path} cannot be read: {error.strerror}") from None
    for magic, at, kind in MAGIC:
        if head[at : at + len(magic)] == magic:
            return kind
    raise CheckError(f"{path} is neither a DuckDB nor a SQLite file")


def _has_dlt(name: str) -> bool:
    return os.path.isdir(".dlt") or any(key.startswith(f"DESTINATION__{name.upper()}__") for key in os.environ)


def _of_dlt(name: str, type: str | None) -> Place | None:
    try:
        from elt_runner.dlt_target import of_destination

        return of_destination(name, type)
    except ImportError:
        return None
    except Exception as error:
        raise CheckError(f"connection {name}: dlt cannot use this destination: {one_line(error)}") from None


def _profiles() -> str:
    return os.path.join(os.environ.get("DBT_PROFILES_DIR", "."), "profiles.yml")


def _of_dbt(profile: str, target: str | None) -> Place | None:
    try:
        from elt_runner.dbt_target import of_profile

        return of_profile(os.path.dirname(_profiles()), profile, target)
    except ImportError:
        return None
    except Exception as error:
        raise CheckError(f"connection {profile}: dbt cannot use this profile: {one_line(error)}") from None

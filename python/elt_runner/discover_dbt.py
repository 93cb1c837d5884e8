"""Asks dbt what a project holds, without connecting to anything: `python -I discover_dbt.py request.json`.

`dbt parse`, then dbt's own `ls` for each asset set, so that selections mean exactly what they mean to dbt. The answer, with
of the manifest only what assets need, goes to the file that the request names.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any

MOST_PLACEHOLDERS = 50
#: Of compiled SQL that is kept; the state file has it for every model.
LONGEST_CODE = 20_000
ASSETS = ("model", "seed", "snapshot")

Facts = dict[str, Any]


def main(request_file: str) -> None:
    request = json.loads(Path(request_file).read_text("utf-8"))
    # A service that died cannot end this process.
    signal.alarm(int(request["seconds"]) + 5)
    answer: Facts = {"error": None, "nodes": [], "sources": [], "tests": [], "sets": [], "selected": None}
    try:
        from dbt.cli.main import dbtRunner
    except Exception as error:
        answer["error"] = {"kind": "tool", "message": f"{type(error).__name__}: {error}", "file": None, "line": 0}
    else:
        try:
            manifest = parse(dbtRunner, request)
            fill(answer, manifest)
            compiled(dbtRunner, manifest, request, answer)
            for one in request["sets"]:
                answer["sets"].append(listed(dbtRunner, manifest, request, one))
            if request["select"] or request["exclude"]:
                answer["selected"] = listed(dbtRunner, manifest, request, request)
        except Refused as refused:
            answer["error"] = describe(refused)
    Path(request["output"]).write_text(json.dumps(answer), "utf-8")
    os._exit(0)


class Refused(Exception):
    """dbt's own words."""


def parse(runner: Any, request: Facts) -> Any:
    if any(Path(name).exists() for name in ("packages.yml", "dependencies.yml")) and not Path("dbt_packages").exists():
        succeed(runner().invoke(["--quiet", "deps", *common(request, False)]))
    for _ in range(MOST_PLACEHOLDERS):
        result = runner().invoke(["--quiet", "parse", *common(request)])
        missing = re.search(r"Env var required but not provided: '(\w+)'", str(result.exception or ""))
        if result.success or missing is None:
            break
        # Values are the run's business: what is parsed here is only named.
        os.environ[missing.group(1)] = "placeholder"
    return succeed(result)


def listed(runner: Any, manifest: Any, request: Facts, selection: Facts) -> list[str]:
    arguments = ["--quiet", "ls", "--output", "json", "--output-keys", "unique_id", *common(request)]
    for kind in ASSETS:
        arguments += ["--resource-type", kind]
    if selection["select"]:
        arguments += ["--select", *selection["select"].split()]
    if selection["exclude"]:
        arguments += ["--exclude", *selection["exclude"].split()]
    lines = succeed(runner(manifest=manifest).invoke(arguments))
    return sorted(json.loads(line)["unique_id"] for line in lines)


def compiled(runner: Any, manifest: Any, request: Facts, answer: Facts) -> None:
    """Adds the SQL of each model as a full build would run it. Without a connection: what asks the database has none."""
    result = runner(manifest=manifest).invoke(["--quiet", "compile", "--no-introspect", "--no-populate-cache", *common(request)])
    code = {each.node.unique_id: getattr(each.node, "compiled_code", None) for each in getattr(result.result, "results", [])}
    for node in answer["nodes"]:
        text = code.get(node["unique_id"])
        node["compiled"] = text.strip()[:LONGEST_CODE] if isinstance(text, str) and text.strip() else None


def common(request: Facts, with_target: bool = True) -> list[str]:
    arguments = ["--vars", json.dumps(request["vars"])] if request["vars"] else []
    if with_target and request["target"]:
        arguments += ["--target", request["target"]]
    return arguments


def succeed(result: Any) -> Any:
    if not result.success:
        raise Refused(str(result.exception or "dbt gave no reason"))
    return result.result


def fill(answer: Facts, manifest: Any) -> None:
    plain = manifest.to_dict() if hasattr(manifest, "to_dict") else manifest.writable_manifest().to_dict()
    for node in plain["nodes"].values():
        if node["resource_type"] in ASSETS:
            answer["nodes"].append(asset(node))
        elif node["resource_type"] == "test":
            answer["tests"].append(test(node))
    for source in plain["sources"].values():
        meta = {**(source.get("source_meta") or {}), **(source.get("meta") or {}), **(source["config"].get("meta") or {})}
        answer["sources"].append(
            {
                "unique_id": source["unique_id"],
                "source_name": source["source_name"],
                "name": source["name"],
                "asset_key": asset_key(meta),
                "description": source.get("description") or "",
                "columns": columns(source),
                "path": source["original_file_path"],
                "freshness": freshness(source),
            }
        )
    for node in answer["nodes"]:
        group = plain["groups"].get(f"group.{node['unique_id'].split('.')[1]}.{node['dbt_group']}")
        node["group_owner"] = email((group or {}).get("owner") or {})


def asset(node: Facts) -> Facts:
    config = node["config"]
    meta = {**(node.get("meta") or {}), **(config.get("meta") or {})}
    dagster = meta.get("dagster") or {}
    return {
        "unique_id": node["unique_id"],
        "resource_type": node["resource_type"],
        "name": node["name"],
        "alias": node.get("alias"),
        "version": node.get("version"),
        "schema": config.get("schema"),
        "fqn": node["fqn"],
        "tags": node.get("tags") or [],
        "materialized": config.get("materialized"),
        "description": node.get("description") or "",
        "columns": columns(node),
        "depends_on": (node.get("depends_on") or {}).get("nodes") or [],
        "checksum": (node.get("checksum") or {}).get("checksum"),
        "path": node["original_file_path"],
        "patch_path": node.get("patch_path"),
        "asset_key": asset_key(meta),
        "group": dagster.get("group"),
        "dbt_group": config.get("group"),
        "compiled": None,
        "owners": dagster.get("owners"),
    }


def columns(node: Facts) -> list[Facts]:
    return [
        {"name": column["name"], "type": column.get("data_type"), "description": column.get("description") or ""}
        for column in (node.get("columns") or {}).values()
    ]


def freshness(source: Facts) -> str | None:
    """The worst that `dbt source freshness` can say of it; None if the source has no criteria."""
    criteria = source.get("freshness") or {}
    found = [name for name in ("error_after", "warn_after") if (criteria.get(name) or {}).get("count") is not None]
    return {"error_after": "ERROR", "warn_after": "WARN"}[found[0]] if found else None


def email(owner: Facts) -> str | None:
    address = owner.get("email")
    return address if isinstance(address, str) and re.fullmatch(r"[^\s@:]+@[^\s@]+", address) else None


def test(node: Facts) -> Facts:
    return {
        "unique_id": node["unique_id"],
        "name": node["fqn"][-1],
        "attached_node": node.get("attached_node"),
        "column": node.get("column_name"),
        "severity": (node["config"].get("severity") or "ERROR").upper(),
        "depends_on": (node.get("depends_on") or {}).get("nodes") or [],
        "description": node.get("description") or "",
    }


def asset_key(meta: Facts) -> list[str] | None:
    key = (meta.get("dagster") or {}).get("asset_key")
    return [str(part) for part in key] if isinstance(key, list) and key else None


def describe(refused: Refused) -> Facts:
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(refused)).strip()
    file = re.search(r"\(?((?:[\w.-]+/)*[\w.-]+\.(?:sql|ya?ml|py))\b\)?", text)
    line = re.search(r"\bline (\d+)", text)
    message = " ".join(part.strip() for part in text.splitlines() if part.strip())
    return {
        "kind": "project",
        "message": message[:1000],
        "file": file.group(1) if file else None,
        "line": int(line.group(1)) if line and file else 0,
    }


if __name__ == "__main__":
    main(sys.argv[1])

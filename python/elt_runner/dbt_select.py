"""Which nodes of a project a step builds and tests, as dbt's selection syntax."""

from __future__ import annotations

import os
import re
from typing import Any

from elt_runner.errors import Failure

SKIPPED_FOLDERS = {"target", "dbt_packages", "dbt_modules", "logs", "__pycache__", ".git"}
TEXT_FILES = (".sql", ".yml", ".yaml", ".py")


def selection(manifest: Any, unique_ids: list[str], only_tested: set[str]) -> tuple[list[str], dict[str, str]]:
    """Arguments for `--select`, and the node that each test belongs to. Nodes that are `only_tested` are not built.

    Tests are named one by one (with `--indirect-selection empty`): dbt's own ways also run tests of models that are not
    selected, or leave out tests with a parent elsewhere.
    """
    missing = [unique_id for unique_id in unique_ids if unique_id not in manifest.nodes]
    if missing:
        raise Failure("config", f"the dbt project has no node {', '.join(missing)}")
    chosen = set(unique_ids)
    known = _ancestors(manifest, chosen) | chosen
    tests = {
        unique_id: owner
        for unique_id, node in manifest.nodes.items()
        if str(node.resource_type) == "test" and (owner := _owner(node, chosen, known)) is not None
    }
    built = [unique_id for unique_id in unique_ids if unique_id not in only_tested]
    units = [unit for unit in manifest.unit_tests.values() if set(unit.depends_on.nodes) & chosen]
    terms = [_term(manifest.nodes[unique_id]) for unique_id in [*built, *tests]]
    return terms + [f"fqn:{'.'.join(unit.fqn)}" for unit in units], tests


def _owner(test: Any, chosen: set[str], known: set[str]) -> str | None:
    """The chosen node that a test is a check of: the one it is attached to, else the first that it reads, if what else it
    reads is chosen too or was built before."""
    attached = getattr(test, "attached_node", None)
    if attached is not None:
        return attached if attached in chosen else None
    parents = [each for each in test.depends_on.nodes if not each.startswith("source.")]
    return parents[0] if parents and parents[0] in chosen and set(parents) <= known else None


def _ancestors(manifest: Any, chosen: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(chosen)
    while waiting:
        node = manifest.nodes.get(waiting.pop())
        # Sources and seeds depend on no node.
        for parent in getattr(getattr(node, "depends_on", None), "nodes", []):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _term(node: Any) -> str:
    """`fqn:` also matches everything below a folder of that name; the file settles it."""
    fqn = f"fqn:{'.'.join(node.fqn)}"
    path = node.original_file_path
    is_plain = re.fullmatch(r"[\w./-]+", path) is not None and str(node.resource_type) != "test"
    return f"{fqn},path:{path}" if is_plain else fqn


def used_vars(names: set[str], folder: str = ".") -> set[str]:
    """Which of the names a project reads by `var('…')` or declares below `vars:` of dbt_project.yml."""
    found: set[str] = set()
    pattern = re.compile(r"""\bvar\s*\(\s*["'](\w+)["']""")
    for path, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [each for each in folders if each not in SKIPPED_FOLDERS]
        for file in files:
            if not file.endswith(TEXT_FILES):
                continue
            with open(os.path.join(path, file), encoding="utf-8", errors="replace") as content:
                text = content.read()
            found.update(match for match in pattern.findall(text) if match in names)
            if file == "dbt_project.yml":
                found.update(name for name in names if re.search(rf"^\s+{re.escape(name)}\s*:", text, re.MULTILINE))
    return found

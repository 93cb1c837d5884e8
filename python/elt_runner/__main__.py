"""`python <path>/elt_runner <tool> <request.json>`: runs one step and reports it to ELT_EVENTS_FILE.

Started by path instead of by `-m`, so that no PYTHONPATH reaches what the step starts.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from types import ModuleType

# Python puts this package's folder first on the path, where `events` or `errors` would hide a user's module.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

TOOLS = ("dlt", "dlt_state", "sling", "dbt", "checked")


def main() -> int:
    tool, request_file = sys.argv[1:]
    if tool not in TOOLS:
        raise SystemExit(f"unknown tool {tool}")
    with open(request_file, encoding="utf-8") as file:
        request = json.load(file)
    try:
        module = load(tool)
        return int(module.main(request))
    except ImportError as error:
        return fail("config", error, f"{error}: the folder's environment lacks what {tool} needs; add it to requirements.txt")
    except Exception as error:
        return fail("user", error, None)


def load(tool: str) -> ModuleType:
    """Our own modules are compiled once, although steps write no byte code: none of the folder's can be imported yet."""
    writes_none, sys.dont_write_bytecode = sys.dont_write_bytecode, False
    try:
        return __import__(f"elt_runner.{tool}_runner", fromlist=["main"])
    finally:
        sys.dont_write_bytecode = writes_none


def fail(failure_class: str, error: Exception, message: str | None) -> int:
    """Every end has a word, also one that nobody foresaw."""
    from elt_runner import events
    from elt_runner.errors import describe

    traceback.print_exception(error)
    description = describe(error)
    events.emit(
        "end",
        status="failed",
        failure_class=failure_class,
        error={**description, "message": message or description["message"]},
    )
    return 1


if __name__ == "__main__":
    if sys.argv[1] == "warm":
        from elt_runner.warm import forked, server

        # Comes back in a process of a step, with the arguments of that.
        server.serve(sys.argv[2])
        forked.end()
    sys.exit(main())

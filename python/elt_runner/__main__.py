"""`python <path>/elt_runner <tool> <request.json>`: runs one step and reports it to ELT_EVENTS_FILE.

Started by path instead of by `-m`, so that no PYTHONPATH reaches what the step starts.
"""

import json
import os
import sys

# Python puts this package's folder first on the path, where `events` or `errors` would hide a user's module.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

TOOLS = ("dlt", "sling", "dbt")


def main() -> int:
    tool, request_file = sys.argv[1:]
    if tool not in TOOLS:
        raise SystemExit(f"unknown tool {tool}")
    with open(request_file, encoding="utf-8") as file:
        request = json.load(file)
    module = __import__(f"elt_runner.{tool}_runner", fromlist=["main"])
    return int(module.main(request))


if __name__ == "__main__":
    sys.exit(main())

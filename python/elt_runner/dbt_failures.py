"""What a failure of dbt means, and what the user has to do."""

from __future__ import annotations

import re

BUSY = re.compile(r"Could not set lock on file|Conflicting lock is held|database is locked", re.IGNORECASE)
VARIABLE = re.compile(r"Env var required but not provided: '(\w+)'")
TRANSIENT = re.compile(
    r"connection refused|could not translate host name|timeout expired|timed out|connection reset|"
    r"server closed the connection|too many connections|network is unreachable|deadlock detected|"
    r"Temporary failure in name resolution|serialization failure|could not serialize access",
    re.IGNORECASE,
)


def classify(message: str, fallback: str) -> str:
    """The failure class of `step-event.ts`; `fallback` is what it is if nothing in the message says more."""
    if BUSY.search(message):
        return "resource_busy"
    if VARIABLE.search(message):
        return "config"
    return "transient" if TRANSIENT.search(message) else fallback


def explain(message: str) -> str:
    name = VARIABLE.search(message)
    if name is None:
        return message
    return f"the dbt project reads the variable {name[1]}, which is not set: add the line {name[1]}=… to .env"


def one_line(message: str) -> str:
    """dbt's errors are indented blocks; the page shows one line, the log has the block."""
    return re.sub(r"\s*\n\s*", "; ", message.strip())[:2_000]

"""What a failure of a dlt script means: whether it is worth a retry, and what the user has to do."""

from __future__ import annotations

import re
import socket
from typing import Any

from elt_runner.errors import Failure, chain, user_place

BUSY = re.compile(
    r"Could not set lock on file|Conflicting lock is held|database is locked|database table is locked", re.IGNORECASE
)
TRANSIENT_STATUS = (408, 425, 429, 500, 502, 503, 504)
TRANSIENT_NAMES = {
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Timeout",
    "ChunkedEncodingError",
    "NewConnectionError",
    "MaxRetryError",
    "ProtocolError",
    "ConnectError",
    "RemoteDisconnected",
    "IncompleteRead",
    "RemoteProtocolError",
    "DestinationConnectionError",
    "LoadClientJobRetry",
}
#: Wrappers that say where, not what.
WRAPPERS = {
    "PipelineStepFailed",
    "ResourceExtractionError",
    "PipelineRunFailed",
    "NormalizeJobFailed",
    "SourceExhausted",
    "LoadClientJobException",
    "LoadClientJobFailed",
}


def classify(error: BaseException) -> tuple[str, BaseException]:
    """The failure class of `step-event.ts`, and the error of the chain that tells the user most."""
    errors = list(chain(error))
    told = next((each for each in errors if not _is_wrapper(each)), error)
    for each in errors:
        if isinstance(each, Failure):
            return each.failure_class, each
    for each in errors:
        if BUSY.search(str(each)):
            return "resource_busy", told
    for each in errors:
        if type(each).__name__ == "ConfigFieldMissingException":
            return "config", Failure("config", missing_config(each), type(each).__name__)
        name = missing_variable(each)
        if name is not None:
            file, line = user_place(each)
            text = f"{file}:{line} reads the variable {name}, which is not set: add the line {name}=… to .env"
            return "config", Failure("config", f"{text}, and {name} to `env:` in dagster.yaml", "KeyError")
    for each in errors:
        if type(each).__name__ == "DataValidationError":
            return "data", each
    for each in errors:
        if isinstance(each, ModuleNotFoundError):
            text = f"{each}: add its package to requirements.txt of the folder"
            return "config", Failure("config", text, "ModuleNotFoundError")
        if isinstance(each, SyntaxError):
            return "config", each
        if is_transient(each):
            return "transient", told
    return "user", told


def _is_wrapper(error: BaseException) -> bool:
    return type(error).__name__ in WRAPPERS and (error.__cause__ or error.__context__) is not None


def is_transient(error: BaseException) -> bool:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return status in TRANSIENT_STATUS
    if isinstance(error, (ConnectionError, TimeoutError, socket.gaierror)):
        return True
    return type(error).__name__ in TRANSIENT_NAMES


def missing_variable(error: BaseException) -> str | None:
    """The variable's name, if the error is that of `os.environ["NAME"]`."""
    if not isinstance(error, KeyError) or error.__traceback__ is None:
        return None
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    frame = trace.tb_frame
    is_environ = frame.f_globals.get("__name__") == "os" and frame.f_code.co_name == "__getitem__"
    return str(error.args[0]) if is_environ else None


def missing_config(error: Any) -> str:
    """Which values dlt looked for in vain, as lines that can be added to .env."""
    names = sorted(set(_variables(error.traces)))
    lines = ", ".join(f"{name}=…" for name in names)
    fields = ", ".join(error.fields)
    return f"{error.spec_name} needs {fields}, which is not set: add the line {lines} to .env"


def _variables(traces: dict[str, Any]) -> list[str]:
    names: list[str] = []
    for field_traces in traces.values():
        keys: list[str] = []
        for trace in field_traces:
            nested = getattr(trace, "traces", None)
            if nested is not None:
                names.extend(_variables(nested))
            elif trace.provider == "Environment Variables":
                keys.append(trace.key)
        # The pipeline's name may come first; the form without it is the one that documentation and .env files use.
        preferred = [key for key in keys if key.startswith(("SOURCES__", "DESTINATION__"))]
        names.extend((preferred or keys)[:1])
    return names

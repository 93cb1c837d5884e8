"""Makes a forked interpreter what a fresh one would be for the step that it is to run."""

from __future__ import annotations

import ctypes
import importlib
import logging
import os
import signal
import sys
import time
from typing import Any



def forget_environment() -> None:
    """C's own environment points into the place where the kernel laid it: empty, before that is written anew."""
    os.environ.clear()
    ctypes.CDLL(None).clearenv()


def close_all_but(*kept: int) -> None:
    """Files of the server and of the supervisor; a started program loses them by its start."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                # The one by which we list.
                pass


def renew(argv: list[str], environment: dict[bytes, bytes], later: set[str]) -> None:
    """The working folder and the standard streams are set already, the signals are those of a program that starts."""
    os.environb.update(environment)
    time.tzset()
    sys.orig_argv[:] = argv
    sys.argv = argv[1:]
    # As an interpreter that starts sets them.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    _prefer_modules_of(os.getcwd(), later)
    importlib.invalidate_caches()
    logging._startTime = time.time()  # type: ignore[attr-defined]
    _set(sys.modules.get("tempfile"), "tempdir", None)
    _set(sys.modules.get("multiprocessing.process"), "ORIGINAL_DIR", os.getcwd())
    if "multiprocessing" in sys.modules:
        import multiprocessing

        multiprocessing.current_process().authkey = os.urandom(32)
    # `random` seeds itself anew in a fork.
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()
    if "dlt.common.time" in sys.modules:
        # None: as the environment says.
        sys.modules["dlt.common.time"].set_context_timezone(None)
    if "dbt_common.invocation" in sys.modules:
        sys.modules["dbt_common.invocation"].reset_invocation_id()


def _prefer_modules_of(folder: str, later: set[str]) -> None:
    """A folder's own module hides one of the same name that a cold step would not have imported yet."""
    entries = {entry.partition(".")[0] for entry in os.listdir(folder)}
    for name in later:
        if name.partition(".")[0] in entries and _is_there(folder, name.partition(".")[0]):
            sys.modules.pop(name, None)


def _is_there(folder: str, name: str) -> bool:
    path = os.path.join(folder, name)
    return os.path.isdir(path) or os.path.exists(f"{path}.py")


def _set(module: Any, name: str, value: Any) -> None:
    if module is not None:
        setattr(module, name, value)

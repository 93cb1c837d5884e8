"""A process that was forked from an interpreter which has its tool imported: how it ends, and how it forks once more."""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
import threading
import weakref
from typing import NoReturn

#: What the server that this process was forked from has imported; None in a process that was started.
tool: str | None = None
#: Names of the modules that it had then.
modules: frozenset[str] = frozenset()


def end() -> NoReturn:
    """Runs the program and ends as an interpreter does, but for the modules of the server: to take those apart would copy
    all of their memory, which the end of the process gives back at once."""
    code = _run()
    try:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        _drop_modules()
        _flush()
    except BaseException:
        # As when an interpreter cannot write the rest of its output.
        code = code or 120
    os._exit(code)


def _run() -> int:
    try:
        return int(sys.modules["__main__"].main())
    except SystemExit as leave:
        if leave.code is None or isinstance(leave.code, int):
            return (leave.code or 0) & 0xFF
        print(leave.code, file=sys.stderr)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        if isinstance(error, KeyboardInterrupt):
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
    return 1


def _drop_modules() -> None:
    """What the step itself imported: files that it left open are written to their end, objects are finalized."""
    own = [weakref.ref(sys.modules.pop(name)) for name in set(sys.modules) - modules]
    gc.collect()
    for reference in own:
        module = reference()
        if module is not None:
            vars(module).clear()
    gc.collect()


def _flush() -> None:
    """Files that something still holds, the standard streams among them."""
    for each in gc.get_objects():
        if isinstance(each, io.IOBase) and not each.closed and each.writable():
            each.flush()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()


def can_run(command: list[str]) -> bool:
    """Whether the command is one of our runners, for the tool that is imported, in this interpreter."""
    return tool is not None and command[0] == sys.executable and command[1:3] == [sys.argv[0], tool]


def run(command: list[str], blocked: tuple[signal.Signals, ...]) -> int:
    """As `Popen(command).wait()`, negative for a signal. `blocked` are signals that this process handles itself."""
    signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    pid = os.fork()
    if pid == 0:
        for number in blocked:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
        sys.orig_argv[:], sys.argv = command, command[1:]
        end()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, blocked)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)

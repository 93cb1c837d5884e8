"""`python elt_runner warm TOOL ROOM`: the fork server of one tool in one environment.

Descriptor 3 is a socket to the service. The service writes requests, each its length (4 bytes, big endian) and JSON:
`{dir, cwd, argv, env, redact}`. Lines of JSON come back: `{ready: true, names, prefixes}` or `{ready: false, reason}`
once, then `{pid, start_time}` for each request, and `{gone: pid}` when a supervisor that it forked ends. At the end of the
socket the server ends, and leaves running steps alone.

The server never reads a request: the process that it forks for one does, so that nothing of a step comes into the memory
that the next one is a copy of.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
import traceback
from typing import Any

import elt_limits  # noqa: F401 (the supervisor would import it for a step with limits)
import elt_supervisor
from elt_runner.warm import forked
from elt_runner.warm.preload import Preloaded, Unfit, preload
from elt_runner.warm.process_text import ProcessText
from elt_runner.warm.renew import close_all_but, forget_environment, renew

SOCKET = 3

Request = dict[str, Any]


def serve(tool: str) -> None:
    """Returns only in a process that a step is to run in, which then is like one that was started for it."""
    connection = socket.socket(fileno=SOCKET)
    text = ProcessText()
    try:
        preloaded = preload(tool)
        if _threads() != 1:
            raise Unfit("a package starts a thread while it is imported, which a fork would not have")
        forget_environment()
        if not text.works():
            raise Unfit("the environment of a process cannot be written anew on this system")
    except Unfit as unfit:
        _say(connection, ready=False, reason=str(unfit))
        os._exit(0)
    except BaseException as error:
        _say(connection, ready=False, reason=f"{type(error).__name__}: {error}")
        os._exit(0)
    forked.tool, forked.modules = tool, frozenset(sys.modules)
    text.write([b"elt warm starts: %s" % tool.encode()], {})
    _say(connection, ready=True, names=sorted(preloaded.names), prefixes=sorted(preloaded.prefixes))
    _fork_for_each_request(connection, preloaded, text)


def _fork_for_each_request(connection: socket.socket, preloaded: Preloaded, text: ProcessText) -> None:
    wake_read, wake_write = os.pipe()
    for descriptor in (wake_read, wake_write):
        os.set_blocking(descriptor, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    poll.register(wake_read, select.POLLIN)
    while True:
        for descriptor, _ in poll.poll():
            if descriptor == wake_read:
                os.read(wake_read, 4096)
                _bury(connection)
            elif not connection.recv(1, socket.MSG_PEEK):
                os._exit(0)
            # A thread would be missing in a fork, with whatever lock it holds.
            elif _threads() != 1:
                os._exit(1)
            elif _fork(connection, preloaded, text):
                return


def _threads() -> int:
    return len(os.listdir("/proc/self/task"))


def _fork(connection: socket.socket, preloaded: Preloaded, text: ProcessText) -> bool:
    """True in the process that the step is to run in."""
    taken_read, taken_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            return _supervise(connection, taken_write, preloaded, text)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    os.close(taken_write)
    # Until the request is read and answered, the socket is the other one's.
    is_taken = os.read(taken_read, 1)
    os.close(taken_read)
    if not is_taken:
        # How much of it was read is not known.
        os._exit(1)
    return False


def _bury(connection: socket.socket) -> None:
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _say(connection, gone=pid)


def _supervise(connection: socket.socket, taken: int, preloaded: Preloaded, text: ProcessText) -> bool:
    """The forked process: a supervisor, and below it, where this returns True, the step's own process."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    gc.enable()
    os.setsid()
    request = _read(connection)
    given = {name.encode("utf-8", "replace"): value.encode("utf-8", "replace") for name, value in request["env"].items()}
    environment = {**preloaded.variables, **given}
    argv: list[str] = request["argv"]
    text.write([os.fsencode(part) for part in argv], environment)
    # Only now may the service learn of us, or see the end of the socket: from here on the step's id leads to us.
    own = os.getpid()
    _say(connection, pid=own, start_time=elt_supervisor.start_time(own))
    os.write(taken, b"1")
    errors = os.open(os.path.join(request["dir"], "supervisor.err"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for target in (1, 2):
        os.dup2(errors, target)
    connection.detach()
    close_all_but()
    os.chdir(request["cwd"])

    def become(argv: list[str], environment: dict[bytes, bytes], fail_write: int) -> None:
        close_all_but(fail_write)
        renew(argv, environment, preloaded.later)

    secrets = {secret.encode("utf-8", "replace") for secret in request["redact"]}
    elt_supervisor.supervise(elt_supervisor.Supervisor(request["dir"], argv, environment, secrets, become))
    return True


def _read(connection: socket.socket) -> Request:
    size = int.from_bytes(_exactly(connection, 4), "big")
    request: Request = json.loads(_exactly(connection, size))
    return request


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = []
    while size > 0:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            raise EOFError("the service is gone")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _say(connection: socket.socket, **fields: Any) -> None:
    try:
        connection.sendall(json.dumps(fields).encode() + b"\n")
    except OSError:
        # The service is gone, which the next look at the socket says.
        pass

"""Locks between steps of one machine, as files: dlt has none of its own."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator

#: A process that holds a lock and asks for it again has it: a lock of files would wait for itself.
_held: dict[str, int] = {}


@contextlib.contextmanager
def held(folder: str, name: str) -> Iterator[None]:
    """Waits for the lock; a signal's handler that raises ends the wait."""
    path = _path(folder, name)
    if path in _held:
        yield
        return
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _held[path] = descriptor
        yield
    finally:
        _held.pop(path, None)
        os.close(descriptor)


def claim(folder: str, name: str) -> bool:
    """Takes the lock for the rest of this process; False if another process has it."""
    path = _path(folder, name)
    if path in _held:
        return True
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    _held[path] = descriptor
    return True


def _path(folder: str, name: str) -> str:
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, hashlib.sha256(name.encode()).hexdigest()[:24])

"""Become a command that holds an exclusive lock on a file: with-lock.py LOCKFILE WAIT_MESSAGE COMMAND [ARG...]

The command inherits the locked descriptor (number 9), so the lock lives exactly as long as the command and those
of its children that keep 9 open; the kernel frees it however they end. macOS has no flock(1); runs on Python 3.9.
"""

import fcntl
import os
import signal
import sys

LOCK_FD = 9


def main():
    lock_file, wait_message, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    # Python ignores SIGPIPE and turns SIGINT into a traceback; the command must inherit neither.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.dup2(os.open(lock_file, os.O_RDWR | os.O_CREAT, 0o666), LOCK_FD, inheritable=True)
    except OSError as error:
        sys.exit(f"elt: cannot open the lock {lock_file}: {error.strerror}")
    try:
        fcntl.flock(LOCK_FD, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(wait_message, file=sys.stderr, flush=True)
        fcntl.flock(LOCK_FD, fcntl.LOCK_EX)
    os.execvp(command[0], command)


main()

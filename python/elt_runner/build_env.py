"""Builds one directory under a file lock: runs the given commands, then writes its `.ready` file.

Standard library only, Python 3.9 or newer. The job comes as JSON on stdin; stages go to stdout as JSON lines, what the
tools say goes to stderr. The lock is the kernel's, and the commands inherit it: when this process or the service is
killed, a tool that is still writing keeps the lock until it ends, and the next builder waits for it.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys


def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def take_lock(path):
    lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(stage="waiting")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def run(commands, lock):
    """Runs the commands of a stage as alternatives: the first that succeeds ends it."""
    code = 1
    for argv in commands:
        code = subprocess.call(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, pass_fds=(lock,))
        if code == 0:
            return 0
    return code


def main():
    job = json.load(sys.stdin)
    directory, ready = job["directory"], os.path.join(job["directory"], ".ready")
    lock = take_lock(job["lock"])
    if os.path.exists(ready):
        return 0
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    for stage in job["stages"]:
        say(stage=stage["name"])
        code = run(stage["commands"], lock)
        if code != 0:
            shutil.rmtree(directory, ignore_errors=True)
            return code
    with open(ready + ".tmp", "w", encoding="utf-8") as file:
        json.dump(job["ready"], file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(ready + ".tmp", ready)
    return 0


if __name__ == "__main__":
    sys.exit(main())

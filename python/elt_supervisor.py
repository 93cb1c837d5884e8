"""The parent of a step's process. Standard library only; run as `python -I -S elt_supervise.py STEP_DIR ARGV…`.

It outlives the service: it pumps the output (redacted, repaired, capped) into `output.log`, keeps the time-out, ends the
whole process tree when it is told to, or when nobody renews the `lease` file, and leaves `exit.json` behind.

Files of STEP_DIR   read:    supervise.json, lease (its mtime is renewed), cancel (the wish to stop, then SIGTERM to us)
                    written: supervisor.json, output.log (`<epoch ms> <o|e|s> <text>` per line), exit.json (atomic, last)

Its environment is the step's own, plus ELT_REDACT_<i>: what is to be masked, one per line, which the step does not get.

The step's process is started before what costs time is imported (json, re).

A warm start uses it as a module: the supervisor then is a fork of an interpreter that has the tool imported, and so is the
step's process (`become` of `Supervisor`, `elt_runner/warm`). All else is the same.
"""

import os
import sys
import time
import _signal as sig

LINE_CAP = 10 * 1024 * 1024
READ_SIZE = 256 * 1024
MASK = b"***"
# Longest wait between two looks at the lease, the cancel file and the time-out, seconds.
LONGEST_PAUSE = 2.0
# How long output of processes that outlive the step's own is waited for before they are killed, seconds.
DRAIN = 0.2
# Between two attempts to write the result to a disk that is full, seconds.
EXIT_PAUSE = 1.0
# How often a signal is repeated before SIGKILL: dlt heeds the first one by draining its running jobs.
REPEATS = 3


def now_ms():
    return int(time.time() * 1000)


def read_text(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def write_whole(path, text):
    temporary = path + ".tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.rename(temporary, path)


def start_time(pid):
    """Ticks since boot on Linux (field 22 of /proc/PID/stat), the text of ps elsewhere; with the pid it names a process."""
    stat = read_text("/proc/%d/stat" % pid)
    if stat:
        return stat[stat.rindex(b")") + 2 :].split()[19].decode()
    import subprocess

    return subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()


def limits_of(settings):
    """What `settings`, the text of supervise.json, says of limits; None: nothing, and nothing is imported for it."""
    if b'"limits":{' not in settings:
        return None
    import json

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, here)
    try:
        import elt_limits
    finally:
        sys.path.remove(here)
    return elt_limits.Limits(json.loads(settings)["limits"])


def oom_kills():
    """How many processes the kernel has ended for want of memory since it was booted; 0 where it does not say."""
    vmstat = read_text("/proc/vmstat")
    at = vmstat.find(b"\noom_kill ")
    return 0 if at < 0 else int(vmstat[at + 10 :].split(b"\n", 1)[0])


def start(argv, environment, become, limits):
    """Starts the step's process in a session of its own.

    Returns (pid, stdout, stderr, error of `become` or None); None in the step's process itself, if `become` returned there.
    """
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    fail_read, fail_write = os.pipe()
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            enter(parent, out_write, err_write, limits)
            become(argv, environment, fail_write)
            os.close(fail_write)
            return None
        except BaseException as error:
            os.write(fail_write, str(error).encode("utf-8", "replace"))
        os._exit(127)
    for descriptor in (out_write, err_write, fail_write):
        os.close(descriptor)
    # Its end says that the process is the step's own program.
    failure = os.read(fail_read, 4096)
    os.close(fail_read)
    return pid, out_read, err_read, failure.decode("utf-8", "replace") if failure else None


def enter(parent, out_write, err_write, limits):
    """What the step's process is made to be before it runs anything of the step: cold or warm, the one place for it."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (out_write, 1), (err_write, 2)):
        os.dup2(source, target)
    sig.set_wakeup_fd(-1)
    for number in (sig.SIGPIPE, sig.SIGTERM, sig.SIGINT, sig.SIGHUP, sig.SIGCHLD, sig.SIGXFSZ):
        sig.signal(number, sig.SIG_DFL)
    die_with(parent)
    if limits is not None:
        limits.enter()


def execute(argv, environment, _fail_write):
    """`become` of a cold start; does not return."""
    os.execvpe(argv[0], argv, environment)


def control_process(option, value):
    """prctl of Linux; False where it is not there."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes

        return ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0
    except Exception:
        return False


def die_with(parent):
    """Nobody is left to keep the time-out or the lease of a step whose supervisor was killed."""
    PR_SET_PDEATHSIG = 1
    control_process(PR_SET_PDEATHSIG, sig.SIGKILL)
    # It may have been killed before we asked.
    if os.getppid() != parent:
        os.kill(os.getpid(), sig.SIGKILL)


def become_subreaper():
    """Orphans of the step become our children (Linux), so that none of them can get away."""
    PR_SET_CHILD_SUBREAPER = 36
    return control_process(PR_SET_CHILD_SUBREAPER, 1)


class Log:
    """`output.log`: whole lines only, redacted, valid UTF-8, at most `cap` bytes."""

    def __init__(self, path, secrets, cap):
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.secrets = sorted(secrets, key=len, reverse=True)
        self.longest = max((len(secret) for secret in secrets), default=0)
        self.cap = cap
        self.size = 0
        self.lines = 0
        self.dropped = 0
        self.torn = False
        self.told = False
        self.full = False
        self.password = None

    def redact(self, block):
        for secret in self.secrets:
            if secret in block:
                block = block.replace(secret, MASK)
        if b"://" in block:
            if self.password is None:
                import re

                self.password = re.compile(rb"([a-z][a-z0-9+.-]*://[^\s:@/]*:)[^\s@/]+@", re.IGNORECASE)
            block = self.password.sub(rb"\1***@", block)
        return block

    def write(self, tag, block):
        """`block`: one or more whole lines, without the last newline."""
        block = self.redact(block)
        try:
            block.decode("utf-8")
        except UnicodeDecodeError:
            block = block.decode("utf-8", "replace").encode("utf-8")
        prefix = b"%d %s " % (now_ms(), tag)
        lines = []
        for line in block.split(b"\n"):
            if len(line) > LINE_CAP:
                line = line[:LINE_CAP].decode("utf-8", "ignore").encode("utf-8") + b" [line cut at 10 MB]"
            lines.append(prefix + line.rstrip(b"\r") + b"\n")
        if tag == b"s":
            self.put(lines)
            return
        if not self.full and self.size + sum(map(len, lines)) > self.cap:
            fitting = []
            for line in lines:
                if self.size + sum(map(len, fitting)) + len(line) > self.cap:
                    break
                fitting.append(line)
            self.put(fitting)
            lines = lines[len(fitting) :]
            self.full = True
            self.put([b"%d s output is larger than %d MB: what follows is dropped\n" % (now_ms(), self.cap >> 20)])
        if self.full:
            self.dropped += len(lines)
        else:
            self.put(lines)

    def put(self, lines):
        # What a full disk cut off gets its end first.
        data = (b"\n" if self.torn else b"") + b"".join(lines)
        left = data
        try:
            while left:
                left = left[os.write(self.descriptor, left) :]
        except OSError:
            # The disk is full. The step goes on; what could not be written is counted.
            pass
        written = len(data) - len(left)
        if written:
            self.torn = data[written - 1 : written] != b"\n"
        lost = left.count(b"\n") if left else 0
        self.size += written
        self.dropped += min(lost, len(lines))
        self.lines += len(lines) - min(lost, len(lines))

    def tell_dropped(self):
        """Once; tried again by whoever waits for space."""
        if self.dropped and not self.told:
            before = self.dropped
            self.write(b"s", b"%d lines were dropped" % before)
            self.told = self.dropped == before
            self.dropped = before


class Stream:
    """One of the two outputs: gathers bytes to whole lines."""

    def __init__(self, descriptor, tag, log):
        self.descriptor = descriptor
        self.tag = tag
        self.log = log
        self.parts = []
        self.size = 0
        self.skipping = False

    def read(self):
        """False at its end."""
        try:
            data = os.read(self.descriptor, READ_SIZE)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            self.flush()
            return False
        if self.skipping:
            end = data.find(b"\n")
            if end < 0:
                return True
            data = data[end + 1 :]
            self.skipping = False
        end = data.rfind(b"\n")
        if end >= 0:
            self.parts.append(data[:end])
            self.log.write(self.tag, b"".join(self.parts))
            self.parts, self.size = [], 0
            data = data[end + 1 :]
        if data:
            self.parts.append(data)
            self.size += len(data)
            # As much more as the longest secret, so that one across the cut is seen whole and masked.
            if self.size > LINE_CAP + self.log.longest:
                self.flush()
                self.skipping = True
        return True

    def flush(self):
        if self.parts:
            self.log.write(self.tag, b"".join(self.parts))
        self.parts, self.size = [], 0


class Supervisor:
    """`environment` is the step's, in bytes, `secrets` what is to be masked; `become` makes a forked process the step's own."""

    def __init__(self, step_dir, argv, environment, secrets, become=execute):
        self.dir = step_dir
        self.argv = argv
        self.environment = environment
        self.secrets = secrets
        self.become = become
        self.step_id = environment.get(b"ELT_STEP_ID", b"")
        self.begun = time.monotonic()
        self.reason = "exited"
        self.message = ""
        self.status = None
        self.max_rss_kb = None
        # Of processes that have ended.
        self.cpu_seconds = 0.0
        self.limits = None
        # (name, limit, used) of the limit that was passed.
        self.passed = None
        self.stop_signal = None
        self.next_repeat = None
        self.kill_at = None
        self.forced = False
        self.terminated = False

    def path(self, name):
        return os.path.join(self.dir, name)

    def run(self):
        """Ends this process with the step; returns only in the step's own one, if `become` does."""
        # Declared dead before it began: somebody else may already run the next attempt.
        if not os.path.exists(self.path("lease")):
            os._exit(3)
        wake_read, wake_write = os.pipe()
        for descriptor in (wake_read, wake_write):
            os.set_blocking(descriptor, False)
        sig.set_wakeup_fd(wake_write)
        sig.signal(sig.SIGCHLD, lambda *_: None)
        sig.signal(sig.SIGTERM, self.on_terminate)
        sig.signal(sig.SIGINT, sig.SIG_IGN)
        sig.signal(sig.SIGHUP, sig.SIG_IGN)

        with open(self.path("supervise.json"), "rb") as file:
            settings = file.read()
        self.limits = limits_of(settings)
        self.oom_kills = oom_kills()
        # Before the start: an orphan made earlier would be out of reach. The one import that has to come first.
        self.is_subreaper = become_subreaper()
        started = start(self.argv, self.environment, self.become, self.limits)
        if started is None:
            return
        self.pid, out, err, failure = started
        own = os.getpid()
        boot_id = read_text("/proc/sys/kernel/random/boot_id").decode().strip()
        write_whole(
            self.path("supervisor.json"),
            '{"pid": %d, "start_time": "%s", "boot_id": "%s", "child_pid": %d}'
            % (own, start_time(own), boot_id, self.pid),
        )

        import json
        import select

        self.json = json
        self.settings = json.loads(settings)
        self.log = Log(self.path("output.log"), self.secrets, self.settings["log_cap_bytes"])
        if failure is not None:
            self.reason, self.message = "spawn_failed", "%s: %s" % (self.argv[0], failure)
            self.log.write(b"s", self.message.encode())
        unkept = None if self.limits is None else self.limits.unkept()
        if unkept is not None:
            self.log.write(b"s", unkept.encode())
        self.grace = self.settings["grace_seconds"]
        timeout = self.settings["timeout_seconds"]
        self.deadline = None if timeout is None else self.begun + timeout
        self.lease_seen = (None, time.monotonic())
        self.next_look = 0.0
        self.streams = {}
        poll = select.poll()
        for descriptor, tag in ((out, b"o"), (err, b"e")):
            os.set_blocking(descriptor, False)
            poll.register(descriptor, select.POLLIN | select.POLLHUP | select.POLLERR)
            self.streams[descriptor] = Stream(descriptor, tag, self.log)
        poll.register(wake_read, select.POLLIN)

        drain_until = None
        while self.status is None or (self.streams and time.monotonic() < drain_until):
            for descriptor, _ in poll.poll(self.pause(drain_until) * 1000):
                if descriptor == wake_read:
                    os.read(wake_read, 4096)
                elif not self.streams[descriptor].read():
                    poll.unregister(descriptor)
                    os.close(self.streams.pop(descriptor).descriptor)
            if self.status is None:
                self.reap()
                if self.status is None:
                    self.look()
                else:
                    drain_until = time.monotonic() + DRAIN
        self.sweep()
        for stream in self.streams.values():
            while stream.read() and self.has_more(select, stream.descriptor):
                pass
            stream.flush()
        self.leave()

    @staticmethod
    def has_more(select, descriptor):
        ready, _, _ = select.select([descriptor], [], [], 0)
        return bool(ready)

    def on_terminate(self, *_):
        self.terminated = True

    def pause(self, drain_until):
        now = time.monotonic()
        if drain_until is not None:
            return max(0.0, min(drain_until - now, 0.05))
        wanted = [self.next_look, self.deadline, self.kill_at, self.next_repeat]
        if self.limits is not None:
            wanted.append(self.limits.next_look)
        return max(0.0, min(LONGEST_PAUSE, min(at for at in wanted if at is not None) - now))

    def reap(self):
        """Collects whatever ended. An orphan of the step is a child of ours too, and is only buried."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.cpu_seconds += usage.ru_utime + usage.ru_stime
            if pid == self.pid:
                self.status = os.waitstatus_to_exitcode(status)
                # Kilobytes on Linux, bytes on macOS.
                self.max_rss_kb = usage.ru_maxrss if sys.platform.startswith("linux") else usage.ru_maxrss // 1024

    def look(self):
        now = time.monotonic()
        if self.terminated or now >= self.next_look:
            self.next_look = now + min(LONGEST_PAUSE, max(0.05, self.settings["lease_ttl_seconds"] / 4))
            self.look_at_files(now)
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self.stop("timeout", "ran longer than %g s" % self.settings["timeout_seconds"])
        if self.limits is not None and self.passed is None:
            self.passed = self.limits.look(now, self.cpu_seconds)
            if self.passed is not None:
                self.heed_limit(*self.passed)
        if self.next_repeat is not None and now >= self.next_repeat:
            self.next_repeat = now + self.grace / REPEATS if self.stop_signal == sig.SIGTERM else None
            self.signal_group(self.stop_signal)
        if self.kill_at is not None and now >= self.kill_at:
            self.kill_at = self.next_repeat = None
            self.forced = True
            self.log.write(b"s", b"did not end within %g s: SIGKILL" % self.grace)
            self.kill_now()

    def look_at_files(self, now):
        if os.path.exists(self.path("cancel")):
            self.stop("cancelled", "asked to stop")
        elif self.terminated:
            self.stop("terminated", "the supervisor was told to end")
        self.terminated = False
        try:
            renewed = os.stat(self.path("lease")).st_mtime_ns
        except OSError:
            self.expire("the lease was taken away")
            return
        # Our own clock, not the file's: a jump of the system's time ends nothing.
        if renewed != self.lease_seen[0]:
            self.lease_seen = (renewed, now)
        elif now - self.lease_seen[1] > self.settings["lease_ttl_seconds"]:
            self.expire("nobody renewed the lease for %g s" % self.settings["lease_ttl_seconds"])

    def expire(self, message):
        if self.reason == "lease_expired":
            return
        self.reason, self.message, self.forced = "lease_expired", message, True
        self.log.write(b"s", message.encode())
        self.kill_now()

    def stop(self, reason, message):
        """Begins to end the step: its tool's own signal, repeated, then SIGKILL."""
        if self.reason != "exited":
            return
        self.reason, self.message = reason, message
        name = self.settings["cancel_signal"]
        self.stop_signal = sig.SIGINT if name == "SIGINT" else sig.SIGTERM
        self.log.write(b"s", ("%s: %s" % (message, name)).encode())
        now = time.monotonic()
        self.kill_at = now + self.grace
        self.next_repeat = now + self.grace / REPEATS
        self.signal_group(self.stop_signal)

    def heed_limit(self, name, limit, used):
        unit, size = ("MB", 1e6) if name == "memory" else ("s", 1)
        message = "limits.%s is %g %s, used were %.1f" % (name, limit / size, unit, used / size)
        if name != "memory":
            self.stop("limit", message)
            return
        # What goes on growing takes it from others: no time is given.
        if self.reason == "exited":
            self.reason, self.message = "limit", message
        self.forced = True
        self.log.write(b"s", ("%s: SIGKILL" % message).encode())
        self.kill_now()

    def signal_group(self, number):
        try:
            os.killpg(self.pid, number)
        except OSError:
            pass

    def kill_now(self):
        self.signal_group(sig.SIGKILL)
        for pid in self.descendants():
            self.kill(pid)

    @staticmethod
    def kill(pid):
        try:
            os.kill(pid, sig.SIGKILL)
        except OSError:
            pass

    def descendants(self):
        """Every process below us, and every one that carries the step's id, wherever it went."""
        if not sys.platform.startswith("linux"):
            return self.descendants_by_ps()
        own = os.getpid()
        parents, marked = {}, set()
        for name in os.listdir("/proc"):
            if not name.isdigit() or int(name) == own:
                continue
            stat = read_text("/proc/%s/stat" % name)
            if not stat:
                continue
            state, parent = stat[stat.rindex(b")") + 2 :].split()[:2]
            if state == b"Z":
                continue
            parents[int(name)] = int(parent)
            if self.step_id and b"ELT_STEP_ID=" + self.step_id in read_text("/proc/%s/environ" % name).split(b"\0"):
                marked.add(int(name))
        for pid in parents:
            above = pid
            while above in parents:
                above = parents[above]
            if above == own:
                marked.add(pid)
        return marked

    def descendants_by_ps(self):
        import subprocess

        listing = subprocess.run(["ps", "-axEww", "-o", "pid=,command="], capture_output=True).stdout
        mark = b"ELT_STEP_ID=" + self.step_id
        pids = {int(line.split()[0]) for line in listing.splitlines() if mark in line.split()}
        pids.discard(os.getpid())
        return pids

    def sweep(self):
        """No process of the step is left behind. Without children there is none: orphans would be ours."""
        for attempt in range(50):
            self.reap()
            try:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                if self.is_subreaper:
                    return
            left = self.descendants()
            if not left:
                return
            if attempt == 0:
                self.log.write(b"s", b"processes were left behind: SIGKILL")
            for pid in left:
                self.kill(pid)
            time.sleep(0.02)

    def leave(self):
        status = self.status
        signal_name = None
        if status is not None and status < 0:
            import signal

            try:
                signal_name = signal.Signals(-status).name
            except ValueError:
                signal_name = "SIG%d" % -status
        if self.limits is not None:
            self.passed = self.passed or self.limits.passed_at_end(-status if status is not None else 0)
            self.limits.remove_group()
        self.log.tell_dropped()
        self.write_exit(
            self.json.dumps(
                {
                    "reason": self.reason,
                    "message": self.message,
                    "exit_code": status if status is not None and status >= 0 else None,
                    "signal": signal_name,
                    "forced": self.forced,
                    "seconds": round(time.monotonic() - self.begun, 3),
                    "max_rss_kb": self.max_rss_kb,
                    "cpu_seconds": round(self.cpu_seconds, 3),
                    "limit": self.passed and dict(zip(("name", "limit", "used"), self.passed)),
                    "limits_by": self.limits and self.limits.by,
                    "oom_killed": status == -sig.SIGKILL and not self.forced and oom_kills() > self.oom_kills,
                    "lines": self.log.lines,
                    "bytes": self.log.size,
                    "dropped_lines": self.log.dropped,
                    "at": now_ms(),
                }
            )
        )
        os._exit(0)

    def write_exit(self, text):
        """Without it the attempt counts as lost and its work is done again: a full disk is waited for, not a lost lease."""
        until = time.monotonic() + self.settings["lease_ttl_seconds"]
        while True:
            try:
                return write_whole(self.path("exit.json"), text)
            except OSError:
                if time.monotonic() > until or not os.path.exists(self.path("lease")):
                    raise
                time.sleep(EXIT_PAUSE)
                self.log.tell_dropped()


def supervise(supervisor):
    """Returns only in the step's own process; see `Supervisor.run`."""
    try:
        supervisor.run()
    except BaseException:
        # A defect of ours must not leave a process behind; without exit.json the attempt counts as lost.
        if getattr(supervisor, "pid", None):
            supervisor.signal_group(sig.SIGKILL)
            try:
                supervisor.kill_now()
            except Exception:
                pass
        if supervisor.limits is not None:
            supervisor.limits.remove_group()
        raise


def main(step_dir, argv):
    secrets = set()
    environment = {}
    for name, value in os.environb.items():
        if name.startswith(b"ELT_REDACT_"):
            secrets.update(secret for secret in value.split(b"\n") if secret)
        else:
            environment[name] = value
    supervise(Supervisor(step_dir, argv, environment, secrets))


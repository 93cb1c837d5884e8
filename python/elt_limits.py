"""What one attempt may use; loaded by the supervisor only for a step that has limits (docs/limits.md).

With a cgroup (v2) of its own the kernel keeps the limits of all its processes together. Without one, RLIMIT_DATA bounds what
each process can ask for, and the supervisor adds the processes up: their memory, and the time that they worked.
"""

import errno
import math
import os
import resource
import sys
import time

IS_LINUX = sys.platform.startswith("linux")
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
# Between two looks at the processes, seconds; longer ones are left to the supervisor.
SHORTEST_PAUSE = 0.05
MEMORY_PAUSE = 0.5
# Beyond the limit of time a process that the supervisor did not end is ended by the kernel, seconds.
LATE = 60
# cpu.max: share of a period, microseconds.
PERIOD = 100_000


def read_text(path):
    try:
        with open(path, "r") as file:
            return file.read()
    except OSError:
        return ""


def write_text(path, text):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def field(path, name):
    """A number of a file of lines `name number`; 0 if it is not there."""
    for line in read_text(path).splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


class Limits:
    def __init__(self, settings):
        self.memory = settings["memory_bytes"]
        self.cpus = settings["cpus"]
        self.cpu_seconds = settings["cpu_seconds"]
        self.group = settings["cgroup"]
        self.problem = settings["cgroup_problem"]
        self.next_look = 0.0
        if self.group is not None:
            try:
                self.make_group()
            except OSError as error:
                self.problem = "no cgroup could be made: %s" % error
                self.remove_group()
                self.group = None

    @property
    def by(self):
        return "rlimit" if self.group is None else "cgroup"

    def unkept(self):
        """What is to be said of a limit that nobody keeps here, or None."""
        if self.cpus is None or self.group is not None:
            return None
        return "limits.cpus is not kept here: %s" % self.problem

    def make_group(self):
        os.mkdir(self.group, 0o755)
        if self.memory is not None:
            write_text(self.path("memory.max"), str(self.memory))
            for name, text in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
                try:
                    write_text(self.path(name), text)
                except OSError:
                    # No swap accounting, an old kernel: the limit itself stands.
                    pass
        if self.cpus is not None:
            write_text(self.path("cpu.max"), "%d %d" % (self.cpus * PERIOD, PERIOD))

    def path(self, name):
        return os.path.join(self.group, name)

    def enter(self):
        """In the step's own process, before it runs anything of the step."""
        if self.group is not None:
            write_text(self.path("cgroup.procs"), "0")
        elif self.memory is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (self.memory, self.memory))
        if self.cpu_seconds is not None:
            # Elsewhere than on Linux nobody adds the processes up.
            seconds = math.ceil(self.cpu_seconds) + (LATE if IS_LINUX else 0)
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + LATE))

    def look(self, now, reaped_seconds):
        """Which limit is passed: (name, limit, used), or None. `reaped_seconds`: work of processes that have ended."""
        if now < self.next_look:
            return None
        self.next_look = math.inf
        if not IS_LINUX:
            return None
        processes = [] if self.group is not None else list(descendants())
        if self.cpu_seconds is not None:
            used = self.seconds_of(processes, reaped_seconds)
            if used >= self.cpu_seconds:
                return ("cpu_time", self.cpu_seconds, used)
            # Not sooner can it be reached, with every processor at work.
            self.look_again(now + max(SHORTEST_PAUSE, (self.cpu_seconds - used) / (os.cpu_count() or 1)))
        if self.memory is not None and self.group is None:
            used = self.memory_of(processes)
            if used > self.memory:
                return ("memory", self.memory, used)
            self.look_again(now + MEMORY_PAUSE)
        return None

    def look_again(self, at):
        self.next_look = min(self.next_look, at)

    def seconds_of(self, processes, reaped_seconds):
        if self.group is not None:
            return field(self.path("cpu.stat"), "usage_usec") / 1e6
        return reaped_seconds + sum(sum(map(int, stat[11:15])) for _, stat in processes) / TICK

    def memory_of(self, processes):
        """Pages of processes that share them (a fork, a library) count once; asked for only when it can matter."""
        resident = sum(int(stat[21]) * PAGE for _, stat in processes)
        if resident <= self.memory:
            return resident
        return sum(proportional(pid, int(stat[21]) * PAGE) for pid, stat in processes)

    def passed_at_end(self, signal_number):
        """The same after the end of all processes, from what the kernel counted."""
        if self.group is not None and self.memory is not None and field(self.path("memory.events"), "oom_kill") > 0:
            peak = read_text(self.path("memory.peak")).strip()
            return ("memory", self.memory, int(peak) if peak.isdigit() else self.memory)
        if self.cpu_seconds is not None and signal_number == 24:
            return ("cpu_time", self.cpu_seconds, self.cpu_seconds)
        return None

    def remove_group(self):
        if self.group is None:
            return
        # The last process of it may be dying still.
        for _ in range(50):
            try:
                return os.rmdir(self.group)
            except OSError as error:
                if error.errno != errno.EBUSY:
                    return None
                time.sleep(0.02)


def descendants():
    """(pid, fields of its stat after the name) of every living process below this one."""
    own = os.getpid()
    stats = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        stat = read_text("/proc/%s/stat" % name)
        if stat:
            stats[int(name)] = stat[stat.rindex(")") + 2 :].split()
    for pid, stat in stats.items():
        above = int(stat[1])
        while above != own and above in stats:
            above = int(stats[above][1])
        if above == own:
            yield pid, stat


def proportional(pid, resident):
    for line in read_text("/proc/%d/smaps_rollup" % pid).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return resident

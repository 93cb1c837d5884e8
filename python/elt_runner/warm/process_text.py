"""The arguments and the environment of a process, as the system shows them to others (`ps`, /proc/PID/environ).

They stand where the kernel laid them when the program was started. A fork has its parent's; processes of a step are found
by the variable ELT_STEP_ID in that place, so it is written anew. The server is started with a long argument and a long
variable, which make the room.
"""

from __future__ import annotations

import ctypes

#: What names a step, if not all of its environment has room.
IDENTITY = (b"ELT_STEP_ID", b"ELT_RUN_ID", b"ELT_STEP_KEY", b"ELT_ATTEMPT", b"ELT_PIPELINE")


class ProcessText:
    def __init__(self) -> None:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        # Fields 48 to 51 of proc(5); behind the bracket the third one is the first.
        self._arguments = (int(fields[45]), int(fields[46]))
        self._environment = (int(fields[47]), int(fields[48]))

    def write(self, arguments: list[bytes], environment: dict[bytes, bytes]) -> None:
        """Nothing of what stood there remains. C's own `environ` has to be empty before: it points into this place."""
        variables = _lines(b"%s=%s" % entry for entry in environment.items())
        if len(variables) > _size(self._environment):
            variables = _lines(b"%s=%s" % (name, environment[name]) for name in IDENTITY if name in environment)
        _fill(self._arguments, _lines(arguments))
        _fill(self._environment, variables)

    def works(self) -> bool:
        """Whether what is written there is what others read."""
        self.write([b"elt"], {b"ELT_STEP_ID": b"none"})
        with open("/proc/self/environ", "rb") as file:
            return file.read().rstrip(b"\0") == b"ELT_STEP_ID=none"


def _lines(parts: object) -> bytes:
    return b"".join(part + b"\0" for part in parts)  # type: ignore[attr-defined]


def _size(place: tuple[int, int]) -> int:
    return place[1] - place[0]


def _fill(place: tuple[int, int], text: bytes) -> None:
    size = _size(place)
    # The last byte stays zero: any other would make the kernel read on behind the place.
    ctypes.memmove(place[0], text[: size - 1].ljust(size, b"\0"), size)

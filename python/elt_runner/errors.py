"""Describes a failure for people: the user's own frame first, then the whole traceback."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

LONGEST_STACK = 20_000
_OWN = os.path.dirname(os.path.abspath(__file__))


class Failure(Exception):
    """A failure whose class and message are known where it is found; it has no traceback worth showing."""

    def __init__(self, failure_class: str, message: str, name: str = "Failure") -> None:
        super().__init__(message)
        self.failure_class = failure_class
        self.title = name


class Cancelled(BaseException):
    """The engine asked the step to stop. Not an Exception: user code that catches those must not swallow it."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was raised from, outermost first."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def describe(error: BaseException, named: BaseException | None = None) -> dict[str, Any]:
    """The `error` of an end event.

    `named` is the error of the chain that tells the user most; the file and line are those of the user's innermost frame.
    """
    told = named or error
    file, line = user_place(error)
    if isinstance(told, SyntaxError) and told.filename:
        file, line = relative(told.filename) or told.filename, told.lineno
    frames = "".join(
        f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n    {frame.line}\n'
        for frame in reversed(user_frames(error))
    )
    if isinstance(told, Failure):
        stack = frames
    else:
        whole = "".join(traceback.format_exception(type(error), error, without_runner(error.__traceback__)))
        stack = f"{frames}\n{whole}" if frames else whole
    return {
        "name": told.title if isinstance(told, Failure) else type(told).__name__,
        "message": str(told) or type(told).__name__,
        "stack": stack[:LONGEST_STACK] or None,
        "file": file,
        "line": line,
    }


def user_place(error: BaseException) -> tuple[str | None, int | None]:
    frames = user_frames(error)
    return (relative(frames[-1].filename), frames[-1].lineno) if frames else (None, None)


def user_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """Frames of the pipeline's own files, outermost first, of the innermost error of the chain that has any."""
    found: list[traceback.FrameSummary] = []
    for each in chain(error):
        frames = [frame for frame in traceback.extract_tb(each.__traceback__) if relative(frame.filename)]
        found = frames or found
    return found


def relative(file: str) -> str | None:
    """The path inside the pipeline's folder (the working directory); None for a file of somebody else."""
    path = os.path.relpath(os.path.abspath(file), os.getcwd())
    if path.startswith("..") or "site-packages" in path or file.startswith(("<", _OWN)):
        return None
    return path


def without_runner(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is neither ours nor runpy's; all of it if there is none."""
    current = trace
    while current is not None:
        file = current.tb_frame.f_code.co_filename
        if not file.startswith(_OWN) and "runpy" not in file and "importlib" not in file:
            return current
        current = current.tb_next
    return trace

"""Reads the log of Sling 1.4 (`SLING_LOGGING=JSON`): there is no other result of a run."""

from __future__ import annotations

import json
import re
from typing import Any

ANSI = re.compile(r"\x1b\[[0-9;]*m")
#: The one line that says what a stream wrote; other lines with "rows" in them say something else.
WRITTEN = re.compile(r"^(?:inserted|wrote) (?P<rows>[\d,]+) rows .*?\b(?:into|to) (?P<target>\S+)")
SIZE = re.compile(r"\[(?P<number>[\d.,]+) (?P<unit>[kMGT]?B)\]")
EMPTY = "no data or records found in stream"
NO_STREAM = "Did not match any streams"
UNITS = {"B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000}

BUSY = re.compile(r"database is locked|database table is locked|Could not set lock on file", re.IGNORECASE)
CONNECTION = re.compile(r"could not find connection (\S+)")
CONFIG = re.compile(
    r"must specify value for|could not find connection|Did not match any streams|invalid or missing token|"
    r"could not parse|unknown mode|Invalid Replication",
    re.IGNORECASE,
)
TRANSIENT = re.compile(
    r"connection refused|no such host|i/o timeout|connection reset|handshake timeout|unexpected EOF|"
    r"too many connections|server closed the connection|network is unreachable|deadlock",
    re.IGNORECASE,
)
LONGEST_MESSAGE = 1_000


class StreamLog:
    """What the lines of one process say. Lines are bytes as they come: Sling logs data, in any encoding."""

    def __init__(self) -> None:
        self.rows: int | None = None
        #: Written size as Sling rounds it; only database sources have it.
        self.bytes: int | None = None
        self.tables: dict[str, int] = {}
        self.empty = False
        self._raw: list[str] = []
        self._failed = False

    def line(self, raw: bytes) -> tuple[str, str] | None:
        """Takes one line of stdout or stderr; gives (level, text) to show, None for a blank one."""
        text = ANSI.sub("", raw.decode("utf-8", "replace")).rstrip()
        entry = _json(text)
        if entry is None:
            if text == "":
                return None
            self._raw.append(text)
            return "error", text
        message = ANSI.sub("", str(entry.get("msg", ""))).rstrip()
        level = {"info": "info", "debug": "debug", "warn": "warning"}.get(str(entry.get("lvl")), "error")
        self._message(message)
        return level, message

    def _message(self, message: str) -> None:
        written = WRITTEN.match(message)
        if written:
            rows = int(written["rows"].replace(",", ""))
            target = written["target"].replace('"', "").replace("`", "")
            self.rows = (self.rows or 0) + rows
            self.tables[target] = self.tables.get(target, 0) + rows
            size = SIZE.search(message)
            if size:
                self.bytes = (self.bytes or 0) + int(float(size["number"].replace(",", "")) * UNITS[size["unit"]])
        elif message.startswith(EMPTY):
            self.empty = True
        elif NO_STREAM in message:
            self._raw.append(message)
            self._failed = True

    def failure(self, exit_code: int) -> str | None:
        """Why the stream failed; None if it is known to have succeeded. Exit code 0 alone says nothing."""
        if exit_code != 0 or self._failed:
            return self._reason() or f"Sling ended with exit code {exit_code}"
        if self.rows is None and not self.empty:
            return "Sling ended without saying how many rows it wrote: " + (self._reason() or "nothing was loaded")
        return None

    def _reason(self) -> str:
        """The text after `fatal:`, without headings, and without the SQL that drivers print whole."""
        lines = [line.lstrip("~ ").strip() for line in self._raw]
        kept = [line if len(line) <= 300 else f"{line[:300]}…" for line in lines if line and not _is_heading(line)]
        return "; ".join(kept)[:LONGEST_MESSAGE]


def classify(reason: str) -> str:
    """The failure class of `step-event.ts`."""
    if BUSY.search(reason):
        return "resource_busy"
    if CONFIG.search(reason):
        return "config"
    return "transient" if TRANSIENT.search(reason) else "user"


def explain(reason: str, replication: str) -> str:
    missing = CONNECTION.search(reason)
    if missing is None:
        return reason
    name = missing[1].rstrip(".,;")
    return f"{replication} uses the connection {name}, which is not set: add the line {name}=… to .env"


def _is_heading(line: str) -> bool:
    return line.startswith(("fatal:", "failure running replication", "-----"))


def _json(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        entry = json.loads(text)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and "msg" in entry else None

"""Tells processes apart for good: their numbers are given out again, and the clock may jump."""

from __future__ import annotations

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def read_boot_id() -> str:
    """Return what tells this boot of the machine from earlier ones."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def read_start(pid: int) -> float | None:
    """Seconds from the machine's boot to the start of a living process, None when there is none.

    A time of day would not do: it is computed from the clock, and changes when that is set. One
    that has ended and was not waited for counts as none.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in brackets, may hold anything; state is the third field, the start the 22nd.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19]) / TICKS


def lives(pid: int, started: float | None) -> bool:
    """Whether the process of this number and this start is there."""
    return started is not None and read_start(pid) == started

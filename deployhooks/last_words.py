"""Finds in a program's output the lines that say why it failed."""

from __future__ import annotations

import re

TRACEBACK = "Traceback (most recent call last):"
MARKERS = re.compile(r"[\s^~]*")
LINES = 5
LENGTH = 700


def find_last_words(output: str) -> str:
    """Return the end of the last traceback, or of the output where there is none, as one line."""
    lines = output.splitlines()
    starts = [number for number, line in enumerate(lines) if line.strip() == TRACEBACK]
    if starts:
        lines = cut_traceback(lines[starts[-1] + 1 :])
    told = [line.strip() for line in lines if not MARKERS.fullmatch(line)]
    return " / ".join(told[-LINES:])[-LENGTH:]


def cut_traceback(lines: list[str]) -> list[str]:
    """Return a traceback's frames and its message, without what was written after it."""
    for number, line in enumerate(lines):
        if line and not line[0].isspace():
            return lines[: number + 1]
    return lines

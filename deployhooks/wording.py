"""Commits, times and logs in words for people: shared by the admin and the commands."""

from __future__ import annotations

import re
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from deployhooks.models import Deploy, Step

ANSI_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def shorten(commit: str | None) -> str:
    """The first seven digits, as git shows a commit."""
    return (commit or "")[:7]


def say_duration(seconds: float) -> str:
    if seconds < 10:
        return _("{:.1f} s").format(max(seconds, 0))
    if seconds < 60:
        return _("{:.0f} s").format(seconds)
    if seconds < 3600:
        return _("{} min {} s").format(*divmod(int(seconds), 60))
    return _("{} h {} min").format(*divmod(int(seconds) // 60, 60))


def say_ago(when: datetime) -> str:
    seconds = max((timezone.now() - when).total_seconds(), 0)
    if seconds < 60:
        return _("{:.0f} s ago").format(seconds)
    if seconds < 3600:
        return _("{:.0f} min ago").format(seconds // 60)
    if seconds < 48 * 3600:
        return _("{:.0f} h ago").format(seconds // 3600)
    return _("{:.0f} days ago").format(seconds // 86400)


def measure(row: Deploy | Step) -> float | None:
    """Seconds that a deploy or a step took, or takes until now; None when it has not begun."""
    if row.started_at is None:
        return None
    return ((row.finished_at or timezone.now()) - row.started_at).total_seconds()


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def clean_controls(text: str) -> str:
    """Return text that cannot steer a terminal: no escape sequences, no control characters.

    Output of git carries what a remote says, so it is not ours to trust.
    """
    text = ANSI_SEQUENCE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return CONTROLS.sub("", text)

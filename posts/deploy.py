"""The deploy's step of the blog: rows equal files."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from django.conf import settings


class Finished(Protocol):
    @property
    def output(self) -> str: ...


class Context(Protocol):
    """What the step needs of a deploy."""

    def run(self, args: Sequence[str], *, cwd: Path | None = None) -> Finished: ...

    def skip(self, reason: str) -> NoReturn: ...


def index_posts(context: Any) -> str:
    """Index in a fresh process: this one still runs the code from before the pull."""
    step: Context = context
    finished = step.run(
        [sys.executable, "manage.py", "index_posts"], cwd=Path(settings.DEPLOY_CHECKOUT)
    )
    lines = finished.output.strip().splitlines()
    if not lines:
        return "indexed"
    if lines[-1].startswith("nothing changed"):
        step.skip(lines[-1])
    return lines[-1]

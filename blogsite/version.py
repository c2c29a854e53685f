"""Which commit's code this process has loaded, and when it started."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path


def read_head(folder: Path) -> str | None:
    """Return the commit checked out in `folder`; None when it is no git checkout."""
    try:
        answer = subprocess.run(
            ["git", "rev-parse", "--verify", "HEAD"],  # noqa: S607 - git is found on PATH, as by people
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()


# Read once, while the process imports its code: what lies on the disk later is another matter.
COMMIT = read_head(Path(__file__).resolve().parent)
BOOTED_AT = datetime.now(UTC).isoformat()


def describe_process() -> dict[str, str | int | None]:
    """The process that answers: {"commit", "booted_at", "pid"}."""
    return {"commit": COMMIT, "booted_at": BOOTED_AT, "pid": os.getpid()}

"""Runs `manage.py preview` in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings


@contextmanager
def running_preview(posts: Path, data: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Yield its address and the process; ends it as Ctrl-C does."""
    env = {**os.environ, "DATA_DIR": str(data), "POSTS_DIR": str(posts)}
    process = subprocess.Popen(
        [sys.executable, "manage.py", "preview", "--port", "0"], cwd=settings.BASE_DIR, env=env,
        stdout=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c,
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        assert line.startswith(f"Preview of {posts}: http://127.0.0.1:"), line
        yield line.rpartition(" ")[2].strip(), process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()


def hear_ctrl_c() -> None:
    """What a shell starts in the background, a whole run of tests say, is deaf to it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

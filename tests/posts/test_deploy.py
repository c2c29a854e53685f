"""The blog's step of a deploy."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings as site

from posts.deploy import index_posts


class Skipped(Exception):
    pass


class FakeContext:
    def __init__(self, output: str) -> None:
        self.output = output
        self.started: list[tuple[list[str], Path]] = []

    def run(self, args, *, cwd=None):
        self.started.append((args, cwd))
        return SimpleNamespace(output=self.output)

    def skip(self, reason):
        raise Skipped(reason)


def test_the_step_indexes_in_a_fresh_process_of_the_checkout():
    context = FakeContext("added a.md\nadded 1, changed 0\n")
    assert index_posts(context) == "added 1, changed 0"
    assert context.started == [
        ([sys.executable, "manage.py", "index_posts"], Path(site.DEPLOY_CHECKOUT))
    ]


def test_a_step_without_changes_is_skipped():
    with pytest.raises(Skipped, match="nothing changed: added 0"):
        index_posts(FakeContext("nothing changed: added 0, unchanged 65\n"))


def test_the_command_runs_as_a_process(tmp_path):
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts" / "2016-01-01-a.md").write_text("# A\n")
    env = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(tmp_path / "data"), "ENV_FILE": "/dev/null",
           "POSTS_DIR": str(tmp_path / "posts")}  # fmt: skip

    def manage(*args):
        command = [sys.executable, "manage.py", *args]
        return subprocess.run(
            command, cwd=site.BASE_DIR, env=env, capture_output=True, text=True, check=True
        ).stdout

    manage("migrate", "--skip-checks")
    assert manage("index_posts").splitlines()[0] == "added 2016-01-01-a.md"
    assert manage("index_posts").startswith("nothing changed")

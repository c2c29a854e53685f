"""A second tree at the commit that is to be deployed, with state of its own to try it on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from deployhooks.checkout import Checkout
from deployhooks.process import Finished

Run = Callable[..., Finished]


class Scratch:
    """The worktree `tree` and the folder `state`, both below DATA_DIR; one deploy at a time."""

    def __init__(self, checkout: Checkout, run: Run) -> None:
        self.checkout = checkout
        self.run = run
        self.folder: Path = settings.DATA_DIR / "scratch"
        self.tree = self.folder / "tree"
        self.state = self.folder / "state"
        self.copies: dict[str, str] = {}  # environment that names the copies, the database's say

    def make(self, commit: str) -> None:
        """Check the commit out; what an earlier deploy left there goes first."""
        self.remove()
        self.state.mkdir(parents=True)
        for args in (["prune"], ["add", "--quiet", "--detach", str(self.tree), commit]):
            self.run(["git", "worktree", *args], env=self.checkout.env)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def manage(self, *args: str, live: bool, **options: Any) -> Finished:
        """Run the new code's manage.py in a fresh process, on the live state or on the copy."""
        command = [settings.DEPLOY_PYTHON, "manage.py", *args]
        return self.run(command, cwd=self.tree, env=self.environment(live=live), **options)

    def environment(self, *, live: bool) -> dict[str, str]:
        """The live environment for a process in the worktree.

        With `live` it works on the site's own state; without, on the copies in `state`.
        """
        environment = os.environ | settings.DEPLOY_ENVIRONMENT
        environment.pop("PYTHONPATH", None)
        if live:
            return environment
        return environment | {"DATA_DIR": str(self.state)} | self.copies

"""A second tree at the version that is to be deployed, with state of its own to try it on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings

from deployhooks import database
from deployhooks.bytecode import lend_byte_code
from deployhooks.checkout import Checkout, Submodule, Version
from deployhooks.checkout.content import is_content
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
        self.packages = self.folder / "packages"  # what the environment lacks for this version
        self.copies: dict[str, str] = {}  # environment that names the copies, the database's say

    def make(self, version: Version) -> None:
        """Check the version out; what an earlier deploy left there goes first.

        Submodules that hold content stay out: the new code reads the live ones.
        """
        self.remove()
        self.state.mkdir(parents=True, mode=0o700)
        add = ["add", "--quiet", "--force", "--detach", str(self.tree), version.commit]
        for args in (["prune"], add):
            self.run(["git", "worktree", *args], env=self.checkout.env)
        wanted = version.submodules
        for submodule in self.checkout.walk(version.commit, lambda one: wanted.get(one.path)):
            if submodule.path in wanted and not is_content(submodule.folder):
                self.fill(submodule, wanted[submodule.path])
        lend_byte_code(self.checkout.path, self.tree)

    def fill(self, submodule: Submodule, commit: str) -> None:
        """Write a submodule's files; its own worktree and index are not touched."""
        folder, index = self.tree / submodule.path, self.folder / "index"
        folder.mkdir(parents=True, exist_ok=True)
        index.unlink(missing_ok=True)
        self.run(
            [
                *["git", f"--git-dir={submodule.git_dir}", f"--work-tree={folder}"],
                *["read-tree", "--reset", "-u", commit],
            ],
            cwd=folder,
            env=self.checkout.env | {"GIT_INDEX_FILE": str(index)},
        )

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def manage(self, *args: str, **options: Any) -> Finished:
        """Run the new code's manage.py in a fresh process, on the site's own state."""
        command = [settings.DEPLOY_PYTHON, "manage.py", *args]
        return self.run(command, cwd=self.tree, env=live_environment(), **options)

    def try_out(self, program: Path, *args: str) -> Finished:
        """Run a program of ours in the new code's folder, on the copies in `state`."""
        # -P: the program's own folder holds modules named like those of the standard library.
        command = [settings.DEPLOY_PYTHON, "-P", str(program), *args]
        own = {"DATA_DIR": str(self.state), "PYTHONPATH": str(self.packages)} | self.copies
        environment = live_environment() | own
        timeout = settings.DEPLOY_PREFLIGHT_TIMEOUT
        return self.run(command, cwd=self.tree, env=environment, timeout=timeout)


def live_environment() -> dict[str, str]:
    """The environment by which code in any folder works on this site's own state.

    Byte code is kept, unlike the live tree's: the files here never change, and several processes
    start from them one after the other.
    """
    environment = os.environ | settings.DEPLOY_ENVIRONMENT | database.live_environment()
    for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    return environment

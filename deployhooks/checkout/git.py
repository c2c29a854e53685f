"""git in one repository, in the right environment, started through the caller's runner."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deployhooks import process

QUICK = 120.0  # seconds for what is local and short
TIMEOUT = 300  # seconds, where the caller's own runner sets no limit


class Runner(Protocol):
    """`process.run` with the rest bound by the caller; the checkout's folder is the default."""

    def __call__(
        self,
        args: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> process.Finished: ...


def quiet_runner(folder: Path) -> Runner:
    """For callers that keep no log."""

    def run(
        args: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> process.Finished:
        return process.run(
            args, cwd=cwd or folder, env=env, timeout=timeout or TIMEOUT, check=check
        )

    return run


@dataclass(frozen=True)
class Git:
    """`folder` is a working copy, or a git directory when `is_bare`: its worktree may be gone."""

    runner: Runner
    env: Mapping[str, str]
    folder: Path
    is_bare: bool = False

    def run(self, *args: str) -> process.Finished:
        """What may take long or speak to a remote: in the log, within the caller's deadline."""
        return self.runner(["git", *args], cwd=self.folder, env=self._environment({}))

    def ask(self, *args: str, **env: str) -> bytes:
        """What is local and quick: stdout alone, as it is, for us to take apart."""
        return process.read(
            ["git", *args], cwd=self.folder, env=self._environment(env), timeout=QUICK
        )

    def ask_line(self, *args: str, **env: str) -> str:
        return self.ask(*args, **env).decode("utf-8", "replace").strip()

    def ask_paths(self, *args: str, **env: str) -> list[str]:
        """The NUL-ended fields of an answer, as file names."""
        return [os.fsdecode(field) for field in self.ask(*args, **env).split(b"\0")[:-1]]

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        place = {}
        if self.is_bare:
            place = {"GIT_DIR": str(self.folder), "GIT_WORK_TREE": str(self.folder)}
        return {**self.env, **place, **more}

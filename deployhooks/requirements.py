"""The virtual environment's packages: installed for a new version, put back when it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from django.conf import settings

from deployhooks.process import Finished

# Seconds for pip, which may download and compile.
TIMEOUT = 400.0
TELL_VERSIONS = """
import json, platform, gunicorn
print(json.dumps({"gunicorn": gunicorn.__version__, "Python": platform.python_version()}))
"""


class Requirements:
    """pip of the environment that the site runs in; `run` starts a process."""

    def __init__(self, run: Callable[..., Finished]) -> None:
        self.run = run

    def differ(self, old: Path, new: Path) -> bool:
        return new.exists() and (not old.exists() or old.read_bytes() != new.read_bytes())

    def install(self, path: Path) -> None:
        self.pip("install", "--requirement", str(path))

    def freeze(self) -> list[str]:
        """Return each installed package as `name==version`."""
        lines = self.pip("list", "--format=freeze").output.splitlines()
        return sorted(line for line in lines if "==" in line)

    def restore(self, frozen: list[str]) -> int:
        """Go back to exactly the packages of an earlier `freeze`; return how many were changed."""
        now = self.freeze()
        if changed := sorted(set(frozen) - set(now)):
            self.pip("install", "--no-deps", *changed)
        names = {name_of(line) for line in frozen}
        if added := sorted({name_of(line) for line in now} - names):
            self.pip("uninstall", "--yes", *added)
        return len(changed) + len(added)

    def find_restarts(self, running: dict[str, str]) -> list[str]:
        """Name what a reload cannot load: gunicorn and Python, when they are not those that run."""
        told = self.run([settings.DEPLOY_PYTHON, "-c", TELL_VERSIONS]).output
        installed: dict[str, str] = json.loads(told.splitlines()[-1])
        return [
            f"{name} {installed[name]} is installed, {version} goes on running: a reload cannot "
            "change it, restart script/server"
            for name, version in running.items()
            if installed.get(name) != version
        ]

    def pip(self, *args: str) -> Finished:
        command = [settings.DEPLOY_PYTHON, "-m", "pip", "--disable-pip-version-check"]
        return self.run([*command, *args], timeout=TIMEOUT)


def name_of(line: str) -> str:
    return line.partition("==")[0].lower()

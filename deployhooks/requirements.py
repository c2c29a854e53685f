"""The virtual environment's packages: tried beside it, installed for a new version, put back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from deployhooks.process import Finished

# Seconds for pip, which may download and compile.
TIMEOUT = 400.0
LOOKING = ("install", "--dry-run")
OPTION = re.compile(
    r"\s*(-i|-f|--(index-url|extra-index-url|find-links|no-index|trusted-host|pre|prefer-binary"
    r"|no-binary|only-binary))\b"
)
TELL_VERSIONS = """
import json, platform, gunicorn
print(json.dumps({"gunicorn": gunicorn.__version__, "Python": platform.python_version()}))
"""


class PackagesDiffer(Exception):
    """The packages are not those that were asked for; the message says which and what to do."""


class Requirements:
    """pip of the environment that the site runs in; `run` starts a process."""

    def __init__(self, run: Callable[..., Finished]) -> None:
        self.run = run

    def differ(self, old: Path, new: Path) -> bool:
        return new.exists() and (not old.exists() or old.read_bytes() != new.read_bytes())

    def prepare(self, path: Path, folder: Path) -> None:
        """Install into `folder` what the environment lacks of this file; it stays as it is.

        With the folder first in its path a new version can be tried out.
        """
        folder.mkdir(parents=True)
        report, pins = folder.with_suffix(".json"), folder.with_suffix(".txt")
        self.pip(*LOOKING, "--report", str(report), "--requirement", str(path))
        if missing := json.loads(report.read_text())["install"]:
            lines = [*find_options(path.read_text()), *(pin(each) for each in missing)]
            pins.write_text("\n".join(lines))
            self.pip("install", "--no-deps", "--target", str(folder), "--requirement", str(pins))

    def install(self, path: Path) -> None:
        self._forget_stamp()
        self.pip("install", "--requirement", str(path))

    def lacks(self, path: Path) -> bool:
        """Whether the environment has not all that this file asks for."""
        done = self.pip(*LOOKING, "--no-index", "--requirement", str(path), check=False)
        return done.returncode != 0 or "Would install" in done.output

    def freeze(self) -> list[str]:
        """Return each installed package as `name==version`, its name normalised."""
        lines = self.pip("list", "--format=freeze").output.splitlines()
        return normalise(line for line in lines if "==" in line)

    def restore(self, frozen: list[str]) -> int:
        """Go back to exactly the packages of an earlier `freeze`; return how many were changed.

        Raises PackagesDiffer when they are not the same afterwards.
        """
        frozen, now = normalise(frozen), self.freeze()
        if frozen == now:
            return 0
        self._forget_stamp()
        if changed := sorted(set(frozen) - set(now)):
            self.pip("install", "--no-deps", *changed)
        names = {name_of(line) for line in frozen}
        if added := sorted({name_of(line) for line in now} - names):
            self.pip("uninstall", "--yes", *added)
        if different := set(frozen) ^ set(self.freeze()):
            raise PackagesDiffer(
                f"Packages are not as they were: {', '.join(sorted(different))}. Install what "
                "requirements.txt asks for: script/server does it at its next start."
            )
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

    def pip(self, *args: str, **options: Any) -> Finished:
        command = [settings.DEPLOY_PYTHON, "-m", "pip", "--disable-pip-version-check"]
        return self.run([*command, *args], timeout=TIMEOUT, **options)

    def _forget_stamp(self) -> None:
        """Without it script/server looks at its next start whether all is installed."""
        environment = Path(settings.DEPLOY_PYTHON).parent.parent
        (environment / ".installed-requirements.txt").unlink(missing_ok=True)


def find_options(text: str) -> list[str]:
    """The lines that tell where packages come from, and which may be taken."""
    return [line for line in text.splitlines() if OPTION.match(line)]


def pin(found: dict[str, Any]) -> str:
    """One entry of pip's installation report as a requirement.

    https://pip.pypa.io/en/stable/reference/installation-report/
    """
    name, info = found["metadata"]["name"], found["download_info"]
    if not found["is_direct"]:
        return f"{name}=={found['metadata']['version']}"
    if vcs := info.get("vcs_info"):
        return f"{name} @ {vcs['vcs']}+{info['url']}@{vcs['commit_id']}"
    return f"{name} @ {info['url']}"


def normalise(lines: Iterable[str]) -> list[str]:
    return sorted(f"{name_of(line)}=={line.partition('==')[2]}" for line in lines)


def name_of(line: str) -> str:
    """The same for all spellings: pip tells a package's name as its archive has it.

    https://packaging.python.org/en/latest/specifications/name-normalization/
    """
    return re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower()

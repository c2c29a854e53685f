"""A submodule's repository and its folder: made, fetched, attached, moved, taken away."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from deployhooks import process
from deployhooks.checkout import reading
from deployhooks.checkout.git import Git
from deployhooks.checkout.working_copy import WorkingCopy

EVERY_BRANCH = "+refs/heads/*:refs/remotes/origin/*"


@dataclass(frozen=True)
class Submodule:
    """A submodule of the site, or of another submodule, as one commit describes it."""

    path: str  # from the site's folder
    name: str
    url: str  # a relative one is resolved; `url.*.insteadOf` is not applied
    branch: str | None  # tracked when it is named, pinned to `recorded` when not
    recorded: str
    folder: Path
    git_dir: Path
    parent_config: Path  # of the superproject

    @property
    def is_inside(self) -> bool:
        """Whether its repository lies in its folder, as old versions of git made it."""
        return self.git_dir == self.folder / ".git"

    @property
    def is_made(self) -> bool:
        """Whether its repository is here, its folder may be a checkout of it or not."""
        return reading.is_repository(self.git_dir)

    @property
    def is_attached(self) -> bool:
        """Whether its folder is a checkout of its repository."""
        return (
            (self.folder / ".git").exists()
            and reading.is_repository(self.folder)
            and reading.git_directory(self.folder) == self.git_dir
        )


class SubmoduleRepository:
    """What is done to one submodule. `git` and `bare` run in its folder and in its repository."""

    def __init__(self, submodule: Submodule, git: Git) -> None:
        self.submodule = submodule
        self.git = Git(git.runner, git.env, submodule.folder)
        self.bare = Git(git.runner, git.env, submodule.git_dir, is_bare=True)
        self.copy = WorkingCopy(self.git, submodule.git_dir)

    def fetch(self, wanted: str | None) -> str:
        """Have a commit here, or the branch's tip for None; return it.

        The repository is made when it is missing; the submodule's folder is not touched. Nothing is
        fetched for a commit that is here. Raises ProcessFailed.
        """
        if wanted and self.has(wanted):
            return wanted
        self._make()
        branch = self.submodule.branch
        ref = f"refs/remotes/origin/{branch}"
        self._fetch(f"+refs/heads/{branch}:{ref}" if branch else EVERY_BRANCH)
        if not wanted:
            return self.bare.ask_line("rev-parse", "--verify", f"{ref}^{{commit}}")
        if not self.has(wanted):
            self._fetch(wanted)
        return wanted

    def has(self, commit: str) -> bool:
        """Whether the commit is here with all that belongs to it: a fetch may have been killed."""
        if not reading.has_commit(self.submodule.git_dir, commit):
            return False
        try:
            self.bare.ask("rev-list", "--quiet", "--objects", commit, "--not", "--all")
        except process.ProcessFailed:
            return False
        return True

    def place(self, commit: str) -> list[str]:
        """Make its folder a checkout of this commit; return what was kept, and where."""
        self._attach()
        return self.copy.move(commit, None)

    def settle(self) -> bool:
        """Bring the address in the repository and in its superproject up to date; True: it was not.

        The superproject's is for people who use `git submodule` there by hand.
        """
        key = f"submodule.{self.submodule.name}"
        self._configure(
            self.submodule.parent_config,
            {f"{key}.url": self.submodule.url, f"{key}.active": "true"},
        )
        remote = {"remote.origin.url": self.submodule.url, "remote.origin.fetch": EVERY_BRANCH}
        return bool(self._configure(self.submodule.git_dir / "config", remote))

    def take_away(self) -> list[str]:
        """Remove the files that git knows and the link to its repository, which stays."""
        one = self.submodule
        notes = self.copy.empty()
        git_dir = self._detach()
        (git_dir / "index").unlink(missing_ok=True)
        if not any(one.folder.iterdir()):
            one.folder.rmdir()
        return notes

    def _detach(self) -> Path:
        """Part folder and repository; where the repository is now."""
        one = self.submodule
        if not one.is_inside:
            (one.folder / ".git").unlink()
            self._configure(one.git_dir / "config", {"core.bare": "true", "core.worktree": None})
            return one.git_dir
        self._configure(one.git_dir / "config", {"core.bare": "true"})
        place = self._free_place(one.parent_config.parent / "modules" / one.name)
        return one.git_dir.rename(place)

    def _make(self) -> None:
        """Make the repository, or complete one whose making was interrupted."""
        if reading.is_repository(self.submodule.git_dir):
            return
        self.submodule.git_dir.mkdir(parents=True, exist_ok=True)
        here = replace(self.bare, is_bare=False)  # git init wants to hear of no worktree
        here.ask("init", "--quiet", "--bare", "--template=", str(self.submodule.git_dir))

    def _fetch(self, refspec: str) -> None:
        options = ("--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
        self.bare.run("fetch", *options, "--", self.submodule.url, refspec)

    def _attach(self) -> None:
        one = self.submodule
        one.folder.mkdir(parents=True, exist_ok=True)
        if one.is_inside:
            return
        worktree = os.path.relpath(one.folder, one.git_dir)
        self._configure(one.git_dir / "config", {"core.bare": "false", "core.worktree": worktree})
        if not one.is_attached:
            # They told of files that were here once.
            (one.git_dir / "index").unlink(missing_ok=True)
            self.copy.marker.unlink(missing_ok=True)
            link = os.path.relpath(one.git_dir, one.folder)
            (one.folder / ".git").write_bytes(b"gitdir: " + os.fsencode(link) + b"\n")

    @staticmethod
    def _free_place(place: Path) -> Path:
        place.parent.mkdir(parents=True, exist_ok=True)
        places = (place.with_name(f"{place.name}-{number}") for number in count(2))
        return place if not place.exists() else next(one for one in places if not one.exists())

    def _configure(self, config: Path, wanted: Mapping[str, str | None]) -> list[str]:
        """Write what differs into a configuration file; return the keys."""
        file = ("config", "--file", str(config))
        lines = (line.partition("\n") for line in self.bare.ask_paths(*file, "--list", "-z"))
        present = {_fold(key): value for key, _, value in lines}
        different = [key for key, value in wanted.items() if present.get(_fold(key)) != value]
        for key in different:
            value = wanted[key]
            if value is None:
                self.bare.ask(*file, "--unset-all", key)
            else:
                self.bare.ask(*file, "--replace-all", key, value)
        return different


def _fold(key: str) -> str:
    """A key as git compares it: section and variable in lower case, the name between as it is."""
    section, _, rest = key.partition(".")
    name, dot, variable = rest.rpartition(".")
    return f"{section.lower()}.{name}{dot}{variable.lower()}"

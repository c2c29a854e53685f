"""The site's working copy with its submodules: what is there, and how it gets to another commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from deployhooks import process
from deployhooks.checkout import addresses, reading
from deployhooks.checkout.environment import Config, git_environment, read_config
from deployhooks.checkout.errors import CheckoutError
from deployhooks.checkout.gitmodules import Entry, is_branch_name

TIMEOUT = 300  # seconds, where the caller's own runner sets no limit


@dataclass(frozen=True)
class Version:
    """What is checked out, or shall be: the site's commit, and each submodule's by its path."""

    commit: str
    submodules: dict[str, str] = field(default_factory=dict)


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
    parent: Path  # the superproject's folder

    @property
    def is_attached(self) -> bool:
        """Whether its folder is a checkout of its git directory."""
        gitfile = self.folder / ".git"
        return gitfile.exists() and reading.git_directory(self.folder) == self.git_dir


class Runner(Protocol):
    def __call__(
        self,
        args: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> process.Finished: ...


class Checkout:
    """One look at a checkout: git's configuration is read once. Make a new one for each request."""

    def __init__(
        self, path: Path, remote: str = "origin", branch: str = "", run: Runner | None = None
    ) -> None:
        self.path = path
        self.remote = remote
        self._branch = branch
        self.run = run or self._run_quietly

    # --- Reading: milliseconds, no network ------------------------------------------------------

    def remote_url(self) -> str:
        """The remote's address as configured, a folder as a full path."""
        url = self.config.get(f"remote.{self.remote}.url")
        if not url:
            raise CheckoutError(
                f"{self.path} has no remote named {self.remote!r}: set DEPLOY_REMOTE, or add it"
                " with `git remote add`."
            )
        return addresses.absolute(url, self.path)

    def branch_name(self) -> str:
        """The branch that is deployed: DEPLOY_BRANCH, or the one checked out, or the remote's."""
        name = self._branch or self._branch_checked_out() or self._default_branch()
        if not name:
            raise CheckoutError(
                f"{self.path} is at a commit, on no branch, and does not know the default branch"
                f" of {self.remote}: set DEPLOY_BRANCH."
            )
        if not is_branch_name(name):
            raise CheckoutError(f"DEPLOY_BRANCH is no name of a branch: {name!r}.")
        return name

    def head_commit(self) -> str:
        commit = reading.commit_at(self.path)
        if not commit:
            raise CheckoutError(f"{self.path} has no commit yet: clone the site there.")
        return commit

    def version(self) -> Version:
        """What is checked out now; submodules that are not cloned are left out."""
        heads = ((one.path, self._live_commit(one)) for one in self.submodules())
        return Version(self.head_commit(), {path: commit for path, commit in heads if commit})

    def submodules(self, commit: str | None = None) -> list[Submodule]:
        """Submodules as what is checked out has them, nested ones too, a parent before its own.

        With `commit`: as that commit of the site has them, nested ones by the recorded commits.
        """
        if commit is None:
            return list(self.walk(self.head_commit(), self._live_commit))
        return list(self.walk(commit, self._recorded_if_fetched))

    def walk(
        self, commit: str, commit_of: Callable[[Submodule], str | None]
    ) -> Iterator[Submodule]:
        """Submodules of a commit; `commit_of` says whose own submodules are looked at, and when.

        It is asked after the submodule itself was handed out, so that it may be fetched first.
        """
        git_dir = reading.git_directory(self.path)
        site = Submodule("", "", self.remote_url(), None, commit, self.path, git_dir, self.path)
        yield from self._walk(site, commit, None, commit_of)

    @cached_property
    def config(self) -> Config:
        return read_config(self.path)

    @cached_property
    def env(self) -> dict[str, str]:
        """The environment for every git that is started here."""
        return git_environment(self.config, with_files=self.with_files)

    @cached_property
    def with_files(self) -> bool:
        """Whether remotes may be folders of this machine: where the site's own remote is one."""
        return addresses.is_folder(self.config.expand(self.remote_url()))

    def _walk(
        self,
        parent: Submodule,
        commit: str,
        branch: str | None,
        commit_of: Callable[[Submodule], str | None],
    ) -> Iterator[Submodule]:
        for entry in reading.submodule_entries(parent.git_dir, commit):
            submodule = self._submodule(parent, entry, branch)
            yield submodule
            inner = commit_of(submodule)
            if inner:
                yield from self._walk(submodule, inner, submodule.branch or branch, commit_of)

    def _submodule(self, parent: Submodule, entry: Entry, branch: str | None) -> Submodule:
        folder = parent.folder / entry.path
        inside = folder / ".git"  # as old versions of git made it
        is_inside = inside.is_dir() and not inside.is_symlink()
        return Submodule(
            f"{parent.path}/{entry.path}".lstrip("/"),
            entry.name,
            addresses.resolve(entry.url, parent.url),
            (branch or self.branch_name()) if entry.branch == "." else entry.branch,
            entry.recorded,
            folder,
            inside if is_inside else parent.git_dir / "modules" / entry.name,
            parent.folder,
        )

    @staticmethod
    def _live_commit(submodule: Submodule) -> str | None:
        if not (submodule.folder / ".git").exists():
            return None
        return reading.commit_at(submodule.folder)

    @staticmethod
    def _recorded_if_fetched(submodule: Submodule) -> str | None:
        is_here = reading.has_commit(submodule.git_dir, submodule.recorded)
        return submodule.recorded if is_here else None

    def _branch_checked_out(self) -> str | None:
        ref = reading.target_of(self.path, "HEAD")
        return ref.removeprefix("refs/heads/") if ref else None

    def _default_branch(self) -> str | None:
        ref = reading.target_of(self.path, f"refs/remotes/{self.remote}/HEAD")
        return ref.removeprefix(f"refs/remotes/{self.remote}/") if ref else None

    def _run_quietly(
        self,
        args: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float | None = None,
        check: bool = True,
    ) -> process.Finished:
        return process.run(
            args, cwd=cwd or self.path, env=env, timeout=timeout or TIMEOUT, check=check
        )

"""The site's working copy with its submodules: what is there, and how it gets to another commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from deployhooks.checkout import addresses, gitmodules, reading
from deployhooks.checkout.content import is_followed
from deployhooks.checkout.environment import Config, git_environment, read_config
from deployhooks.checkout.errors import CheckoutError
from deployhooks.checkout.faults import explained
from deployhooks.checkout.git import Git, Runner, quiet_runner
from deployhooks.checkout.gitmodules import Entry, is_branch_name
from deployhooks.checkout.submodule import Submodule, SubmoduleRepository
from deployhooks.checkout.working_copy import WorkingCopy


@dataclass(frozen=True)
class Version:
    """What is checked out, or shall be: the site's commit, and each submodule's by its path."""

    commit: str
    submodules: dict[str, str] = field(default_factory=dict)


class Checkout:
    """One look at a checkout: git's configuration is read once. Make a new one for each request."""

    def __init__(
        self, path: Path, remote: str = "origin", branch: str = "", run: Runner | None = None
    ) -> None:
        self.path = path
        self.remote = remote
        self._branch = branch
        self.run = run or quiet_runner(path)

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
            site = self._site(self.head_commit())
            return list(self._walk(site, None, self._live_commit, reading.sound_entries))
        return list(self.walk(commit, self._recorded_if_fetched))

    def walk(
        self, commit: str, commit_of: Callable[[Submodule], str | None]
    ) -> Iterator[Submodule]:
        """Submodules of a commit; `commit_of` says whose own submodules are looked at, and when.

        It is asked after the submodule itself was handed out, so that it may be fetched first.
        """
        yield from self._walk(self._site(commit), None, commit_of, reading.submodule_entries)

    def not_followed(self, parent: Submodule, commit: str) -> list[Submodule]:
        """What a submodule's commit names and must not bring."""
        entries = reading.sound_entries(parent.git_dir, commit)
        inner = (self._submodule(parent, entry, None) for entry in entries)
        return [one for one in inner if not is_followed(one.url, parent.folder)]

    @cached_property
    def git_dir(self) -> Path:
        return reading.git_directory(self.path)

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

    # --- Acting: git runs through the caller's runner -------------------------------------------

    @cached_property
    def git(self) -> Git:
        return Git(self.run, self.env, self.path)

    def fetch_branch(self) -> str:
        """Fetch the branch, also where it was pushed by force; return its tip.

        Nothing live changes. Raises ProcessFailed, for the caller to decide on another try.
        """
        branch = self.branch_name()
        ref = f"refs/remotes/{self.remote}/{branch}"
        self.remote_url()
        self._fetch(f"+refs/heads/{branch}:{ref}")
        return self.git.ask_line("rev-parse", "--verify", f"{ref}^{{commit}}")

    def fetch_commit(self, commit: str) -> str:
        """Have this commit of the site here; fetch it only when it is not. Raises ProcessFailed."""
        if not reading.COMMIT.fullmatch(commit):
            raise CheckoutError(f"That is no commit to go to: {commit!r}.")
        if not reading.has_commit(self.path, commit):
            self._fetch(commit)
        return commit

    def fetch_submodule(self, submodule: Submodule, wanted: str | None = None) -> str:
        """Have a submodule's commit here: the wanted one, or where None what the site wants.

        That is the branch's tip for a tracked submodule, the recorded commit for a pinned one.
        Nothing live changes. Raises ProcessFailed.
        """
        what = f"the submodule {submodule.path}"
        for url in (submodule.url, self.config.expand(submodule.url)):
            addresses.check(url, what, with_files=self.with_files)
        if not wanted and not submodule.branch:
            wanted = submodule.recorded
        return self._repository(submodule).fetch(wanted)

    def is_at(self, commit: str) -> bool:
        """Whether the site is at this commit, on its branch, with no local changes."""
        with explained(f"Looking for local changes in {self.path}"):
            return self._copy.is_at(commit, self.branch_name())

    def is_torn(self) -> bool:
        """Whether a move of the site or of a submodule was cut short: files of two versions."""
        copies = (self._repository(one).copy for one in self.submodules())
        return self._copy.is_torn or any(copy.is_torn for copy in copies)

    def move_to(self, commit: str) -> list[str]:
        """Go to a commit that is here, forwards or back; return what was kept, and where.

        Submodules that the commit does not have any more are taken out of their folders; the others
        stay where they are.
        """
        with explained(f"Moving {self.path} to {commit[:7]}"):
            self._copy.check_lock()
            notes = self._take_away_gone(self._site(self.head_commit()), commit)
            return notes + self._copy.move(commit, self.branch_name())

    def is_placed(self, submodule: Submodule, commit: str) -> bool:
        """Whether the submodule's folder is a checkout of this commit with no local changes."""
        if not submodule.is_attached:
            return False
        with explained(f"Looking for local changes in the submodule {submodule.path}"):
            return self._repository(submodule).copy.is_at(commit, None)

    def place_submodule(self, submodule: Submodule, commit: str) -> list[str]:
        """Make the submodule's folder a checkout of a commit that is here; return what was kept."""
        gitmodules.check_no_links(self.path, submodule.path)
        with explained(f"Moving the submodule {submodule.path} to {commit[:7]}"):
            notes = []
            if submodule.is_attached:
                notes = self._take_away_gone(submodule, commit)
            notes += self._repository(submodule).place(commit)
            return [f"{submodule.path}: {note}" for note in notes]

    def mend_submodule(self, submodule: Submodule) -> list[str]:
        """Undo a move of the submodule that was cut short; return what was done."""
        with explained(f"Mending the submodule {submodule.path}"):
            notes = self._repository(submodule).copy.mend()
            return [f"{submodule.path}: {note}" for note in notes]

    def sync_submodule(self, submodule: Submodule) -> bool:
        """Write the submodule's address where git reads it; True when another stood there."""
        with explained(f"Setting the address of the submodule {submodule.path}"):
            return self._repository(submodule).settle()

    def count_commits(self, old: str, new: str) -> tuple[int, int]:
        """How many commits the one has that the other has not: (taken back, new)."""
        answer = self.git.ask_line("rev-list", "--left-right", "--count", f"{old}...{new}", "--")
        back, forth = answer.split()
        return int(back), int(forth)

    @cached_property
    def _copy(self) -> WorkingCopy:
        return WorkingCopy(self.git, self.git_dir)

    def _fetch(self, refspec: str) -> None:
        options = ("--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
        self.git.run("fetch", *options, "--", self.remote, refspec)

    def _repository(self, submodule: Submodule) -> SubmoduleRepository:
        return SubmoduleRepository(submodule, self.git)

    def _take_away_gone(self, parent: Submodule, commit: str | None) -> list[str]:
        """Take out of their folders the submodules that a commit of their parent has not there."""
        head = reading.commit_at(parent.folder)
        present = reading.sound_entries(parent.git_dir, head) if head else []
        wanted = reading.sound_entries(parent.git_dir, commit) if commit else []
        kept = {(entry.path, entry.name) for entry in wanted}
        gone = [
            self._submodule(parent, entry, None)
            for entry in present
            if (entry.path, entry.name) not in kept
        ]
        return [note for one in gone if one.is_attached for note in self._take_away(one)]

    def _take_away(self, submodule: Submodule) -> list[str]:
        notes = self._take_away_gone(submodule, None)
        notes += self._repository(submodule).take_away()
        return [f"{submodule.path}: {note}" for note in notes] + [f"{submodule.path} taken away"]

    def _site(self, commit: str) -> Submodule:
        """The site itself as the root of its submodules."""
        config = reading.config_file(self.path)
        url = self.remote_url()
        return Submodule("", "", url, None, commit, self.path, self.git_dir, config)

    def _walk(
        self,
        parent: Submodule,
        branch: str | None,
        commit_of: Callable[[Submodule], str | None],
        entries_of: Callable[[Path, str], list[Entry]],
    ) -> Iterator[Submodule]:
        """The submodules of a superproject at its `recorded` commit, and theirs."""
        for entry in entries_of(parent.git_dir, parent.recorded):
            submodule = self._submodule(parent, entry, branch)
            if parent.path and not is_followed(submodule.url, parent.folder):
                continue
            yield submodule
            if inner := commit_of(submodule):
                there = replace(submodule, recorded=inner)
                yield from self._walk(there, submodule.branch or branch, commit_of, entries_of)

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
            reading.config_file(parent.git_dir),
        )

    @staticmethod
    def _live_commit(submodule: Submodule) -> str | None:
        if not reading.is_repository(submodule.folder):
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

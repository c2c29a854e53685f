"""Moves one working copy to a commit, and throws nothing away that somebody made there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from deployhooks import process
from deployhooks.checkout import local_changes, reading
from deployhooks.checkout.errors import CheckoutError
from deployhooks.checkout.git import Git

LEFT_BEHIND = "refs/blogsite/left-behind"
# Where the commit stands that a move is under way to.
MARKER = "blogsite-moving"


@dataclass(frozen=True)
class WorkingCopy:
    git: Git
    git_dir: Path

    @property
    def folder(self) -> Path:
        return self.git.folder

    def is_at(self, commit: str, branch: str | None) -> bool:
        """Whether it is at this commit, on this branch (None: on none or any), and unchanged."""
        if self.is_torn:
            return False
        if reading.commit_at(self.folder) != commit:
            return False
        if branch and reading.target_of(self.folder, "HEAD") != f"refs/heads/{branch}":
            return False
        return not local_changes.is_changed(self.git)

    @property
    def is_torn(self) -> bool:
        """Whether a move was cut short: files of two versions may lie here, whatever HEAD says."""
        return self.marker.exists()

    @property
    def marker(self) -> Path:
        return self.git_dir / MARKER

    def mend(self) -> list[str]:
        """Undo a move that was cut short: afterwards the files are those of HEAD, and no others.

        git removes only files that its index names, and that is written last: those of the version
        that was not reached would stay. What else was changed is kept; return what, and where.
        """
        if not self.is_torn:
            return []
        goal, notes = self.marker.read_text().strip(), []
        # The marker is whole before the first file is touched.
        if local_changes.has_tree(self.git, goal):
            notes = [f"a move to {goal[:7]} had been cut short, its files were taken away"]
            notes += local_changes.find(self.git, self.git_dir, goal).keep_foreign()
            # A version that git will not have in its index it has not begun to write either.
            with suppress(process.ProcessFailed):
                self.git.ask("read-tree", "--reset", goal)
            head = reading.commit_at(self.folder) or local_changes.EMPTY_TREE
            self.git.run("read-tree", "--reset", "-u", head)
        self.marker.unlink()
        return notes

    def move(self, commit: str, branch: str | None) -> list[str]:
        """Go to a commit, on a branch or on none; return what was kept, and where.

        What differs from what was committed here is kept in a commit, what would be reachable from
        nowhere any more under a ref. Files that git neither knows nor needs the place of stay.
        """
        self.check_lock()
        notes = self.mend()
        changes = local_changes.find(self.git, self.git_dir, commit)
        notes += changes.keep()
        notes += self._keep_commits(commit, branch)
        changes.clear_the_way()
        where = ["--no-track", "-B", branch] if branch else ["--detach"]
        with self._marking(commit):
            self.git.run("checkout", "--quiet", "--force", *where, commit, "--")
        return notes

    def empty(self) -> list[str]:
        """Take away every file that git knows here; return what was kept, and where."""
        self.check_lock()
        notes = self.mend()
        notes += local_changes.find(self.git, self.git_dir, local_changes.EMPTY_TREE).keep()
        notes += self._keep_commits(None, None)
        with self._marking(local_changes.EMPTY_TREE):
            self.git.run("read-tree", "--reset", "-u", local_changes.EMPTY_TREE)
        return notes

    def check_lock(self) -> None:
        lock = self.git_dir / "index.lock"
        if lock.exists():
            raise CheckoutError(
                f"{lock} exists: another git works in {self.folder}, or one that died left it"
                " behind. Wait, or remove it when no git runs there; then re-run the deploy."
            )

    @contextmanager
    def _marking(self, goal: str) -> Iterator[None]:
        """Leave a mark that stays when what is done meanwhile does not come to its end."""
        try:
            self._mark(goal)
        except OSError as error:
            self.marker.unlink(missing_ok=True)
            full = " The disk is full: make room." if error.errno == errno.ENOSPC else ""
            raise CheckoutError(f"{self.marker} could not be written: {error}.{full}") from error
        yield
        self.marker.unlink()

    def _mark(self, goal: str) -> None:
        with self.marker.open("w") as marker:
            marker.write(goal)
            marker.flush()
            os.fsync(marker.fileno())

    def _keep_commits(self, commit: str | None, branch: str | None) -> list[str]:
        """Put under a ref what the move would leave reachable from no ref of a remote."""
        refs = ["HEAD", *([f"refs/heads/{branch}"] if branch else [])]
        tips = {reading.commit_at(self.folder, ref) for ref in refs} - {None, commit}
        return [note for tip in sorted(filter(None, tips)) for note in self._keep_tip(tip, commit)]

    def _keep_tip(self, tip: str, commit: str | None) -> list[str]:
        reachable = ["--not", *([commit] if commit else []), "--remotes"]
        count = int(self.git.ask_line("rev-list", "--count", tip, *reachable))
        if not count:
            return []
        ref = f"{LEFT_BEHIND}/{tip[:12]}"
        self.git.ask("update-ref", ref, tip)
        commits = "1 commit" if count == 1 else f"{count} commits"
        return [f"{commits} up to {tip[:7]} left behind, kept under {ref}"]

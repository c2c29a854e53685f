"""Finds what somebody changed in a working copy and keeps it in a commit, the index untouched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from deployhooks import process
from deployhooks.checkout import reading
from deployhooks.checkout.errors import CheckoutError
from deployhooks.checkout.git import Git

KEPT = "refs/blogsite/local-changes"
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
STATUS = (
    *("status", "--porcelain=v2", "-z"),
    *("--untracked-files=no", "--ignore-submodules=all", "--no-renames"),
)
DIFF = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--ignore-submodules=all")


def is_changed(git: Git) -> bool:
    """Whether tracked files differ from HEAD; where submodules stand does not matter."""
    return bool(git.ask(*STATUS))


def has_tree(git: Git, name: str) -> bool:
    """Whether a commit or tree of this name is here."""
    if not reading.COMMIT.fullmatch(name):
        return False
    try:
        git.ask("cat-file", "-e", f"{name}^{{tree}}")
    except process.ProcessFailed:
        return False
    return True


def find(git: Git, git_dir: Path, target: str) -> LocalChanges:
    """Look for what would be lost by going to `target`, a commit or tree."""
    in_the_way = _find_in_the_way(git, git_dir, target)
    return LocalChanges(git, git_dir, target, tuple(in_the_way), tuple(_find_hidden(git, target)))


@dataclass(frozen=True)
class LocalChanges:
    git: Git
    git_dir: Path
    target: str
    in_the_way: tuple[str, ...]  # untracked files where the target has something else
    hidden: tuple[str, ...]  # tracked files that git was told not to look at

    def keep(self) -> list[str]:
        """Commit what would be lost, under a ref that the returned line names; none: no line."""
        with _copied_index(self.git_dir) as index:
            changed, is_unmerged = self._changed(index)
            if not changed and not self._written_by_people and not self._staged(index):
                return []
            staged = None if is_unmerged else self._write_tree(index)
            self._add(index, [*changed, *self._written_by_people])
            return self._commit(self._write_tree(index), staged)

    def keep_foreign(self) -> list[str]:
        """The same after a move to the target was cut short: its own pieces are nobody's work."""
        with _copied_index(self.git_dir) as index:
            changed, _ = self._changed(index)
            self._add(index, [*changed, *self._written_by_people])
            tree, base = self._write_tree(index), self._head or EMPTY_TREE
            different = self._differences(base, tree) & self._differences(self.target, tree)
            foreign = sorted(path for path in different if not self._is_piece(path, base))
            if not foreign:
                return []
            self.git.ask("read-tree", base, GIT_INDEX_FILE=str(index))
            self._add(index, foreign)
            return self._commit(self._write_tree(index), None)

    def _is_piece(self, path: str, base: str) -> bool:
        """Whether a git that is killed leaves such a file: none, or the beginning of one."""
        file = self.git.folder / path
        if not os.path.lexists(file):
            return True
        if file.is_symlink() or not file.is_file():
            return False
        written = file.read_bytes()
        return any(self._read(one, path).startswith(written) for one in (self.target, base))

    def _read(self, version: str, path: str) -> bytes:
        """A file as a version has it; nothing where it has none."""
        found = self.git.ask_paths("ls-tree", "-z", version, "--", path, GIT_LITERAL_PATHSPECS="1")
        about = found[0].split() if found else []
        return self.git.ask("cat-file", "blob", about[2]) if "blob" in about else b""

    def clear_the_way(self) -> None:
        """Let git overwrite what is hidden, and remove the untracked files that are in the way."""
        self._show_hidden()
        for path in self.in_the_way:
            file = self.git.folder / path
            file.unlink(missing_ok=True)
            remove_empty(file.parent, self.git.folder)

    @property
    def _written_by_people(self) -> list[str]:
        """What is in the way, without Python's byte code."""
        return [path for path in self.in_the_way if "__pycache__" not in PurePosixPath(path).parts]

    @property
    def _head(self) -> str | None:
        """The commit that was worked on; none where a repository was taken out of its folder."""
        if not (self.git_dir / "index").exists():
            return None
        return reading.commit_at(self.git.folder)

    def _changed(self, index: Path) -> tuple[list[str], bool]:
        """Tracked paths whose file differs from the index, and whether a merge is unfinished."""
        if not self._head:
            return [], False
        self._show_hidden(GIT_INDEX_FILE=str(index))
        changed, is_unmerged = [], False
        for record in self.git.ask_paths(*STATUS, GIT_INDEX_FILE=str(index)):
            kind, state, rest = record.split(" ", 2)
            is_unmerged |= kind == "u"
            if kind == "u" or state[1] != ".":
                changed.append(rest.split(" ", 8 if kind == "u" else 6)[-1])
        return changed, is_unmerged

    def _show_hidden(self, **env: str) -> None:
        for path in self.hidden:
            for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
                self.git.ask("update-index", flag, "--", path, **env)

    def _staged(self, index: Path) -> bool:
        """Whether the index differs from what was committed."""
        args = ("diff-index", "--cached", "--name-only", "-z", "--ignore-submodules=all")
        return bool(self._head and self.git.ask(*args, self._head, "--", GIT_INDEX_FILE=str(index)))

    def _add(self, index: Path, paths: list[str]) -> None:
        if not paths:
            return
        self._forget_submodules_around(index, paths)
        names = index.with_name("names")
        names.write_bytes(b"".join(os.fsencode(path) + b"\0" for path in paths))
        self.git.ask(
            *("add", "--all", "--force", f"--pathspec-from-file={names}", "--pathspec-file-nul"),
            GIT_INDEX_FILE=str(index),
            GIT_LITERAL_PATHSPECS="1",
        )

    def _forget_submodules_around(self, index: Path, paths: list[str]) -> None:
        """Make room in the index for files of a folder where it still has a submodule."""
        folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
        env = {"GIT_INDEX_FILE": str(index)}
        for record in self.git.ask_paths("ls-files", "--stage", "-z", **env):
            about, _, path = record.partition("\t")
            if about.startswith("160000") and path in folders:
                self.git.ask("update-index", "--force-remove", "--", path, **env)

    def _write_tree(self, index: Path) -> str:
        return self.git.ask_line("write-tree", GIT_INDEX_FILE=str(index))

    def _commit(self, tree: str, staged: str | None) -> list[str]:
        """Keep a tree, unless the target has all that is changed in it, as after a broken move."""
        base = self._head or EMPTY_TREE
        lost = self._differences(base, tree) & self._differences(self.target, tree)
        has_staged = staged is not None and staged != tree and bool(self._differences(base, staged))
        if not lost and not has_staged:
            return []
        parents = [self._head] if self._head else []
        if staged and has_staged:
            parents.append(self._commit_tree(staged, "What was staged", parents))
        commit = self._commit_tree(tree, "Local changes, kept by a deploy", parents)
        ref = f"{KEPT}/{commit[:12]}"
        self.git.ask("update-ref", ref, commit)
        return [f"local changes ({_list(lost)}) kept under {ref}"]

    def _commit_tree(self, tree: str, message: str, parents: Iterable[str]) -> str:
        options = [option for parent in parents for option in ("-p", parent)]
        return self.git.ask_line("commit-tree", tree, *options, "-m", message)

    def _differences(self, one: str, other: str) -> set[str]:
        return set(self.git.ask_paths(*DIFF, one, other))


@contextmanager
def _copied_index(git_dir: Path) -> Iterator[Path]:
    """A copy of the index to work on; where there is none, a place for one."""
    with tempfile.TemporaryDirectory(prefix="blogsite-") as folder:
        index = Path(folder) / "index"
        if (git_dir / "index").exists():
            # With its time: git reads again the files that changed no earlier than their index.
            shutil.copy2(git_dir / "index", index)
        yield index


def _find_in_the_way(git: Git, git_dir: Path, target: str) -> list[str]:
    """Files that git does not know, ignored ones too, where the target has something else."""
    known = set()
    if (git_dir / "index").exists():
        known = set(git.ask_paths("ls-files", "-z"))
    found: dict[str, None] = {}
    for record in git.ask_paths("ls-tree", "-r", "-z", target):
        about, _, path = record.partition("\t")
        if path not in known:
            found |= dict.fromkeys(
                _untracked_at(git.folder, path, known, about.startswith("160000"))
            )
    return list(found)


def _find_hidden(git: Git, target: str) -> list[str]:
    """Files under --assume-unchanged or --skip-worktree that the target has otherwise."""
    hidden = {
        line[2:]
        for line in git.ask_paths("ls-files", "-v", "-z")
        if (line[0] == "S" or line[0].islower()) and os.path.lexists(git.folder / line[2:])
    }
    return sorted(hidden & set(git.ask_paths(*DIFF, "HEAD", target))) if hidden else []


def _untracked_at(folder: Path, path: str, known: set[str], is_submodule: bool) -> Iterator[str]:
    """What is untracked at a path that the target wants, or in the place of a folder above."""
    for parent in reversed(PurePosixPath(path).parents[:-1]):
        place = folder / parent
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            if str(parent) not in known:
                yield str(parent)
            return
    place = folder / path
    if place.is_symlink() or not place.is_dir():
        if os.path.lexists(place):
            yield path
    elif not (is_submodule and (place / ".git").exists()):
        yield from _untracked_below(folder, place, known)


def _untracked_below(folder: Path, place: Path, known: set[str]) -> Iterator[str]:
    for parent, folders, files in os.walk(place):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        if ".git" in (*folders, *files):
            raise CheckoutError(
                f"{parent} is a git repository of its own, where the site now has other files."
                " Move it away and re-run the deploy."
            )
        for name in [*files, *links]:
            path = (Path(parent) / name).relative_to(folder).as_posix()
            if path not in known:
                yield path


def remove_empty(place: Path, top: Path) -> None:
    """Remove a folder and those above it, below `top`, as far as they are empty."""
    while place != top and place.is_dir() and not any(place.iterdir()):
        place.rmdir()
        place = place.parent


def _list(paths: set[str], limit: int = 5) -> str:
    # A name that is no UTF-8 cannot be stored as it is.
    names = [name.encode("utf-8", "backslashreplace").decode() for name in sorted(paths)]
    more = [f"and {len(names) - limit} more"] if len(names) > limit else []
    return ", ".join([*names[:limit], *more]) or "staged only"

"""Reads repositories: what is checked out, what a ref names, which submodules a commit has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from deployhooks import process
from deployhooks.checkout.environment import forget_other_repositories
from deployhooks.checkout.errors import CheckoutError
from deployhooks.checkout.gitmodules import Entry, check_entry, check_together, is_sound, parse

# GitPython raises at import where git is missing; we say so when git is needed.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
forget_other_repositories()

from git import Git, GitCmdObjectDB, Repo, SymbolicReference  # noqa: E402
from git.exc import (  # noqa: E402
    BadObject,
    GitCommandError,
    InvalidGitRepositoryError,
    NoSuchPathError,
)
from git.objects import Blob, Submodule, Tree  # noqa: E402

COMMIT = re.compile(r"[0-9a-f]{40}")


@contextmanager
def opened(path: Path) -> Iterator[Repo]:
    """GitPython's view of the repository at a folder, or of a git directory; closed afterwards."""
    try:
        repo = Repo(path, expand_vars=False)
    except (InvalidGitRepositoryError, NoSuchPathError) as error:
        raise CheckoutError(f"{path} is no git checkout. Set DEPLOY_CHECKOUT to one.") from error
    if Path(repo.git_dir) == path:
        _look_from_within(repo)
    try:
        yield repo
    finally:
        repo.close()


def is_repository(path: Path) -> bool:
    try:
        with opened(path):
            return True
    except CheckoutError:
        return False


def git_directory(path: Path) -> Path:
    with opened(path) as repo:
        return Path(os.path.normpath(repo.git_dir))


def config_file(path: Path) -> Path:
    with opened(path) as repo:
        return Path(os.path.normpath(repo.common_dir)) / "config"


def commit_at(path: Path, ref: str = "HEAD") -> str | None:
    """The commit that a ref names, None when there is no such ref (or HEAD has no commit yet)."""
    with opened(path) as repo:
        try:
            return SymbolicReference.dereference_recursive(repo, ref)
        except (ValueError, OSError):
            return None


def target_of(path: Path, ref: str) -> str | None:
    """The ref that a symbolic ref points to, None when it is detached or missing."""
    with opened(path) as repo:
        symbolic = SymbolicReference(repo, ref)
        try:
            return str(symbolic.reference.path)
        except (TypeError, ValueError, OSError):
            return None


def has_commit(path: Path, commit: str) -> bool:
    """Whether the repository has this commit; anything that is no commit's name it has not."""
    if not COMMIT.fullmatch(commit) or not is_repository(path):
        return False
    with opened(path) as repo:
        try:
            return os.fsdecode(repo.git.get_object_header(commit)[1]) == "commit"
        except ValueError:
            return False


def submodule_entries(path: Path, commit: str) -> list[Entry]:
    """The submodules that a commit records and names in .gitmodules, checked, in order of path."""
    return check_together([check_entry(entry) for entry in _entries(path, commit)])


def sound_entries(path: Path, commit: str) -> list[Entry]:
    """The same without those that would be refused: for what is live already, as it is."""
    return [entry for entry in _entries(path, commit) if is_sound(entry)]


@lru_cache(maxsize=256)
def _entries(path: Path, commit: str) -> tuple[Entry, ...]:
    """A commit never changes, so what it says is kept in memory."""
    with opened(path) as repo:
        try:
            tree = repo.commit(commit).tree
            blob = _find(tree, ".gitmodules")
            if not isinstance(blob, Blob):
                return ()
            modules = _read_gitmodules(Path(repo.git_dir), blob.hexsha)
            entries = [
                Entry(name, keys["path"].rstrip("/"), keys["url"], keys.get("branch"), found.hexsha)
                for name, keys in modules.items()
                if "path" in keys and "url" in keys
                if isinstance(found := _find(tree, keys["path"].rstrip("/")), Submodule)
            ]
        except (ValueError, BadObject, GitCommandError) as error:
            raise CheckoutError(f"Commit {commit} cannot be read in {path}: {error}") from error
    return tuple(sorted(entries, key=lambda entry: entry.path))


def _look_from_within(repo: Repo) -> None:
    """Make git run in a git directory: the worktree that it names may be far, or gone."""
    repo.git = Git(repo.git_dir)
    repo.git.update_environment(GIT_DIR=str(repo.git_dir), GIT_WORK_TREE=str(repo.git_dir))
    repo.odb = GitCmdObjectDB(str(Path(repo.common_dir) / "objects"), repo.git)


def _find(tree: Tree, path: str) -> object:
    """What stands at a path of a tree, None for nothing; links are not followed."""
    item: object = tree
    reached = ""
    for part in path.split("/"):
        if not isinstance(item, Tree):
            return None
        reached = f"{reached}/{part}".lstrip("/")
        item = next((child for child in item if child.path == reached), None)
    return item


def _read_gitmodules(git_dir: Path, blob: str) -> dict[str, dict[str, str]]:
    """Let git itself take the file apart; it follows no includes there."""
    args = ["git", "config", "--list", "-z", "--blob", blob]
    place = {"GIT_DIR": str(git_dir), "GIT_WORK_TREE": str(git_dir)}
    try:
        return parse(process.read(args, cwd=git_dir, env=os.environ | place))
    except process.ProcessFailed as error:
        raise CheckoutError(f"The site's .gitmodules cannot be read: {error.said}") from error

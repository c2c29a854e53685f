"""What the blog asks of git: when its files changed, and what they held before."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import git

from posts import galleries, source
from posts.galleries import Tree
from posts.source import SourceFile

logger = logging.getLogger(__name__)

PLAIN_FILES = ("100644", "100755")


class Push(NamedTuple):
    """What it did to the commit before it: of each post that it touched its file."""

    before: str
    # None for one that is gone.
    posts: Mapping[str, SourceFile | None]


class Times(NamedTuple):
    """When a file was last committed, and when it last came to its path, if that is known."""

    committed_at: datetime | None = None
    added_at: datetime | None = None

    def newest(self, other: "Times") -> "Times":
        """The later of both, one by one."""
        pairs = zip(self, other, strict=True)
        return Times(*(max(filter(None, pair), default=None) for pair in pairs))


class Commit(NamedTuple):
    """The (path, blob) of what it changed in the folder."""

    name: str
    entries: list[tuple[str, str]]


def read_head(folder: Path) -> str:
    """The commit that is checked out; "" when the folder is in no repository."""
    try:
        return str(run(folder, "rev-parse", "--verify", "HEAD")).strip()
    except git.GitError:
        return ""


def is_ancestor(folder: Path, older: str, newer: str) -> bool:
    try:
        run(folder, "merge-base", "--is-ancestor", older, newer)
    except git.GitError:
        return False
    return True


def read_new_times(folder: Path, before: str, head: str) -> tuple[dict[str, Times], bool]:
    """What the history has told since the commit `before`, and whether that is all of it.

    All of it where there is no such commit, or where the history was rewritten since.
    """
    if not head:
        return {}, True
    if not before or not is_ancestor(folder, before, head):
        return read_times(folder, head), True
    return (read_times(folder, f"{before}..{head}") if head != before else {}), False


def read_times(folder: Path, commits: str) -> dict[str, Times]:
    """The times of each file by path, within a range such as `HEAD` or `old..new`."""
    output = run(
        folder,
        "-c", "core.quotePath=false",
        "log", "--format=%x01%ct", "--name-status", "-z", "--no-renames", "--relative",
        commits, "--", ".",
    )  # fmt: skip
    times: dict[str, Times] = {}
    at, tokens = None, iter(output.split("\0"))
    for token in tokens:
        word = token.lstrip("\n")
        if word.startswith("\x01"):
            at = datetime.fromtimestamp(int(word[1:]), UTC)
        elif word:
            path, found = next(tokens), Times(at, at if word == "A" else None)
            times[path] = found.newest(times.get(path, Times()))
    return times


def read_pushes(folder: Path) -> list[Push]:
    """What each commit on the branch did to the posts, oldest first.

    Nothing for a clone that has not got the older files, and where the folder is in no repository.
    """
    try:
        if is_whole(folder):
            changes = read_changes(folder, "HEAD")
            return [push for push in follow(changes, is_top(folder)) if push.posts]
    except git.GitError:
        logger.info("%s has no history that can be read", folder)
    return []


def read_new_pushes(folder: Path, before: str) -> list[Push]:
    """The same since the commit `before`, if the branch went on from there by several.

    Nothing for one alone, whose end the folder holds, and after a force push.
    """
    try:
        commits = run(folder, "rev-list", "--first-parent", "--parents", f"{before}..HEAD", "--")
        lines = commits.splitlines()
        if len(lines) < 2 or before not in lines[-1].split()[1:2] or not is_whole(folder):
            return []
        tree = Commit(before, read_tree(folder, before))
        changes = [tree, *read_changes(folder, f"{before}..HEAD")]
        has_first = bool(tree.entries) or is_top(folder)
        pushes = list(follow(changes, is_top(folder)))[has_first:]
    except git.GitError:
        return []
    return pushes if sum(bool(push.posts) for push in pushes) > 1 else []


def read_tree(folder: Path, commit: str) -> list[tuple[str, str]]:
    """(path, blob) of every file in the folder as it was then. Raises git.GitError."""
    entries = run(folder, "ls-tree", "-r", "-z", commit).split("\0")
    found = (entry.partition("\t") for entry in entries if entry.startswith(PLAIN_FILES))
    return [(path, head.split(" ")[2]) for head, _, path in found]


def follow(changes: Iterable[Commit], is_top: bool) -> Iterator[Push]:
    """A folder that a commit emptied was not indexed: its posts wait for the next one."""
    blobs: dict[str, str] = {}
    exhibited = GalleryPages(blobs)
    # By the paths of what lies beside them, of which they are made too.
    posts: dict[str, set[str]] = defaultdict(set)
    pushed: dict[str, SourceFile | None] = {}
    before = ""
    for name, entries in changes:
        before = before or f"{name}^"
        touched = set()
        for path, blob in entries:
            if blob:
                blobs[path] = blob
            else:
                blobs.pop(path, None)
            if source.is_post(path) and source.is_seen(path):
                for beside in source.list_beside(path):
                    posts[beside].add(path)
                touched.add(path)
            touched |= posts.get(path, set()) | posts.get(source.base_of(path), set())
        pushed |= {path: find_post(path, blobs, posts) for path in touched}
        pushed |= exhibited.follow([path for path, _ in entries])
        if blobs or is_top:
            yield Push(before, pushed)
            pushed, before = {}, ""


class GalleryPages:
    """The pages of galleries, from commit to commit, of all files' `blobs` by path."""

    def __init__(self, blobs: Mapping[str, str]) -> None:
        self.blobs = blobs
        self.tree = Tree()
        self.pages: dict[str, dict[str, SourceFile]] = {}

    def follow(self, paths: Iterable[str]) -> dict[str, SourceFile | None]:
        """The pages of the galleries that a change of the files at the paths may have changed."""
        touched: set[str] = set()
        for path in filter(galleries.is_inside, paths):
            touched.update(galleries.list_above(path))
            if galleries.is_part(path) and source.is_seen(path):
                self.tree.put(path, self.blobs.get(path, ""))
        found: dict[str, SourceFile | None] = {}
        for folder in sorted(touched):
            before = self.pages.pop(folder, {})
            now = source.describe_gallery(self.tree, folder, lambda path: self.blobs.get(path, ""))
            found |= {**dict.fromkeys(before), **now}
            self.pages[folder] = now
        return found


def find_post(
    path: str, blobs: Mapping[str, str], posts: Mapping[str, set[str]]
) -> SourceFile | None:
    if path not in blobs:
        return None
    base = source.base_of(path)
    siblings = {base: posts.get(base, set()) & blobs.keys()}
    return source.describe(path, lambda each: blobs.get(each, ""), siblings)


def read_changes(folder: Path, commits: str) -> list[Commit]:
    """The commits on the branch, oldest first.

    The blob is "" for what went, and for what is no plain file. A merge is one commit, with all
    that it brought. Raises git.GitError.
    """
    output = run(
        folder,
        "-c", "log.showRoot=true", "-c", "log.showSignature=false", "-c", "log.follow=false",
        "log", "--format=%x01%H", "--raw", "-z", "--no-abbrev", "--no-renames", "--relative",
        "--first-parent", "-m", "--reverse", commits, "--", ".",
    )  # fmt: skip
    changes: list[Commit] = []
    tokens = iter(output.split("\0"))
    for token in tokens:
        word = token.lstrip("\n")
        if word.startswith("\x01"):
            changes.append(Commit(word[1:], []))
        elif word.startswith(":"):
            _, mode, _, blob, _ = word.split(" ")
            changes[-1].entries.append((next(tokens), blob if mode in PLAIN_FILES else ""))
    return changes


def is_whole(folder: Path) -> bool:
    """Not so when cloned with --filter: git would fetch each older file when it is asked for it."""
    try:
        run(folder, "config", "--get-regexp", r"^remote\..*\.promisor$")
    except git.GitError:
        return run(folder, "rev-parse", "--show-object-format").strip() == "sha1"
    return False


def is_top(folder: Path) -> bool:
    """The folder is the whole repository's, and holds `.git` whatever else goes."""
    return not run(folder, "rev-parse", "--show-prefix").strip()


def run(folder: Path, *args: str) -> str:
    """git's output. Raises git.GitError."""
    return str(git.Git(folder).execute(["git", *args], kill_after_timeout=60))


def find_edit_url(folder: Path) -> str:
    """Where GitHub lets people edit the files of this folder; "" for other remotes."""
    try:
        remote = run(folder, "remote", "get-url", "origin").strip()
        prefix = run(folder, "rev-parse", "--show-prefix").strip()
    except git.GitError:
        return ""
    found = re.fullmatch(
        r"(?:https://(?:[^@/]*@)?|ssh://git@|git@)github\.com[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?",
        remote,
    )
    if not found:
        return ""
    return f"https://github.com/{found[1]}/{found[2]}/edit/{find_branch(folder)}/{prefix}"


def find_branch(folder: Path) -> str:
    """The branch that is checked out; in a submodule none is, and the remote's own is taken."""
    for args in (("HEAD",), ("refs/remotes/origin/HEAD",)):
        try:
            return run(folder, "symbolic-ref", "--short", *args).strip().removeprefix("origin/")
        except git.GitError:
            continue
    return "HEAD"

"""When git saw the files change: the only thing that the blog asks of the history."""

import re
from datetime import UTC, datetime
from pathlib import Path

import git


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


def read_times(folder: Path, commits: str) -> dict[str, datetime]:
    """When each file was last committed, by path, within a range such as `HEAD` or `old..new`."""
    output = run(
        folder,
        "-c", "core.quotePath=false",
        "log", "--format=%x01%ct", "--name-only", "-z", "--no-renames", "--relative",
        commits, "--", ".",
    )  # fmt: skip
    times: dict[str, int] = {}
    for entry in output.split("\x01")[1:]:
        stamp, _, names = entry.partition("\0")
        for name in names.lstrip("\n").split("\0"):
            path = name.lstrip("\n")
            if path:
                times[path] = max(times.get(path, 0), int(stamp))
    return {path: datetime.fromtimestamp(stamp, UTC) for path, stamp in times.items()}


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

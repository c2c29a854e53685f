"""Real git repositories for tests: bare remotes, each with a desk to commit at, and checkouts.

content = make_remote(tmp_path / "content.git", {"first.rst": "First\\n=====\\n"})
site = make_remote(tmp_path / "site.git", {"manage.py": ""})
add_submodule(site, "content", content, branch="main")
checkout = clone(site, tmp_path / "checkout")
after = commit(content, {"second.rst": "Second\\n"})
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

CONFIG = Path(__file__).with_name("gitconfig")
IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
}


def git(*args: str | Path, cwd: Path, **env: str) -> str:
    """Run git as a person at a desk would, without this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(CONFIG), "LC_ALL": "C.UTF-8"}
    finished = subprocess.run(
        ["git", *map(str, args)],
        cwd=cwd,
        env=kept | own | IDENTITY | env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, f"git {args}: {finished.stdout}{finished.stderr}"
    return finished.stdout.strip()


def desk_of(remote: Path) -> Path:
    """The clone where a remote's commits are made."""
    return remote.with_name(f"{remote.name}.desk")


def make_remote(
    path: Path, files: Mapping[str, str | bytes] | None = None, branch: str = "main"
) -> Path:
    """Make a bare repository with one commit on one branch, its HEAD there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    git("init", "--quiet", "--bare", f"--initial-branch={branch}", path, cwd=path.parent)
    git("clone", "--quiet", path, desk_of(path), cwd=path.parent)
    git("symbolic-ref", "HEAD", f"refs/heads/{branch}", cwd=desk_of(path))
    commit(path, files or {"README": "Hello\n"}, "Begin", branch=branch)
    return path


def commit(
    remote: Path,
    files: Mapping[str, str | bytes] | None = None,
    message: str = "Change",
    *,
    remove: tuple[str, ...] = (),
    branch: str = "main",
) -> str:
    """Write and remove files in a remote's branch; return the commit, pushed."""
    desk = desk_of(remote)
    for name in remove:
        git("rm", "-r", "--quiet", "--force", "--", name, cwd=desk)
    for name, text in (files or {}).items():
        file = desk / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    if files:
        git("add", "--force", "--", *files, cwd=desk)
    return push(remote, message, branch=branch)


def push(remote: Path, message: str = "Change", *, branch: str = "main") -> str:
    """Commit what is staged at a remote's desk, push it by force, return the commit."""
    desk = desk_of(remote)
    git("commit", "--quiet", "--allow-empty", "--message", message, cwd=desk)
    git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}", cwd=desk)
    return head(desk)


def rewind(remote: Path, to: str = "HEAD^", *, branch: str = "main") -> str:
    """Take commits back at the desk and push by force; return what is the tip now."""
    desk = desk_of(remote)
    git("reset", "--quiet", "--hard", to, cwd=desk)
    git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}", cwd=desk)
    return head(desk)


def add_submodule(
    remote: Path,
    path: str,
    url: str | Path,
    *,
    branch: str | None = None,
    name: str | None = None,
) -> str:
    """Add a submodule, tracked with a branch, pinned without one; return the commit."""
    desk = desk_of(remote)
    options = ["--name", name] if name else []
    if branch:
        options += ["--branch", branch]
    git("submodule", "--quiet", "add", *options, "--", url, path, cwd=desk)
    return push(remote, f"Add {path}")


def record_submodule(remote: Path, path: str, to: str) -> str:
    """Make a remote's tip record another commit of a submodule; return the new tip."""
    desk = desk_of(remote)
    git("update-index", "--cacheinfo", f"160000,{to},{path}", cwd=desk)
    return push(remote, f"Move {path}")


def clone(remote: Path, path: Path, *, submodules: bool = True) -> Path:
    options = ["--recurse-submodules"] if submodules else []
    git("clone", "--quiet", *options, remote, path, cwd=path.parent)
    return path


def move_away(remote: Path) -> Path:
    """Take a remote out of reach; `move_back` undoes it."""
    return remote.rename(remote.with_name(f"{remote.name}.away"))


def move_back(remote: Path) -> Path:
    return remote.with_name(f"{remote.name}.away").rename(remote)


def head(path: Path, ref: str = "HEAD") -> str:
    return git("rev-parse", "--verify", ref, cwd=path)


def forget(remote: Path) -> None:
    """Delete a remote and its desk."""
    shutil.rmtree(remote)
    shutil.rmtree(desk_of(remote))

"""Takes away what a git that was killed left in a checkout, never what a living one works with."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

from deployhooks.checkout import reading
from deployhooks.checkout.checkout import Checkout
from deployhooks.checkout.errors import CheckoutError
from deployhooks.checkout.submodule import Submodule
from deployhooks.redaction import configured_redactor

# Seconds that a git which works here just now gets to end.
PATIENCE = 5.0
# Programs that take no lock, such as those by which this site reads its own repository.
READERS = frozenset(
    "cat-file diff-tree log ls-files ls-remote ls-tree rev-list rev-parse show".split()
)
OURS = "blogsite.lock"
# What git writes first and renames then; these stay behind when it is killed.
DRAFTS = ("tmp_obj_", "tmp_pack_", "tmp_idx_", "tmp_rev_", "incoming-", "tmp_objdir-")


def repair(checkout: Checkout, scratch: Path, check: Callable[[], None]) -> Iterator[str]:
    """Repair what can be, and yield a line for each repair, and for what was left and why.

    The caller holds the checkout's lock, so that no deploy is at work; what lies below `scratch`
    is only ever a deploy's. `check` is called while other people's git is waited for; it may raise.
    """
    unsound = list(_find_unsound(checkout))
    places = list(_find_repositories(checkout))
    leftovers = [path for place in places for path in _find_leftovers(place)]
    broken = [note for place in places for note in _find_broken(place)]
    worktrees = list(_find_worktrees(checkout, scratch))
    if not (unsound or leftovers or broken or worktrees):
        return
    owners = _wait_for_owners(checkout, check)
    if owners:
        damaged = [one.git_dir for one in unsound]
        names = ", ".join(path.name for path in [*damaged, *leftovers, *broken, *worktrees])
        shown = configured_redactor().clean("; ".join(owners))
        yield f"left as they are, because git works here ({shown}): {names}"
        return
    for submodule in unsound:
        yield _set_aside(checkout, submodule)
    for path in leftovers:
        if _is_open(path):
            yield f"left {path}: a living process has it open"
        elif _remove(path):
            yield f"removed {path}, left by a git that was killed"
    for path in broken:
        if _remove(path):
            yield f"removed {path}, which was written only in part; it is made anew"
    for path in worktrees:
        shutil.rmtree(path, ignore_errors=True)
        yield f"removed the half-made worktree {path.name}"


def _find_unsound(checkout: Checkout) -> Iterator[Submodule]:
    """Submodules whose repository is there and cannot be used.

    Its making was interrupted, or a power cut took objects that git believed written.
    """
    for one in checkout.walk(checkout.head_commit(), _commit_if_sound):
        if one.git_dir.exists() and any(one.git_dir.iterdir()) and not _is_sound(one):
            yield one


def _set_aside(checkout: Checkout, submodule: Submodule) -> str:
    """Move the repository away, the deploy makes it anew.

    Files in the folder stay; what somebody changed there is kept by the step that moves it.
    """
    place = checkout.git_dir / "blogsite-broken" / submodule.name
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    submodule.git_dir.rename(place)
    if not submodule.is_inside:
        (submodule.folder / ".git").unlink(missing_ok=True)
    return f"{submodule.path}: its repository cannot be used and is kept as {place}"


def _is_sound(submodule: Submodule) -> bool:
    """Whether git takes it for a repository, and has what it says is checked out there."""
    if not submodule.is_made:
        return False
    commit = reading.commit_at(submodule.git_dir)
    return commit is None or reading.has_commit(submodule.git_dir, commit)


def _commit_if_sound(submodule: Submodule) -> str | None:
    is_here = (submodule.folder / ".git").exists() and _is_sound(submodule)
    return reading.commit_at(submodule.git_dir) if is_here else None


def _find_repositories(checkout: Checkout) -> Iterator[Path]:
    """The checkout's git directory, the one that it shares with other worktrees, and submodules'.

    Submodules' stand in `modules` of the first, except those that lie in their own folders.
    """
    yield checkout.git_dir
    common = reading.config_file(checkout.path).parent
    if common != checkout.git_dir:
        yield common
    try:
        yield from [one.git_dir for one in checkout.submodules() if one.is_inside]
    except CheckoutError:
        return  # the deploy itself will say what is wrong with them


def _find_leftovers(git_dir: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(git_dir):
        here = Path(folder)
        drafts = [name for name in folders if name.startswith(DRAFTS)]
        folders[:] = [name for name in folders if name not in drafts]
        yield from (here / name for name in drafts if here.name == "objects")
        in_objects = "objects" in here.relative_to(git_dir).parts
        for name in names:
            is_lock = name.endswith(".lock") and name != OURS
            if is_lock or (in_objects and name.startswith(DRAFTS)):
                yield here / name


def _find_broken(git_dir: Path) -> Iterator[Path]:
    """Files that a power cut left empty, and that git makes anew: indexes, refs of remotes."""
    for folder, folders, names in os.walk(git_dir):
        here = Path(folder)
        folders[:] = [name for name in folders if name not in ("objects", "logs", "hooks")]
        is_remote = "remotes" in here.relative_to(git_dir).parts
        for name in names:
            path = here / name
            if (name == "index" or is_remote) and _is_empty(path):
                yield path


def _is_empty(path: Path) -> bool:
    try:
        content = path.read_bytes()[:64]
    except OSError:
        return False
    return not content.strip(b"\0 \n")


def _find_worktrees(checkout: Checkout, scratch: Path) -> Iterator[Path]:
    """What the repository knows of worktrees in `scratch`: one whose making was killed is locked.

    git neither makes such a worktree again nor forgets it.
    """
    folder = reading.config_file(checkout.path).parent / "worktrees"
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry == checkout.git_dir:
            continue
        link = entry / "gitdir"
        place = link.read_text("utf-8", "surrogateescape").strip() if link.is_file() else ""
        is_locked = (entry / "locked").exists()
        is_ours = not place.strip("\0") or Path(place).is_relative_to(scratch)
        if is_locked and is_ours:
            yield entry


def _wait_for_owners(checkout: Checkout, check: Callable[[], None]) -> list[str]:
    """The gits that work here, each in words; those that end within a moment are none."""
    places = {checkout.path.resolve(), checkout.git_dir, reading.config_file(checkout.path).parent}
    places |= set(_other_worktrees(checkout))
    ends = time.monotonic() + PATIENCE
    while (owners := list(_find_owners(places))) and time.monotonic() < ends:
        check()
        time.sleep(0.2)
    return owners


def _other_worktrees(checkout: Checkout) -> Iterator[Path]:
    folder = reading.config_file(checkout.path).parent / "worktrees"
    for link in folder.glob("*/gitdir"):
        yield Path(link.read_text("utf-8", "surrogateescape").strip()).parent


def _find_owners(places: Iterable[Path]) -> Iterator[str]:
    places = list(places)
    for found in psutil.process_iter():
        try:
            if found.name().startswith("git") and found.status() != psutil.STATUS_ZOMBIE:
                command = found.cmdline()
                if not _is_reader(found, command) and _works_in(found, command, places):
                    yield f"{' '.join(command[:4])}, process {found.pid}"
        except psutil.NoSuchProcess:
            continue


def _works_in(found: psutil.Process, command: list[str], places: list[Path]) -> bool:
    """Whether a git works in one of these folders; one that does not let us look may do so."""
    try:
        cwd = Path(found.cwd())
        environment = found.environ()
    except psutil.AccessDenied:
        return True
    named = [environment.get("GIT_DIR", ""), environment.get("GIT_WORK_TREE", ""), *command]
    return any(
        cwd.is_relative_to(place) or any(str(place) in name for name in named) for place in places
    )


def _is_reader(found: psutil.Process, command: list[str]) -> bool:
    """Whether it takes no lock; what speaks to a remote for another git is what that one is."""
    name = _name_subcommand(command)
    if not name.startswith("remote-"):
        return name in READERS
    try:
        parent = found.parent()
        return parent is not None and _is_reader(parent, parent.cmdline())
    except psutil.Error:
        return False


def _name_subcommand(command: list[str]) -> str:
    """`fetch` for git fetch, `remote-http` for git remote-http and for git-remote-http."""
    program = Path(command[0]).name if command else ""
    if program.startswith("git-"):
        return program.removeprefix("git-")
    words = iter(command[1:])
    for word in words:
        if word in ("-c", "-C"):
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _is_open(path: Path) -> bool:
    """Whether a process has the file open, as far as we may look."""
    wanted = str(path)
    for found in psutil.process_iter():
        try:
            if any(file.path == wanted for file in found.open_files()):
                return True
        except (psutil.Error, OSError):
            continue
    return False


def _remove(path: Path) -> bool:
    """False when it is gone already, or when we may not: git will say so in its own words."""
    try:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError:
        return False
    return True

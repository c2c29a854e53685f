"""Reads what a commit says about its submodules, and refuses what no honest one says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from deployhooks.checkout.errors import CheckoutError

ENTRY = re.compile(r"submodule\.(?P<name>.+)\.(?P<key>[a-z0-9-]+)", re.DOTALL)
NO_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[-/.]|/\.|[/.]$|\.lock(?:/|$)|^@$")

CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Entry:
    """A submodule as one commit of its superproject describes it."""

    name: str
    path: str
    url: str  # as written
    branch: str | None  # as written; "." is the superproject's own
    recorded: str  # commit


def parse(data: bytes) -> dict[str, dict[str, str]]:
    """Take apart `git config --list -z` of a .gitmodules file; {name: {key: value}}."""
    modules: dict[str, dict[str, str]] = {}
    for line in data.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        key, _, value = line.partition("\n")
        if match := ENTRY.fullmatch(key):
            modules.setdefault(match["name"], {})[match["key"]] = value
    return modules


def check_entry(entry: Entry) -> Entry:
    """Raise CheckoutError when the name or the path would lead out of its place."""
    for what, text in (("name", entry.name), ("path", entry.path)):
        if not _stays_inside(text):
            raise CheckoutError(
                f".gitmodules is refused: the {what} {text!r} of a submodule would lead outside"
                " the site. Correct it in the site's repository."
            )
    if entry.branch not in (None, ".") and not is_branch_name(entry.branch or ""):
        raise CheckoutError(
            f".gitmodules is refused: {entry.branch!r}, for the submodule {entry.path}, is no name"
            " of a branch. Correct it in the site's repository."
        )
    return entry


def is_sound(entry: Entry) -> bool:
    try:
        check_entry(entry)
    except CheckoutError:
        return False
    return True


def check_together(entries: list[Entry]) -> list[Entry]:
    """Raise CheckoutError when one submodule's repository would lie in another's."""
    names = {entry.name for entry in entries}
    for name in names:
        inside = [str(parent) for parent in PurePosixPath(name).parents if str(parent) in names]
        if inside:
            raise CheckoutError(
                f".gitmodules is refused: the submodule named {name!r} would lie within the one"
                f" named {inside[0]!r}. Give it another name."
            )
    return entries


def is_branch_name(name: str) -> bool:
    """Whether git allows a branch of this name, as `git check-ref-format --branch` tells it."""
    return bool(name) and not NO_BRANCH.search(name)


def check_no_links(root: Path, path: str) -> None:
    """Raise CheckoutError when a folder on the way to a submodule, or it itself, is a link."""
    place = root
    for part in PurePosixPath(path).parts:
        place = place / part
        if place.is_symlink():
            raise CheckoutError(
                f"The submodule {path} is refused: {place} is a symbolic link. Remove the link."
            )


def _stays_inside(text: str) -> bool:
    parts = re.split(r"[/\\]", text)
    return not text.startswith("-") and not any(
        part in ("", ".", "..") or part.lower() == ".git" or CONTROL.search(part) for part in parts
    )

"""Reads from the checkout which repositories' pushes concern the site."""

from __future__ import annotations

import configparser
from collections.abc import Iterator
from pathlib import Path

import git
from django.conf import settings
from git.config import GitConfigParser

from deployhooks.repositories import Source, derive_full_name, resolve_url


class SourcesUnknown(Exception):
    """The message names the setting to look at."""


def read_sources() -> tuple[Source, ...]:
    """Return the site's repository and its submodules' as they are checked out now.

    Reads files only, so that it takes a millisecond or two. Raises SourcesUnknown.
    """
    path = settings.DEPLOY_CHECKOUT
    try:
        repository = git.Repo(path)
    except (git.InvalidGitRepositoryError, git.NoSuchPathError) as error:
        raise SourcesUnknown("The folder DEPLOY_CHECKOUT is not a git repository.") from error
    with repository:
        url, branch = _read_url(repository), _read_branch(repository)
    full_name = settings.DEPLOY_REPOSITORY or derive_full_name(url)
    site = Source("the site", url, branch, full_name)
    try:
        return (site, *_read_submodules(path, "", url, branch))
    except (configparser.Error, OSError, ValueError) as error:
        raise SourcesUnknown(f"The site's .gitmodules cannot be read: {error}") from error


def _read_url(repository: git.Repo) -> str:
    try:
        return repository.remote(settings.DEPLOY_REMOTE).url
    except (ValueError, configparser.Error) as error:
        raise SourcesUnknown(
            f"The checkout has no remote {settings.DEPLOY_REMOTE} (DEPLOY_REMOTE)."
        ) from error


def _read_branch(repository: git.Repo) -> str:
    if settings.DEPLOY_BRANCH:
        return str(settings.DEPLOY_BRANCH)
    try:
        return repository.active_branch.name
    except TypeError as error:
        raise SourcesUnknown("No branch is checked out: name the one in DEPLOY_BRANCH.") from error


def _read_submodules(root: Path, path: str, url: str, branch: str) -> Iterator[Source]:
    """The submodules of the repository at `path` below `root`, and theirs."""
    file = root / path / ".gitmodules"
    if not file.is_file():
        return
    with GitConfigParser(str(file), read_only=True) as config:
        sections = [dict(config.items(name)) for name in config.sections()]
    for section in sections:
        if not {"path", "url"} <= section.keys():
            continue
        below = f"{path}/{section['path']}".lstrip("/")
        source = Source(
            name=f"submodule {below}",
            url=resolve_url(url, str(section["url"])),
            # git's own convention: "." stands for the branch of the repository around it.
            branch=branch if section.get("branch") == "." else section.get("branch"),
        )
        yield source
        yield from _read_submodules(root, below, source.url, source.branch or "")

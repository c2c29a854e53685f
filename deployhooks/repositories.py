"""Tells whether a repository that a payload names is the site's own or one of its submodules'."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}
SCP_LIKE = re.compile(r"(?:[^/@]*@)?(\[[^\]/]*\]|[^/:]+):(?!//)(.*)", re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A repository whose pushes concern the site.

    `urls` are spellings of its one address. `branch` is the one that is deployed; None for a pinned
    submodule: the site records its commit.
    """

    name: str
    urls: tuple[str, ...]
    branch: str | None
    full_name: str = ""

    def is_named_by(self, urls: Iterable[str], full_name: str) -> bool:
        if self.full_name and self.full_name == full_name:
            return True
        return not {normalise_url(url) for url in self.urls}.isdisjoint(map(normalise_url, urls))

    def __str__(self) -> str:
        # A remote's URL as it is written may hold a password.
        return f"{normalise_url(self.urls[0]).removeprefix('//')} ({self.name})"


def normalise_url(url: str) -> str:
    """Return what two URLs of one repository have in common.

    `//host[:port]/path` for a server, a path for a folder; without scheme, user, `.git` and slashes
    at the end, the host in lower case. Any text is taken: what is no URL equals only itself.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return url
    if "://" not in url:
        if scp := SCP_LIKE.fullmatch(url):
            return f"//{scp[1].lower()}/{_bare_path(scp[2]).lstrip('/')}"
        return _bare_path(url)
    path = _bare_path(unquote(parts.path))
    if parts.scheme == "file" or not host:
        return path
    suffix = f":{port}" if port and port != DEFAULT_PORTS.get(parts.scheme) else ""
    return f"//{host}{suffix}/{path.lstrip('/')}"


def _bare_path(path: str) -> str:
    return path.rstrip("/").removesuffix(".git").rstrip("/")


def derive_full_name(url: str) -> str:
    """Return the `owner/name` in which a repository's URL ends; empty when there is no such end."""
    normal = normalise_url(url)
    names = normal.strip("/").split("/")
    if normal.startswith("//"):
        names = names[1:]  # without the host
    return "/".join(names[-2:]) if len(names) >= 2 else ""

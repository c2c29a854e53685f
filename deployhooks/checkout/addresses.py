"""Addresses of repositories: which are folders, which may be used, what a relative one means."""

from __future__ import annotations

import os
import re
from pathlib import Path

from deployhooks.checkout.errors import CheckoutError
from deployhooks.redaction import Redactor

SCHEME = re.compile(r"([A-Za-z0-9+.-]+)://")
HELPER = re.compile(r"[A-Za-z0-9+.-]*::")
SCP_LIKE = re.compile(r"[^/]*:")
SPEAKABLE = ("https", "http", "ssh", "git", "git+ssh", "ssh+git", "file")


def is_folder(url: str) -> bool:
    """Whether git would read a folder of this machine there."""
    if scheme := SCHEME.match(url):
        return scheme[1].lower() == "file"
    return not HELPER.match(url) and not SCP_LIKE.match(url)


def is_relative(url: str) -> bool:
    return url.startswith(("./", "../"))


def absolute(url: str, checkout: Path) -> str:
    """A remote's address, a folder named from within the checkout as a full path."""
    if is_folder(url) and not SCHEME.match(url):
        return os.path.normpath(checkout / url)
    return url


def resolve(url: str, base: str) -> str:
    """A submodule's address, a relative one below its superproject's by git's own rules."""
    if not is_relative(url):
        return url
    base = base.rstrip("/")
    separator = "/"
    while is_relative(url):
        if url.startswith("./"):
            url = url.removeprefix("./")
            continue
        url = url.removeprefix("../")
        slash, colon = base.rfind("/"), base.rfind(":")
        if max(slash, colon) < 0:
            return f"../{url}"  # leads out of it: `check` refuses that
        separator = "/" if slash >= 0 else ":"
        base = base[: slash if slash >= 0 else colon]
    return f"{base}{separator}{url.rstrip('/')}"


def shown(url: str) -> str:
    """An address for people: without the user and password that may stand in it."""
    return Redactor().clean(url)


def check(url: str, what: str, *, with_files: bool) -> None:
    """Raise CheckoutError for an address that is no address, or not to be used here."""
    scheme = SCHEME.match(url)
    host = url.removeprefix(scheme[0] if scheme else "").rpartition("@")[2]
    if not url or url.startswith("-") or host.startswith("-") or not url.isprintable():
        raise CheckoutError(f"The address of {what} is refused, it is none: {shown(url)!r}.")
    if is_relative(url):
        raise CheckoutError(f"The address of {what} is refused: {url} leads out of the site's own.")
    if HELPER.match(url) or (scheme and scheme[1].lower() not in SPEAKABLE):
        raise CheckoutError(
            f"The address of {what} is refused: {shown(url)}. Use https, ssh, http or git,"
            " not a helper."
        )
    if is_folder(url) and not with_files:
        raise CheckoutError(
            f"The address of {what} is refused: {url} is a folder of this machine, and the site's"
            " own remote is none. Give it an address that begins with https:// or ssh://."
        )

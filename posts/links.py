"""Links between posts, and from posts to the files beside them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from posixpath import dirname, normpath
from urllib.parse import quote, unquote

# Characters that no body can hold (posts.markup takes them out) bracket the number of a link.
MARK = re.compile("\ufdd0([0-9]{1,9})\ufdd1")
SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
MARKUP_ENDS = re.compile(r"\.(?:rst|rest|md|markdown|mkd|mdown)$", re.IGNORECASE)
PELICAN = re.compile(r"[{|](filename|static|attach|tag|category|author|index)[}|](.*)", re.DOTALL)


def mark(number: int) -> str:
    return f"\ufdd0{number}\ufdd1"


def fill(body: str, urls: list[str]) -> str:
    """Put the addresses in the places of the marks; a mark that has none leads nowhere."""

    def address(found: re.Match[str]) -> str:
        number = int(found[1])
        return escape(urls[number]) if number < len(urls) else ""

    return MARK.sub(address, body)


def is_local(target: str) -> bool:
    """A link into the blog: it has neither scheme nor host. Nikola's `link://` ones are local."""
    if target.startswith("link://"):
        return True
    return not (target.startswith("//") or SCHEME.match(target))


@dataclass
class Places:
    """Everything that a link can lead to: addresses of posts by path, and the files' paths."""

    addresses: Mapping[str, str]
    files: Iterable[str]
    list_address: Callable[[str, str], str]
    file_address: Callable[[str], str]
    known: set[str] = field(init=False)
    by_path: dict[str, str] = field(init=False)
    by_name: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.files = set(self.files)
        self.known = {unquote(address) for address in self.addresses.values()}
        # Reversed, so that of several the first path wins.
        paths = sorted(self.addresses, reverse=True)
        self.by_path = {loosen(path): path for path in paths}
        self.by_name = {loosen(path.rpartition("/")[2]): path for path in paths}

    def resolve(self, target: str, source: str) -> str | None:
        """The address that a link in the post `source` leads to; None when it leads nowhere.

        Forgives `-` for `_`, a missing or added extension, and a wrong folder.
        """
        if not is_local(target):
            return target
        target = unquote(target)
        special = self.resolve_special(target)
        if special is not None:
            return special or None
        target = PELICAN.sub(lambda found: found[2], target, count=1)
        path, hash_sign, fragment = target.partition("#")
        path, _, query = path.partition("?")
        ending = f"#{quote(fragment)}" if hash_sign else ""
        if not path:
            return quote(target, safe="/#?=&")
        post = self.find_post(path, source)
        if post is not None:
            return self.addresses[post] + ending
        for candidate in self.candidates(path, source):
            if candidate in self.files:
                return self.file_address(candidate) + ending
        if path.startswith("/") and self.is_elsewhere(path):
            return quote(path) + (f"?{query}" if query else "") + ending
        return None

    def resolve_special(self, target: str) -> str | None:
        """Pelican's `{tag}x` and Nikola's `link://kind/name`; "" for one that leads nowhere."""
        found = PELICAN.match(target)
        if found and found[1] in ("tag", "category", "index", "author"):
            return self.list_address(found[1], found[2])
        if not target.startswith("link://"):
            return None
        kind, _, name = target.removeprefix("link://").partition("/")
        if kind in ("slug", "filename"):
            post = self.find_post(name, "")
            return self.addresses[post] if post else ""
        return self.list_address(kind, name)

    def find_post(self, path: str, source: str) -> str | None:
        for candidate in self.candidates(path, source):
            if candidate in self.addresses:
                return candidate
            if found := self.by_path.get(loosen(candidate)):
                return found
        if not has_post_form(path):
            return None
        name = loosen(path.rpartition("/")[2])
        return self.by_name.get(name) or self.by_slug.get(name)

    @cached_property
    def by_slug(self) -> dict[str, str]:
        """Nikola's links name a post by it."""
        slugs = {path: each.rstrip("/").rpartition("/")[2] for path, each in self.addresses.items()}
        return {loosen(unquote(slugs[path])): path for path in sorted(slugs, reverse=True)}

    def candidates(self, path: str, source: str) -> list[str]:
        """Where a path may point: beside the post that links, then from the top of POSTS_DIR."""
        beside = normpath(f"{dirname(source)}/{path}".lstrip("/"))
        from_top = normpath(path.lstrip("/"))
        both = [from_top] if path.startswith("/") else [beside, from_top]
        return [found for found in both if not found.startswith("../")]

    def is_elsewhere(self, path: str) -> bool:
        """A path from the site's root that may be right: a page of the blog, or no matter of it."""
        if re.match(r"/(\d{4}/\d\d/\d\d|pages)/", path):
            return path in self.known
        return not re.match(r"/(articles|files)/|.*\.(png|jpe?g|gif|svg|webp|pdf)$", path)


def loosen(path: str) -> str:
    """What is left of a path when spelling does not matter: `A/b-c.rst.html` is `a/b_c`."""
    path = path.rstrip("/").removesuffix(".html").removesuffix(".htm")
    return MARKUP_ENDS.sub("", path).lower().replace("-", "_").replace(" ", "_")


def has_post_form(path: str) -> bool:
    """Only what looks like a post's file may be looked for in every folder."""
    name = path.rpartition("/")[2]
    return bool(MARKUP_ENDS.search(name.removesuffix(".html")) or re.match(r"\d{4}[-_]\d\d", name)
                or "." not in name)  # fmt: skip

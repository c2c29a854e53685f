"""Links between posts, and from posts to the files beside them."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from posixpath import dirname, normpath
from urllib.parse import quote, unquote

from posts import exhibits, galleries, listings
from posts.source import TOPS

# Characters that no body can hold (posts.markup takes them out) bracket the number of a link.
MARK = re.compile("\ufdd0([0-9]{1,9})\ufdd1")
ANY_MARK = re.compile(f"{MARK.pattern}|{listings.MARK.pattern}")
SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
# HTML that was made begins with this, which no address and no title can.
MADE = "\ufdd6"
# In front, what it was made from may stand as comments.
MADE_FROM = re.compile(f"^{MADE}(?:<!--[^>]*-->)*")
# What is put there is no address but the title of the post at it.
TITLE = "link://title/"
MARKUP_ENDS = re.compile(r"\.(?:rst|rest|md|markdown|mkd|mdown)$", re.IGNORECASE)
PELICAN = re.compile(r"[{|](filename|static|attach|tag|category|author|index)[}|](.*)", re.DOTALL)


def mark(number: int) -> str:
    return f"\ufdd0{number}\ufdd1"


def fill(body: str, urls: list[str]) -> str:
    """Put the addresses in the places of the marks; a mark that has none leads nowhere.

    Code from files (see posts.listings) is HTML already, of Pygments' making. All in one go: what
    is put in is never looked through for marks.
    """

    def put(found: re.Match[str]) -> str:
        number = int(found[1] or found[2])
        text = urls[number] if number < len(urls) else ""
        return escape(text) if found[1] else MADE_FROM.sub("", text)

    return ANY_MARK.sub(put, body)


def is_local(target: str) -> bool:
    """A link into the blog: it has neither scheme nor host. Nikola's `link://` ones are local."""
    if target.startswith("link://"):
        return True
    return not (target.startswith("//") or SCHEME.match(target))


@dataclass(frozen=True)
class Found:
    """Where a link leads: to a post and perhaps a part of it, or to an address of the site.

    Without `post` and `path` it needs no looking after: a file, a part of the same post.
    """

    url: str
    post: str = ""
    fragment: str = ""
    path: str = ""
    is_title: bool = False


def is_own(target: str, site_url: str) -> bool:
    """An absolute link to a page of this site."""
    if not site_url or not target.startswith(site_url):
        return False
    return target[len(site_url) : len(site_url) + 1] in ("", "/", "?", "#")


@dataclass
class Places:
    """Everything that a link can lead to: addresses of posts by path, and the files' paths."""

    addresses: Mapping[str, str]
    files: Iterable[str]
    list_address: Callable[[str, str], str]
    file_address: Callable[[str], str]
    site_url: str = ""

    def __post_init__(self) -> None:
        self.files = set(self.files)

    @cached_property
    def by_path(self) -> dict[str, str]:
        # Reversed, so that of several the first path wins.
        return {loosen(strip_txt(path)): path for path in sorted(self.addresses, reverse=True)}

    @cached_property
    def by_name(self) -> dict[str, str]:
        paths = sorted(self.addresses, reverse=True)
        return {
            loosen(strip_txt(path.rpartition("/")[2])): path
            for path in paths
            if not galleries.is_page(path)
        }

    @cached_property
    def by_gallery(self) -> dict[str, str]:
        """Galleries by their folders, and by the pages that Nikola makes of them."""
        pages = [path for path in sorted(self.addresses, reverse=True) if galleries.is_page(path)]
        pages.sort(key=lambda path: path.rpartition("/")[2].count("."), reverse=True)
        found = {loosen(dirname(path)): path for path in pages}
        return found | {f"{folder}/index": path for folder, path in found.items()}

    def resolve(self, target: str, source: str) -> Found | None:
        """Where a link in the post `source` leads; None when no file or list is meant.

        Forgives `-` for `_`, a missing or added extension, and a wrong folder.
        """
        if not is_local(target):
            return self.resolve_absolute(target)
        if target.startswith(TITLE):
            found = self.resolve(target.removeprefix(TITLE), source)
            return found and replace(found, is_title=True)
        if re.match(r"link://|[{|](tag|category|index|author)[}|]", unquote(target)):
            return self.resolve_special(unquote(target))
        # Percent-encoded, `?` and `#` are of a file's name; some encode all of what they write.
        path, _, fragment = map(unquote, split(target))
        if found := self.find(PELICAN.sub(take_path, path, count=1), fragment, source):
            return found
        target = PELICAN.sub(take_path, unquote(target), count=1)
        path, query, fragment = split(target)
        if not path:
            return Found(quote(target, safe="/#?=&"))
        if found := self.find(path, fragment, source):
            return found
        if not path.startswith("/"):
            return None
        url = quote(path) + (f"?{query}" if query else "") + end_with(fragment)
        return Found(url, fragment=fragment, path=path)

    def find(self, path: str, fragment: str, source: str) -> Found | None:
        """A post, or a file beside the posts."""
        post = self.find_post(path, source) if path else None
        if post is not None:
            return Found(self.addresses[post] + end_with(fragment), post=post, fragment=fragment)
        there = (each for each in self.candidates(path, source) if each in self.files)
        file = next(there, None)
        return Found(self.file_address(file) + end_with(fragment)) if file else None

    def resolve_absolute(self, target: str) -> Found:
        """As written: what follows the site's own address is a page's, never a file's name."""
        if not is_own(target, self.site_url):
            return Found(target)
        rest, _, fragment = unquote(target[len(self.site_url) :]).partition("#")
        return Found(target, fragment=fragment, path=rest.partition("?")[0] or "/")

    def resolve_special(self, target: str) -> Found | None:
        """Pelican's `{tag}x` and Nikola's `link://kind/name`."""
        found = PELICAN.match(target)
        if found:
            kind, name = found[1], found[2]
        else:
            kind, _, name = target.removeprefix("link://").partition("/")
        name, hash_sign, fragment = name.partition("#") if kind != "tag" else (name, "", "")
        if kind in ("slug", "filename"):
            post = self.find_post(name, "")
            ending = f"#{quote(fragment)}" if hash_sign else ""
            return Found(self.addresses[post] + ending, post, fragment) if post else None
        if kind in ("gallery", "gallery_global"):
            folder = exhibits.find_gallery(name, map(dirname, self.by_gallery.values()))
            page = self.by_gallery.get(loosen(folder)) if folder else None
            return Found(self.addresses[page], page) if page else None
        address = self.list_address(kind, name)
        return Found(address, path=unquote(address)) if address else None

    def find_post(self, path: str, source: str) -> str | None:
        for candidate in self.candidates(path, source):
            if candidate in self.addresses:
                return candidate
            loose = loosen(candidate)
            if found := self.by_path.get(loose) or self.by_gallery.get(loose):
                return found
        if not has_post_form(path):
            return None
        name = loosen(path.rstrip("/").rpartition("/")[2])
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
        places = [] if path.startswith("/") else [beside]
        places += [top + from_top for top in TOPS if not from_top.startswith("../")]
        return [found for found in places if not found.startswith("../")]


def split(target: str) -> tuple[str, str, str]:
    """Path, query and fragment."""
    rest, _, fragment = target.partition("#")
    path, _, query = rest.partition("?")
    return path, query, fragment


def take_path(found: re.Match[str]) -> str:
    return found[2]


def end_with(fragment: str) -> str:
    return f"#{quote(fragment)}" if fragment else ""


def loosen(path: str) -> str:
    """What is left of a path when spelling does not matter: `A/b-c.rst.html` is `a/b_c`."""
    path = path.rstrip("/").removesuffix(".html").removesuffix(".htm")
    return MARKUP_ENDS.sub("", path).lower().replace("-", "_").replace(" ", "_")


def strip_txt(path: str) -> str:
    """A post's path without Nikola's `.txt`, which in a link may be of any other file."""
    return path.removesuffix(".txt")


def has_post_form(path: str) -> bool:
    """Only what looks like a post's file may be looked for in every folder."""
    name = path.rpartition("/")[2]
    return bool(MARKUP_ENDS.search(name.removesuffix(".html")) or re.match(r"\d{4}[-_]\d\d", name)
                or "." not in name)  # fmt: skip

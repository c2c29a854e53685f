"""Code of files that posts show, as HTML: made once, before anything is locked, within limits."""

import threading
from collections.abc import Iterable
from contextlib import nullcontext
from hashlib import sha1

from django.db.models import TextField
from django.db.models.functions import Cast

from posts import listings
from posts.links import MADE
from posts.models import Post
from posts.processes import TimeUp, time_limit
from posts.rendering import signature
from posts.source import Folder

# Some lexers take half a minute for what others read in no time.
SECONDS_A_FILE = 2.0
# Nobody reads more in one post.
MOST_A_POST = 20

# What is made begins with what it was made from, so that it is known again.
START = f"{MADE}<!--code "
PLAIN = "<!--without colours-->"


class Codes:
    """What was made of files of code, by what it was made from. Rows keep it for the next run."""

    def __init__(self) -> None:
        self.made: dict[str, str] = {}

    def remember(self, urls: Iterable[str]) -> None:
        """What a row has in the places of its links."""
        for html in urls:
            if html.startswith(START):
                self.made[html[: html.index(">") + 1]] = html

    def prepare(self, folder: Folder, fresh: Iterable[tuple[str, list[str]]]) -> None:
        """Make what posts will show: `fresh` ones, by path with the targets of their links, and
        those in rows, for which a file may have changed."""
        if not folder.codes:
            return
        told = Post.objects.annotate(told=Cast("links", TextField()))
        for path, targets, urls in told.filter(told__contains=listings.CODE).values_list(
            "path", "links", "urls"
        ):
            self.remember(urls)
            self.show_all(folder, path, [each["target"] for each in targets])
        for path, wanted in fresh:
            self.show_all(folder, path, wanted)

    def show_all(self, folder: Folder, source: str, targets: Iterable[str]) -> None:
        codes = [target for target in targets if target.startswith(listings.CODE)]
        for target in codes[:MOST_A_POST]:
            self.show(folder, target, source)

    def show(self, folder: Folder, target: str, source: str) -> str | None:
        """The code that the post `source` means; None where there is no such file, or no text."""
        path = listings.find_file(target, source, folder.codes)
        if path is None:
            return None
        made_from = f"{signature()}\0{folder.codes[path]}\0{target}"
        start = f"{START}{sha1(made_from.encode(), usedforsecurity=False).hexdigest()}-->"
        if start not in self.made:
            text = folder.read_code(path)
            if text is None:
                return None
            self.made[start] = start + make(target, text)
        return self.made[start]


def is_plain(html: str) -> bool:
    """Whether its colours took too long."""
    return PLAIN in html[:100]


def make(target: str, text: str) -> str:
    is_main = threading.current_thread() is threading.main_thread()
    try:
        with time_limit(SECONDS_A_FILE) if is_main else nullcontext():
            return listings.show(target, text)
    except TimeUp:
        return PLAIN + listings.show(target, text, is_plain=True)

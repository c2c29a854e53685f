"""Nikola's shortcodes, `{{% youtube ... %}}`: made into what the markup itself has for it."""

import re
import shlex
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable
from html import escape

from posts import choosing, exhibits, listings
from posts.literal import Code
from posts.problems import Problem

# What lies between the signs is short; else a text of openings alone would take for ever.
TAG = re.compile(r"\{\{%\s*(/?)([\w-]{1,60})(\s(?:[^%{]|%(?!\}\})|\{(?!\{%)){0,8000}?)?%\}\}")
CLOSING = re.compile(r"\{\{%\s*/([\w-]{1,60})\s*%\}\}")
# For posts of all kinds.
OURS = re.compile(r"\{\{%\s*gallery\s")
ADDRESSES = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "vimeo": "https://vimeo.com/{}",
    "gist": "https://gist.github.com/{}",
    "soundcloud": "https://api.soundcloud.com/tracks/{}",
    "soundcloud_playlist": "https://api.soundcloud.com/playlists/{}",
    "media": "{}",
}


class Arguments:
    """What follows the name: words, of which the first is kept, and pairs like key="value"."""

    def __init__(self, text: str) -> None:
        try:
            words = shlex.split(text)
        except ValueError:
            words = text.split()
        pairs = [word.partition("=") for word in words if re.match(r"\w+=", word)]
        self.named = {key: value for key, _, value in pairs}
        self.words = words
        self.first = next((word for word in words if not re.match(r"\w+=", word)), "")

    def any(self, *keys: str) -> str:
        return self.first or next((self.named[key] for key in keys if key in self.named), "")


def expand(
    text: str, *, is_rst: bool, first_line: int, is_nikola: bool = True
) -> tuple[str, list[Problem]]:
    """The text with its shortcodes replaced, line by line; those that nobody knows stay, told.

    Within code they are an example of themselves, with `raw` around them or without. In what was
    not written for Nikola only those of our own are replaced, and to others they mean nothing.
    """
    if not is_nikola and not OURS.search(text):
        return text, []
    code, closings = Code(text, is_rst=is_rst), Closings(text)
    out: list[str] = []
    problems: list[Problem] = []
    position, counted, line = 0, 0, first_line
    while found := TAG.search(text, position):
        out.append(text[position : found.start()])
        if found[2] != "raw" and code.holds(found.start()):
            out.append(found[0])
            position = found.end()
            continue
        closing = None if found[1] else closings.find(found[2], found.end())
        content = text[found.end() : closing[0]] if closing else ""
        is_meant = is_nikola or OURS.match(found[0])
        made = make(found, content, is_rst=is_rst) if is_meant else found[0]
        position = closing[1] if closing and made is not None else found.end()
        if made is None:
            made = found[0]
            line += text.count("\n", counted, found.start())
            counted = found.start()
            problems.append(Problem(line, f"nobody here knows the shortcode {found[0][:60]}"))
        missing = text.count("\n", found.start(), position) - made.count("\n")
        out.append(made + "\n" * missing)
    return "".join([*out, text[position:]]), problems


class Closings:
    """Where the shortcodes of a text end; sought once, however many begin."""

    def __init__(self, text: str) -> None:
        self.spans: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for found in CLOSING.finditer(text):
            if is_known(found[1]):
                self.spans[found[1]].append(found.span())

    def find(self, name: str, position: int) -> tuple[int, int] | None:
        """The next of the name that begins at the position or behind it."""
        spans = self.spans.get(name, [])
        number = bisect_left(spans, (position, 0))
        return spans[number] if number < len(spans) else None


def is_known(name: str) -> bool:
    return name in ADDRESSES or name in MAKERS


def make(opening: re.Match[str], content: str, *, is_rst: bool) -> str | None:
    """What stands for the shortcode in the markup; None when we do not know it."""
    name, given = opening[2], Arguments(opening[3] or "")
    if name in ADDRESSES:
        address = ADDRESSES[name].format(given.any("id", "url", "gistid"))
        return address if is_rst else f'<span class="media"><{address}></span>'
    maker = MAKERS.get(name)
    return maker(given, content, is_rst) if maker else None


def make_thumbnail(given: Arguments, content: str, is_rst: bool) -> str:
    """The picture itself: thumbnails are a matter of Nikola's builds."""
    address = given.any("uri")
    words = given.named.get("alt", "")
    caption = " ".join(content.split())
    if is_rst:
        return f"`{caption or words or address} <{address}>`__"
    title = given.named.get("title", "").replace('"', "&quot;")
    if caption:
        return make_figure(address, words, given, caption)
    return f'![{words}](<{address}> "{title}")' if title else f"![{words}](<{address}>)"


def make_figure(address: str, words: str, given: Arguments, caption: str) -> str:
    align = given.named.get("align", "")
    classes = f' class="align-{align}"' if align in ("left", "center", "right") else ""
    title = f' title="{escape(given.named["title"])}"' if given.named.get("title") else ""
    image = f'<img src="{escape(address)}" alt="{escape(words)}"{title}>'
    return f"<figure{classes}>{image}<figcaption>{caption}</figcaption></figure>"


def make_doc(given: Arguments, content: str, is_rst: bool) -> str:
    words = " ".join(content.split())
    if is_rst:
        return f":doc:`{words}`"
    found = re.fullmatch(r"(.+?)\s*<([^<>]+)>", words)
    return f"[{found[1]}](<{found[2]}>)" if found else f"[{words}](<{words}>){{.post-title}}"


def make_listing(given: Arguments, content: str, is_rst: bool) -> str:
    """`{{% listing hello.py python linenumbers=True %}}`"""
    name, language = [*(word for word in given.words if "=" not in word), "", ""][:2]
    if is_rst:
        numbers = "\n   :number-lines:" if "linenumbers" in given.named else ""
        return f".. listing:: {name} {language}{numbers}"
    return listings.make_place(name, language, given.named)


def make_chart(given: Arguments, content: str, is_rst: bool) -> str:
    """The numbers, as they are written."""
    return content if is_rst or not content.startswith("\n") else f"```{content}```"


def make_list(given: Arguments, content: str, is_rst: bool) -> str:
    flags = {word: "" for word in given.words if "=" not in word}
    options = {**flags, **given.named}
    return f".. post-list:: {choosing.dump(options)}" if is_rst else choosing.make_place(options)


def make_gallery(given: Arguments, content: str, is_rst: bool) -> str:
    """`{{% gallery trips/rome %}}`"""
    name = " ".join(word for word in given.words if "=" not in word) or given.any("name")
    return f".. gallery:: {name}" if is_rst else exhibits.make_places(name)


MAKERS: dict[str, Callable[[Arguments, str, bool], str]] = {
    "raw": lambda given, content, is_rst: content,
    "post-list": make_list,
    "post_list": make_list,
    "thumbnail": make_thumbnail,
    "doc": make_doc,
    "listing": make_listing,
    "gallery": make_gallery,
    "chart": make_chart,
}

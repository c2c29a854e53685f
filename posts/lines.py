"""On which line of a file something stands."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from posts import exhibits, links, listings, markup
from posts.problems import Problem


def locate_links(text: str, targets: Sequence[str], image: str) -> list[dict[str, Any]]:
    """Each link with its line; a post's picture for previews is the last of them.

    The local ones come first, in the order of their marks. Of the absolute ones posts.linking
    keeps those to this site, whose address no parser knows.
    """
    wanted = [*targets, image] if image else targets
    return [{"target": target, "line": line_of(text, written(target))} for target in wanted]


def written(target: str) -> str:
    """How the text names the target of one of our marks."""
    if target.startswith((listings.CODE, exhibits.SHOWN)):
        read = listings.read_target if target.startswith(listings.CODE) else exhibits.read_target
        return read(target).get("name") or target
    return target.removeprefix(links.TITLE)


def find_lost_fragments(text: str, page: markup.Page) -> list[Problem]:
    known = page.ids | {"top"}
    return [
        Problem(line_of(text, f"#{fragment}"), f"the link #{fragment} leads to no heading")
        for fragment in map(unquote, page.fragments)
        if fragment and fragment not in known
    ]


def line_of(text: str, target: str) -> int:
    """The first line on which the target stands, as written or percent-encoded; else 1.

    By itself, if it does so anywhere: `#end` is found within `other.md#end` too.
    """
    for pattern in (r"(?<![^\s\"'`(<[=:]){}(?![^\s\"'`)>\],])", "{}"):
        for spelling in (target, unquote(target)):
            found = re.search(pattern.format(re.escape(spelling)), text)
            if found:
                return text.count("\n", 0, found.start()) + 1
    return 1


def line_of_value(text: str, complaint: str) -> int:
    """The line of the value that a complaint about metadata quotes; best where it stands alone."""
    value = complaint[complaint.index('"') + 1 : complaint.rindex('"')]
    found = re.search(rf"(?<![\w/]){re.escape(value)}(?![\w/])", text)
    return text.count("\n", 0, found.start()) + 1 if found else line_of(text, value)

"""Nikola's post-list: what its options say about which posts a list within a post shows."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from html import escape
from itertools import islice
from typing import Protocol
from urllib.parse import parse_qsl, urlencode

from posts import source
from posts.literal import Code
from posts.metadata import YEARS
from posts.moments import parse_moment
from posts.problems import Problem

# No page grows without end: who wants more has the archive.
MOST_LISTED = 200
MOST_LISTS = 10
MOST_OPTIONS = 4000
MOST_CLAUSES = 20
# Characters that no body can hold (posts.markup takes them out) bracket a list's options.
MARK = re.compile("\ufdd2([^\ufdd2\ufdd3]{0,4000})\ufdd3")

# Where one begins in the text: as make_place writes it, or by hand.
PLACE = re.compile(r"\bdata-posts\s*=")

KINDS = {"": "posts", "post": "posts", "posts": "posts", "page": "pages", "pages": "pages",
         "all": "all"}  # fmt: skip
SORTS = ("date", "title", "slug")
CLAUSE = re.compile(r"(\w*)\s*(==|!=|<=|>=|<|>|=)\s*(.+)")
PARTS = ("year", "month", "day", "weekday", "isoweekday", "hour", "minute")
# And how many words each may have.
LISTS = {"tags": 50, "categories": 50, "sections": 50, "slugs": 200}
# They say how Nikola builds the list, or in which language.
PASSED_OVER = ("template", "id", "lang")


class Listed(Protocol):
    """A post as far as lists show it."""

    title: str
    day: date | None
    language: str

    def get_absolute_url(self) -> str: ...


@dataclass(frozen=True)
class Clause:
    """`year >= 2020`. Without part it is about the whole time; a value of None is now."""

    part: str
    sign: str
    value: int | datetime | None


@dataclass
class Choice:
    """Which posts, newest first, and how many of them. A negative `start` means the last ones."""

    start: int = 0
    stop: int | None = None
    is_reversed: bool = False
    sort: str = "date"
    kind: str = "posts"
    tags: list[str] = field(default_factory=list)
    wants_all_tags: bool = False
    categories: list[str] = field(default_factory=list)
    slugs: list[str] = field(default_factory=list)
    clauses: list[Clause] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def mark(options: str) -> str:
    return f"\ufdd2{options}\ufdd3"


def show(posts: Iterable[Listed]) -> str:
    """The list that stands in a mark's place; nothing where no post is in it."""
    items = "".join(f"<li>{show_day(each)}{show_link(each)}</li>" for each in posts)
    return f"<ul>{items}</ul>" if items else ""


def show_day(post: Listed) -> str:
    return f'<time datetime="{post.day}">{post.day}</time> ' if post.day else ""


def show_link(post: Listed) -> str:
    lang = f' lang="{escape(post.language)}"' if post.language else ""
    return f'<a href="{escape(post.get_absolute_url())}"{lang}>{escape(post.title)}</a>'


def dump(options: Mapping[str, str]) -> str:
    """The options as one word; interpret(load(...)) reads them again.

    The longest are left out of more than a mark can hold, and `too_long` says which: interpret
    complains of them.
    """
    kept, lost, room = {}, [], MOST_OPTIONS - 200
    for name in sorted(options, key=lambda each: len(options[each])):
        room -= len(urlencode({name: options[name]})) + 1
        if room > 0:
            kept[name] = options[name]
        else:
            lost.append(name)
    in_order = {name: options[name] for name in options if name in kept}
    return urlencode({**in_order, "too_long": lost[-1][:20]} if lost else in_order)


def make_place(options: Mapping[str, str]) -> str:
    """HTML that posts.markup knows for the place of a list."""
    return f'<div class="post-list" data-posts="{escape(dump(options))}"></div>'


def load(text: str) -> dict[str, str]:
    pairs = parse_qsl(text, keep_blank_values=True)
    return {source.make_fit(name): source.make_fit(value) for name, value in pairs}


def find(body: str) -> list[Choice]:
    """Of the lists in a body, in their order."""
    return [interpret(load(found[1])) for found in islice(MARK.finditer(body), MOST_LISTS)]


def find_problems(text: str, body: str, *, first_line: int, is_told: bool) -> list[Problem]:
    """What is wrong with the lists of posts in a body that was made of the text.

    `is_told` where directives have told of their options.
    """
    if len(MARK.findall(body)) > MOST_LISTS:
        return [Problem(1, f"a post may hold {MOST_LISTS} lists of posts; the others stay empty")]
    choices = [] if is_told else find(body)
    if not any(choice.complaints for choice in choices):
        return []
    code = Code(text, is_rst=False)
    places = [each.start() for each in PLACE.finditer(text) if not code.holds(each.start())]
    return [
        Problem(first_line + text.count("\n", 0, place), complaint)
        for place, choice in zip([*places, *[0] * len(choices)], choices, strict=False)
        for complaint in choice.complaints
    ]


def interpret(options: Mapping[str, str]) -> Choice:
    """What is not understood is told in `complaints`, and else as if it were not there."""
    choice = Choice()
    for name, value in options.items():
        apply(choice, name.replace("-", "_"), value.strip().strip("\"'"))
    return choice


def apply(choice: Choice, name: str, value: str) -> None:
    complaint = ""
    if name in ("start", "stop"):
        complaint = set_bound(choice, name, value)
    elif name in ("reverse", "require_all_tags", "all"):
        set_flag(choice, name, value.lower() not in ("false", "no", "0"))
    elif name in LISTS:
        complaint = set_words(choice, name, list(filter(None, map(str.strip, value.split(",")))))
    elif name in ("post_type", "type"):
        choice.kind = KINDS.get(value.lower(), "posts")
    elif name == "sort":
        choice.sort = value if value in SORTS else "date"
        complaint = "" if value in SORTS else f"sort by {' or '.join(SORTS)}"
    elif name == "date":
        complaint = set_clauses(choice, value)
    elif name == "too_long":
        name, value = value, "…"
        complaint = "it is longer than a list can keep, and passed over. Write several lists."
    elif name not in PASSED_OVER:
        complaint = "there is no such option"
    if complaint:
        choice.complaints.append(f'"{name}: {value[:60]}" of a list of posts: {complaint}')


def set_bound(choice: Choice, name: str, value: str) -> str:
    if not re.fullmatch(r"-?\d{1,6}", value):
        return "write a number"
    if name == "start":
        choice.start = int(value)
    elif int(value) < 0:
        return "a list ends at a number from the front"
    else:
        choice.stop = int(value)
    return ""


def set_flag(choice: Choice, name: str, is_on: bool) -> None:
    if name == "reverse":
        choice.is_reversed = is_on
    elif name == "all":
        choice.kind = "all" if is_on else "posts"
    else:
        choice.wants_all_tags = is_on


def set_words(choice: Choice, name: str, words: list[str]) -> str:
    words, rest = words[: LISTS[name]], words[LISTS[name] :]
    if name == "tags":
        choice.tags = words
    elif name == "slugs":
        choice.slugs = words
    else:
        choice.categories = words
    return f"it is cut after {LISTS[name]} words" if rest else ""


def set_clauses(choice: Choice, value: str) -> str:
    texts = list(filter(None, map(str.strip, value.split(","))))
    for text in texts[:MOST_CLAUSES]:
        clause = read_clause(text)
        if clause is None:
            return f'"{text[:60]}": write it as in: year >= 2019, month == 5, or > 2019-05-01'
        choice.clauses.append(clause)
    return f"it is cut after {MOST_CLAUSES} conditions" if len(texts) > MOST_CLAUSES else ""


def read_clause(text: str) -> Clause | None:
    found = CLAUSE.fullmatch(text)
    if not found or found[1] not in ("", *PARTS):
        return None
    part, sign, value = found[1], "==" if found[2] == "=" else found[2], found[3].strip()
    if part:
        number = int(value) if re.fullmatch(r"[0-9]{1,4}", value) else -1
        is_possible = number in YEARS if part == "year" else number >= 0
        return Clause(part, sign, number) if is_possible else None
    if value in ("now", "today"):
        return Clause("", sign, None)
    moment = parse_moment(value)
    return Clause("", sign, moment) if moment and moment.year in YEARS else None

"""What a post owes to the others: its slug when two want one, and where its links lead."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import count
from typing import NamedTuple, Protocol, TypeVar
from urllib.parse import quote, unquote
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings

from posts import links, listings, source, translations
from posts.answers import Answers, address_of_list, digest_urls, is_visible
from posts.links import Found, Places
from posts.markup import OWN_IDS
from posts.models import Post
from posts.problems import Problem
from posts.rendering import Rendered
from posts.source import Folder

# Numbers and languages, which may be put behind a slug.
ENDINGS = re.compile(r"(?:-[a-z0-9]+)+$")
STATES = {Post.Status.DRAFT: "it is a draft", Post.Status.PRIVATE: "it is private"}


class Placed(Protocol):
    """A post as far as its address goes; `slug` is "" until it has one."""

    path: str
    day: date | None
    base_slug: str
    stated_language: str
    is_translation: bool
    slug: str


class Wish(NamedTuple):
    """What a post's address follows from; who wants the same as before keeps what he got."""

    day: date | None
    base_slug: str
    stated_language: str
    is_translation: bool


Row = TypeVar("Row", bound=Placed)


def set_places(rows: list[Post], settled: Collection[Post] = ()) -> set[Post]:
    """Give every post its slug and its original; return those for which one of them is new."""
    touched = translations.set_originals(rows, settings.LANGUAGE_CODE)
    return touched | set_slugs(rows, settled)


def set_slugs(rows: list[Row], settled: Collection[Row] = ()) -> set[Row]:
    """Give every post its slug; return those that got another one. `rows` are sorted by path.

    `settled` are those that have a slug and still want the one that they wanted then: they keep it,
    because others link to it. All else follows from drafts and file names alone.
    """
    slugs = choose_slugs(rows, settled)
    touched = {row for row in rows if row.slug != slugs[row.path]}
    for row in touched:
        row.slug = slugs[row.path]
    return touched


def wish_of(row: Placed) -> Wish:
    return Wish(row.day, row.base_slug, row.stated_language, row.is_translation)


def wished_slug(wish: Placed | Wish) -> str:
    """What it asks for first, as far as it knows by itself: a translation shows its language."""
    is_told = wish.is_translation and wish.stated_language
    return add_language(wish) if is_told else wish.base_slug


def add_language(wish: Placed | Wish) -> str:
    return f"{wish.base_slug}-{wish.stated_language.lower()}"


def family_of(row: Placed) -> tuple[date | None, str]:
    """Rows of two families never want the same address: they only put endings behind slugs."""
    return row.day, ENDINGS.sub("", row.base_slug)


def make_uid(path: str, taken: Collection[UUID]) -> UUID:
    """Made from the path, so that feeds keep their ids when the database is made anew.

    A path that an older post began its life with gets another one.
    """
    uid, number = uuid5(NAMESPACE_URL, path), 1
    while uid in taken:
        number += 1
        uid = uuid5(NAMESPACE_URL, f"{path}#{number}")
    return uid


def digest_places(rows: list[Post], folder: Folder) -> str:
    """Changes when a link may lead elsewhere, or code that a post shows may be another.

    With files, and with what addresses are made of.
    """
    digest = hashlib.sha1(digest_urls().encode(), usedforsecurity=False)
    for row in rows:
        digest.update(
            f"{row.path}\0{row.day}\0{row.base_slug}\0{row.slug}\0{row.original}\n".encode()
        )
    digest.update("\n".join(sorted(folder.files)).encode())
    for path, code in sorted(folder.codes.items()):
        digest.update(f"\n{path}\0{code}".encode())
    return digest.hexdigest()


class Addresses(Mapping[str, str]):
    """Addresses of posts by path, each made when it is asked for: an edit asks for a few."""

    def __init__(self, rows: Mapping[str, Post]) -> None:
        self.rows = rows

    def __getitem__(self, path: str) -> str:
        return self.rows[path].get_absolute_url()

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


def set_links(
    linked: list[Post],
    rows: list[Post],
    answers: Answers,
    load_anchors: Callable[[list[Post]], None] = lambda posts: None,
) -> set[Post]:
    """Set urls and site_problems of the posts `linked`; return those in which that changed any.

    `load_anchors` is asked once to fetch what parts and titles the posts have that links name.
    """
    if not linked:
        return set()
    shared = share_slugs(rows)
    by_path = {row.path: row for row in rows}
    places = Places(
        addresses=Addresses(by_path),
        files=answers.files,
        list_address=address_of_list,
        file_address=address_of_file,
        site_url=settings.SITE_URL,
    )
    found = {row.path: [find(each["target"], row, places, answers) for each in row.links]
             for row in linked}  # fmt: skip
    parts = {one.post for each in found.values() for one in each
             if one and (one.fragment or one.is_title)}  # fmt: skip
    load_anchors([by_path[path] for path in sorted(parts) if path])
    return {
        row
        for row in linked
        if link(row, found[row.path], by_path, answers, shared.get(row.path, []))
    }


def keep_own_links(rendered: Rendered) -> Rendered:
    """Of the absolute links only those to this site lead anywhere that can change."""
    draft = rendered.draft
    if draft is not None:
        picture = draft.links[-1:] if draft.image else []
        draft.links = [
            each
            for each in draft.links[: len(draft.links) - len(picture)]
            if links.is_local(each["target"]) or links.is_own(each["target"], settings.SITE_URL)
        ] + picture
    return rendered


def find(target: str, row: Post, places: Places, answers: Answers) -> Found | None:
    if target.startswith(listings.CODE):
        path = listings.find_file(target, row.path, answers.codes)
        return Found("", path=path) if path else None
    found = places.resolve(target, row.path)
    if found and found.path and (post := answers.find_post(found.path)):
        return replace(found, post=post)
    return found


def complain_of_link(
    target: str, found: Found | None, row: Post, by_path: Mapping[str, Post], answers: Answers
) -> str:
    """What is wrong with the link, in words; "" when visitors get where it says."""
    if target.startswith(links.TITLE):
        return ""
    if target.startswith(listings.CODE):
        is_there = found is not None and answers.read_code(found.path) is not None
        return "" if is_there else complain_of_code(target)
    if found is None:
        return f"the link {target} leads nowhere"
    if found.post:
        other = by_path[found.post]
        if is_visible(row) and not is_visible(other):
            words = f"the link {target} leads to {other.path}, which visitors cannot open"
            return f"{words}: {STATES[Post.Status(other.status)]}"
        if found.fragment and not has_part(other, found.fragment):
            return f"the link {target} leads to no heading of {other.path}"
        return ""
    if not found.path or answers.has(found.path) or answers.will_have(row, found.path):
        return ""
    return f"the link {target} leads nowhere"


def has_part(post: Post, fragment: str) -> bool:
    """One of its own, one of the frame around every post, or words to look for."""
    return fragment in ("top", *post.anchors) or fragment.startswith((OWN_IDS, ":~:"))


def choose_slugs(rows: list[Row], settled: Collection[Row]) -> dict[str, str]:
    """By path: who came first keeps the slug, of several newcomers the first gets it.

    Translations get -<language>, the others -2, -3, ...
    """
    chosen: dict[str, str] = {}
    taken: set[tuple[object, str]] = set()

    def choose(row: Row, slug: str) -> bool:
        if row.path not in chosen and (row.day, slug) not in taken:
            chosen[row.path] = slug
            taken.add((row.day, slug))
        return row.path in chosen

    for row in rows:
        if row in settled:
            choose(row, row.slug)
    rest = [row for row in rows if row.path not in chosen]
    wishes = find_wishes(rest, rows)
    rest = translations.sort_originals_first(rest, settings.LANGUAGE_CODE)
    for row in rest:
        choose(row, wishes[row.path][0])
    for row in rest:
        any(choose(row, slug) for slug in wishes[row.path])
    for row in rest:
        numbered = (f"{wishes[row.path][0]}-{number}" for number in count(2))
        any(choose(row, slug) for slug in numbered)
    return chosen


def complain_of_code(target: str) -> str:
    name = listings.read_target(target).get("name", "")
    size = source.MAX_CODE_BYTES // 1024
    return f"{name} is no text of {size} KB at most in a folder called listings or code"


def show(target: str, found: Found | None, by_path: Mapping[str, Post], answers: Answers) -> str:
    """What stands in a mark's place: an address, the title of the post there, a file's code."""
    if target.startswith(listings.CODE):
        return listings.show(target, answers.read_code(found.path) if found else None)
    if not target.startswith(links.TITLE):
        return found.url if found else target
    other = by_path[found.post] if found and found.post else None
    if other is None or not is_visible(other):
        return source.make_fit(unquote(target.removeprefix(links.TITLE)))
    return other.title


def find_wishes(rest: list[Row], rows: list[Row]) -> dict[str, list[str]]:
    """The slugs that each of the `rest` asks for, one after the other."""
    rivals: dict[tuple[object, str], list[Row]] = {(row.day, row.base_slug): [] for row in rest}
    for row in rows:
        if (row.day, row.base_slug) in rivals:
            rivals[row.day, row.base_slug].append(row)
    wishes = {row.path: [wished_slug(row)] for row in rest}
    for group in rivals.values():
        members = translations.pick_languages(group, settings.LANGUAGE_CODE)
        for rank, row in enumerate(members):
            if row.path in wishes and row.stated_language and not row.is_translation:
                translated = add_language(row)
                wishes[row.path] = [translated] if rank else [row.base_slug, translated]
    return wishes


def share_slugs(rows: list[Post]) -> dict[str, list[str]]:
    """For each post whose slug others want too that are no translations, the paths of those."""
    groups: dict[tuple[object, str], list[Post]] = {}
    for row in rows:
        groups.setdefault((row.day, row.base_slug), []).append(row)
    return {
        row.path: [other.path for other in group if other.original != row.original]
        for group in groups.values()
        if len(group) > 1
        for row in group
    }


def link(
    row: Post,
    found: list[Found | None],
    by_path: Mapping[str, Post],
    answers: Answers,
    rivals: list[str],
) -> bool:
    """Keep what was found for the row's links; whether that changed anything."""
    if not row.links and not rivals and not row.urls and not row.site_problems:
        return False
    urls, problems = [], []
    for each, one in zip(row.links, found, strict=True):
        complaint = complain_of_link(unquote(each["target"]), one, row, by_path, answers)
        if complaint:
            problems.append(Problem(each["line"], complaint))
        urls.append(show(each["target"], one, by_path, answers))
    for rival in rivals:
        problems.append(
            Problem(
                1, f"{rival} has the same date and name; this one is at {row.get_absolute_url()}"
            )
        )
    told = [problem.as_json() for problem in sorted(set(problems))]
    is_changed = bool(urls != row.urls or told != row.site_problems)
    row.urls, row.site_problems = urls, told
    return is_changed


def address_of_file(path: str) -> str:
    return f"/files/{quote(path)}"

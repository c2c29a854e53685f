"""What a post owes to the others that want the same address: a slug of its own."""

import re
from collections.abc import Collection
from datetime import date
from itertools import count
from typing import NamedTuple, Protocol, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings

from posts import translations
from posts.models import Post

# Numbers and languages, which may be put behind a slug.
ENDINGS = re.compile(r"(?:-[a-z0-9]+)+$")


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

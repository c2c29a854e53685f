"""Which posts are translations of one another, and which of them is the original."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Generic, Protocol, TypeVar

from posts import languages, source


class Told(Protocol):
    """What a post says of itself; `stated_language` is "" where it was only guessed."""

    path: str
    day: date | None
    base_slug: str
    stated_language: str
    is_translation: bool


class Grouped(Told, Protocol):
    """`original` is the path of the first of the group, and `precedence` the number behind it."""

    original: str
    precedence: int


Row = TypeVar("Row", bound=Told)
GroupedRow = TypeVar("GroupedRow", bound=Grouped)


def set_originals(rows: Sequence[GroupedRow], site_language: str) -> set[GroupedRow]:
    """Give every post its original, which is itself for most; return those that got another."""
    places = {row.path: (row.path, 0) for row in rows}
    for group in find_translations(rows, site_language):
        places |= {row.path: (group[0].path, rank) for rank, row in enumerate(group)}
    touched = {row for row in rows if (row.original, row.precedence) != places[row.path]}
    for row in touched:
        row.original, row.precedence = places[row.path]
    return touched


def find_translations(rows: Sequence[Row], site_language: str) -> list[list[Row]]:
    """Groups of posts that are translations of one another, each with the original first.

    - By name: `post.zh_cn.md` translates the `post.md` of its folder, if there is one. (Nikola's
      way; with Nikola's metadata `post.zh_cn.md` and `post.de.md` need no `post.md`, but one
      another: `using.ts.md` alone is about TypeScript.)
    - By day and slug, where these are the same: one post in each language that is stated, and one
      that states none. (Pelican's way.) A guessed language counts for nothing: two posts that have
      day and slug in common by accident are no translations, nor are two of one stated language.
    - By slug alone, on several days, where no two of the posts are of one language: those dated in
      their metadata and not by their name, as Pelican's are, or all if one of them says
      `translation: true`.

    A post never translates a page, and no group has two posts of one stated language. The original
    is, one after the other: what is not marked as a translation (by its name, or
    `translation: true`), what states no language or the site's, what is oldest, what comes first
    by its path.
    """
    groups = Groups[Row]()
    by_slug: dict[tuple[bool, str], list[Row]] = defaultdict(list)
    for row in rows:
        by_slug[row.day is None, row.base_slug].append(row)
    for same in by_slug.values():
        if len(same) > 1:
            join_same_slug(groups, same, site_language)
    join_by_name(groups, rows)
    picked = [pick_languages(group, site_language) for group in groups]
    return [group for group in picked if group]


class Groups(Generic[Row]):
    """Rows that belong together grow into groups; those that stand alone are in none."""

    def __init__(self) -> None:
        self.by_path: dict[str, list[Row]] = {}

    def join(self, rows: Iterable[Row]) -> None:
        united: dict[str, Row] = {}
        for row in rows:
            united |= {each.path: each for each in self.by_path.get(row.path, [row])}
        group = list(united.values())
        for path in united if len(group) > 1 else ():
            self.by_path[path] = group

    def __iter__(self) -> Iterator[list[Row]]:
        return (rows for path, rows in self.by_path.items() if rows[0].path == path)


def join_same_slug(groups: Groups[Row], same: list[Row], site_language: str) -> None:
    by_day: dict[date | None, list[Row]] = defaultdict(list)
    for row in same:
        by_day[row.day].append(row)
    for rows in by_day.values():
        groups.join(pick_languages(rows, site_language))
    if len(by_day) > 1:
        is_told = any(row.is_translation for row in same)
        rows = [row for row in same if is_told or not source.split_name(row.path)[0]]
        if len(rows) == len({language_of(row) for row in rows}):
            groups.join(rows)


def join_by_name(groups: Groups[Row], rows: Sequence[Row]) -> None:
    by_base: dict[tuple[bool, str], list[Row]] = defaultdict(list)
    for row in rows:
        base = languages.split_path(row.path)[0] if row.is_translation else ""
        if base:
            by_base[row.day is None, base].append(row)
    if by_base:
        for row in rows:
            if (row.day is None, row.path) in by_base:
                by_base[row.day is None, row.path].append(row)
    for together in by_base.values():
        groups.join(together)


def pick_languages(rows: Iterable[Row], site_language: str) -> list[Row]:
    """Of posts that belong together those that are translations of one another, original first.

    Of two in one language the second is none.
    """
    picked: dict[str, Row] = {}
    for row in sort_originals_first(rows, site_language):
        picked.setdefault(language_of(row), row)
    return list(picked.values()) if len(picked) > 1 else []


def language_of(row: Told) -> str:
    """A translation that states no language is in one of its own."""
    return row.stated_language.lower() or (row.path if row.is_translation else "")


def sort_originals_first(rows: Iterable[Row], site_language: str) -> list[Row]:
    first = ("", main_part(site_language))
    return sorted(
        rows,
        key=lambda row: (
            row.is_translation,
            main_part(row.stated_language) not in first,
            row.day or date.min,
            row.path,
        ),
    )


def main_part(language: str) -> str:
    return language.partition("-")[0].lower()

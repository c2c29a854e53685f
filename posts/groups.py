"""Posts that have something in common: a tag, a category, a series, an author, a language."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.db.models import Case, Count, F, Min, OuterRef, QuerySet, Subquery, Value, When
from django.http import Http404

from posts import languages, reading
from posts.models import Post, PostQuerySet

Rows = QuerySet[Post, tuple[Any, ...]]


@dataclass(frozen=True)
class Kind:
    """`key` and `name` are what a post calls the group, as a column of its rows."""

    word: str
    folder: str
    key: str
    name: str


TAG = Kind("tag", "/tags/", "tag_rows__slug", "tag_rows__name")
CATEGORY = Kind("category", "/categories/", "category_slug", "category")
SERIES = Kind("series", "/series/", "series_slug", "series")
# A post may have several, in one column; and most blogs have one.
AUTHOR = Kind("author", "/authors/", "author", "author")
# All that begin alike are one: zh, zh-Hans and zh-CN.
LANGUAGE = Kind("language", "/languages/", "language", "language")


@dataclass(frozen=True)
class Group:
    kind: Kind
    slug: str
    name: str
    # Only where groups are listed, with their numbers of posts.
    count: int = 0
    # What the posts have in the column, where that is not the slug.
    values: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return f"{self.kind.folder}{quote(self.slug)}/"

    @property
    def posts(self) -> PostQuerySet:
        """Its published posts, newest first, each in one language."""
        among = {f"{self.kind.key}__in": self.values or (self.slug,)}
        return Post.objects.published().filter(**among).once(**among)


def find_group(slug: str, *kinds: Kind) -> Group:
    """The group of that name in an address, of the first kind that has one; in one query.

    Raises Http404 when no published post is in it. Its own `slug` is another than the asked one
    where that is the name as people write it (`C++`), or what it was called in addresses once.
    """
    slugs = reading.spell(slug)
    queries = [
        name_groups(kind, {} if kind in (AUTHOR, LANGUAGE) else {f"{kind.key}__in": slugs})
        for kind in kinds
    ]
    rows = list(unite(queries))
    for kind in kinds:
        found = [Group(kind, key, name) for key, name, word in rows if word == kind.word]
        pick = {AUTHOR: pick_author, LANGUAGE: pick_language}.get(kind, pick_one)
        if group := pick(slug, found):
            return group
    raise Http404(f"No post has the {' or '.join(kind.word for kind in kinds)} {slug}.")


def name_groups(kind: Kind, among: dict[str, object]) -> Rows:
    """(key, name, the kind's word) of each group among some posts."""
    # Where nothing tells the language, it is the site's.
    some = {} if kind is LANGUAGE else {f"{kind.key}__gt": ""}
    posts = Post.objects.published().order_by().filter(**some, **among)
    named = posts.values_list(kind.key).annotate(called=Min(kind.name), word=Value(kind.word))
    return cast(Rows, named)


def unite(queries: Sequence[Rows]) -> Rows:
    first, *others = queries
    return first.union(*others, all=True) if others else first


def pick_one(slug: str, groups: Sequence[Group]) -> Group | None:
    by_slug = {group.slug: group for group in groups}
    return next((by_slug[each] for each in reading.spell(slug) if each in by_slug), None)


def pick_author(slug: str, groups: Sequence[Group]) -> Group | None:
    """Of what the posts have as their author, with all that name this one."""
    wanted, names, values = reading.slugify(slug), set[str](), []
    for group in groups:
        if found := {n for n in reading.split_authors(group.name) if reading.slugify(n) == wanted}:
            names |= found
            values.append(group.slug)
    return Group(AUTHOR, wanted, min(names), values=tuple(values)) if names else None


def pick_language(slug: str, groups: Sequence[Group]) -> Group | None:
    wanted = languages.shorten(slug)
    return next((each for each in join_languages(groups) if each.slug == wanted), None)


def join_languages(groups: Sequence[Group]) -> list[Group]:
    """One for each language, whatever its posts say of region and script."""
    alike: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        alike[languages.shorten(group.slug or settings.LANGUAGE_CODE)].append(group.slug)
    return [
        Group(LANGUAGE, slug, languages.native(slug), values=tuple(found))
        for slug, found in sorted(alike.items())
    ]


def list_groups(*kinds: Kind) -> list[list[Group]]:
    """All of each kind, by their names in addresses; in one query for them all."""
    queries = [name_groups(kind, {}).annotate(number=count_each_once()) for kind in kinds]
    found: dict[str, list[Group]] = {kind.word: [] for kind in kinds}
    by_word = {kind.word: kind for kind in kinds}
    for slug, name, word, count in sorted(unite(queries)):
        found[word].append(Group(by_word[word], slug, name, count))
    if LANGUAGE in kinds:
        found[LANGUAGE.word] = join_languages(found[LANGUAGE.word])
    return list(found.values())


def count_each_once() -> Count:
    """How many posts, those that are translations of one another being one."""
    translations = Post.objects.filter(precedence__gt=0).values("pk")
    original = Post.objects.filter(path=OuterRef("original")).values("pk")
    return Count(
        Case(When(pk__in=translations, then=Subquery(original)), default=F("pk")), distinct=True
    )

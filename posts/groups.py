"""Posts that have something in common: a tag, a category, a series, an author."""

from dataclasses import dataclass
from urllib.parse import quote

from django.db.models import Case, Count, F, Min, OuterRef, Subquery, Value, When
from django.http import Http404

from posts import reading
from posts.models import Post, PostQuerySet


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


def find_group(kind: Kind, slug: str) -> Group:
    """The group of that name in an address. Raises Http404 when no published post is in it.

    Its own `slug` is another than the asked one where that is the name as people write it (`C++`),
    or what it was called in addresses once.
    """
    if kind is AUTHOR:
        return find_author(slug)
    slugs = reading.spell(slug)
    found = {
        row[0]: Group(kind, *row)
        for row in Post.objects.published()
        .order_by()
        .filter(**{f"{kind.key}__in": slugs})
        .values_list(kind.key)
        .annotate(called=Min(kind.name))
    }
    for each in slugs:
        if each in found:
            return found[each]
    raise Http404(f"No post has the {kind.word} {slug}.")


def find_author(slug: str) -> Group:
    published = Post.objects.published().order_by().exclude(author="")
    values: list[str] = []
    names: list[str] = []
    for value in published.values_list("author", flat=True).distinct():
        found = [name for name in reading.split_authors(value)
                 if reading.slugify(name) == reading.slugify(slug)]  # fmt: skip
        if found:
            names += found
            values.append(value)
    if not names:
        raise Http404(f"No post has the author {slug}.")
    return Group(AUTHOR, reading.slugify(slug), min(names), values=tuple(values))


def list_groups(*kinds: Kind) -> list[list[Group]]:
    """All of each kind, by their names in addresses; in one query for them all."""
    queries = [
        Post.objects.published()
        .order_by()
        .filter(**{f"{kind.key}__gt": ""})
        .values_list(kind.key)
        .annotate(called=Min(kind.name), number=count_each_once(), word=Value(kind.word))
        for kind in kinds
    ]
    found: dict[str, list[Group]] = {kind.word: [] for kind in kinds}
    by_word = {kind.word: kind for kind in kinds}
    for slug, name, count, word in sorted(queries[0].union(*queries[1:], all=True)):
        found[word].append(Group(by_word[word], slug, name, count))
    return list(found.values())


def count_each_once() -> Count:
    """How many posts, those that are translations of one another being one."""
    translations = Post.objects.filter(precedence__gt=0).values("pk")
    original = Post.objects.filter(path=OuterRef("original")).values("pk")
    return Count(
        Case(When(pk__in=translations, then=Subquery(original)), default=F("pk")), distinct=True
    )

"""Posts that have something in common: a tag, a category, a series."""

from dataclasses import dataclass
from urllib.parse import quote

from django.db.models import Count, Min
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


@dataclass(frozen=True)
class Group:
    kind: Kind
    slug: str
    name: str
    count: int

    @property
    def address(self) -> str:
        return f"{self.kind.folder}{quote(self.slug)}/"

    @property
    def posts(self) -> PostQuerySet:
        """Its published posts, newest first."""
        return Post.objects.published().filter(**{self.kind.key: self.slug})


def find_group(kind: Kind, slug: str) -> Group:
    """The group of that name in an address. Raises Http404 when no published post is in it.

    Its own `slug` is another than the asked one where that is the name as people write it (`C++`),
    or what it was called in addresses once.
    """
    slugs = reading.spell(slug)
    found = {
        row[0]: Group(kind, *row)
        for row in Post.objects.published()
        .order_by()
        .filter(**{f"{kind.key}__in": slugs})
        .values_list(kind.key)
        .annotate(called=Min(kind.name), number=Count("pk"))
    }
    for each in slugs:
        if each in found:
            return found[each]
    raise Http404(f"No post has the {kind.word} {slug}.")


def list_groups(kind: Kind) -> list[Group]:
    """All of a kind, by their names in addresses."""
    rows = (
        Post.objects.published()
        .order_by()
        .filter(**{f"{kind.key}__gt": ""})
        .values_list(kind.key)
        .annotate(called=Min(kind.name), number=Count("pk"))
        .order_by(kind.key)
    )
    return [Group(kind, *row) for row in rows]

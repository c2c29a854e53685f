"""What stands around a post: the one before, the one after, its series, and related ones."""

from typing import Any, cast

from django.db.models import Count, Q

from posts import search
from posts.lists import Lists
from posts.models import Post, PostQuerySet

RELATED = 4


def find_surroundings(post: Post) -> dict[str, Any]:
    """`previous`, `next`, `series` and `related`, in one query; in it the post's own lists too."""
    if post.published_at is None:
        return {}
    lists = Lists([post])
    older = Q(published_at__lt=post.published_at) | Q(
        published_at=post.published_at, path__gt=post.path
    )
    published = Post.objects.published().exclude(pk=post.pk)
    wanted = Q(pk__in=published.filter(older).values("pk")[:1])
    newer = published.exclude(older).order_by("published_at", "-path")
    wanted |= Q(pk__in=newer.values("pk")[:1])
    if post.series_slug:
        wanted |= Q(series_slug=post.series_slug)
    related = find_related(post)
    if related is not None:
        wanted |= Q(pk__in=related.values("pk")[:RELATED])
    shown = Post.objects.listed().for_lists().order_by("-published_at", "path")
    found = list(lists.query(shown.filter(wanted | lists.wanted)))
    lists.hand_out(found)
    return arrange(post, [each for each in found if each.published_at])


def find_related(post: Post) -> PostQuerySet | None:
    """Posts that share most tags, then the category; of equal ones the newest.

    Of a post that has neither, those whose titles share words with its own.
    """
    posts = Post.objects.published().exclude(pk=post.pk)
    if post.series_slug:
        posts = posts.exclude(series_slug=post.series_slug)
    if not post.tag_names and not post.category_slug:
        words = search.pick_words(post.title)
        return search.resemble(posts, words) if words else None
    slugs = [slug for _, slug in post.tags]
    shared = Count("tag_rows", filter=Q(tag_rows__slug__in=slugs))
    alike = Q(tag_rows__slug__in=slugs)
    if post.category_slug:
        alike |= Q(category_slug=post.category_slug)
    found: Any = posts.filter(alike).annotate(shared=shared)
    return cast(PostQuerySet, found.order_by("-shared", "-published_at", "path"))


def arrange(post: Post, found: list[Post]) -> dict[str, Any]:
    """Sort the posts that the query found, newest first, into their places."""
    others = [each for each in found if each.pk != post.pk]
    position = (-post.published_at.timestamp() if post.published_at else 0, post.path)

    def place(each: Post) -> tuple[float, str]:
        return (-each.published_at.timestamp() if each.published_at else 0, each.path)

    newer = [each for each in others if place(each) < position]
    older = [each for each in others if place(each) > position]
    related = [each for each in others if count_shared(post, each)]
    related.sort(key=lambda each: -count_shared(post, each))
    series = [each for each in found if post.series_slug and each.series_slug == post.series_slug]
    return {
        "previous": older[0] if older else None,
        "next": newer[-1] if newer else None,
        "series": series[::-1] if len(series) > 1 else [],
        "related": [each for each in related if each not in series][:RELATED],
    }


def count_shared(post: Post, other: Post) -> int:
    """How much the other is related to the post, as find_related has it."""
    if not post.tag_names and not post.category_slug:
        return sum(word in other.title.lower() for word in search.pick_words(post.title))
    shared = {slug for _, slug in post.tags} & {slug for _, slug in other.tags}
    return 2 * len(shared) + (post.category_slug == other.category_slug != "")

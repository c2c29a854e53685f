"""What stands around a post: its translations, its neighbours, its series, and related ones."""

from typing import Any, cast

from django.db.models import Case, Count, Q, Value, When

from posts import search
from posts.lists import Lists
from posts.models import Post, PostQuerySet, is_first

RELATED = 4


def find_surroundings(post: Post) -> dict[str, Any]:
    """`translations`, and of posts `previous`, `next`, `series` and `related`, in one query.

    It finds the lists within the post too, and hands them out.
    """
    listed, wanted, lists = Post.objects.listed(), Q(original=post.original), Lists([post])
    if post.published_at is not None:
        wanted |= find_around(post)
    posts = (
        listed.for_lists()
        .filter(wanted | lists.wanted)
        .annotate(is_first=Case(When(is_first(), then=Value(True)), default=Value(False)))
    )
    found: list[Any] = list(lists.query(posts).order_by("-published_at", "path"))
    lists.hand_out(found)
    mine = [each for each in found if each.original == post.original and each.pk != post.pk]
    mine.sort(key=lambda each: each.precedence)
    others = [each for each in found if each.original != post.original and each.published_at]
    around = arrange(post, others) if post.published_at is not None else {}
    return {"translations": mine, **around}


def find_around(post: Post) -> Q:
    """Of other posts those that stand around this one, each in one language."""
    older = Q(published_at__lt=post.published_at) | Q(
        published_at=post.published_at, path__gt=post.path
    )
    others = Post.objects.published().exclude(original=post.original)
    published = others.once()
    wanted = Q(pk__in=published.filter(older).values("pk")[:1])
    newer = published.exclude(older).order_by("published_at", "-path")
    wanted |= Q(pk__in=newer.values("pk")[:1])
    if post.series_slug:
        series = {"series_slug": post.series_slug}
        wanted |= Q(pk__in=others.filter(**series).once(**series).values("pk"))
    related = find_related(post, published)
    if related is not None:
        wanted |= Q(pk__in=related.values("pk")[:RELATED])
    return wanted


def find_related(post: Post, posts: PostQuerySet) -> PostQuerySet | None:
    """Posts that share most tags, then the category; of equal ones the newest.

    Of a post that has neither, those whose titles share words with its own.
    """
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


def arrange(post: Post, others: list[Any]) -> dict[str, Any]:
    """Sort the other posts that the query found, newest first, into their places."""
    position = (-post.published_at.timestamp() if post.published_at else 0, post.path)

    def place(each: Post) -> tuple[float, str]:
        return (-each.published_at.timestamp() if each.published_at else 0, each.path)

    # A series of translations may bring some that do not stand for their originals elsewhere.
    newer = [each for each in others if place(each) < position and each.is_first]
    older = [each for each in others if place(each) > position and each.is_first]
    related = [each for each in others if count_shared(post, each)]
    related.sort(key=lambda each: -count_shared(post, each))
    alike = [each for each in others if post.series_slug and each.series_slug == post.series_slug]
    series = sorted([post, *alike], key=place, reverse=True)
    return {
        "previous": older[0] if older else None,
        "next": newer[-1] if newer else None,
        "series": series if len(series) > 1 else [],
        "related": [each for each in related if each not in series][:RELATED],
    }


def count_shared(post: Post, other: Post) -> int:
    """How much the other is related to the post, as find_related has it."""
    if not post.tag_names and not post.category_slug:
        return sum(word in other.title.lower() for word in search.pick_words(post.title))
    shared = {slug for _, slug in post.tags} & {slug for _, slug in other.tags}
    return 2 * len(shared) + (post.category_slug == other.category_slug != "")

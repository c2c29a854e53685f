"""Lists of posts within posts: asked of the rows whenever a page is shown, so never stale."""

from collections.abc import Sequence
from typing import Any

from django.db.models import BooleanField, Case, F, Q, Value, When
from django.db.models.functions import Lower
from django.utils import timezone

from posts import choosing, reading
from posts.choosing import MOST_LISTED, MOST_LISTS, Choice, Clause
from posts.models import Post, PostQuerySet, Tag

SIGNS = {"==": "", "!=": "", "<=": "__lte", ">=": "__gte", "<": "__lt", ">": "__gt"}
PARTS = {
    "year": "day__year",
    "month": "day__month",
    "day": "day__day",
    "weekday": "day__iso_week_day",
    "isoweekday": "day__iso_week_day",
    "hour": "published_at__hour",
    "minute": "published_at__minute",
}
ORDERS: dict[str, tuple[Any, ...]] = {
    # Pages have no date; the databases differ about where they stand without a word about it.
    "date": (F("published_at").desc(nulls_last=True), "path"),
    "title": (Lower("title"), "path"),
    "slug": ("slug", "path"),
}


class Lists:
    """The lists within some posts, to be found together: `wanted` for a query's filter.

    Each costs time, and a feed may hold two hundred: it shows the first MOST_LISTS, and leads to
    the post instead of the others.
    """

    def __init__(self, posts: Sequence[Post]) -> None:
        self.posts = posts
        everything = [(post, choice) for post in posts for choice in choosing.find(post.body)]
        self.choices, self.rest = everything[:MOST_LISTS], everything[MOST_LISTS:]
        chosen = [choose(post, choice).values("pk") for post, choice in self.choices]
        self.conditions = [Q(pk__in=each) for each in chosen]

    @property
    def wanted(self) -> Q:
        return Q(*self.conditions, _connector=Q.OR) if self.conditions else Q(pk__in=[])

    def query(self, posts: PostQuerySet) -> PostQuerySet:
        """The query, that its rows tell in which of the lists they are."""
        marks = {
            f"is_in_{number}": Case(
                When(condition, then=Value(True)), default=Value(False), output_field=BooleanField()
            )
            for number, condition in enumerate(self.conditions)
        }
        return posts.annotate(**marks)

    def hand_out(self, found: Sequence[Post]) -> None:
        """Give each post its lists, of the rows that the query found."""
        lists: dict[Post, list[list[Post] | None]] = {post: [] for post in self.posts}
        for number, (post, choice) in enumerate(self.choices):
            chosen = [each for each in found if getattr(each, f"is_in_{number}")]
            chosen.sort(key=lambda each, choice=choice: sort_key(each, choice))  # type: ignore[misc]
            lists[post].append(chosen[::-1] if choice.is_reversed else chosen)
        for post, _ in self.rest:
            lists[post].append(None)
        for post in self.posts:
            post.lists = lists[post]


def fetch(posts: Sequence[Post]) -> None:
    """Give the posts their lists: in one query, or none where there are no lists."""
    lists = Lists(posts)
    if lists.choices:
        shown = Post.objects.listed().for_lists().filter(lists.wanted)
        lists.hand_out(list(lists.query(shown)))


def choose(post: Post, choice: Choice) -> PostQuerySet:
    kinds = {"posts": Post.objects.published, "pages": Post.objects.pages}
    listed = kinds.get(choice.kind, Post.objects.listed)()
    posts = listed.once().exclude(original=post.original)
    slugs = [reading.slugify(tag) for tag in choice.tags]
    for each in [[slug] for slug in slugs] if choice.wants_all_tags else [slugs]:
        if each:
            posts = posts.filter(pk__in=Tag.objects.filter(slug__in=each).values("post"))
    if choice.categories:
        posts = posts.filter(category_slug__in=map(reading.slugify, choice.categories))
    if choice.slugs:
        posts = posts.filter(Q(slug__in=choice.slugs) | Q(base_slug__in=choice.slugs))
    for clause in choice.clauses:
        posts = posts.filter(condition_of(clause))
    posts = posts.order_by(*ORDERS[choice.sort])
    return cut(posts.reverse() if choice.is_reversed else posts, choice)


def cut(posts: PostQuerySet, choice: Choice) -> PostQuerySet:
    """From `start` to `stop`; the last ones are the first of the other direction."""
    if choice.start < 0:
        return posts.reverse()[: min(-choice.start, MOST_LISTED)]
    end = choice.start + MOST_LISTED
    return posts[choice.start : end if choice.stop is None else min(choice.stop, end)]


def condition_of(clause: Clause) -> Q:
    if clause.part:
        shift = 1 if clause.part == "weekday" and isinstance(clause.value, int) else 0
        value: Any = clause.value + shift if isinstance(clause.value, int) else None
    else:
        value = clause.value or timezone.now()
        value = value if timezone.is_aware(value) else timezone.make_aware(value)
    found = Q(**{f"{PARTS.get(clause.part, 'published_at')}{SIGNS[clause.sign]}": value})
    return ~found if clause.sign == "!=" else found


def sort_key(post: Post, choice: Choice) -> tuple[Any, ...]:
    """As ORDERS has it."""
    if choice.sort == "date":
        return (-post.published_at.timestamp() if post.published_at else 0, post.path)
    return (post.title.lower() if choice.sort == "title" else post.slug, post.path)

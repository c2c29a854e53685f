"""Rows of the blog: posts, their tags, the other addresses that lead to them, what was indexed."""

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Self
from urllib.parse import quote

from django.conf import settings
from django.db import connection, models
from django.db.models import Exists, Min, OuterRef, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from posts import choosing, links, reading

# No post's own.
SOME_TIME = datetime(1, 1, 2, tzinfo=UTC)
UNSEEN_IN_LISTS = ("body", "text", "toc", "links", "anchors", "urls", "problems")


class PostQuerySet(models.QuerySet["Post"]):
    def shown(self, now: datetime | None = None) -> Self:
        """What a visitor can open now: posts whose time has come, pages, hidden ones too."""
        if settings.POSTS_PREVIEW:
            return self.filter(is_rendered=True)
        return self.filter(
            Q(published_at=None) | Q(published_at__lte=now or timezone.now()),
            status__in=(Post.Status.PUBLISHED, Post.Status.HIDDEN),
            is_rendered=True,
        )

    def listed(self, now: datetime | None = None) -> Self:
        """The shown ones that stand in lists, feeds, search and sitemap: all but hidden ones."""
        listed = self.shown(now)
        if settings.POSTS_PREVIEW:
            return listed.exclude(status=Post.Status.HIDDEN)
        return listed.filter(status=Post.Status.PUBLISHED)

    def published(self) -> Self:
        """Listed posts, newest first; pages (which have no date) are not among them."""
        return self.listed().filter(published_at__isnull=False).order_by("-published_at", "path")

    def pages(self) -> Self:
        return self.listed().filter(published_at=None).order_by("title", "path")

    def scheduled(self) -> Self:
        """Those whose time has not come."""
        return self.filter(published_at__gt=timezone.now())

    def list_authors(self) -> list[tuple[str, str]]:
        """What posts have as their author, each once, with the time from which one can be seen."""
        published = self.filter(
            status=Post.Status.PUBLISHED, day__isnull=False, is_rendered=True
        ).exclude(author="")
        found = published.order_by("author").values_list("author")
        return [(author, at.isoformat()) for author, at in found.annotate(Min("published_at"))]

    def once(self, **among: object) -> Self:
        """Of translations of one another only the first that visitors can see, mostly the original.

        `among` is what the posts were filtered by: a tag that only a translation has lists that.
        """
        return self.filter(is_first(**among))

    def unpublished(self) -> Self:
        """What only staff can see: drafts, private ones and those whose time is to come."""
        waiting = Q(status__in=(Post.Status.DRAFT, Post.Status.PRIVATE))
        scheduled = Q(published_at__gt=timezone.now())
        return self.filter(waiting | scheduled, is_rendered=True).order_by("path")

    def for_lists(self) -> Self:
        """Without the columns that only a post's own page needs."""
        return self.defer(*UNSEEN_IN_LISTS)


class Post(models.Model):
    """One file of POSTS_DIR, as it is shown. Its columns follow from the file and its history."""

    class Status(models.TextChoices):
        PUBLISHED = "published", _("published")
        DRAFT = "draft", _("draft")
        HIDDEN = "hidden", _("hidden")
        PRIVATE = "private", _("private")

    path = models.CharField(_("file"), max_length=500, unique=True)
    uid = models.UUIDField(unique=True, default=uuid.uuid4)
    digest = models.CharField(max_length=200)
    renderer = models.CharField(max_length=100)
    is_rendered = models.BooleanField(default=False)

    title = models.CharField(_("title"), max_length=500)
    slug = models.CharField(max_length=300)
    base_slug = models.CharField(max_length=300)
    day = models.DateField(null=True)
    published_at = models.DateTimeField(_("published at"), null=True)
    revised_at = models.DateTimeField(null=True)
    # The last commits that changed the file, and that brought it to where it is.
    committed_at = models.DateTimeField(null=True)
    added_at = models.DateTimeField(null=True)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices)
    language = models.CharField(_("language"), max_length=20, blank=True)
    # The same, where it was not guessed; and whether the post says that it is a translation.
    stated_language = models.CharField(max_length=20, blank=True, default="", db_default="")
    is_translation = models.BooleanField(default=False, db_default=False)
    # The path of the post that it translates, its own if it translates none, and its place among
    # the translations of that: see posts.translations.
    original = models.CharField(max_length=500, blank=True, default="", db_default="")
    precedence = models.PositiveIntegerField(default=0, db_default=0)
    author = models.CharField(_("author"), max_length=300, blank=True)
    category = models.CharField(_("category"), max_length=200, blank=True)
    category_slug = models.CharField(max_length=200, blank=True)
    series = models.CharField(_("series"), max_length=200, blank=True)
    series_slug = models.CharField(max_length=200, blank=True)
    tag_names = models.JSONField(default=list)
    summary = models.TextField(blank=True)
    image = models.CharField(max_length=500, blank=True)

    body = models.TextField(blank=True)
    text = models.TextField(blank=True)
    toc = models.JSONField(default=list)
    links = models.JSONField(default=list)
    # Ids within the body, to which other posts may link.
    anchors = models.JSONField(default=list)
    urls = models.JSONField(default=list)
    minutes = models.PositiveIntegerField(default=1)
    # Under which posts.search has the title and the text.
    search_key = models.BigIntegerField(null=True)
    problems = models.JSONField(_("problems"), default=list)
    site_problems = models.JSONField(default=list)
    is_broken = models.BooleanField(_("broken"), default=False)

    # The posts of each list within the body, None for one to be seen at the post; see posts.lists.
    lists: Sequence[Sequence["Post"] | None] = ()

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        indexes = [
            models.Index(fields=["published_at", "path"], name="post_by_time"),
            # Lists are counted and sorted from this one alone: the rows themselves are large.
            models.Index(
                fields=["status", "-published_at", "path", "is_rendered"], name="post_listed"
            ),
            models.Index(fields=["original", "precedence"], name="post_translations"),
            models.Index(fields=["day", "slug"], name="post_by_address"),
            models.Index(fields=["search_key"], name="post_by_search_key"),
            models.Index(fields=["series_slug"], name="post_by_series"),
            models.Index(fields=["category_slug"], name="post_by_category"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return address_of(self.day, self.slug)

    @property
    def html(self) -> str:
        """The body with its links put in, and with its lists, if it has been given them."""
        rest = iter(self.lists)
        filled = links.fill(self.body, self.urls)
        return choosing.MARK.sub(lambda _: self.show_list(next(rest, ())), filled)

    def show_list(self, posts: Sequence["Post"] | None) -> str:
        return choosing.show(posts) if posts is not None else f"<p>{choosing.show_link(self)}</p>"

    @property
    def tags(self) -> list[tuple[str, str]]:
        """(name, slug) of each tag, as the post names them."""
        return [(name, reading.slugify(name)) for name in self.tag_names]

    @property
    def authors(self) -> list[tuple[str, str]]:
        """(name, slug) of each author."""
        return [(name, reading.slugify(name)) for name in reading.split_authors(self.author)]

    @property
    def told_language(self) -> str:
        """What machines and the links to translations are told: where nothing tells, the site's."""
        return self.language or settings.LANGUAGE_CODE

    @property
    def image_url(self) -> str:
        return self.urls[-1] if self.image and self.urls else ""

    @property
    def updated_at(self) -> datetime | None:
        """When the content last changed: the metadata's word, else the last commit's time."""
        changed_at = self.revised_at or self.committed_at
        if changed_at and self.published_at and changed_at <= self.published_at:
            return self.published_at
        return changed_at or self.published_at

    @property
    def is_updated(self) -> bool:
        """Changed on a later day than it appeared, and not by bringing the file here.

        Posts that came from another blog would all be updated on the day of the move.
        """
        if self.published_at is None or self.updated_at is None:
            return False
        if self.revised_at is None and self.committed_at == self.added_at:
            return False
        return (self.updated_at - self.published_at).days >= 1

    @property
    def is_scheduled(self) -> bool:
        return self.published_at is not None and self.published_at > timezone.now()

    @property
    def all_problems(self) -> list[dict[str, Any]]:
        return sorted([*self.problems, *self.site_problems], key=lambda problem: problem["line"])


def is_first(**among: object) -> Q:
    """No other translation, of those that visitors see in lists now, comes before it.

    Told by the few that stand behind another: to look at each row would read it to its end.
    """
    return ~Q(pk__in=find_behind(timezone.now(), among).values("pk") if among else raw_behind())


def find_behind(now: datetime, among: dict[str, object]) -> PostQuerySet:
    earlier = Post.objects.listed(now).filter(
        original=OuterRef("original"), precedence__lt=OuterRef("precedence"), **among
    )
    return Post.objects.filter(Exists(earlier), precedence__gt=0)


def raw_behind() -> RawSQL:
    """The same among all posts, put into SQL once.

    Most pages ask for it several times, and Django takes about a millisecond for it each time.
    """
    sql, params = word_behind(connection.vendor, settings.POSTS_PREVIEW)
    adapt = connection.ops.adapt_datetimefield_value
    some_time, now = adapt(SOME_TIME), adapt(timezone.now())
    params = tuple(now if each == some_time else each for each in params)
    return RawSQL(sql, params)  # noqa: S611 - Django's own words


@cache
def word_behind(vendor: str, is_preview: bool) -> tuple[str, tuple[Any, ...]]:
    """SQL with its parameters, SOME_TIME being among them where the present time belongs."""
    return find_behind(SOME_TIME, {}).values("pk").query.sql_with_params()


def address_of(day: date | None, slug: str) -> str:
    """Where a post of that day lives; without a day it is a page.

    Written out: `reverse` would take a tenth of a second for a thousand posts.
    """
    return (
        f"/{day.isoformat().replace('-', '/')}/{quote(slug)}/" if day else f"/pages/{quote(slug)}/"
    )


def article_address_of(path: str) -> str:
    """Where the older site, the one before this, showed the file."""
    return f"/articles/{quote(path.rpartition('/')[2])}.html"


class Tag(models.Model):
    """A post's tag. The tag itself has no row: what it is called and counts is asked of these."""

    post = models.ForeignKey(Post, models.CASCADE, related_name="tag_rows")
    name = models.CharField(max_length=200)
    slug = models.CharField(max_length=200)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["slug", "post"], name="tag_once_a_post")]

    def __str__(self) -> str:
        return self.name


class Address(models.Model):
    """Another address of a post, from which visitors are sent on to it."""

    class Kind(models.IntegerChoices):
        """The smaller wins where two posts had one address."""

        ALIAS = 1, _("alias")
        FORMER = 2, _("former address")

    # Percent-encoded: a slug of 200 characters may take twelve times as many. No more than this,
    # because PostgreSQL's indexes hold 2700 bytes a row.
    address = models.CharField(max_length=2500)
    kind = models.PositiveSmallIntegerField(choices=Kind.choices)
    post = models.ForeignKey(Post, models.CASCADE, related_name="addresses")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["address", "kind", "post"], name="address_once"),
        ]

    def __str__(self) -> str:
        return self.address


class Snapshot(models.Model):
    """What the index last made rows from: one row, id 1."""

    changed_at = models.DateTimeField()
    commit = models.CharField(max_length=64, blank=True)
    places = models.CharField(max_length=40, blank=True)
    edit_url = models.CharField(max_length=500, blank=True)
    # What the published posts have as their author, as they write it, each once.
    authors = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    # snapshots.dump_stamps: half a megabyte for thousands of posts, which no page needs.
    stamps = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.commit or 'files'}, {self.changed_at}"

"""What the site answers: whether an address leads to something that visitors can open."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from datetime import date
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote, unquote

from django.apps import apps
from django.conf import settings
from django.urls import Resolver404, ResolverMatch, resolve

from posts import groups, guessing, reading
from posts.codes import Codes
from posts.exhibitions import Exhibitions
from posts.models import Address, Post, Tag
from posts.source import Folder

# Lists that a draft may be the first of.
TO_COME = re.compile("/(?:tags|categories|series|archive)/")
VISIBLE = (Post.Status.PUBLISHED, Post.Status.HIDDEN)


class Answers:
    """Of all addresses below `/`, by the site's own URLconf. What costs a query is asked for late.

    `lists` gives the addresses of lists that have posts, `others` those that are sent on to a post,
    both as visitors write them (not percent-encoded); `waiting`, with the primary key of the post,
    those that will be sent on to it when visitors can open it. `coming` are the paths of posts
    whose time has not come.
    """

    def __init__(
        self,
        rows: Iterable[Post],
        folder: Folder,
        codes: Codes,
        exhibitions: Exhibitions,
        coming: Collection[str],
        lists: Callable[[], set[str]],
        others: Callable[[], set[str]],
        waiting: Callable[[], set[tuple[int, str]]],
    ) -> None:
        self.rows = list(rows)
        self.folder = folder
        self.files = folder.files
        self.codes = codes
        self.exhibitions = exhibitions
        self.coming = coming
        self.get_lists = lists
        self.get_others = others
        self.get_waiting = waiting

    @cached_property
    def lists(self) -> set[str]:
        return self.get_lists()

    @cached_property
    def others(self) -> set[str]:
        return self.get_others()

    @cached_property
    def waiting(self) -> set[tuple[int, str]]:
        return self.get_waiting()

    @cached_property
    def posts(self) -> dict[str, str]:
        """The path of each post by its address."""
        return {unquote(row.get_absolute_url()): row.path for row in self.rows}

    @cached_property
    def articles(self) -> set[str]:
        """The names that the older site's addresses were made of."""
        return {row.path.rpartition("/")[2] for row in self.rows if is_visible(row)}

    def find_post(self, path: str) -> str | None:
        """The post that lives at the address, drafts too."""
        return self.posts.get(path) or self.posts.get(path + "/")

    def show_code(self, target: str, source: str) -> str | None:
        return self.codes.show(self.folder, target, source)

    def will_have(self, row: Post, path: str) -> bool:
        """Whether it leads somewhere once visitors can open the post `row`, in which it stands."""
        if is_visible(row):
            return False
        own = {(row.pk, spelling) for spelling in (path, path.rstrip("/"), path + "/")}
        return bool(TO_COME.match(path)) or not self.waiting.isdisjoint(own)

    def has(self, path: str) -> bool:
        # What the proxy has below `/.well-known/` is not known here.
        if path.startswith((f"/{settings.STATIC_URL.strip('/')}/", "/.well-known/")):
            return True
        for spelling in (path, path + "/"):
            match = find_view(spelling)
            if match and self.is_answered(spelling, match):
                return True
        if not self.others.isdisjoint({path, path.rstrip("/"), path + "/"}):
            return True
        is_file = not self.files.isdisjoint(guessing.list_places(path[1:]))
        return is_file or guessing.is_always_there(path)

    def is_answered(self, path: str, match: ResolverMatch) -> bool:
        """Whether the view finds something; those of other apps know best themselves."""
        name = match.url_name if match.namespaces == ["posts"] else ""
        if name in ("post", "page"):
            return path in self.posts
        if "kind" in match.kwargs:
            kind = match.kwargs["kind"]
            # Which languages there are changes with the texts; nobody links there by mistake.
            return kind is groups.LANGUAGE or self.has_list(kind.folder, match.kwargs["slug"])
        if name == "archive_year":
            return path in self.lists
        if name == "article":
            return match.kwargs["name"].rpartition("/")[2] in self.articles
        if name == "file":
            return match.kwargs["path"] in self.files
        return True

    def has_list(self, folder: str, slug: str) -> bool:
        """In the spellings that groups.find_group knows."""
        return any(f"{folder}{each}/" in self.lists for each in reading.spell(slug))


def find_view(path: str) -> ResolverMatch | None:
    try:
        return resolve(path)
    except Resolver404:
        return None


def is_visible(row: Post) -> bool:
    """Visitors can open it, now or when its time has come."""
    return row.status in VISIBLE


def list_addresses(
    row: Post, tag_slugs: Iterable[str], category_slug: str, series_slug: str
) -> set[str]:
    """Of the lists in which a post stands, percent-encoded."""
    if row.status != Post.Status.PUBLISHED or row.day is None:
        return set()
    found = {address_of_group("tags", slug) for slug in tag_slugs}
    found.add(address_of_year(row.day))
    found |= {address_of_group("authors", slug) for _, slug in row.authors}
    found |= {address_of_group("categories", category_slug)} if category_slug else set()
    return found | ({address_of_group("series", series_slug)} if series_slug else set())


def address_of_group(folder: str, slug: str) -> str:
    return f"/{folder}/{quote(slug)}/"


def address_of_year(day: date) -> str:
    return f"/archive/{day.year:04}/"


def address_of_list(kind: str, name: str) -> str:
    """Pelican's and Nikola's words for lists: tag, category, archive, index, ...; "" for others."""
    slug = reading.slugify(name)
    return {
        "tag": address_of_group("tags", slug),
        "tag_rss": address_of_group("tags", slug) + "feed/",
        "tag_atom": address_of_group("tags", slug) + "feed/",
        "category": address_of_group("categories", slug),
        "series": address_of_group("series", slug),
        "archive": f"/archive/{name}/" if re.fullmatch(r"[0-9]{4}", name) else "/archive/",
        "tag_index": "/tags/",
        "category_index": "/tags/",
        "rss": "/rss/",
        "index": "/",
        "root": "/",
        "author": address_of_group("authors", slug),
    }.get(kind, "")


def stored_lists() -> set[str]:
    """The lists of the posts in the database."""
    posts = Post.objects.filter(
        status=Post.Status.PUBLISHED, day__isnull=False, is_rendered=True
    ).order_by()
    tags = Tag.objects.filter(post__in=posts).values_list("slug", flat=True).distinct()
    found = {f"/tags/{slug}/" for slug in tags}
    for folder, column in (("categories", "category_slug"), ("series", "series_slug")):
        slugs = posts.exclude(**{column: ""}).values_list(column, flat=True).distinct()
        found |= {f"/{folder}/{slug}/" for slug in slugs}
    names = (name for value, _ in posts.list_authors() for name in reading.split_authors(value))
    found |= {f"/authors/{reading.slugify(name)}/" for name in names}
    return found | {address_of_year(day) for day in posts.dates("day", "year")}


def stored_others(**only: object) -> set[str]:
    """Aliases and former addresses of the posts in the database that visitors can open."""
    found = Address.objects.filter(post__status__in=VISIBLE, post__is_rendered=True, **only)
    return {unquote(address) for address in found.values_list("address", flat=True)}


def stored_waiting() -> set[tuple[int, str]]:
    """Aliases and former addresses of those that visitors cannot open."""
    found = Address.objects.exclude(post__status__in=VISIBLE).filter(post__is_rendered=True)
    return {(pk, unquote(address)) for pk, address in found.values_list("post", "address")}


def digest_urls() -> str:
    """Changes with what the site answers; cheaper than importing all of it for one edit."""
    digest = hashlib.sha1(usedforsecurity=False)
    site = find_spec(settings.ROOT_URLCONF)
    files = [Path(each.path) / "urls.py" for each in apps.get_app_configs()]
    for file in [Path(site.origin), *files] if site and site.origin else files:
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()


# What others may link to: the post, an address, and what is true there.
Fact = tuple[int, str, str]


def stored_facts(posts: Collection[int]) -> set[Fact]:
    """Everything about these posts that is for links of others to find: compare before and after.

    A link leads elsewhere or nowhere only if the fact of its address is not what it was.
    """
    rows = {row.pk: row for row in Post.objects.filter(pk__in=posts, is_rendered=True).only(
        "status", "day", "slug", "title", "author", "anchors", "category_slug",
        "series_slug")}  # fmt: skip
    slugs: dict[int, list[str]] = {}
    for pk, slug in Tag.objects.filter(post__in=rows).values_list("post", "slug"):
        slugs.setdefault(pk, []).append(slug)
    facts = {
        (row.pk, row.get_absolute_url(), f"{is_visible(row)} {row.anchors} {row.title}")
        for row in rows.values()
    }
    for pk, row in rows.items():
        lists = list_addresses(row, slugs.get(pk, []), row.category_slug, row.series_slug)
        facts |= {(pk, address, "") for address in lists}
    others = Address.objects.filter(post__in=rows).values_list("post", "address")
    return facts | {(pk, address, "") for pk, address in others if is_visible(rows[pk])}

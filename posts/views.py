"""The pages of the blog."""

from datetime import date
from typing import Any
from urllib.parse import quote, unquote

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.core.paginator import Page, Paginator
from django.db.models import Count, IntegerField, Q, QuerySet, Subquery, Value
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.templatetags.static import static
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from posts import groups, guessing, lists
from posts import search as finder
from posts.groups import Kind, find_group, list_groups
from posts.models import Address, Post, PostQuerySet, Snapshot
from posts.pages import Guessed, Moved, frame, show
from posts.surroundings import find_surroundings

POSTS_A_PAGE = 10
# However many posts there are, each page of the archive stays below 100 KB.
NEWEST_IN_ARCHIVE = 200
TITLES_A_PAGE = 400
# As it stands in rows: whole addresses are percent-encoded there.
QUESTION = quote("?")
MEANT = "posts.meant"


def paginate(request: HttpRequest, posts: QuerySet[Post], size: int = POSTS_A_PAGE) -> Page[Post]:
    """The asked page of a list, in one query. A number past the end, or no number, is no page."""
    asked = request.GET.get("page", "1")
    number = int(asked[:9]) if asked.isdecimal() else 0
    if number < 1:
        raise Http404("There is no such page.")
    end = number * size
    rows = list(posts.annotate(total=count(posts))[end - size : end])
    if not rows and number > 1:
        raise Http404("There is no such page.")
    paginator = Paginator(posts, size)
    paginator.count = rows[0].total if rows else 0
    return Page(rows, number, paginator)


def count(posts: QuerySet[Post]) -> Subquery:
    """How many there are, for a query to tell with each of them: asked once for them all."""
    rows = posts.order_by().values(one=Value(1)).annotate(number=Count("*"))
    return Subquery(rows.values("number"), output_field=IntegerField())


@require_safe
def front(request: HttpRequest) -> HttpResponse:
    """The newest posts, unless the query makes it one's older address (WordPress' `/?p=12`)."""
    asked = request.META["QUERY_STRING"]
    moved = find_moved(request) if asked and "page" not in request.GET else None
    if moved is not None:
        return Moved(moved)
    page = paginate(request, Post.objects.published().once().for_lists())
    return show(request, "posts/front.html", {"page": page})


@require_safe
def post(request: HttpRequest, year: str, month: str, day: str, slug: str) -> HttpResponse:
    try:
        on = date(int(year), int(month), int(day))
    except ValueError as error:
        raise Http404("There is no such day.") from error
    found = get_object_or_404(Post.objects.shown().defer("text"), day=on, slug=slug)
    return show(request, "posts/post.html", {"post": found, **find_surroundings(found)})


@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Post.objects.shown().defer("text"), day=None, slug=slug)
    return show(request, "posts/post.html", {"post": found, **find_surroundings(found)})


@require_safe
def article(request: HttpRequest, name: str) -> HttpResponse:
    """The address of the older site: the post whose file has that name."""
    found = (
        Post.objects.shown()
        .filter(Q(path=name) | Q(path__endswith=f"/{name}"))
        .for_lists()
        .order_by("path")
        .first()
    )
    if found is None:
        raise Http404(f"There is no article {name}.")
    return Moved(found.get_absolute_url())


@require_safe
def tags(request: HttpRequest) -> HttpResponse:
    tags, categories, series, languages = list_groups(
        groups.TAG, groups.CATEGORY, groups.SERIES, groups.LANGUAGE
    )
    context = {"tags": tags, "categories": categories, "series": series, "languages": languages}
    return show(request, "posts/tags.html", context)


@require_safe
def group(request: HttpRequest, slug: str, kind: Kind) -> HttpResponse:
    """Posts that have something in common: series from the first on, the others newest first."""
    asked, kinds = slug, [kind]
    if kind is groups.CATEGORY:  # where Nikola has tags, and categories behind "cat_"
        asked = slug.removeprefix("cat_")
        kinds += [groups.TAG] if asked == slug else []
    found = find_group(asked, *kinds)
    if (found.kind, found.slug) != (kind, slug):
        return Moved(found.address)
    posts = found.posts.for_lists()
    if kind is groups.SERIES:
        posts = posts.order_by("published_at", "path")
    page = paginate(request, posts)
    return show(request, "posts/group.html", {"page": page, "group": found})


@require_safe
def archive(request: HttpRequest) -> HttpResponse:
    """The newest posts by year, and the way to the other years."""
    years, posts = count_years(), list_titles()[:NEWEST_IN_ARCHIVE]
    context = {"years": years, "posts": posts, "is_cut": sum(years.values()) > NEWEST_IN_ARCHIVE}
    return show(request, "posts/archive.html", context)


@require_safe
def archive_year(request: HttpRequest, year: str) -> HttpResponse:
    if not int(year):
        raise Http404("There is no such year.")
    page = paginate(request, list_titles().filter(day__year=int(year)), TITLES_A_PAGE)
    if not page.object_list:
        raise Http404("Nothing was published in that year.")
    context = {"years": count_years(), "posts": page, "page": page, "year": int(year)}
    return show(request, "posts/archive.html", context)


def list_titles() -> PostQuerySet:
    return Post.objects.published().once().only("title", "slug", "day", "published_at", "language")


def count_years() -> dict[int, int]:
    """How many posts each year has, the newest first."""
    posts = Post.objects.published().once().order_by("-day__year")
    return dict(posts.values_list("day__year").annotate(number=Count("pk")))


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    query = guessing.CONTROLS.sub(" ", request.GET.get("q", "")).strip()[:200]
    terms = finder.split_terms(query)
    found = finder.find(query)
    results = [(each, finder.excerpt(each.text, terms)) for each in found[:50]]
    return show(
        request, "posts/search.html", {"query": query, "results": results, "count": len(found)}
    )


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    lines = ["User-agent: *", "Disallow: /admin/", "Disallow: /search/", "Disallow: /drafts/"]
    text = "\n".join([*lines, "", f"Sitemap: {settings.SITE_URL}/sitemap.xml", ""])
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    patch_cache_control(response, public=True, max_age=3600)
    return response


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    return Moved(static("posts/favicon.svg"))


@never_cache
@staff_member_required
def drafts(request: HttpRequest) -> HttpResponse:
    """What waits: drafts, private posts and those whose time is to come."""
    context = {**frame(request, Snapshot()), "posts": Post.objects.unpublished().for_lists()}
    with translation.override(settings.LANGUAGE_CODE):
        return render(request, "posts/drafts.html", context)


@never_cache
@staff_member_required
def draft(request: HttpRequest, uid: str) -> HttpResponse:
    edit_url = Subquery(Snapshot.objects.values("edit_url")[:1])
    posts = Post.objects.filter(is_rendered=True).annotate(edit_url=edit_url)
    found: Any = get_object_or_404(posts, uid=uid)
    lists.fetch([found])
    context = {
        **frame(request, Snapshot(edit_url=found.edit_url or "")),
        "post": found,
        "is_draft": True,
    }
    with translation.override(settings.LANGUAGE_CODE):
        return render(request, "posts/post.html", context)


def find_moved(request: HttpRequest) -> str | None:
    """Where a post lives now that was once at this address, or names it among its aliases.

    The address is meant with its query or without; its last slash is nothing.
    """
    path, query = quote(unquote(request.path)), quote(unquote(request.META["QUERY_STRING"]))
    spellings = {path, path.rstrip("/"), f"{path}/"}
    exact = {f"{each}{QUESTION}{query}" for each in spellings} if query else set()
    wanted = exact if request.path == "/" else spellings | exact
    found = Address.objects.filter(address__in=wanted, post__in=Post.objects.shown())
    moved = sorted(
        found.select_related("post").defer("post__body", "post__text"),
        key=lambda each: (each.address not in exact, each.kind, each.post.path),
    )
    return moved[0].post.get_absolute_url() if moved else None


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Send on who comes by an older address; offer what resembles the address to the others."""
    # No other page of a list is meant: there are no more.
    name = guessing.read_name(request.path) if "page" not in request.GET else ""
    address, results = guessing.guess(request.path, name)
    context = {"query": guessing.find_query(name), "results": results}
    response = show(request, "posts/404.html", context, status=404)
    # For posts.middleware, which knows first whether a post was there once.
    if address:
        request.META[MEANT] = Guessed(address)
    elif elsewhere := guessing.find_elsewhere(request.path):
        request.META[MEANT] = Moved(elsewhere)
    return response

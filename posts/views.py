"""The pages of the blog."""

import re
from datetime import date
from typing import Any
from urllib.parse import quote, unquote

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.core.paginator import Page, Paginator
from django.db.models import Count, F, IntegerField, Min, Q, QuerySet, Subquery, Value
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

from posts import search as finder
from posts.links import MARKUP_ENDS
from posts.models import UNSEEN_IN_LISTS, Address, Post, Tag
from posts.pages import Moved, frame, get_snapshot, show
from posts.surroundings import find_surroundings

POSTS_A_PAGE = 10
# What no page may hold.
# As it stands in rows: whole addresses are percent-encoded there.
QUESTION = quote("?")
CONTROLS = re.compile("[\x00-\x1f\x7f]+")


def paginate(request: HttpRequest, posts: QuerySet[Post]) -> Page[Any]:
    """The asked page of a list, in one query. A number past the end, or no number, is no page."""
    asked = request.GET.get("page", "1")
    number = int(asked[:9]) if asked.isdecimal() else 0
    if number < 1:
        raise Http404("There is no such page.")
    end = number * POSTS_A_PAGE
    rows = list(posts.annotate(total=count(posts))[end - POSTS_A_PAGE : end])
    if not rows and number > 1:
        raise Http404("There is no such page.")
    paginator = Paginator(posts, POSTS_A_PAGE)
    paginator.count = getattr(rows[0], "total", 0) if rows else 0
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
    page = paginate(request, Post.objects.published().for_lists())
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
    return show(request, "posts/post.html", {"post": found})


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
    listed = Tag.objects.filter(post__in=Post.objects.published().order_by())
    counted = listed.values("slug").annotate(name=Min("name"), count=Count("post")).order_by("slug")
    categories = (
        Post.objects.published().exclude(category_slug="").values("category_slug")
        .annotate(name=Min("category"), count=Count("pk")).order_by("category_slug")
    )  # fmt: skip
    return show(request, "posts/tags.html", {"tags": counted, "categories": categories})


@require_safe
def tag(request: HttpRequest, slug: str) -> HttpResponse:
    posts = Post.objects.published().filter(tag_rows__slug=slug)
    context = {"slug": slug, "feed": f"/tags/{quote(slug)}/feed/"}
    return show_group(request, posts.annotate(group=F("tag_rows__name")), "tag", context)


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    posts = Post.objects.published().filter(category_slug=slug)
    return show_group(request, posts.annotate(group=F("category")), "group", {"kind": "category"})


@require_safe
def series(request: HttpRequest, slug: str) -> HttpResponse:
    posts = Post.objects.published().filter(series_slug=slug).order_by("published_at", "path")
    return show_group(request, posts.annotate(group=F("series")), "group", {"kind": "series"})


def show_group(
    request: HttpRequest, posts: QuerySet[Post], template: str, context: dict[str, Any]
) -> HttpResponse:
    """Posts that have something in common, which they call `group`; no posts, no page."""
    page = paginate(request, posts.defer(*UNSEEN_IN_LISTS))
    if not page.object_list:
        raise Http404("No post belongs here.")
    name = page.object_list[0].group
    return show(request, f"posts/{template}.html", {"page": page, "name": name, **context})


@require_safe
def archive(request: HttpRequest) -> HttpResponse:
    posts = Post.objects.published().only("title", "slug", "day", "published_at", "language")
    return show(request, "posts/archive.html", {"posts": posts})


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    query = CONTROLS.sub(" ", request.GET.get("q", "")).strip()[:200]
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
    context = {**frame(request, get_snapshot()), "posts": Post.objects.unpublished().for_lists()}
    with translation.override(settings.LANGUAGE_CODE):
        return render(request, "posts/drafts.html", context)


@never_cache
@staff_member_required
def draft(request: HttpRequest, uid: str) -> HttpResponse:
    found = get_object_or_404(Post.objects.filter(is_rendered=True), uid=uid)
    context = {**frame(request, get_snapshot()), "post": found, "is_draft": True}
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
    name = unquote(request.path).rstrip("/").rpartition("/")[2].removesuffix(".html")
    words = re.split(r"[\s_.-]+", MARKUP_ENDS.sub("", name))
    terms = [word for word in words if word and not word.isdecimal()][:4]
    found = finder.find(" ".join(terms))[:5] if terms else []
    context = {"query": " ".join(terms), "results": found}
    return show(request, "posts/404.html", context, status=404)

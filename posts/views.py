"""The pages of the blog."""

import re
from datetime import date
from typing import Any
from urllib.parse import quote, unquote

from django.conf import settings
from django.contrib.admin.views.decorators import staff_member_required
from django.core.paginator import Paginator
from django.db.models import Count, F, Min, Q, QuerySet
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
CONTROLS = re.compile("[\x00-\x1f\x7f]+")


def paginate(request: HttpRequest, posts: QuerySet[Post]) -> Any:
    """The asked page of a list. A number past the end, or no number, is no page."""
    number = request.GET.get("page", "1")
    paginator = Paginator(posts, POSTS_A_PAGE)
    if not number.isdecimal() or not 1 <= int(number[:9]) <= paginator.num_pages:
        raise Http404("There is no such page.")
    return paginator.page(int(number))


@require_safe
def front(request: HttpRequest) -> HttpResponse:
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


def find_moved(path: str) -> str | None:
    """Where a post lives now that was once at this address, or names it among its aliases."""
    spellings = {quote(unquote(path)), quote(unquote(path).rstrip("/")), quote(unquote(path)) + "/"}
    moved = (
        Address.objects.filter(address__in=spellings, post__in=Post.objects.shown())
        .select_related("post")
        .defer("post__body", "post__text")
        .order_by("kind", "post__path")
        .first()
    )
    return moved.post.get_absolute_url() if moved else None


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Send on who comes by an older address; offer what resembles the address to the others."""
    name = unquote(request.path).rstrip("/").rpartition("/")[2].removesuffix(".html")
    words = re.split(r"[\s_.-]+", MARKUP_ENDS.sub("", name))
    terms = [word for word in words if word and not word.isdecimal()][:4]
    found = finder.find(" ".join(terms))[:5] if terms else []
    context = {"query": " ".join(terms), "results": found}
    return show(request, "posts/404.html", context, status=404)

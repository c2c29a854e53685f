"""What every public page has in common: its frame, its language, and how long it may be kept."""

import hashlib
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.db.models import Q, Subquery
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponsePermanentRedirect,
    HttpResponseRedirect,
)
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.http import http_date

from posts import galleries, reading
from posts.models import Post, PostQuerySet, Snapshot

# When this process loaded its templates: a page may look different from then on.
STARTED_AT = timezone.now()

# A shared cache may hand a page out for a second, and for one more while it fetches it anew; a
# browser asks each time, and is mostly answered with 304.
CACHE_CONTROL = "public, max-age=0, s-maxage=1, stale-while-revalidate=1"


class Moved(HttpResponsePermanentRedirect):
    """It lives elsewhere, as far as the caches go no longer than a page lives.

    Without a word about it a browser would keep the answer for ever, although a new post may come
    to live at the address.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self["Cache-Control"] = CACHE_CONTROL


class Guessed(HttpResponseRedirect):
    """It may be meant, and nobody is to remember that: tomorrow another post may be."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self["Cache-Control"] = CACHE_CONTROL


def get_snapshot() -> Snapshot:
    """The state of the blog, `shown_at` being when a scheduled post last appeared."""
    newest = Post.objects.published().values("published_at")[:1]
    found = Snapshot.objects.defer("stamps").annotate(shown_at=Subquery(newest)).first()
    return found or Snapshot(changed_at=STARTED_AT)


def modified_at(snapshot: Snapshot) -> datetime:
    shown_at = getattr(snapshot, "shown_at", None)
    return max(each for each in (STARTED_AT, snapshot.changed_at, shown_at) if each)


def show(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Answer with a public page, or with 304 to who has it already."""
    # Only what is found may be kept, and says when it changed.
    snapshot = get_snapshot() if status == 200 else Snapshot(changed_at=STARTED_AT)
    with translation.override(settings.LANGUAGE_CODE):
        html = render_to_string(template, {**frame(request, snapshot), **(context or {})}, request)
    response = HttpResponse(
        html, status=status, headers={"Content-Language": settings.LANGUAGE_CODE}
    )
    return keep(request, response, modified_at(snapshot))


def frame(request: HttpRequest, snapshot: Snapshot) -> dict[str, Any]:
    return {
        "LANGUAGE_CODE": settings.LANGUAGE_CODE,
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "canonical_url": settings.SITE_URL + request.path,
        "menu": find_menu(),
        "edit_url": snapshot.edit_url,
        "authors": list_authors(snapshot),
        "is_preview": settings.POSTS_PREVIEW,
        # Who writes sees at once what is wrong, wherever he looks.
        "broken": Post.objects.filter(is_broken=True).order_by("path")
        if settings.POSTS_PREVIEW
        else (),
    }


def find_menu() -> PostQuerySet:
    """The pages, but of the galleries only the list of them."""
    inner = Q(path__startswith=f"{galleries.TOP}/", path__contains="/index.")
    top = Q(path__startswith=f"{galleries.TOP}/index.")
    return Post.objects.pages().once().exclude(inner & ~top).for_lists()


def list_authors(snapshot: Snapshot) -> list[tuple[str, str]]:
    """(name, slug) of those of a blog that has several now, by name."""
    now = timezone.now()
    values = [value for value, at in snapshot.authors if datetime.fromisoformat(at) <= now]
    names = {name for value in values for name in reading.split_authors(value)}
    found = {reading.slugify(name): name for name in sorted(names, reverse=True)}
    return sorted((name, slug) for slug, name in found.items()) if len(found) > 1 else []


def keep(request: HttpRequest, response: HttpResponse, changed_at: datetime) -> HttpResponse:
    """Say for how long the answer may be kept. The ETag is of what is shown, so never wrong."""
    etag = f'"{hashlib.sha1(response.content, usedforsecurity=False).hexdigest()}"'
    response["Cache-Control"] = CACHE_CONTROL
    if response.status_code != 200:
        return response
    response["ETag"] = etag
    response["Last-Modified"] = http_date(changed_at.timestamp())
    return cast(
        HttpResponse,
        get_conditional_response(
            request, etag=etag, last_modified=int(changed_at.timestamp()), response=response
        ),
    )

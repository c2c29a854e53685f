"""Files beside the posts: pictures, films and archives, whole or by a range of bytes."""

import mimetypes
import os
import re
from pathlib import Path

from django.conf import settings
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date
from django.views.decorators.http import require_safe
from whitenoise.responders import SlicedFile

from posts import source
from posts.thumbnails import ENDING
from posts.thumbnails import NAME as THUMBNAIL

FOR_EVER = 365 * 24 * 60 * 60
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
ONE_RANGE = re.compile(r"bytes\s*=\s*([0-9]{0,18})\s*-\s*([0-9]{0,18})\s*", re.IGNORECASE)


class Unsatisfiable(Exception):
    """The range begins past the end of the file."""


@require_safe
def file(request: HttpRequest, path: str) -> HttpResponseBase:
    """A file beside the posts. Never a post's source, never anything outside POSTS_DIR."""
    place = find_file(settings.POSTS_DIR, path)
    if place is None:
        raise Http404(f"There is no file {path}.")
    state = place.stat()
    etag = f'"{state.st_mtime_ns:x}-{state.st_size:x}"'
    kind = mimetypes.guess_type(place.name)[0] or "application/octet-stream"
    response: HttpResponseBase | None = get_conditional_response(
        request, etag=etag, last_modified=int(state.st_mtime)
    )
    if response is None:
        response = send(request, place, state, etag, kind)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(state.st_mtime)
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    if kind == "image/svg+xml":
        response["Content-Security-Policy"] = SVG_POLICY
    patch_cache_control(response, public=True, max_age=3600)
    return response


@require_safe
def thumbnail(request: HttpRequest, name: str, path: str) -> HttpResponseBase:
    """A small picture of the file; the file itself while there is none: var/ may be another."""
    found = THUMBNAIL.fullmatch(name)
    place = settings.THUMBNAILS_DIR / f"{name}{ENDING}"
    if not found or not place.is_file():
        if not found or find_file(settings.POSTS_DIR, path) is None:
            raise Http404(f"There is no file {path}.")
        response = HttpResponseRedirect(reverse("posts:file", args=[path]))
        patch_cache_control(response, no_store=True)
        return response
    headers = {"X-Content-Type-Options": "nosniff", "ETag": f'"{name}"'}
    whole: HttpResponseBase | None = get_conditional_response(request, etag=headers["ETag"])
    if whole is None:
        whole = FileResponse(place.open("rb"), content_type="image/webp", headers=headers)
    # The name tells the content: it never changes.
    patch_cache_control(whole, public=True, max_age=FOR_EVER, immutable=True)
    return whole


def send(
    request: HttpRequest, place: Path, state: os.stat_result, etag: str, kind: str
) -> HttpResponseBase:
    """The file, or the part of it that is asked for."""
    try:
        part = find_part(request, etag, http_date(state.st_mtime), state.st_size)
    except Unsatisfiable:
        headers = {"Content-Range": f"bytes */{state.st_size}"}
        return HttpResponse(status=416, content_type=kind, headers=headers)
    start, end = part or (0, state.st_size - 1)
    headers = {"Content-Length": str(end - start + 1)}
    if part:
        headers["Content-Range"] = f"bytes {start}-{end}/{state.st_size}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=kind, headers=headers)
    content = place.open("rb") if part is None else SlicedFile(place.open("rb"), start, end)
    return FileResponse(content, status=status, content_type=kind, headers=headers)


def find_part(request: HttpRequest, etag: str, modified: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that are asked for; None for the whole file.

    Whole is also who wants several ranges, or one that makes no sense, or one of another version
    than this (If-Range), as RFC 9110 has it. Raises Unsatisfiable.
    """
    asked = ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if not asked or request.headers.get("If-Range", etag) not in (etag, modified):
        return None
    first, last = asked[1], asked[2]
    if not first:
        return find_end(last, size)
    start, end = int(first), min(int(last or size), size - 1)
    if last and int(last) < start:
        return None
    if start >= size:
        raise Unsatisfiable
    return start, end


def find_end(length: str, size: int) -> tuple[int, int] | None:
    """The last so many bytes (`bytes=-500`)."""
    if not length:
        return None
    if not int(length) or not size:
        raise Unsatisfiable
    return max(size - int(length), 0), size - 1


def find_file(root: Path, path: str) -> Path | None:
    """The file, if its name may be served and nothing on the way to it leads elsewhere."""
    parts = path.split("/")
    if any(not part or part.startswith((".", "_")) or "\0" in part for part in parts):
        return None
    place = root.joinpath(*parts)
    is_file = os.path.isfile(place)  # noqa: PTH113 - Path's raises for a name that is too long
    if place.suffix.lower() not in source.FILE_EXTENSIONS or not is_file:
        return None
    return place if place.resolve() == root.resolve().joinpath(*parts) else None

"""Sends visitors of older addresses, and of those without their slash, on to where the page is."""

from collections.abc import Callable
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.middleware import common
from django.urls import is_valid_path

from posts.pages import Moved
from posts.views import MEANT, find_moved, page_not_found


class CommonMiddleware(common.CommonMiddleware):
    """Django's, which adds the slash, with the redirect that tells caches how long it holds."""

    response_redirect_class = Moved


def redirect_moved(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Looks only at what no page was found for. An address in use is never taken over."""

    def middleware(request: HttpRequest) -> HttpResponse:
        # PostgreSQL takes no NUL, and no address of ours has one.
        response = page_not_found(request) if "\0" in request.path else get_response(request)
        if response.status_code != 404 or request.method not in ("GET", "HEAD"):
            return response
        address = find_moved(request)
        if address is not None:
            return Moved(find_other_spelling(request) or address)
        meant: HttpResponse = request.META.get(MEANT, response)
        return meant

    return middleware


def find_other_spelling(request: HttpRequest) -> str | None:
    """The address with its slash (or without) where only that is one of ours.

    It may be in use, and then the post that lives there is meant, not one that once did.
    """
    path = request.path_info
    other = path.rstrip("/") if path.endswith("/") else f"{path}/"
    if is_valid_path(path) or not is_valid_path(other):
        return None
    return quote(other)

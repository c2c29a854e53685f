"""Sends visitors of older addresses on to where the post lives now."""

from collections.abc import Callable
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import is_valid_path

from posts.views import find_moved


def redirect_moved(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Looks only at what no page was found for. An address in use is never taken over."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.status_code != 404 or request.method not in ("GET", "HEAD"):
            return response
        address = find_moved(request.path)
        if address is None:
            return response
        return HttpResponsePermanentRedirect(find_other_spelling(request) or address)

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

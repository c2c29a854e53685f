"""Sends visitors of older addresses on to where the post lives now."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect

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
        return HttpResponsePermanentRedirect(address) if address else response

    return middleware

"""Pages of the site as a whole."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from blogsite.version import describe_process


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Which version the worker that answers has loaded, and since when."""
    return JsonResponse({"status": "ok", **describe_process()})

"""Pages of the site as a whole."""

import sys

import django.db
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views.decorators.cache import never_cache

from blogsite.version import describe_process


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """Which version the worker that answers has loaded, and since when."""
    return JsonResponse({"status": "ok", **describe_process()})


def server_error(request: HttpRequest) -> HttpResponse:
    """503 when the database is away or locked, which passes, else 500; neither asks it anything."""
    # Django calls this from where it caught the exception.
    is_database = isinstance(sys.exception(), django.db.Error)
    status, headers = (503, {"Retry-After": "30"}) if is_database else (500, {})
    page = loader.render_to_string(f"{status}.html")
    return HttpResponse(page, status=status, headers=headers)

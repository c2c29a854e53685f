"""What gunicorn serves."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db.backends.signals import connection_created
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blogsite.settings")

Environ = dict[str, Any]
site: Callable[[Environ, Any], Iterable[bytes]] = get_wsgi_application()
if settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    from blogsite.patience import wait_no_longer

    connection_created.connect(wait_no_longer)


def application(environ: Environ, start_response: Any) -> Iterable[bytes]:
    """Django's application, shielded from a Content-Type that Django itself stumbles over.

    It takes the header apart before any view or error handler is there. What cannot be read is
    nothing that a page here would take.
    """
    try:
        parse_header_parameters(environ.get("CONTENT_TYPE", ""))
    except (LookupError, ValueError):
        environ["CONTENT_TYPE"] = "application/octet-stream"
    return site(environ, start_response)

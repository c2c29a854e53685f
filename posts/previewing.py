"""Serves the blog from the working tree, for the one who writes."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from posts import scanning, source
from posts.index import index_posts
from posts.report import Report

SECONDS_BETWEEN_LOOKS = 0.4


class QuietHandler(WSGIRequestHandler):
    """Nobody who writes wants to read a line for each picture."""

    def log_message(self, format: str, *args: object) -> None:
        return


def prepare_settings(host: str) -> None:
    """Static files come from where they are; nobody must have collected them.

    Only this machine's own names will do: a page elsewhere could give its name our address, and
    read the drafts.
    """
    settings.ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", host]
    settings.SECURE_SSL_REDIRECT = False
    settings.WHITENOISE_AUTOREFRESH = True
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


def make_server(host: str, port: int) -> ThreadedWSGIServer:
    """Bound to the port (0: a free one), not yet serving. Raises OSError."""
    server = ThreadedWSGIServer((host, port), QuietHandler)
    server.daemon_threads = True
    server.set_app(StaticFilesHandler(get_wsgi_application()))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def watch(
    root: Path, on_change: Callable[[Report], None], on_problem: Callable[[str], None]
) -> None:
    """Index again whenever a file changes, for ever.

    Editors make and remove files at any moment: what cannot be read now is told once, and tried
    again. Raises source.SourceUnreadable for a folder that cannot be read at the start.
    """
    on_change(index_posts(root))
    before = None
    told = ""
    while True:
        try:
            now = stamps(root)
            if now != before:
                report = index_posts(root)
                if before or told or not report.is_empty:
                    on_change(report)
                before, told = now, ""
        except (source.SourceUnreadable, OSError) as error:
            before = None
            if str(error) != told:
                told = str(error)
                on_problem(told)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def stamps(root: Path) -> dict[str, source.Stamp]:
    return dict(scanning.walk(str(root), ""))

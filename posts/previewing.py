"""Serves the blog from the working tree, for the one who writes."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from posts import source
from posts.index import index_posts
from posts.report import Report

SECONDS_BETWEEN_LOOKS = 0.4


class QuietHandler(WSGIRequestHandler):
    """Nobody who writes wants to read a line for each picture."""

    def log_message(self, format: str, *args: object) -> None:
        return


def prepare_settings() -> None:
    """Any name of this machine will do, and static files come from where they are."""
    settings.ALLOWED_HOSTS = ["*"]
    settings.SECURE_SSL_REDIRECT = False
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


def watch(root: Path, on_change: Callable[[Report], None]) -> None:
    """Index again whenever a file changes, for ever."""
    before = None
    while True:
        now = stamps(root)
        if now != before:
            on_change(index_posts(root))
            before = now
        time.sleep(SECONDS_BETWEEN_LOOKS)


def stamps(root: Path) -> dict[str, source.Stamp]:
    return dict(source.walk(str(root), ""))

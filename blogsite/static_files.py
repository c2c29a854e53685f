"""Serves static files, also those that a deploy has added since this worker started."""

from __future__ import annotations

import re
from pathlib import Path

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from whitenoise.middleware import WhiteNoiseMiddleware

HASHED = re.compile(r"\.[0-9a-f]{12}\.[^/]+$")


class StaticFilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]  # it is not annotated
    """WhiteNoise knows the files that were there at its start.

    During a reload a page of the new version may come from a new worker and its style sheet be
    asked of an old one. Names with a hash never change their content, so looking once is enough.
    """

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        url = request.path_info
        if url.startswith(self.static_prefix) and url not in self.files and HASHED.search(url):
            self.look_for(url)
        response: HttpResponseBase = super().__call__(request)
        return response

    def look_for(self, url: str) -> None:
        root = Path(self.static_root)
        path = root / url.removeprefix(self.static_prefix)
        is_below = path.resolve().is_relative_to(root.resolve())
        if self.url_is_canonical(url) and is_below and path.is_file():
            self.add_file_to_dictionary(url, str(path))

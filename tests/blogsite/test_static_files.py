"""Static files that a deploy adds while a worker runs."""

from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from blogsite.static_files import StaticFilesMiddleware

HASHED = "look.0123456789ab.css"


@pytest.fixture
def root(tmp_path: Path, settings) -> Path:
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    (tmp_path / "secret.0123456789ab.css").write_text("secret")
    return settings.STATIC_ROOT


@pytest.fixture
def middleware(root: Path) -> StaticFilesMiddleware:
    return StaticFilesMiddleware(lambda request: HttpResponse("a page", status=404))


def get(middleware: StaticFilesMiddleware, path: str):
    return middleware(RequestFactory().get(path))


def test_a_hashed_file_that_came_after_the_start_is_served(middleware, root):
    assert get(middleware, f"/static/{HASHED}").status_code == 404
    (root / HASHED).write_text("p {}")
    answer = get(middleware, f"/static/{HASHED}")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"p {}"


@pytest.mark.parametrize(
    "path", ["/static/../secret.0123456789ab.css", "/static/x/../../secret.0123456789ab.css"]
)
def test_nothing_outside_is_served(middleware, path):
    assert get(middleware, path).status_code == 404


def test_a_file_without_a_hash_waits_for_the_next_worker(middleware, root):
    (root / "look.css").write_text("p {}")
    assert get(middleware, "/static/look.css").status_code == 404

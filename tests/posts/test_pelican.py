"""A blog written for Pelican 4.12 looks here as it does there, feature by feature."""

from datetime import UTC, datetime

import pytest

from posts.rendering import render
from posts.source import scan
from tests.posts.test_formats import read

HEAD = "Title: T\nDate: 2012-03-30 23:00\n"


def read_in(tmp_path, path, text):
    folder = tmp_path / path.rpartition("/")[0]
    folder.mkdir(parents=True, exist_ok=True)
    return read(tmp_path, path, text)


@pytest.mark.parametrize(
    ("path", "category"),
    [
        ("cooking/x.md", "cooking"),
        ("blog/cooking/x.md", "cooking"),
        ("x.md", ""),
        ("2012/x.md", ""),
    ],
)
def test_a_post_without_category_has_its_folders(tmp_path, path, category):
    assert read_in(tmp_path, path, HEAD + "\nText.\n").category == category
    in_rst = path.replace(".md", ".rst")
    assert read_in(tmp_path, in_rst, "T\n=\n\n:date: 2012-03-30\n\nText.\n").category == category


def test_the_category_that_a_post_names_beats_its_folder(tmp_path):
    assert read_in(tmp_path, "a/x.md", f"{HEAD}Category: b\n\nText.\n").category == "b"


def test_folders_of_other_posts_are_no_categories(tmp_path):
    assert read_in(tmp_path, "a/2012_03_30-x.rst", "T\n===\n\nText.\n").category == ""
    assert read_in(tmp_path, "a/x.md", "---\ntitle: T\n---\nText.\n").category == ""


def test_what_lies_among_the_pages_is_a_page_in_spite_of_its_date(tmp_path):
    page = read_in(tmp_path, "pages/about.md", HEAD + "\nText.\n")
    assert (page.day, page.published_at, page.category) == (None, None, "")
    assert page.revised_at == datetime(2012, 3, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Doe, Jane; Roe, Ric", "Doe, Jane; Roe, Ric"),
        ("Jane Doe, Ric Roe", "Jane Doe, Ric Roe"),
        ("Jane Doe; Ric Roe", "Jane Doe, Ric Roe"),
    ],
)
def test_authors_whose_names_have_commas_stay_apart(tmp_path, written, shown):
    assert read(tmp_path, "x.md", f"{HEAD}Authors: {written}\n\nText.\n").author == shown
    assert read(tmp_path, "y.rst", f"T\n=\n\n:authors: {written}\n\nText.\n").author == shown


def test_the_addresses_that_a_post_had_there_lead_to_it(tmp_path):
    (tmp_path / "x.md").write_text(HEAD + "Url: soup/\nSave_as: soup/index.html\n\nText.\n")
    (tmp_path / "y.md").write_text(HEAD + "Url:\nSave_as: index.html\n\nText.\n")
    folder = scan(tmp_path)
    aliases = {path: render(folder, each, UTC).aliases for path, each in folder.posts.items()}
    assert aliases == {"x.md": ["/soup/", "/soup/index.html"], "y.md": ["/index.html"]}


def test_a_post_to_skip_is_shown_to_nobody(tmp_path):
    draft = read(tmp_path, "x.md", HEAD + "Status: skip\n\nText.\n")
    assert (draft.status, draft.problems) == ("draft", [])

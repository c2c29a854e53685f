"""Files of code within posts: made into HTML once, before the transaction, and within limits."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from posts import codes, listings
from posts.models import Post
from tests.posts.blogs import get_post, index, make_markdown, messages

pytestmark = pytest.mark.django_db
LISTING = '<div data-code="name={}&amp;language=python"></div>'
SHOWN = {"code/a.py": "import os\n", "2016-01-01-a.md": f"# A\n\n{LISTING.format('a.py')}\n"}


@pytest.fixture
def made(monkeypatch) -> list[bool]:
    """For each piece of code that is made, whether the transaction was open."""
    original, calls = listings.show, []
    outer = len(connection.savepoint_ids)

    def show(*args, **options):
        calls.append(len(connection.savepoint_ids) > outer)
        return original(*args, **options)

    monkeypatch.setattr(listings, "show", show)
    return calls


def test_colours_are_made_while_everybody_else_can_write(tmp_path, made):
    index(tmp_path, **SHOWN)
    assert made == [False]
    assert '<span class="kn">import</span>' in get_post("2016-01-01-a.md").html
    index(tmp_path, **{"code/a.py": "import sys\n"})
    assert made == [False, False]
    assert "sys" in get_post("2016-01-01-a.md").html


def test_code_that_did_not_change_is_not_made_again_when_another_post_comes(tmp_path, made):
    index(tmp_path, **SHOWN)
    index(tmp_path, **{"2016-01-02-b.md": "# B\n"})
    index(tmp_path, **{"2016-01-01-a.md": SHOWN["2016-01-01-a.md"] + "\nMore.\n"})
    assert made == [False]


def test_colours_that_take_too_long_are_left_out_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(codes, "SECONDS_A_FILE", 0.2)
    slow = LISTING.format("m.txt").replace("python", "basemake")
    posts = {"code/m.txt": "a" * 30_000, "2016-01-01-a.md": f"# A\n\nText.\n\n{slow}\n"}
    told = ["2016-01-01-a.md:5: m.txt has no colours: they take over 2 seconds. Show less of it."]
    assert messages(index(tmp_path, **posts)) == told
    assert "a" * 30_000 in get_post("2016-01-01-a.md").html
    index(tmp_path, **{"2016-01-02-b.md": "# B\n"})
    assert get_post("2016-01-01-a.md").site_problems[0]["line"] == 5


def test_a_post_shows_so_many_files_and_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr("posts.linking.MOST_A_POST", 1)
    body = "\n\n".join(LISTING.format(name) for name in ("a.py", "b.py"))
    posts = {"code/a.py": "1\n", "code/b.py": "2\n", "2016-01-01-a.md": f"# A\n\n{body}\n"}
    said = "2016-01-01-a.md:5: b.py is left out: a post shows 1 files of code at most"
    assert messages(index(tmp_path, **posts)) == [said]
    assert "<p><code>b.py</code></p>" in get_post("2016-01-01-a.md").html


@pytest.mark.parametrize("text", ["[x](a%00b.md)", LISTING.format("%00x%EF%B7%92")])
def test_what_no_database_holds_reaches_none(tmp_path, text):
    report = index(tmp_path, **{"2016-01-01-a.md": f"# A\n\n{text}\n"})
    post = get_post("2016-01-01-a.md")
    stored = " ".join([*post.urls, post.site_problems[0]["message"], *messages(report)])
    assert "\ufffd" in stored
    assert not {"\0", "\ufdd2"} & set(stored)


def test_the_title_of_a_post_to_come_is_told_when_its_time_has_come(tmp_path, monkeypatch):
    link = '<a class="post-title" href="b.md">x</a>'
    coming = make_markdown("Secret merger", date="2999-01-01", author="Eve")
    posts = {"2016-01-01-a.md": make_markdown("A", link, author="Ann"), "b.md": coming}
    index(tmp_path, **posts)
    assert ">b.md</a>" in get_post("2016-01-01-a.md").html
    then = timezone.now() + timedelta(days=400_000)
    monkeypatch.setattr("posts.models.timezone.now", lambda: then)
    index(tmp_path)
    assert ">Secret merger</a>" in get_post("2016-01-01-a.md").html


def test_an_author_is_named_from_the_moment_of_the_first_post(tmp_path, client, monkeypatch):
    names = {"Ann": "2016-01-01", "Bea": "2016-01-02", "Eve": "2999-01-01"}
    index(tmp_path, **{f"{each}.md": make_markdown(each, date=day, author=each)
                       for each, day in names.items()})  # fmt: skip
    assert b"/authors/bea/" in client.get("/tags/").content
    assert b"Eve" not in client.get("/tags/").content
    then = timezone.now() + timedelta(days=400_000)
    monkeypatch.setattr("posts.models.timezone.now", lambda: then)
    assert b"/authors/eve/" in client.get("/tags/").content
    assert Post.objects.scheduled().count() == 0

"""Posts in the admin: problems are seen there, and nothing can be changed."""

import pytest

from posts.index import index_posts
from tests.posts.blogs import get_post, index, make_markdown, make_rst

pytestmark = pytest.mark.django_db


@pytest.fixture
def blog(tmp_path):
    index(tmp_path, **{
        "2016-01-01-good.md": make_markdown("Good", tags="[x]", aliases="[/old/]"),
        "2016-01-02-lost.md": make_markdown("Lost", "[x](nowhere.md)"),
        "2016-01-03-breaks.md": make_markdown("Breaks"),
        "2016-01-04-draft.rst": make_rst("Draft", status="draft"),
        "2999-01-01-later.md": make_markdown("Later"),
        "about.md": "# About\n",
    })  # fmt: skip
    (tmp_path / "2016-01-03-breaks.md").write_bytes(b"\xff")
    (tmp_path / "2016-01-05-never.md").write_bytes(b"\xff")
    index_posts(tmp_path)
    return tmp_path


def test_the_list_marks_what_is_broken_and_what_waits(blog, admin_client):
    page = admin_client.get("/admin/posts/post/").content.decode()
    for words in ("broken: the last good version is shown", "scheduled", "draft", "About"):
        assert words in page


BROKEN = ["2016-01-05-never", "Breaks"]


@pytest.mark.parametrize(("which", "titles"), [("broken", BROKEN), ("some", [*BROKEN, "Lost"])])
def test_posts_with_problems_can_be_filtered(blog, admin_client, which, titles):
    page = admin_client.get(f"/admin/posts/post/?problems={which}")
    assert sorted(post.title for post in page.context["cl"].queryset) == sorted(titles)


def test_a_post_shows_its_problems_addresses_and_preview(blog, admin_client):
    lost, good = get_post("2016-01-02-lost.md"), get_post("2016-01-01-good.md")
    page = admin_client.get(f"/admin/posts/post/{lost.pk}/change/").content.decode()
    assert "2016-01-02-lost.md:3: the link nowhere.md leads nowhere" in page
    assert f"/drafts/{lost.uid}/" in page
    page = admin_client.get(f"/admin/posts/post/{good.pk}/change/").content.decode()
    assert "/old/" in page


def test_nothing_can_be_changed_in_the_admin(blog, admin_client):
    post = get_post("2016-01-01-good.md")
    assert admin_client.get("/admin/posts/post/add/").status_code == 403
    assert admin_client.post(f"/admin/posts/post/{post.pk}/delete/").status_code == 403
    assert admin_client.post(f"/admin/posts/post/{post.pk}/change/", {}).status_code == 403


def test_the_list_costs_the_same_however_many_posts(blog, admin_client, django_assert_num_queries):
    with django_assert_num_queries(8):
        admin_client.get("/admin/posts/post/")
    index(blog, **{f"2017-01-{day:02}-p.md": make_markdown() for day in range(1, 29)})
    with django_assert_num_queries(8):
        admin_client.get("/admin/posts/post/")

"""What holds for pages of every kind: they take four queries at most, and may be kept a while."""

import pytest

from posts.models import Post, Snapshot
from posts.pages import CACHE_CONTROL
from tests.posts.blogs import index, make_markdown
from tests.posts.kinds import ADDRESSES, MOST_QUERIES, POSTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def blog(tmp_path, settings):
    settings.POSTS_DIR = tmp_path
    index(tmp_path, **POSTS)


def test_no_page_takes_more_than_four_queries(blog, client, django_assert_max_num_queries):
    for address, status in ADDRESSES:
        with django_assert_max_num_queries(MOST_QUERIES, info=address):
            assert client.get(address).status_code == status, address


def test_no_page_for_staff_takes_more_than_four_queries(
    blog, tmp_path, admin_client, django_assert_max_num_queries
):
    index(tmp_path, **{"2016-01-01-d.md": make_markdown(status="draft")})
    Snapshot.objects.update(edit_url="https://github.com/me/blog/edit/main/")
    for address in ("/drafts/", f"/drafts/{Post.objects.get(status='draft').uid}/"):
        with django_assert_max_num_queries(MOST_QUERIES, info=address):
            page = admin_client.get(address).content
    assert b'href="https://github.com/me/blog/edit/main/2016-01-01-d.md"' in page


def test_every_answer_says_how_long_it_may_be_kept(blog, client):
    for address, status in ADDRESSES:
        lasts_an_hour = address in ("/robots.txt", "/files/p.png")
        wanted = "public, max-age=3600" if lasts_an_hour else CACHE_CONTROL
        assert client.get(address)["Cache-Control"] == wanted, (address, status)

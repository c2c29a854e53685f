"""No page of the blog takes more than four queries."""

import pytest

from tests.posts.blogs import index
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

"""The posts that come with the project explain the blog, so they must be right themselves."""

import pytest
from django.conf import settings

from posts.index import index_posts
from posts.models import Post
from tests.posts.blogs import messages

pytestmark = pytest.mark.django_db


def test_the_sample_posts_have_no_problem():
    report = index_posts(settings.BASE_DIR / "content")
    assert messages(report) == []
    assert Post.objects.pages().count() == 1
    assert Post.objects.filter(series="First steps").count() == 3

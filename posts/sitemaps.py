"""The sitemap: every listed post and page, for search engines."""

from collections.abc import Iterable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from posts.models import Post
from posts.pages import get_snapshot, keep, modified_at

# More than this no search engine takes in one file.
MAX_ENTRIES = 50_000


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    posts = (
        Post.objects.listed()
        .only(
            "slug",
            "day",
            "published_at",
            "revised_at",
            "committed_at",
            "language",
            "original",
            "precedence",
        )
        .order_by("-published_at", "path")[:MAX_ENTRIES]
    )
    translations = group_translations(posts)
    entries = [(post, translations.get(post.original, [])) for post in posts]
    xml = render_to_string("posts/sitemap.xml", {"entries": entries, "site_url": settings.SITE_URL})
    response = HttpResponse(xml, content_type="application/xml; charset=utf-8")
    return keep(request, response, modified_at(get_snapshot()))


def group_translations(posts: Iterable[Post]) -> dict[str, list[Post]]:
    """By their original, the posts that others translate, with their translations."""
    groups: dict[str, list[Post]] = {}
    for post in posts:
        groups.setdefault(post.original, []).append(post)
    return {
        original: sorted(group, key=lambda post: post.precedence)
        for original, group in groups.items()
        if len(group) > 1
    }

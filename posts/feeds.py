"""Atom and RSS: the newest posts whole, with ids that survive a new address."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Min
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import feedgenerator
from django.utils.xmlutils import SimplerXMLGenerator
from django.views.decorators.http import require_safe

from posts.models import Post, PostQuerySet, Tag
from posts.pages import get_snapshot, keep, modified_at

POSTS_A_FEED = 20

# What XML 1.0 cannot say.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class AtomFeed(feedgenerator.Atom1Feed):
    """With the whole content beside the summary."""

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        handler.addQuickElement("content", item["content"], {"type": "html"})


class RssFeed(feedgenerator.Rss201rev2Feed):
    def rss_attributes(self) -> dict[str, str]:
        more = {"xmlns:content": "http://purl.org/rss/1.0/modules/content/"}
        return {**super().rss_attributes(), **more}

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        handler.addQuickElement("content:encoded", item["content"])


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    return show_feed(request, AtomFeed, Post.objects.published(), settings.SITE_NAME, "/")


@require_safe
def rss(request: HttpRequest) -> HttpResponse:
    return show_feed(request, RssFeed, Post.objects.published(), settings.SITE_NAME, "/")


@require_safe
def tag_feed(request: HttpRequest, slug: str) -> HttpResponse:
    name = Tag.objects.filter(slug=slug).aggregate(name=Min("name"))["name"]
    if name is None:
        raise Http404(f"No post has the tag {slug}.")
    posts = Post.objects.published().filter(tag_rows__slug=slug)
    title = f"{settings.SITE_NAME}: {name}"
    return show_feed(request, AtomFeed, posts, title, request.path.removesuffix("feed/"))


def show_feed(
    request: HttpRequest,
    kind: type[AtomFeed] | type[RssFeed],
    posts: PostQuerySet,
    title: str,
    page: str,
) -> HttpResponse:
    document = kind(
        title=title,
        link=settings.SITE_URL + page,
        description=title,
        language=settings.LANGUAGE_CODE,
        feed_url=settings.SITE_URL + request.path,
        author_name=settings.SITE_NAME,
    )
    for post in posts.defer("text", "toc", "problems")[:POSTS_A_FEED]:
        add_post(document, post)
    response = HttpResponse(content_type=kind.content_type)
    document.write(response, "utf-8")
    return keep(request, response, modified_at(get_snapshot()))


def add_post(document: feedgenerator.SyndicationFeed, post: Post) -> None:
    url = settings.SITE_URL + post.get_absolute_url()
    document.add_item(
        title=speakable(post.title),
        link=url,
        description=speakable(post.summary),
        content=speakable(make_absolute(post.html, url)),
        unique_id=post.uid.urn,
        unique_id_is_permalink=False,
        pubdate=post.published_at,
        updateddate=post.updated_at,
        author_name=post.author or settings.SITE_NAME,
        categories=post.tag_names,
    )


def make_absolute(html: str, url: str) -> str:
    """Feed readers know no base: every address gets the site in front of it."""
    site = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    html = re.sub(r'( (?:href|src|poster)=")/(?!/)', rf"\g<1>{site}/", html)
    return re.sub(r'( href=")#', rf"\g<1>{url}#", html)


def speakable(text: str) -> str:
    return UNSPEAKABLE.sub("", text)

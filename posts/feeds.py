"""Atom and RSS: the newest posts whole, with ids that survive a new address."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from xml.sax.xmlreader import AttributesImpl

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import feedgenerator
from django.utils.html import escape
from django.utils.xmlutils import SimplerXMLGenerator
from django.views.decorators.http import require_safe

from posts import lists
from posts.groups import LANGUAGE, Group, Kind, find_group
from posts.models import Post, PostQuerySet
from posts.pages import Moved, get_snapshot, keep, modified_at

POSTS_A_FEED = 20
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"

# A start tag. nh3 and posts.markup have serialised the body: text holds no "<", and each value of
# an attribute stands in '"' and holds none. So this finds exactly what a parser would.
TAG = re.compile(r'<[a-zA-Z](?:[^">]|"[^"]*")*>')

# What XML 1.0 cannot say.
UNSPEAKABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Dated(feedgenerator.SyndicationFeed):
    """Without posts it is as old as the blog's state: "now" would be another answer each time."""

    def latest_post_date(self) -> datetime:
        changed_at: datetime = self.feed["changed_at"]
        return super().latest_post_date() if self.items else changed_at


class AtomFeed(Dated, feedgenerator.Atom1Feed):
    """With the whole content beside the summary, all of several authors, and each language."""

    def item_attributes(self, item: dict[str, Any]) -> dict[str, str]:
        language = item["language"]
        own = language and language.lower() != settings.LANGUAGE_CODE.lower()
        return {"xml:lang": language} if own else {}

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        for name in item["other_authors"]:
            handler.startElement("author", AttributesImpl({}))
            handler.addQuickElement("name", name)
            handler.endElement("author")
        handler.addQuickElement("content", item["content"], {"type": "html"})


class RssFeed(Dated, feedgenerator.Rss201rev2Feed):
    def rss_attributes(self) -> dict[str, str]:
        more = {"xmlns:content": "http://purl.org/rss/1.0/modules/content/"}
        return {**super().rss_attributes(), **more}

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item)
        for name in item["other_authors"]:
            handler.addQuickElement("dc:creator", name, {"xmlns:dc": DUBLIN_CORE})
        handler.addQuickElement("content:encoded", item["content"])


@require_safe
def feed(request: HttpRequest) -> HttpResponse:
    return show_feed(request, AtomFeed, Post.objects.published().once(), settings.SITE_NAME, "/")


@require_safe
def rss(request: HttpRequest) -> HttpResponse:
    return show_feed(request, RssFeed, Post.objects.published().once(), settings.SITE_NAME, "/")


@require_safe
def group_feed(request: HttpRequest, slug: str, kind: Kind) -> HttpResponse:
    return show_group_feed(request, AtomFeed, find_group(slug, kind), slug, "feed/")


@require_safe
def group_rss(request: HttpRequest, slug: str, kind: Kind) -> HttpResponse:
    return show_group_feed(request, RssFeed, find_group(slug, kind), slug, "rss/")


def show_group_feed(
    request: HttpRequest,
    kind: type[AtomFeed] | type[RssFeed],
    group: Group,
    asked: str,
    ending: str,
) -> HttpResponse:
    if group.slug != asked:
        return Moved(group.address + ending)
    title = f"{settings.SITE_NAME}: {speakable(group.name)}"
    language = group.slug if group.kind is LANGUAGE else ""
    return show_feed(request, kind, group.posts, title, group.address, language)


def show_feed(
    request: HttpRequest,
    kind: type[AtomFeed] | type[RssFeed],
    posts: PostQuerySet,
    title: str,
    page: str,
    language: str = "",
) -> HttpResponse:
    changed_at = modified_at(get_snapshot())
    document = kind(
        title=title,
        link=settings.SITE_URL + page,
        description=title,
        language=language or settings.LANGUAGE_CODE,
        feed_url=settings.SITE_URL + request.path,
        author_name=settings.SITE_NAME,
        changed_at=changed_at,
    )
    newest = list(posts.defer("text", "toc", "problems")[:POSTS_A_FEED])
    lists.fetch(newest)
    for post in newest:
        add_post(document, post)
    response = HttpResponse(content_type=kind.content_type)
    document.write(response, "utf-8")
    return keep(request, response, changed_at)


def add_post(document: feedgenerator.SyndicationFeed, post: Post) -> None:
    url = settings.SITE_URL + post.get_absolute_url()
    author, *others = [name for name, _ in post.authors] or [settings.SITE_NAME]
    document.add_item(
        title=speakable(post.title),
        link=url,
        # Both kinds of feed take it for HTML.
        description=escape(speakable(post.summary)),
        content=speakable(make_absolute(post.html, url)),
        unique_id=post.uid.urn,
        unique_id_is_permalink=False,
        pubdate=post.published_at,
        updateddate=post.updated_at,
        author_name=author,
        other_authors=others,
        language=post.language,
        categories=post.tag_names,
    )


def make_absolute(html: str, url: str) -> str:
    """Feed readers know no base: every address gets the site in front of it."""
    site = "{0.scheme}://{0.netloc}".format(urlsplit(url))

    def complete(tag: re.Match[str]) -> str:
        whole = re.sub(r'( (?:href|src|poster|cite)=")/(?!/)', rf"\g<1>{site}/", tag[0])
        return re.sub(r'( (?:href|cite)=")#', lambda found: f"{found[1]}{url}#", whole)

    return TAG.sub(complete, html)


def speakable(text: str) -> str:
    return UNSPEAKABLE.sub("", text)

"""What the blog's templates need beyond Django's tags."""

import json
import re
from collections.abc import Sequence
from html import unescape
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from posts.languages import native
from posts.models import Post
from posts.source import SourceFile

register = template.Library()
register.filter(native)

# As nh3 serialises it: see posts.feeds.TAG.
PICTURE = re.compile(r'<img(?: [^ ">=]+="[^"]*")*? src="((?:/(?!/)|https?:)[^"]*)"')

TERRITORIES = {
    "en": "en-US", "ja": "ja-JP", "ko": "ko-KR", "zh": "zh-CN", "zh-hans": "zh-CN",
    "zh-hant": "zh-TW",
}  # fmt: skip


def absolute(address: str) -> str:
    """The address with the site in front, unless it names one."""
    return settings.SITE_URL + address if address.startswith("/") else address


@register.simple_tag
def find_picture(post: Post) -> str:
    """The one that the post names for previews elsewhere, else the first in it of the site."""
    if post.image_url:
        return absolute(post.image_url)
    found = PICTURE.finditer(post.html) if "<img" in post.body else ()
    addresses = (absolute(unescape(each[1])) for each in found)
    own = (each for each in addresses if each.startswith(f"{settings.SITE_URL}/"))
    # Nobody shows previews of drawings in SVG.
    return next((each for each in own if not each.lower().endswith(".svg")), "")


@register.simple_tag
def written(post: Post) -> bool:
    """Whether there is a file to edit: a gallery has a page without one."""
    return SourceFile(post.path, post.digest).is_written


@register.filter
def year(number: int) -> str:
    """Of four digits, as in addresses, and not grouped by thousands."""
    return f"{number:04}"


@register.filter
def og_locale(language: str) -> str:
    """`zh_CN` of `zh-Hans`: OpenGraph wants a territory; "" where none is meant."""
    parts = TERRITORIES.get(language.lower(), language).split("-")
    territory = parts[-1].upper()
    is_told = len(parts) > 1 and len(territory) == 2
    return f"{parts[0].lower()}_{territory}" if is_told else ""


@register.simple_tag
def json_ld(post: Post, translations: Sequence[Post] = (), picture: str = "") -> SafeString:
    """The post in schema.org's words, for search engines."""
    url = settings.SITE_URL + post.get_absolute_url()
    facts: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "BlogPosting" if post.published_at else "WebPage",
        "headline": post.title,
        "description": post.summary,
        "url": url,
        "mainEntityOfPage": url,
        "inLanguage": post.told_language,
        "author": name_authors(post),
        "keywords": ", ".join(post.tag_names) or None,
        "image": picture or None,
        "datePublished": post.published_at and post.published_at.isoformat(),
        "dateModified": post.updated_at and post.updated_at.isoformat(),
        **name_translations(post, translations),
    }
    known = {key: value for key, value in facts.items() if value}
    # Within a script element only "<", ">" and "&" could end it or be misread.
    text = json.dumps(known, ensure_ascii=False).translate(
        {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
    )
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308 - escaped above


def name_authors(post: Post) -> dict[str, str] | list[dict[str, str]]:
    names = [name for name, _ in post.authors] or [settings.SITE_NAME]
    people = [{"@type": "Person", "name": name} for name in names]
    return people if len(people) > 1 else people[0]


def name_translations(post: Post, translations: Sequence[Post]) -> dict[str, Any]:
    named = [
        {
            "@type": "BlogPosting" if each.published_at else "WebPage",
            "url": settings.SITE_URL + each.get_absolute_url(),
            "inLanguage": each.told_language,
        }
        for each in translations
    ]
    if not named or post.precedence < translations[0].precedence:
        return {"workTranslation": named}
    return {"translationOfWork": named[0]}

"""What the blog's templates need beyond Django's tags."""

import json
from typing import Any

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from posts.models import Post

register = template.Library()


@register.simple_tag
def absolute(address: str) -> str:
    """The address with the site in front, unless it names one."""
    return settings.SITE_URL + address if address.startswith("/") else address


@register.filter
def year(number: int) -> str:
    """Of four digits, as in addresses, and not grouped by thousands."""
    return f"{number:04}"


@register.simple_tag
def json_ld(post: Post) -> SafeString:
    """The post in schema.org's words, for search engines."""
    url = settings.SITE_URL + post.get_absolute_url()
    facts: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "BlogPosting" if post.published_at else "WebPage",
        "headline": post.title,
        "description": post.summary,
        "url": url,
        "mainEntityOfPage": url,
        "inLanguage": post.language or settings.LANGUAGE_CODE,
        "author": {"@type": "Person", "name": post.author or settings.SITE_NAME},
        "keywords": ", ".join(post.tag_names) or None,
        "image": absolute(post.image_url) if post.image_url else None,
        "datePublished": post.published_at and post.published_at.isoformat(),
        "dateModified": post.updated_at and post.updated_at.isoformat(),
    }
    known = {key: value for key, value in facts.items() if value}
    # Within a script element only "<", ">" and "&" could end it or be misread.
    text = json.dumps(known, ensure_ascii=False).translate(
        {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
    )
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308 - escaped above

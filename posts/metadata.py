"""What a post says about itself: sense is made of the values, in whatever way they were written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from posts import languages
from posts.moments import parse_moment

# Our word for each key, by what others call it.
KEYS = {
    "title": "title",
    "slug": "slug",
    "date": "date",
    "created": "date",
    "published": "date",
    "pubdate": "date",
    "updated": "updated",
    "modified": "updated",
    "lastmod": "updated",
    "tags": "tags",
    "tag": "tags",
    "keywords": "keywords",
    "category": "category",
    "categories": "category",
    "series": "series",
    "author": "author",
    "authors": "author",
    "summary": "summary",
    "description": "summary",
    "status": "status",
    "draft": "draft",
    "lang": "lang",
    "language": "lang",
    "translation": "translation",
    "aliases": "aliases",
    "alias": "aliases",
    "url": "url",
    "save_as": "save_as",
    "link": "link",
    "image": "image",
    "cover": "image",
    "previewimage": "image",
}

STATUSES = {
    "published": "published",
    "publish": "published",
    "featured": "published",
    "": "published",
    "draft": "draft",
    "skip": "draft",
    "hidden": "hidden",
    "private": "private",
}
PUBLIC = ("published", "hidden")

# The ends of the calendar have no room for another time zone.
YEARS = range(2, 9999)
LANGUAGE_LENGTH = 20
# In characters; what is longer is cut, and told.
LIMITS = {
    "title": 500, "slug": 200, "tag": 200, "category": 200, "series": 200, "author": 300,
    "image": 400, "alias": 200,
}  # fmt: skip
# Where the blog itself answers, no alias is ever asked.
OWN_ADDRESSES = frozenset(
    "/archive /drafts /favicon.ico /feed /robots.txt /rss /search /sitemap.xml /tags".split()
)


@dataclass
class Metadata:
    """What the keys mean. A datetime without zone is in the site's; None: nothing was said."""

    title: str = ""
    slug: str = ""
    date: datetime | None = None
    has_unreadable_date: bool = False
    updated: datetime | None = None
    tags: list[str] = field(default_factory=list)
    category: str = ""
    series: str = ""
    author: str = ""
    summary: str = ""
    status: str = "published"
    lang: str = ""
    is_translation: bool = False
    aliases: list[str] = field(default_factory=list)
    image: str = ""
    link: str = ""


def interpret(values: Mapping[str, Any]) -> tuple[Metadata, list[str]]:
    """Make sense of raw values; complaints in words for those that make none."""
    values = read_flag(values)
    ours = {KEYS[key]: value for key, value in values.items() if key in KEYS and value is not None}
    complaints: list[str] = []
    tags = split_list(ours.get("tags", []))
    meta = Metadata(
        title=cut("title", one_line(ours.get("title", "")), complaints),
        slug=clean_slug(cut("slug", one_line(ours.get("slug", "")), complaints)),
        tags=unique([cut("tag", tag, complaints) for tag in tags]),
        category=cut("category", one_line(first(ours.get("category", ""))), complaints),
        series=cut("series", one_line(first(ours.get("series", ""))), complaints),
        author=cut("author", join_authors(ours.get("author", "")), complaints),
        summary=one_line(ours.get("summary", "")),
        lang=clean_language(one_line(ours.get("lang", ""))),
        is_translation=is_yes(ours.get("translation", "")),
        aliases=read_aliases(split_list(ours.get("aliases", [])), complaints) + read_places(ours),
        link=read_link(one_line(ours.get("link", ""))),
        image=cut("image", one_line(ours.get("image", "")), complaints),
    )
    if one_line(ours.get("lang", "")) and not meta.lang:
        complaints.append(f'"{one_line(ours["lang"])}" is no language; write it as en or zh-Hans')
    meta.date = read_moment(ours, "date", complaints)
    meta.has_unreadable_date = meta.date is None and ours.get("date", "") != ""
    meta.updated = read_moment(ours, "updated", complaints)
    meta.status = read_status(ours, meta, complaints)
    return meta, complaints


def cut(word: str, value: str, complaints: list[str]) -> str:
    """The value, or as much of it as fits, with a complaint that quotes its beginning."""
    limit = LIMITS[word]
    if len(value) > limit:
        complaints.append(
            f'"{value[:30]}" begins a {word} of {len(value)} characters; {limit} fit, the rest is '
            "cut. Shorten it."
        )
    return value[:limit]


def read_aliases(written: list[str], complaints: list[str]) -> list[str]:
    aliases = []
    for each in written:
        alias = clean_alias(each)
        if alias.rstrip("/") in OWN_ADDRESSES or not alias:
            complaints.append(
                f'"{each}" cannot be an alias: the blog shows a page of its own there. Write the '
                "older address of this post, as /2009/old.html."
            )
        elif each == cut("alias", each, complaints):
            aliases.append(alias)
    return aliases


def read_places(ours: Mapping[str, Any]) -> list[str]:
    """Where Pelican showed the post: `Save_as: soup.html`, `Url: soup/`."""
    places = (one_line(ours.get(key, "")) for key in ("url", "save_as"))
    aliases = {clean_alias(place) for place in places if "://" not in place}
    return sorted(
        alias
        for alias in aliases
        if alias and alias.rstrip("/") not in OWN_ADDRESSES and len(alias) <= LIMITS["alias"]
    )


def read_link(text: str) -> str:
    """What Nikola calls the original site: where the post was first, or what it is about."""
    return text if re.match(r"https?://\S+$", text) else ""


def read_flag(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """`published: false` is Jekyll's way to say draft; elsewhere `published` is a date."""
    word = one_line(values.get("published", "")).lower()
    if word not in ("true", "false"):
        return values
    rest = {key: value for key, value in values.items() if key != "published"}
    return {**rest, "draft": True} if word == "false" else rest


def read_moment(ours: Mapping[str, Any], key: str, complaints: list[str]) -> datetime | None:
    value = ours.get(key, "")
    if value == "":
        return None
    moment = parse_moment(value)
    if moment is None or moment.year not in YEARS:
        complaints.append(
            f'"{one_line(value)}" is no {key} that we can read; write it as 2016-06-19 20:30'
            + (". Not published before." if key == "date" else "")
        )
        return None
    return moment


def read_status(ours: Mapping[str, Any], meta: Metadata, complaints: list[str]) -> str:
    """Unknown words make a draft: better hidden by mistake than shown by mistake."""
    if is_yes(ours.get("draft", "")):
        return "draft"
    for tag in meta.tags:  # Nikola's older way
        if tag.lower() in ("draft", "private"):
            meta.tags.remove(tag)
            return tag.lower()
    word = one_line(ours.get("status", "")).lower()
    if word not in STATUSES:
        complaints.append(
            f'"{word}" is no status; use published, draft, hidden or private. Kept as a draft.'
        )
        return "draft"
    return STATUSES[word]


def is_yes(value: Any) -> bool:
    return str(value).strip().lower() in ("true", "yes", "1")


def one_line(value: Any) -> str:
    return " ".join(str(value).split())


def first(value: Any) -> Any:
    """Of a list the first; of text all up to a comma (Nikola allows one category, as we do)."""
    return (value[0] if value else "") if isinstance(value, list) else value


def split_list(value: Any) -> list[str]:
    """Items of a list, or of text with commas or semicolons; a leading `#` is only decoration."""
    if not isinstance(value, list):
        text = str(value).strip()
        if text.startswith("[") and text.endswith("]"):
            text = text[1:-1]
        value = re.split(r"[;；]" if re.search("[;；]", text) else r"[,，、\n]", text)
    items = (one_line(item).strip("\"'").removeprefix("#").strip() for item in value)
    return [item for item in items if item]


def join_authors(value: Any) -> str:
    """Authors are parted by semicolons, or else by commas; here as well."""
    authors = unique(split_list(value))
    return ("; " if any("," in author for author in authors) else ", ").join(authors)


def unique(items: list[str]) -> list[str]:
    return list({item.lower(): item for item in reversed(items)}.values())[::-1]


def clean_slug(slug: str) -> str:
    """One segment of an address: no slash, question mark or hash, no dots alone."""
    slug = re.sub(r"[\s/\\?#%]+", "-", slug).strip("-")
    return "" if slug.strip(".") == "" else slug


def clean_language(text: str) -> str:
    """A BCP 47 tag: `zh_CN` becomes `zh-CN`. Of codes of three letters only the form is known."""
    text = text.replace("_", "-")
    found = re.fullmatch(r"([A-Za-z]{2,3})(-[A-Za-z0-9]{2,8}){0,3}", text)
    if not found or len(text) > LANGUAGE_LENGTH:
        return ""
    return text if len(found[1]) == 3 or found[1].lower() in languages.CODES else ""


def clean_alias(alias: str) -> str:
    """An older address from its path on, `/` first, without scheme, host and fragment.

    A query is part of it: WordPress' addresses are `/?p=12`.
    """
    address = re.sub(r"^[a-z]+://[^/?#]*", "", alias.strip()).partition("#")[0]
    path, _, query = unquote(address).partition("?")
    if not path.strip("/") and not query:
        return ""
    return "/" + path.lstrip("/") + (f"?{query}" if query else "")

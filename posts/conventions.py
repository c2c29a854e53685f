"""What a post says by where it lies and how it is called, as Pelican and Nikola take it."""

import re
from html import escape

from posts import source
from posts.metadata import Metadata, clean_language, clean_slug

# Nikola's `post.zh_CN.md` beside `post.md`.
TRANSLATION = re.compile(r"(.+)\.([a-z]{2,3}(?:[_-][A-Za-z]{2,4})?)", re.DOTALL)


def take_category(path: str, meta: Metadata) -> None:
    """To Pelican a post's folder is its category; a year is none, and pages have none."""
    folder = path.rpartition("/")[0].rpartition("/")[2]
    if not (meta.category or is_page(path) or folder.isdecimal()):
        meta.category = folder


def take_language(path: str, meta: Metadata) -> None:
    """A translation for Nikola has its language from its name, and an address that tells it."""
    found = TRANSLATION.fullmatch(source.split_name(path)[1])
    language = clean_language(found[2]) if found else ""
    if found and language:
        meta.lang = meta.lang or language
        meta.slug = f"{meta.slug or clean_slug(found[1])}-{language.lower()}"


def is_page(path: str) -> bool:
    """Both keep pages in this folder; a date does not make a post of one."""
    return path.startswith("pages/")


def show_link(link: str) -> str:
    """Nikola puts the original site before the text."""
    return f'<p><a href="{escape(link)}">{escape(link)}</a></p>\n' if link else ""


def complain_of_name(path: str, meta: Metadata) -> list[str]:
    if meta.date or meta.has_unreadable_date or not source.has_false_day(path):
        return []
    return [
        f'"{source.name_of(path)}" begins with no day of the calendar; rename it, or give it a '
        "date within. Not published before."
    ]

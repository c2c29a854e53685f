"""What a post says by where it lies and how it is called, as Pelican and Nikola take it."""

import re
from datetime import date
from html import escape
from posixpath import dirname

from posts import galleries, languages, source
from posts.metadata import Metadata, clean_language, clean_slug

# Eight digits may be any number; these begin as a date of our time does.
MEANT_AS_DATE = re.compile(r"\d{4}([-_.])\d{2}\1\d{2}|(?:19|20)\d{6}")


def take_category(path: str, meta: Metadata) -> None:
    """To Pelican a post's folder is its category; a year is none, and pages have none."""
    folder = within_top(path).rpartition("/")[0].rpartition("/")[2]
    if not (meta.category or is_page(path) or folder.isdecimal()):
        meta.category = folder


def take_language(path: str, meta: Metadata) -> None:
    """To Nikola `post.zh_cn.md` is `post.md` in another language, and takes its slug from there."""
    base, language = languages.split_path(path)
    if language:
        meta.is_translation = True
        meta.lang = meta.lang or clean_language(language)
        meta.slug = meta.slug or clean_slug(split_name(base)[1])


def is_page(path: str) -> bool:
    """Both keep pages in this folder; a date does not make a post of one, nor of a gallery."""
    return within_top(path).startswith("pages/") or galleries.is_page(path)


def within_top(path: str) -> str:
    """The path as Pelican counts it, where a whole project of its lies in POSTS_DIR."""
    return path.removeprefix(source.PELICAN_TOP)


def split_name(path: str) -> tuple[date | None, str]:
    """As source.split_name has it; a gallery's page is called after the folder."""
    if galleries.is_page(path):
        return None, galleries.slug_of(dirname(path))
    return source.split_name(path)


def name_untitled(path: str, rest: str) -> str:
    """A title for want of one."""
    name = dirname(path).rpartition("/")[2] if galleries.is_page(path) else rest
    return name.replace("_", " ")


def show_link(link: str) -> str:
    """Nikola puts the original site before the text."""
    return f'<p><a href="{escape(link)}">{escape(link)}</a></p>\n' if link else ""


def complain_of_name(path: str, meta: Metadata) -> list[str]:
    if meta.date or meta.has_unreadable_date or not has_false_day(path):
        return []
    return [
        f'"{source.name_of(path)}" begins with no day of the calendar; rename it, or give it a '
        "date within. Not published before."
    ]


def has_false_day(path: str) -> bool:
    """The name begins as if with a date, as 2019_13_45 does, and no calendar has it."""
    name = source.name_of(path)
    return (
        source.split_name(path)[0] is None
        and bool(source.NAME_WITH_DATE.fullmatch(name))
        and bool(MEANT_AS_DATE.match(name))
    )

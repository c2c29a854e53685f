"""Begins a new post: a file with date, name, title and the state of a draft."""

import json
from pathlib import Path
from unicodedata import east_asian_width

from django.utils import timezone

from posts.metadata import split_list
from posts.reading import slugify


class TitleEmpty(Exception):
    """There is nothing to make a post of."""


class PostExists(Exception):
    """There is a file of that day and name already."""


def start_post(root: Path, title: str, *, is_rst: bool = False, tags: str = "") -> Path:
    """Write the file and return its path. Raises TitleEmpty, PostExists, and OSError."""
    title = " ".join(title.split())
    if not title:
        raise TitleEmpty('A post needs a title: manage.py new_post "My title"')
    today = timezone.localdate()
    # A title of signs alone names no file.
    words = slugify(title).replace("-", "_") if any(map(str.isalnum, title)) else "post"
    name = f"{today:%Y_%m_%d}-{words[:60].strip('_')}"
    path = root / f"{name}{'.rst' if is_rst else '.md'}"
    text = make_rst(title, split_list(tags)) if is_rst else make_markdown(title, split_list(tags))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise PostExists(f"{path} is there already. Choose another title.") from error
    return path


def make_markdown(title: str, tags: list[str]) -> str:
    listed = json.dumps(tags, ensure_ascii=False)
    return f"---\nstatus: draft\ntags: {listed}\n---\n\n# {title}\n\n"


def make_rst(title: str, tags: list[str]) -> str:
    """Chinese characters count two columns under a title."""
    width = sum(2 if east_asian_width(character) in "WF" else 1 for character in title)
    fields = ":status: draft\n" + (f":tags: {', '.join(tags)}\n" if tags else "")
    return f"{title}\n{'=' * max(4, width)}\n\n{fields}\n"

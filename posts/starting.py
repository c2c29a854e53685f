"""Begins a new post: a file with date, name, title and the state of a draft."""

import json
import re
from pathlib import Path
from unicodedata import east_asian_width

from django.utils import timezone

from posts.metadata import split_list
from posts.reading import slugify

# Bytes. A file system takes 255 in all; date and ending are part of them.
MAX_NAME = 200


class PostExists(Exception):
    """There is a file of that day and name already."""


class TitleMissing(Exception):
    """A post needs a title."""


def start_post(root: Path, title: str, *, is_rst: bool = False, tags: str = "") -> Path:
    """Write the file and return its path. Raises TitleMissing, PostExists, and OSError."""
    title = " ".join(title.split())
    if not title:
        raise TitleMissing('A post needs a title: new_post "My first post".')
    name = f"{timezone.localdate():%Y_%m_%d}-{name_for(title)}"
    path = root / f"{name}{'.rst' if is_rst else '.md'}"
    text = make_rst(title, split_list(tags)) if is_rst else make_markdown(title, split_list(tags))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise PostExists(f"{path} is there already. Choose another title.") from error
    return path


def name_for(title: str) -> str:
    """The title, as a file may be named: a title of signs alone is told by the day and hour."""
    if not any(character.isalnum() for character in title):
        return f"{timezone.localtime():post_%H%M%S}"
    # `#` and `+` mean something else in the address of a link by this name.
    name = re.sub(r"[-+#*%?&]+", "_", slugify(title)).strip("_.").encode()
    return name[:MAX_NAME].decode(errors="ignore").rstrip("_")


def make_markdown(title: str, tags: list[str]) -> str:
    listed = json.dumps(tags, ensure_ascii=False)
    return f"---\nstatus: draft\ntags: {listed}\n---\n\n# {title}\n\n"


def make_rst(title: str, tags: list[str]) -> str:
    """Chinese characters count two columns under a title."""
    width = sum(2 if east_asian_width(character) in "WF" else 1 for character in title)
    fields = ":status: draft\n" + (f":tags: {', '.join(tags)}\n" if tags else "")
    return f"{title}\n{'=' * max(4, width)}\n\n{fields}\n"

"""What is said about the pictures of a gallery, as Nikola has it: metadata.yml, exclude.meta."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from posixpath import splitext
from typing import Any, Protocol
from urllib.parse import quote

import yaml

from posts import galleries, headers, reading
from posts.galleries import Gallery
from posts.metadata import one_line
from posts.problems import Problem, cut
from posts.source import PostUnreadable

# No page grows without end.
MOST_PICTURES = 2000
MOST_PROBLEMS = 50
# Twice as much takes seconds to read.
MAX_METADATA = 128 * 1024
CAPTION_COLUMNS = 2000
# What cameras and programs call pictures tells nobody anything.
BY_CAMERA = re.compile(
    r"(?:img|dsc[fn]?|p|pxl|mvimg|pano|gopr|dji|imgp|sam|cimg|wp|screenshot|image|photo|picture|"
    r"signal|untitled|scan)?[\W_]*\d[\d\W_]*(?:[a-z]{1,3})?|[0-9a-f-]{16,}",
    re.IGNORECASE,
)

# Reads a file about the pictures by its name. Raises PostUnreadable.
Read = Callable[[str], str]


@dataclass(frozen=True)
class Picture:
    """`words` say what it shows, to those who cannot see it too; `caption` stands below it."""

    name: str
    blob: str
    words: str
    caption: str


@dataclass
class Entry:
    """What metadata.yml says of one picture; `line` counts from 1."""

    name: str
    line: int
    caption: str = ""
    words: str = ""
    order: int | None = None


class Draft(Protocol):
    """What a gallery adds to its page."""

    text: str
    image: str
    links: list[dict[str, Any]]


def complete(draft: Draft, gallery: Gallery, read: Read, language: str) -> list[Problem]:
    """Let the page be found by the captions, and be shown elsewhere by the first picture."""
    pictures, problems = arrange(gallery, read, language)
    said = (each.words for each in pictures if each.words != read_stem(each.name))
    draft.text = "\n".join([draft.text, *said]).strip()
    # A link cannot tell these signs from its own.
    photos = (
        each.name
        for each in pictures
        if not is_drawing(each.name) and not set("#?%") & {*each.name}
    )
    if not draft.image and (name := next(photos, "")):
        draft.image = f"{gallery.folder}/{name}"
        draft.links.append({"target": quote(f"/{draft.image}"), "line": 1})
    return problems


def arrange(gallery: Gallery, read: Read, language: str) -> tuple[list[Picture], list[Problem]]:
    """The pictures in their order, and what is wrong with what is said about them.

    As in Nikola `order` is a place among the pictures that metadata.yml names; the others follow,
    by name.
    """
    excluded, problems = read_excluded(gallery, read)
    blobs = {name: blob for name, blob in gallery.pictures if name not in excluded}
    file, _ = gallery.find_notes(language)
    entries: dict[str, Entry] = {}
    order: list[str] = []
    for each in read_entries(gallery, file, read, problems) if file else ():
        if each.name in entries or each.name not in blobs:
            if complaint := complain(each, entries, excluded):
                problems.append(tell(gallery, file, each.line, complaint))
            continue
        entries[each.name] = each
        order.insert(len(order) if each.order is None else each.order, each.name)
    names = [*order, *(name for name in blobs if name not in entries)]
    for name in gallery.unread:
        other = "it is not read: another file beside it is the gallery's text. Keep one of them."
        problems.append(tell(gallery, name, 1, other))
    if len(names) > MOST_PICTURES:
        words = f"the folder has {len(names)} pictures; the first {MOST_PICTURES} are shown. Put "
        problems.append(tell(gallery, names[MOST_PICTURES], 1, f"{words}some into another folder."))
    pictures = [describe(name, blobs[name], entries.get(name)) for name in names[:MOST_PICTURES]]
    return pictures, cut(problems, MOST_PROBLEMS)


def complain(each: Entry, entries: dict[str, Entry], excluded: set[str]) -> str:
    if each.name in excluded:
        return ""
    if each.name in entries:
        return f'"{each.name}" is named twice; the first time counts'
    return f'there is no picture "{each.name}" in this folder'


def describe(name: str, blob: str, entry: Entry | None) -> Picture:
    told = read_name(name)
    caption = entry.caption if entry and entry.caption else told
    words = entry.words if entry else ""
    return Picture(name, blob, words or caption or read_stem(name), caption)


def read_stem(name: str) -> str:
    """What is said where there is nothing to say."""
    return splitext(name)[0].replace("_", " ")


def read_name(name: str) -> str:
    """A caption: `03_an_amazing_sunrise.jpg` is "An amazing sunrise", IMG_0815.jpg says nothing."""
    stem = splitext(name)[0]
    if BY_CAMERA.fullmatch(stem):
        return ""
    words = " ".join(re.sub(r"^\d+[\s_.-]+", "", stem).replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:]


def is_drawing(name: str) -> bool:
    """SVG, which is shown as it is, and which nobody shows previews of."""
    return name.lower().endswith(".svg")


def read_excluded(gallery: Gallery, read: Read) -> tuple[set[str], list[Problem]]:
    """Names that exclude.meta has, one a line or with spaces between them."""
    if galleries.EXCLUDE not in dict(gallery.notes):
        return set(), []
    try:
        lines = read(galleries.EXCLUDE).splitlines()
    except PostUnreadable as error:
        return set(), [tell(gallery, galleries.EXCLUDE, 1, str(error))]
    known = {name for name, _ in gallery.pictures}
    excluded: set[str] = set()
    problems = []
    for number, line in enumerate(lines, start=1):
        for name in [line.strip()] if line.strip() in known else line.split():
            excluded.add(name)
            if name not in known:
                words = f'there is no picture "{name}" in this folder'
                problems.append(tell(gallery, galleries.EXCLUDE, number, words))
    return excluded, problems


def read_entries(
    gallery: Gallery, file: str, read: Read, problems: list[Problem]
) -> Iterator[Entry]:
    """What the file says, up to where it cannot be read: a problem is added then."""
    text = ""
    try:
        text = read(file)
        if len(text) > MAX_METADATA:
            raise PostUnreadable(
                f"it has {len(text) // 1024} KB; {MAX_METADATA // 1024} KB are read at most. "
                "Put some of the pictures into another folder."
            )
        yield from parse_entries(gallery, file, text, problems)
    except PostUnreadable as error:
        problems.append(tell(gallery, file, 1, str(error)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        words = f"it cannot be read from here on: {headers.first_line(error)}"
        # What is missing at the end is missed on the line behind it.
        line = min(mark.line + 1, len(text.splitlines())) if mark else 1
        problems.append(tell(gallery, file, line, words))


def parse_entries(
    gallery: Gallery, file: str, text: str, problems: list[Problem]
) -> Iterator[Entry]:
    """One YAML document for each picture, or a list of them. Raises yaml.YAMLError."""
    loader: Any = headers.Texts(text)
    while loader.check_node():
        document = loader.get_node()
        is_list = isinstance(document, yaml.SequenceNode)
        for node in document.value if is_list else [document]:
            line, values = node.start_mark.line + 1, loader.construct_document(node)
            if not values:
                continue
            if not isinstance(values, dict) or not is_plain(values.get("name")):
                words = 'it has no "name:" that tells which picture is meant'
                problems.append(tell(gallery, file, line, words))
                continue
            yield make_entry(values, line)


def make_entry(values: dict[str, Any], line: int) -> Entry:
    order = str(values.get("order"))
    said = {
        key: reading.shorten(one_line(values[key]), CAPTION_COLUMNS)
        for key in ("caption", "alt")
        if is_plain(values.get(key))
    }
    return Entry(
        name=values["name"],
        line=line,
        caption=said.get("caption", ""),
        words=said.get("alt", ""),
        order=int(order) if re.fullmatch(r"[+-]?[0-9]{1,6}", order) else None,
    )


def is_plain(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def tell(gallery: Gallery, name: str, line: int, words: str) -> Problem:
    return Problem(line, words, f"{gallery.folder}/{name}")

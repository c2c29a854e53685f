"""Galleries: which folders are some, what lies in them, and which file says what they are."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import dirname, splitext

from posts import languages

# Where Nikola has them. The folder itself is the list of all galleries.
TOP = "galleries"
PICTURES = frozenset(".apng .avif .gif .jpeg .jpg .png .svg .webp".split())
# Of several the first in this order counts; Nikola knows the first alone, as reStructuredText.
INDEXES = (".txt", ".rst", ".rest", ".md", ".markdown", ".mkd", ".mdown")
EXCLUDE = "exclude.meta"
METADATA = re.compile(r"metadata(?:\.[A-Za-z_-]{2,10})?\.yml")
INDEX = re.compile(rf"index(?:\.[A-Za-z_-]{{2,10}})?(?:{'|'.join(map(re.escape, INDEXES))})")


@dataclass(frozen=True)
class Gallery:
    """A folder with pictures in it, or further below. Names with the blobs of the files."""

    folder: str
    pictures: tuple[tuple[str, str], ...] = ()
    # What is said about the pictures: metadata.yml, metadata.de.yml, exclude.meta.
    notes: tuple[tuple[str, str], ...] = ()
    # Further files that would be its text.
    unread: tuple[str, ...] = ()
    # The galleries right within it.
    inner: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """Changes with all that is shown of the folder."""
        parts = [f"{name}\0{blob}" for name, blob in (*self.pictures, *self.notes)]
        whole = "\n".join([*parts, "", *self.unread, "", *self.inner])
        return hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest()[:20]

    def find_notes(self, language: str) -> tuple[str, str]:
        """Name and blob of the metadata for a page in that language; "" where there are none."""
        notes = dict(self.notes)
        names = (f"metadata.{language}.yml", "metadata.yml")
        return next(((name, notes[name]) for name in names if name in notes), ("", ""))


class Tree:
    """The files below TOP that galleries are made of, by folder and name, with their blobs."""

    def __init__(self) -> None:
        self.folders: dict[str, dict[str, str]] = {}
        # Every gallery by its path, with the names of those right within it; None: look again.
        self.known: dict[str, set[str]] | None = None

    def put(self, path: str, blob: str) -> None:
        """Take note of a file; the blob "" is that of one that is gone."""
        folder, _, name = path.rpartition("/")
        self.known = None
        if blob:
            self.folders.setdefault(folder, {})[name] = blob
        elif folder in self.folders:
            self.folders[folder].pop(name, None)

    def find_galleries(self) -> dict[str, set[str]]:
        if self.known is None:
            self.known = defaultdict(set)
            for folder, names in self.folders.items():
                if all(map(is_note, names)):
                    continue
                name = ""
                for above in list_above(f"{folder}/"):
                    self.known[above].update([name] if name else ())
                    name = above.rpartition("/")[2]
        return self.known

    def list_galleries(self) -> list[str]:
        """All of them, the ones within others too."""
        return sorted(self.find_galleries())

    def list_pages(self, folder: str) -> list[str]:
        """The file that tells of the gallery and its translations; nothing for no gallery.

        Where there is none, it is the one that could be written.
        """
        if folder not in self.find_galleries():
            return []
        names = sorted(filter(is_index_name, self.folders.get(folder, ())), key=rank_index)
        first = names[0] if names else "index.txt"
        others = [name for name in names if languages.split_path(name)[0] == first]
        return [f"{folder}/{name}" for name in (first, *others)]

    def read(self, folder: str) -> Gallery:
        names = self.folders.get(folder, {})
        pictures = sorted((name for name in names if is_picture(name)), key=sort_naturally)
        pages = {path.rpartition("/")[2] for path in self.list_pages(folder)}
        return Gallery(
            folder,
            tuple((name, names[name]) for name in pictures),
            tuple((name, names[name]) for name in sorted(filter(is_note, names))),
            tuple(sorted(name for name in names if is_index_name(name) and name not in pages)),
            tuple(sorted(self.find_galleries().get(folder, ()))),
        )


def is_inside(path: str) -> bool:
    return path.startswith(f"{TOP}/")


def is_part(path: str) -> bool:
    """Whether something about a gallery depends on the file."""
    name = path.rpartition("/")[2]
    return is_inside(path) and (is_picture(name) or is_note(name) or is_index_name(name))


def is_page(path: str) -> bool:
    """Whether the file, which need not be there, tells of a gallery."""
    return is_inside(path) and is_index_name(path.rpartition("/")[2])


def is_own_page(path: str) -> bool:
    """And is none in another language."""
    return is_page(path) and not languages.split_path(path)[0]


def is_index_name(name: str) -> bool:
    return bool(INDEX.fullmatch(name))


def is_picture(name: str) -> bool:
    return splitext(name)[1].lower() in PICTURES


def is_note(name: str) -> bool:
    return name == EXCLUDE or bool(METADATA.fullmatch(name))


def list_above(path: str) -> Iterator[str]:
    """The folders that the file is in, the nearest first, up to TOP."""
    folder = dirname(path)
    while is_inside(f"{folder}/"):
        yield folder
        folder = dirname(folder)


def addresses_of(folder: str) -> list[str]:
    """Where Nikola has it."""
    return [f"/{folder}/", f"/{folder}/index.html"]


def slug_of(folder: str) -> str:
    """`galleries/trips/rome` is `trips-rome`: there may be several of one name."""
    return folder.removeprefix(f"{TOP}/").replace("/", "-")


def rank_index(name: str) -> tuple[bool, int, str]:
    return name.count(".") > 1, INDEXES.index(splitext(name)[1]), name


def sort_naturally(name: str) -> tuple[list[tuple[int, str]], str]:
    """`2.jpg` before `10.jpg` and that before `a.jpg`; capitals are nothing."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.lower())
    return [(int(part[:18]), "") if part.isdecimal() else (10**18, part) for part in parts], name

"""Finds the files of the blog: which are posts, which lie beside them, and what they hold."""

import hashlib
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from posts import galleries, languages
from posts.galleries import Gallery, Tree
from posts.metadata import YEARS

RST_EXTENSIONS = (".rst", ".rest")
MARKDOWN_EXTENSIONS = (".md", ".markdown", ".mkd", ".mdown")
EXTENSIONS = RST_EXTENSIONS + MARKDOWN_EXTENSIONS
# In these Nikola reads `.txt` as reStructuredText; elsewhere that may be anything.
NIKOLA_FOLDERS = ("posts/", "pages/", "stories/")

# What may be served from beside the posts: never a post's source, never a script or a page.
FILE_EXTENSIONS = frozenset(
    ".apng .avif .gif .ico .jpeg .jpg .png .svg .webp .mp4 .m4v .mov .ogv .webm "
    ".aac .flac .m4a .mp3 .oga .ogg .opus .wav .pdf .epub .7z .bz2 .gz .tar .tgz .xz .zip".split()
)

MAX_BYTES = 512 * 1024
# What lies in them Pelican and Nikola have at the top of the site; links begin there too.
PELICAN_TOP, NIKOLA_FILES = "content/", "files/"
TOPS = ("", PELICAN_TOP, NIKOLA_FILES)
# Files of code that posts may show lie in folders of these names.
CODE_FOLDERS = frozenset({"listings", "code"})
MAX_CODE_BYTES = 32 * 1024

UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

NAME_WITH_DATE = re.compile(r"(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})(?:[-_ .]+(.*))?", re.DOTALL)


class SourceUnreadable(Exception):
    """The folder of the posts cannot be read as it is; says what to do."""


class PostUnreadable(Exception):
    """This one file cannot be made into a post; says why."""


@dataclass(frozen=True)
class SourceFile:
    """A post's file, with the digest of everything that its page is made from.

    Of a file that stands alone it is git's blob id; `a+b` with a `.meta` file beside it; `a~c` or
    `a+b~c+d` of a translation, the second half being the digest of `base`, the file that it
    translates; `a~` where that is not there, but is translated by others too (`has_siblings`). With
    a `gallery` the digest of that stands behind: `a@g`, or `@g` where nobody has written of it.
    """

    path: str
    digest: str
    companion: str = ""
    base: "SourceFile | None" = None
    has_siblings: bool = False
    gallery: Gallery | None = field(default=None, compare=False)

    @property
    def is_written(self) -> bool:
        """Whether the file is there: a gallery has a page without one."""
        return not self.digest.startswith(("+", "@"))


# What a file looks like from outside: inode, size, and when it was written and changed, in ns.
Stamp = tuple[int, int, int, int]


@dataclass
class Folder:
    """What POSTS_DIR holds: posts by path, and the paths of the files beside them.

    `codes` are digests of the files that posts may show as code, `galleries` go by folder.
    """

    root: Path
    posts: dict[str, SourceFile] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    codes: dict[str, str] = field(default_factory=dict)
    galleries: dict[str, Gallery] = field(default_factory=dict)
    stamps: dict[str, tuple[Stamp, str]] = field(default_factory=dict)
    found: dict[str, Stamp] = field(default_factory=dict)

    def read_code(self, path: str) -> str | None:
        """None where it is no text after all, or just gone: the next scan sees what there is."""
        try:
            return read_text(self.root / path)
        except (PostUnreadable, OSError):
            return None

    def read(self, source: SourceFile) -> tuple[str, str]:
        """The text of the post and of its `.meta` file ("" without one)."""
        text = read_text(self.root / source.path) if source.is_written else ""
        return text, read_text(self.root / source.companion) if source.companion else ""

    def read_note(self, gallery: Gallery, name: str) -> str:
        """What is said about a gallery's pictures. Raises PostUnreadable."""
        try:
            return read_text(self.root / gallery.folder / name)
        except OSError as error:
            raise PostUnreadable(f"it cannot be read: {error.strerror}") from error


def describe(
    path: str, find: Callable[[str], str], siblings: Mapping[str, Collection[str]]
) -> SourceFile:
    """The post at the path; `find` tells the blob of a file by its path, "" where there is none.

    `siblings` are as languages.group_by_base has them, of the files that are there.
    """
    own, base = describe_alone(path, find), base_of(path)
    if base and find(base):
        original = describe_alone(base, find)
        return replace(own, digest=f"{own.digest}~{original.digest}", base=original)
    if base and languages.tell_of_translations(siblings.get(base, ())):
        return replace(own, digest=f"{own.digest}~", has_siblings=True)
    return own


def describe_gallery(tree: Tree, folder: str, find: Callable[[str], str]) -> dict[str, SourceFile]:
    """The pages of a gallery by their paths."""
    paths = tree.list_pages(folder)
    if not paths:
        return {}
    gallery, siblings = tree.read(folder), languages.group_by_base(paths)
    pages = (describe(path, find, siblings) for path in paths)
    return {
        each.path: replace(each, digest=f"{each.digest}@{gallery.digest}", gallery=gallery)
        for each in pages
    }


def describe_alone(path: str, find: Callable[[str], str]) -> SourceFile:
    companion = companion_of(path)
    blob = find(companion)
    return (
        SourceFile(path, f"{find(path)}+{blob}", companion)
        if blob
        else SourceFile(path, find(path))
    )


def is_hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def is_seen(path: str) -> bool:
    """Whether `walk` would come by a file at this path."""
    return is_storable(path) and not any(map(is_hidden, path.split("/")))


def is_post(path: str) -> bool:
    extension = extension_of(path)
    is_marked_up = extension in EXTENSIONS or (
        extension == ".txt" and path.startswith(NIKOLA_FOLDERS) and not is_code(path)
    )
    return is_marked_up and not is_readme(path) and not galleries.is_page(path)


def is_code(path: str) -> bool:
    return not CODE_FOLDERS.isdisjoint(path.split("/")[:-1])


def extension_of(path: str) -> str:
    _, dot, ending = path.rpartition(".")
    return (dot + ending).lower()


def companion_of(path: str) -> str:
    """Where Nikola keeps the metadata of a post, beside it."""
    return path.rpartition(".")[0] + ".meta"


def base_of(path: str) -> str:
    """The file that this one translates, if there is such a file; "" if its name tells of none."""
    base = languages.split_path(path)[0]
    return base if base and (is_post(base) or galleries.is_page(base)) else ""


def list_beside(path: str) -> list[str]:
    """Where the files lie, apart from itself, that a post's digest tells of if they are there."""
    base = base_of(path)
    return [companion_of(path), *([base, companion_of(base)] if base else [])]


def is_storable(path: str) -> bool:
    """A name that no database or page can hold (not UTF-8, control characters) is passed over."""
    return path.isprintable() and len(path) <= 400


def is_readme(path: str) -> bool:
    return name_of(path).lower() == "readme"


def blob_id(path: str | Path) -> str:
    """What git calls the file's content."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - three times as fast as Path.open
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def hash_blob(content: bytes) -> str:
    """The same, of what was read."""
    head = b"blob %d\0" % len(content)
    return hashlib.sha1(head + content, usedforsecurity=False).hexdigest()


def read_text(path: Path) -> str:
    """The file's text, ends of line as \\n. Raises PostUnreadable for what is no text."""
    check_size(path.stat().st_size)
    return decode(path.read_bytes())


def check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise PostUnreadable(
            f"it has {size // 1024} KB; a post may have {MAX_BYTES // 1024} KB. Split it."
        )


def decode(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PostUnreadable(
            f"it is not UTF-8 (byte {error.start}). Save it in UTF-8 and push again."
        ) from error
    return clean(text)


def clean(text: str) -> str:
    """Without characters that no page may hold, and with ends of line as \\n."""
    return make_fit(text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " "))


def make_fit(text: str) -> str:
    """Replace what no page, feed or database holds: control characters, surrogates, our marks.

    A file cannot hold some of these, but a post can name them: `&#xfdd0;`, YAML's "\\ud800".
    """
    return UNFIT.sub("\ufffd", text)


def name_of(path: str) -> str:
    """The file name without folder and extension: in `a/b.c.md` it is `b.c`."""
    name = path.rpartition("/")[2]
    return name.rpartition(".")[0] or name


def is_rst(path: str) -> bool:
    return path.lower().endswith((*RST_EXTENSIONS, ".txt"))


def split_name(path: str) -> tuple[date | None, str]:
    """The day that the file's name begins with, and the rest, as written."""
    name = name_of(path)
    found = NAME_WITH_DATE.fullmatch(name)
    if not found:
        return None, name
    year, month, day, rest = found.groups()
    try:
        found_day = date(int(year), int(month), int(day))
    except ValueError:
        return None, name
    return (found_day, rest or name) if found_day.year in YEARS else (None, name)

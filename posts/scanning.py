"""Reads POSTS_DIR through: which files it holds, and what is in those that changed."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from posts import galleries, languages, source
from posts.galleries import Tree
from posts.source import Folder, SourceUnreadable, Stamp


def scan(root: Path, before: Folder | None = None) -> Folder:
    """Read the folder through, hashing every post but those untouched since `before`.

    Raises SourceUnreadable when the folder is missing or holds nothing at all: that is a submodule
    not fetched yet, and must not empty the blog. So does a file that may not be read.
    """
    try:
        return read_folder(root, before)
    except OSError as error:
        raise SourceUnreadable(
            f"{error.filename} cannot be read: {error.strerror}. Give its owner the right to, or "
            "run this again if it was just being changed."
        ) from error


def read_folder(root: Path, before: Folder | None) -> Folder:
    if not root.is_dir():
        raise SourceUnreadable(f"{root} is no folder. Set POSTS_DIR to the folder of the posts.")
    if not any(root.iterdir()):
        raise SourceUnreadable(
            f"{root} is empty. If it is a submodule, run: git submodule update --init"
        )
    found = dict(sorted(walk(str(root), "")))
    if before and before.found == found:
        return before
    folder = Folder(root, found=found)
    known = before.stamps if before else {}
    siblings = languages.group_by_base(filter(source.is_post, found))
    find = partial(find_digest, folder, known)
    tree = Tree()
    for path, stamp in found.items():
        if galleries.is_part(path):
            tree.put(path, find(path))
        if source.extension_of(path) in source.FILE_EXTENSIONS:
            folder.files.add(path)
        elif source.is_post(path):
            folder.posts[path] = source.describe(path, find, siblings)
        elif source.is_code(path) and stamp[1] <= source.MAX_CODE_BYTES:
            folder.codes[path] = find(path)
    add_galleries(folder, tree, find)
    return folder


def add_galleries(folder: Folder, tree: Tree, find: Callable[[str], str]) -> None:
    for each in tree.list_galleries():
        pages = source.describe_gallery(tree, each, find)
        folder.galleries[each] = next(page.gallery for page in pages.values() if page.gallery)
        folder.posts |= pages


def find_digest(folder: Folder, known: dict[str, tuple[Stamp, str]], path: str) -> str:
    stamp = folder.found.get(path)
    if stamp is None:
        return ""
    if path not in folder.stamps:
        seen = known.get(path)
        digest = seen[1] if seen and seen[0] == stamp else source.blob_id(f"{folder.root}/{path}")
        folder.stamps[path] = (stamp, digest)
    return folder.stamps[path][1]


def walk(root: str, below: str) -> Iterator[tuple[str, Stamp]]:
    """Paths of all files, without those whose name begins with a dot or underscore.

    Links to other places are left out, so that nothing outside the folder can be published.
    """
    with os.scandir(f"{root}/{below}") as entries:
        for entry in entries:
            if source.is_hidden(entry.name) or entry.is_symlink():
                continue
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.is_dir():
                yield from walk(root, path)
            elif entry.is_file() and source.is_storable(path):
                state = entry.stat()
                yield path, (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)

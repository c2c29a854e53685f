"""The folder of the thumbnails: each is made once for each content, and named by it."""

import hashlib
import importlib.metadata
import os
import re
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from posts import processes
from posts.exhibits import Thumbnail

# Twice as wide as they are shown, for screens with small points.
SIZE = 480
QUALITY = 78
# Changes with how they are made.
METHOD = f"webp {SIZE} {QUALITY} 1"
# Pages that are kept somewhere may still show one, and another run may use it.
SECONDS_UNTIL_SWEPT = 24 * 60 * 60

# A deploy has other things to do, and ends in time.
SECONDS_A_RUN = 240.0

# (done, total)
Progress = Callable[[int, int], None]

NAME = re.compile(r"([0-9a-f]{16})-([0-9]{1,4})x([0-9]{1,4})")
ENDING = ".webp"


class Job(NamedTuple):
    """The file of a picture, the blob that it shall be, and the folder of thumbnails."""

    file: str
    blob: str
    store: str


class Store:
    """The folder of the thumbnails, as it was when this was made."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.known: dict[str, Thumbnail] = {}
        # Why there is none, in words.
        self.failed: dict[str, str] = {}
        names = os.listdir(root) if root.is_dir() else []  # noqa: PTH208 - of thousands
        for name in names:
            self.take(name)

    def take(self, name: str) -> None:
        stem, ending = os.path.splitext(name)  # noqa: PTH122
        if ending == ENDING and (found := NAME.fullmatch(stem)):
            self.known[found[1]] = Thumbnail(stem, int(found[2]), int(found[3]))
        elif name.endswith(failure_ending()):
            with suppress(FileNotFoundError):  # another run tries it again
                reason = (self.root / name).read_text(encoding="utf-8", errors="replace")
                self.failed[name[:16]] = reason

    def find(self, blob: str) -> Thumbnail | None:
        return self.known.get(key_of(blob))

    def find_failure(self, blob: str) -> str:
        return self.failed.get(key_of(blob), "")

    def is_missing(self, blob: str) -> bool:
        key = key_of(blob)
        return key not in self.known and key not in self.failed

    def forget_failures(self) -> None:
        """They are tried again."""
        for key in self.failed:
            (self.root / f"{key}{failure_ending()}").unlink(missing_ok=True)
        self.failed.clear()

    def fill(self, pictures: Iterable[tuple[Path, str]], on_progress: Progress) -> None:
        """Make what is missing of the pictures, which are files with their blobs.

        As many as there is time for: the next run goes on.
        """
        wanted = {blob: file for file, blob in pictures if self.is_missing(blob)}
        if not wanted:
            return
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError:
            return
        # It takes time to import, and most runs of the index have no picture to make small.
        shrinking = import_module("posts.shrinking")
        jobs = [Job(str(file), blob, str(self.root)) for blob, file in wanted.items()]
        names = processes.work_through(shrinking.make_and_keep, jobs, shrinking.tell_of_lost)
        end = time.monotonic() + SECONDS_A_RUN
        for done, name in enumerate(names, start=1):
            self.take(name)
            on_progress(done, len(jobs))
            if time.monotonic() > end:
                break

    def sweep(self, used: Collection[str]) -> None:
        """Remove those of no blob in `used`, unless they are new: another run may use them."""
        keys = set(map(key_of, used))
        for name in os.listdir(self.root) if self.root.is_dir() else ():  # noqa: PTH208
            place = self.root / name
            if name[:16] not in keys and is_old(place):
                place.unlink(missing_ok=True)


def is_old(place: Path) -> bool:
    try:
        return place.stat().st_mtime < time.time() - SECONDS_UNTIL_SWEPT
    except OSError:
        return False


def key_of(blob: str) -> str:
    return hashlib.sha1(f"{METHOD} {blob}".encode(), usedforsecurity=False).hexdigest()[:16]


@cache
def failure_ending() -> str:
    """Another version may be able to."""
    return f"-{importlib.metadata.version('pillow')}.txt"

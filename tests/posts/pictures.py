"""Makes pictures."""

import io
import os
from pathlib import Path
from typing import Any

from PIL import Image

from posts import shrinking, thumbnails

KILLER = b"a picture that finds a hole in what reads it"


def make_picture(
    width: int = 8, height: int = 6, color: Any = "blue", kind: str = "PNG", mode: str = "RGB",
    **options: Any,
) -> bytes:  # fmt: skip
    out = io.BytesIO()
    Image.new(mode, (width, height), color).save(out, kind, **options)
    return out.getvalue()


def write_pictures(root: Path, *paths: str, **options: Any) -> None:
    """Each of another colour."""
    for number, path in enumerate(paths):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(make_picture(color=(number, 90, 200), **options))


def make_or_die(job: thumbnails.Job) -> str:
    if Path(job.file).read_bytes() == KILLER:
        os.abort()
    return real_make_and_keep(job)


real_make_and_keep = shrinking.make_and_keep

"""Makes small pictures of large ones: WebP without a word about where they were taken.

Pictures are as hostile as any upload: they are read in processes of their own, within limits.
"""

import io
import resource
import signal
import tempfile
from pathlib import Path

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from posts.processes import TimeUp, time_limit
from posts.source import hash_blob
from posts.thumbnails import ENDING, QUALITY, SIZE, Job, failure_ending, key_of

MAX_BYTES = 48 * 1024 * 1024
MAX_PIXELS = 64_000_000
SECONDS_A_PICTURE = 10.0
# A picture of MAX_PIXELS takes half of it, and what is loaded to read it as much as is left.
MAX_MEMORY = 768 * 1024 * 1024
# Of these several points make one.
AVERAGED = frozenset({"L", "LA", "RGB", "RGBA", "CMYK"})
# Anything else that Pillow knows has no business on a page, and has had its holes.
PLUGINS = (
    AvifImagePlugin.AvifImageFile, GifImagePlugin.GifImageFile, JpegImagePlugin.JpegImageFile,
    PngImagePlugin.PngImageFile, WebPImagePlugin.WebPImageFile,
)  # fmt: skip
FORMATS = [plugin.format for plugin in PLUGINS]


class PictureUnreadable(Exception):
    """It cannot be shown small; says why."""


def make_and_keep(job: Job) -> str:
    """The name of what was written: the thumbnail, or why there is none.

    "" where nothing can be said for good: the file is another by now, or the disk is full.
    """
    limit_process()
    key = key_of(job.blob)
    try:
        with time_limit(SECONDS_A_PICTURE):
            content, width, height = make(Path(job.file), job.blob)
        return keep(job.store, f"{key}-{width}x{height}{ENDING}", content)
    except PictureUnreadable as error:
        reason = str(error)
    except TimeUp:
        reason = f"it takes over {SECONDS_A_PICTURE:g} seconds to read"
    except OSError:
        return ""
    return keep_failure(job, reason)


def tell_of_lost(job: Job) -> str:
    return keep_failure(job, "reading it ended the process")


def keep_failure(job: Job, reason: str) -> str:
    try:
        return keep(job.store, f"{key_of(job.blob)}{failure_ending()}", reason.encode())
    except OSError:
        return ""


def limit_process() -> None:
    """What does not listen to a signal, within C, is ended a little later."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MAX_MEMORY if hard == resource.RLIM_INFINITY else min(MAX_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, 2 * SECONDS_A_PICTURE)


def keep(store: str, name: str, content: bytes) -> str:
    with tempfile.NamedTemporaryFile(dir=store, prefix=".new-", delete=False) as file:
        file.write(content)
    Path(file.name).replace(Path(store) / name)
    return name


def make(file: Path, blob: str) -> tuple[bytes, int, int]:
    """WebP with its width and height. Raises PictureUnreadable; OSError for a file that is gone.

    Nothing of the picture's metadata is in it, where it was taken least of all.
    """
    size = file.stat().st_size
    if size > MAX_BYTES:
        raise PictureUnreadable(f"it has {size >> 20} MB; {MAX_BYTES >> 20} MB are read at most")
    content = file.read_bytes()
    if hash_blob(content) != blob:
        raise FileNotFoundError(f"{file} is another by now")
    try:
        small = shrink(content)
    except PictureUnreadable:
        raise
    except UnidentifiedImageError as error:
        raise PictureUnreadable("it is no picture, whatever its name says") from error
    except MemoryError as error:
        raise PictureUnreadable(f"it takes over {MAX_MEMORY >> 20} MB to read") from error
    except Exception as error:  # whatever a reader raises: the others are to be made
        reason = str(error) or type(error).__name__
        raise PictureUnreadable(f"it cannot be read: {reason}") from error
    out = io.BytesIO()
    small.save(out, "WEBP", quality=QUALITY, method=4, exif=b"", xmp=b"", icc_profile=b"")
    return out.getvalue(), *small.size


def shrink(content: bytes) -> Image.Image:
    Image.MAX_IMAGE_PIXELS = None  # We look ourselves, and refuse.
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        width, height = picture.size
        if width * height > MAX_PIXELS:
            raise PictureUnreadable(
                f"it has {width} x {height} points; {MAX_PIXELS // 10**6} million are read at most"
            )
        picture.draft("RGB", (SIZE * 2, SIZE * 2))
        profile = picture.info.get("icc_profile")
        orientation = picture.getexif().get(0x0112, 1)
        small = to_plain(picture)
    small.thumbnail((SIZE, SIZE), Image.Resampling.LANCZOS)
    if profile:
        small = to_srgb(small, profile)
    bare = Image.new(small.mode, small.size)
    bare.paste(small)
    bare.getexif()[0x0112] = orientation
    return ImageOps.exif_transpose(bare)


def to_plain(picture: Image.Image) -> Image.Image:
    """With its transparency, if it has any.

    Coarsely smaller first: another copy of a large one would take as much memory again.
    """
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    factor = min(picture.size) // (2 * SIZE)
    if factor > 1 and picture.mode in AVERAGED:
        picture = picture.reduce(factor)
    elif factor > 1:
        size = (picture.width // factor, picture.height // factor)
        picture = picture.resize(size, Image.Resampling.NEAREST)
    return picture.convert("RGBA" if has_alpha else "RGB")


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """The colours as they were meant: what is small has no profile of its own."""
    try:
        meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        found = ImageCms.profileToProfile(picture, meant, ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture
    return found or picture

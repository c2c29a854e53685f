"""Galleries as HTML: their pictures, the galleries within them, and the way up."""

from collections.abc import Callable, Iterable, Mapping
from html import escape
from posixpath import dirname
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode

from posts import galleries, languages
from posts.captions import Picture
from posts.galleries import Gallery

# What stands there is no address but pictures, or the galleries around them.
SHOWN = "link://exhibit/"
ABOVE, BELOW, PICTURES = "above", "below", "pictures"


class Thumbnail(NamedTuple):
    """`name` tells the content and the size."""

    name: str
    width: int
    height: int


# There is none yet, and the picture itself is shown.
WHOLE = Thumbnail("", 480, 360)
# A place is some 208 by 156 pixels large.
SMALLEST = 150
WIDEST = 2.4
FindThumbnail = Callable[[Picture], Thumbnail | None]


class Hung(NamedTuple):
    """Another gallery's page, with the picture that stands for it, if it has one."""

    title: str
    address: str
    language: str
    cover: str


def make_place(options: Mapping[str, str]) -> str:
    """HTML that posts.markup knows for the place of something of a gallery."""
    return f'<div class="gallery" data-gallery="{escape(urlencode(options))}"></div>\n'


def make_places(name: str) -> str:
    """The place of the pictures of another gallery, within a post."""
    return make_place({"name": name})


def frame(path: str, html: str) -> str:
    """A gallery's own page, around the text that the file holds."""
    named = {"name": dirname(path), "lang": languages.split_path(path)[1]}
    above, below, pictures = (
        make_place({"part": part, **named}) for part in (ABOVE, BELOW, PICTURES)
    )
    return f"{above}{html}\n{below}{pictures}"


def make_target(options: str) -> str:
    return SHOWN + options[:5000]


def read_target(target: str) -> dict[str, str]:
    return dict(parse_qsl(target.removeprefix(SHOWN), keep_blank_values=True))


def show_name(target: str) -> str:
    """What stands where no gallery can be shown."""
    return f"<p><code>{escape(read_target(target).get('name', ''))}</code></p>"


def find_gallery(name: str, known: Iterable[str]) -> str | None:
    """The folder that is meant: the whole path, below TOP, or its last part if only one has it."""
    wanted = name.strip("/")
    whole = [wanted, f"{galleries.TOP}/{wanted}"]
    known = set(known)
    ending = [each for each in known if wanted and each.endswith(f"/{wanted}")]
    found = [each for each in whole if each in known] or (ending if len(ending) == 1 else [])
    return found[0] if found else None


def show_pictures(
    gallery: Gallery, pictures: Iterable[Picture], find_thumbnail: FindThumbnail
) -> str:
    items = "".join(
        f"<li>{show_picture(gallery, each, find_thumbnail(each))}</li>\n" for each in pictures
    )
    return f'<ul class="gallery-pictures">\n{items}</ul>' if items else ""


def show_picture(gallery: Gallery, picture: Picture, thumbnail: Thumbnail | None) -> str:
    """Without any thumbnail it is no picture after all."""
    address = f"/files/{quote(f'{gallery.folder}/{picture.name}')}"
    if thumbnail is None:
        return f'<p><a href="{address}">{escape(picture.words)}</a></p>'
    caption = f"<p>{escape(picture.caption)}</p>" if picture.caption else ""
    return f'<a href="{address}">{show_small(gallery, picture, thumbnail)}</a>{caption}'


def show_small(gallery: Gallery, picture: Picture, thumbnail: Thumbnail) -> str:
    path = quote(f"{gallery.folder}/{picture.name}")
    place = f"thumbnails/{thumbnail.name}" if thumbnail.name else "files"
    look = "" if fits(thumbnail) else ' class="gallery-odd"'
    return (
        f'<img src="/{place}/{path}" alt="{escape(picture.words)}" width="{thumbnail.width}" '
        f'height="{thumbnail.height}" loading="lazy"{look}>'
    )


def fits(thumbnail: Thumbnail) -> bool:
    """Whether it can fill its place: not if it is smaller, or would lose half of itself."""
    is_large = min(thumbnail.width, thumbnail.height) >= SMALLEST
    return is_large and 1 / WIDEST <= thumbnail.width / thumbnail.height <= WIDEST


def show_above(way: Iterable[Hung]) -> str:
    steps = " <span>›</span> ".join(show_link(each) for each in way)
    return f'<p class="gallery-way">{steps}</p>' if steps else ""


def show_below(hung: Iterable[Hung]) -> str:
    items = "".join(
        f"<li>{each.cover and show_cover(each)}<p>{show_link(each)}</p></li>\n" for each in hung
    )
    return f'<ul class="gallery-list">\n{items}</ul>' if items else ""


def show_cover(hung: Hung) -> str:
    """The words beside it lead there too, and once is enough for the keyboard."""
    return f'<a href="{escape(hung.address)}" tabindex="-1" aria-hidden="true">{hung.cover}</a>'


def show_link(hung: Hung) -> str:
    lang = f' lang="{escape(hung.language)}"' if hung.language else ""
    return f'<a href="{escape(hung.address)}"{lang}>{escape(hung.title)}</a>'

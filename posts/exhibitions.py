"""What posts show of galleries: made once, before anything is locked, and put in its place."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import sha1
from pathlib import Path
from posixpath import dirname

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from posts import captions, exhibits, galleries
from posts.exhibits import Hung, Thumbnail
from posts.galleries import Gallery
from posts.links import MADE
from posts.models import Post
from posts.problems import Problem, cut
from posts.rendering import Rendered, signature
from posts.source import Folder
from posts.thumbnails import Progress, Store

# Each may have thousands of pictures.
MOST_A_POST = 10

# What is made begins with what it was made from, so that it is known again.
START = f"{MADE}<!--exhibit "
IMAGE = re.compile(r'<img src="([^"]*)" alt="[^"]*"')


class Exhibitions:
    """The pictures of galleries as HTML. Rows keep it for the next run."""

    def __init__(self, thumbnails: Path) -> None:
        self.place = thumbnails
        self.store = Store(thumbnails)
        self.made: dict[str, str] = {}
        self.arranged: dict[tuple[str, str, str], list[captions.Picture]] = {}

    def remember(self, urls: Iterable[str]) -> None:
        """What a row has in the places of its links."""
        for html in urls:
            if html.startswith(START):
                self.made[html[: html.index(">") + 1]] = html

    def prepare(
        self,
        folder: Folder,
        fresh: Iterable[tuple[str, list[str]]],
        on_progress: Progress = lambda done, total: None,
        *,
        everything: bool = False,
    ) -> None:
        """Make the thumbnails that are missing, and what `fresh` posts will show.

        These are given with the targets of their links.
        """
        if not folder.galleries:
            return
        if everything:
            self.store.forget_failures()
        # Those that are not shown as well: to know which these are takes longer.
        self.store.fill(
            (
                (folder.root / each.folder / name, blob)
                for each in folder.galleries.values()
                for name, blob in each.pictures
                if not captions.is_drawing(name)
            ),
            on_progress,
        )
        for _, targets in fresh:
            for target in targets:
                if target.startswith(exhibits.SHOWN):
                    self.show(folder, target)

    def show(self, folder: Folder, target: str) -> str | None:
        """The pictures of the gallery that is meant; None for no gallery of the blog."""
        options = exhibits.read_target(target)
        found = exhibits.find_gallery(options.get("name", ""), folder.galleries)
        if found is None:
            return None
        return self.show_gallery(folder, folder.galleries[found], options.get("lang", ""))

    def show_gallery(self, folder: Folder, gallery: Gallery, language: str) -> str:
        failed = [blob for name, blob in gallery.pictures if self.is_lost(name, blob)]
        waiting = map(self.store.is_missing, failed)
        parts = (signature(), gallery.folder, gallery.digest, gallery.find_notes(language)[0])
        made_from = "\0".join((*parts, *failed, *map(str, waiting)))
        start = f"{START}{sha1(made_from.encode(), usedforsecurity=False).hexdigest()}-->"
        if start not in self.made:
            pictures = self.arrange(folder, gallery, language)
            html = exhibits.show_pictures(gallery, pictures, self.find_thumbnail)
            self.made[start] = start + html
        return self.made[start]

    def arrange(self, folder: Folder, gallery: Gallery, language: str) -> list[captions.Picture]:
        """The pictures in their order; what is said about them is read once."""
        key = (gallery.folder, gallery.digest, language)
        if key not in self.arranged:
            read = partial(folder.read_note, gallery)
            self.arranged[key] = captions.arrange(gallery, read, language)[0]
        return self.arranged[key]

    def find_thumbnail(self, picture: captions.Picture) -> Thumbnail | None:
        """None for what is no picture."""
        if captions.is_drawing(picture.name) or self.store.is_missing(picture.blob):
            return exhibits.WHOLE
        return self.store.find(picture.blob)

    def find_cover(self, folder: Folder, shown: Iterable[Gallery]) -> str:
        """The first picture of these galleries, small; "" if there is none."""
        for each in shown:
            if found := IMAGE.search(self.show_gallery(folder, each, "")):
                whole = self.show_gallery(folder, each, "")
                end = whole.index(">", found.end()) + 1
                return f'<img src="{found[1]}" alt=""{whole[found.end() : end]}'
        return ""

    def find_problems(self, folder: Folder, gallery: Gallery) -> list[Problem]:
        """Pictures of the gallery that are none, or that nobody could make small."""
        if not any(self.is_lost(name, blob) for name, blob in gallery.pictures):
            return []
        found = []
        for each in self.arrange(folder, gallery, ""):
            if not self.is_lost(each.name, each.blob):
                continue
            reason = self.store.find_failure(each.blob)
            words = f"as a link: {reason}" if reason else f"as it is: {self.explain_missing()}"
            file = f"{gallery.folder}/{each.name}"
            found.append(Problem(1, f"the picture is shown {words}", file))
        return cut(found, captions.MOST_PROBLEMS)

    def explain_missing(self) -> str:
        return (
            f"{self.place} cannot be written, or the run had no time for a small one; the next "
            "makes it"
        )

    def digest_missing(self, folder: Folder) -> str:
        """Changes when there is a thumbnail where there was none."""
        lost = sorted(
            f"{blob}{self.store.is_missing(blob)}"
            for each in folder.galleries.values()
            for name, blob in each.pictures
            if self.is_lost(name, blob)
        )
        return sha1("\n".join(lost).encode(), usedforsecurity=False).hexdigest() if lost else ""

    def is_lost(self, name: str, blob: str) -> bool:
        return not captions.is_drawing(name) and self.store.find(blob) is None

    def sweep(self, folder: Folder) -> None:
        used = {blob for each in folder.galleries.values() for _, blob in each.pictures}
        self.store.sweep(used)


def name_top(rendered: Rendered) -> Rendered:
    """The list of all galleries says what it is in the site's language, if nothing else."""
    draft, gallery = rendered.draft, rendered.source.gallery
    if draft and gallery and gallery.folder == galleries.TOP and draft.title == galleries.TOP:
        with translation.override(settings.LANGUAGE_CODE):
            draft.title = gettext("Galleries")
    return rendered


class Halls:
    """The pages of all galleries, for those that lead to them."""

    def __init__(self, rows: Iterable[Post]) -> None:
        self.rows: dict[str, list[Post]] = defaultdict(list)
        self.inner: dict[str, list[str]] = defaultdict(list)
        for row in rows:
            if galleries.is_page(row.path):
                self.rows[dirname(row.path)].append(row)
        for folder in sorted(self.rows, key=galleries.sort_naturally):
            self.inner[dirname(folder)].append(folder)

    def find_page(self, folder: str, row: Post) -> Post | None:
        """The one in the language of `row`, else the original; None where none is for visitors."""
        shown = [each for each in self.rows.get(folder, ())
                 if each.status == Post.Status.PUBLISHED or settings.POSTS_PREVIEW]  # fmt: skip
        alike = [each for each in shown if each.stated_language == row.stated_language]
        originals = [each for each in shown if each.original == each.path]
        return next(iter((*alike, *originals, *shown)), None)

    def find_above(self, row: Post) -> list[Post]:
        """The way from the list of all galleries to the one that `row` is the page of."""
        if not galleries.is_page(row.path):
            return []
        folder = dirname(row.path)
        above = [each for each in galleries.list_above(row.path) if each != folder]
        return [page for each in reversed(above) if (page := self.find_page(each, row))]

    def find_below(self, row: Post) -> list[Post]:
        """The galleries right within that of `row`, and those within one that nobody can see."""
        return list(self.list_below(dirname(row.path), row)) if galleries.is_page(row.path) else []

    def list_below(self, folder: str, row: Post) -> Iterator[Post]:
        for each in self.inner.get(folder, ()):
            if page := self.find_page(each, row):
                yield page
            else:
                yield from self.list_below(each, row)

    def list_around(self, rows: Iterable[Post]) -> set[str]:
        """The paths of the pages whose titles these `rows` show."""
        pages = [row for row in rows if galleries.is_page(row.path)]
        around = ((*self.find_above(row), *self.find_below(row)) for row in pages)
        return {page.path for each in around for page in each}


class Guide:
    """Shows posts what they want of galleries, and says what is wrong with it."""

    def __init__(self, exhibitions: Exhibitions, folder: Folder, halls: Halls) -> None:
        self.exhibitions = exhibitions
        self.folder = folder
        self.halls = halls
        # The pages of which a part is there, and which.
        self.framed: set[tuple[str, str]] = set()

    def show(self, target: str, row: Post, number: int) -> tuple[str, str, list[Problem]]:
        """What stands in the place of the target, what is wrong with that, and with the pictures.

        `number` of them stand before it in the post.
        """
        options = exhibits.read_target(target)
        name, part = options.get("name", ""), options.get("part", "")
        is_frame = bool(part) and (row.path, part) not in self.framed
        if number >= MOST_A_POST and not is_frame:
            most = f"{MOST_A_POST} galleries are shown in a post. Link to the others."
            return exhibits.show_name(target), most, []
        self.framed.add((row.path, part))
        if part == exhibits.ABOVE:
            return exhibits.show_above(self.hang(self.halls.find_above(row), "")), "", []
        if part == exhibits.BELOW:
            covered = self.hang(self.halls.find_below(row), "cover")
            return exhibits.show_below(covered), "", []
        html = self.exhibitions.show(self.folder, target)
        if html is None:
            words = f'there is no gallery "{name}": no folder of pictures in {galleries.TOP}/'
            return exhibits.show_name(target), words, []
        own = self.folder.galleries.get(dirname(row.path))
        is_own = part == exhibits.PICTURES and own and row.original == row.path
        return html, "", self.exhibitions.find_problems(self.folder, own) if own and is_own else []

    def hang(self, pages: Iterable[Post], cover: str) -> Iterator[Hung]:
        for page in pages:
            inside = self.list_inside(page) if cover else ()
            picture = self.exhibitions.find_cover(self.folder, inside)
            yield Hung(page.title, page.get_absolute_url(), page.stated_language, picture)

    def list_inside(self, page: Post) -> Iterator[Gallery]:
        """The gallery of the page and those within it, as far as visitors can see them."""
        top = dirname(page.path)
        for folder, gallery in self.folder.galleries.items():
            is_inside = f"{folder}/".startswith(f"{top}/")
            if is_inside and (folder == top or self.halls.find_page(folder, page)):
                yield gallery

"""What rows must know of the posts' past and files do not tell: it goes through the history again.

Each commit on the branch is taken for one push, and dealt with as posts.runs would have done: all
of them where there are no rows, the new ones where there are several.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, partial
from uuid import UUID

from django.conf import settings

from posts import history, placement, renames, source
from posts.attic import Attic
from posts.history import Push
from posts.models import Post, Snapshot, address_of, article_address_of
from posts.placement import Wish
from posts.rendering import Draft, Rendered
from posts.rows import read_all
from posts.source import Folder, SourceFile
from posts.spool import Spool
from posts.versions import Key, Versions, key_of

Family = tuple[date | None, str]

WISHED = (*Wish._fields, "slug")
KNOWN = ("path", "uid", "digest", "is_broken", "is_rendered", *WISHED)


@dataclass(eq=False)
class Past:
    """What a row would know that its file does not say."""

    path: str
    uid: UUID
    # The row that it goes on from, if any.
    pk: int | None = None
    digest: str = ""
    day: date | None = None
    base_slug: str = ""
    stated_language: str = ""
    is_translation: bool = False
    slug: str = ""
    former: list[str] = field(default_factory=list)
    # Since it asks for this address: those that may be good, the newest last.
    versions: list[SourceFile] = field(default_factory=list)
    is_rendered: bool = False
    # Where each version was last, as (path, commit).
    ends: dict[Key, tuple[str, str]] = field(default_factory=dict)
    # Where the file is broken now: the version to show instead, and where that was.
    last_good: SourceFile | None = None
    last_good_at: tuple[str, str] = ("", "")

    @property
    def address(self) -> str:
        return address_of(self.day, self.slug)


Render = Callable[[Folder, list[SourceFile]], None]
Progress = Callable[[int, int], None]


def keep_quiet(done: int, total: int) -> None:
    return


@dataclass
class Lineage:
    """The past of every post by its path, and the commit from whose rows they go on, if any."""

    pasts: dict[str, Past] = field(default_factory=dict)
    since: str = ""


def recall(
    folder: Folder, spool: Spool, render: Render, on_progress: Progress = keep_quiet
) -> Lineage:
    """For the posts in `folder`, whose files `spool` holds rendered.

    Nothing where no history can be read, where one push tells all, and after a force push: what
    rows know of lost commits stays, and the posts go on from there to what the folder holds. Nor in
    a preview, to which nobody comes by an older address.
    """
    if settings.POSTS_PREVIEW:
        return Lineage()
    if not Post.objects.exists():
        pushes = history.read_pushes(folder.root)
        return Lineage(replay(pushes, (), folder, spool, render, on_progress))
    since = Snapshot.objects.values_list("commit", flat=True).first() or ""
    pushes = history.read_new_pushes(folder.root, since) if since else []
    if not pushes:
        return Lineage()
    return Lineage(replay(pushes, list(read_all(KNOWN)), folder, spool, render, on_progress), since)


def find_renamed(pasts: dict[str, Past], rows: Iterable[Post]) -> dict[str, str]:
    """Where the rows' files have gone, by where they were."""
    paths = {past.pk: path for path, past in pasts.items() if past.pk}
    return {row.path: paths[row.pk] for row in rows if paths.get(row.pk, row.path) != row.path}


def replay(
    pushes: list[Push],
    known: Collection[Post],
    folder: Folder,
    spool: Spool,
    render: Render,
    on_progress: Progress,
) -> dict[str, Past]:
    """Few older versions need rendering, and which ones shows on the way.

    It goes through the pushes again until none is missing.
    """
    if not pushes:
        return {}
    attic = Attic(folder.root)
    versions = Versions(attic, spool)
    try:
        while True:
            replay = Replay(versions, known)
            for done, push in enumerate(pushes, start=1):
                replay.index(push)
                on_progress(done, len(pushes))
            replay.finish(folder)
            if not versions.missing:
                return replay.rows
            missing = list(versions.missing.values())
            render(attic, missing)
            versions.take(missing)
    finally:
        attic.close()


class Replay:
    """The rows as they were after each push, as far as addresses and identities go."""

    def __init__(self, versions: Versions, known: Iterable[Post] = ()) -> None:
        self.versions = versions
        self.rows: dict[str, Past] = {}
        self.uids: set[UUID] = set()
        self.families: dict[Family, set[Past]] = defaultdict(set)
        for row in known:
            self.take(row)

    def take(self, row: Post) -> None:
        """Go on from what the row knows."""
        past = self.rows[row.path] = Past(row.path, row.uid, row.pk, row.digest)
        self.uids.add(row.uid)
        self.versions.is_good_by_key[key_of(SourceFile(row.path, row.digest))] = not row.is_broken
        if row.is_rendered:
            for name in WISHED:
                setattr(past, name, getattr(row, name))
            past.is_rendered = True
            shown = SourceFile(row.path, f"row {row.pk}")
            past.versions.append(shown)
            self.versions.keep(shown, partial(read_draft, row.pk))
            self.families[placement.family_of(past)].add(past)

    def index(self, push: Push) -> None:
        """As posts.runs.Run.write has it, in the same order."""
        self.left: dict[Past, tuple[str, str]] = {}
        self.touched: set[Family] = set()
        for path in push.posts:
            if row := self.rows.get(path):
                row.ends[key_of(SourceFile(path, row.digest))] = (path, push.before)
        gone = [path for path, each in push.posts.items() if each is None and path in self.rows]
        stale = [each for each in push.posts.values() if each and not self.is_current(each)]
        stale.sort(key=lambda each: each.path)
        self.move_renamed(gone, [each for each in stale if each.path not in self.rows])
        self.remove(path for path in gone if path in self.rows)
        for each in stale:
            self.apply(each)
        for family in self.touched:
            self.place(self.families[family])
        self.remember_addresses()

    def is_current(self, each: SourceFile) -> bool:
        row = self.rows.get(each.path)
        return bool(row and row.digest == each.digest)

    def move_renamed(self, gone: list[str], new: list[SourceFile]) -> None:
        if not gone or not new:
            return
        before = {path: Gone(self.rows[path], self) for path in gone}
        found = renames.find(gone, new, before, self.render)
        moved = {path: self.rows.pop(old) for old, path in found.items()}
        for path, row in moved.items():
            self.leave(row)
            row.path = path
        self.rows |= moved

    def render(self, each: SourceFile) -> Rendered:
        return Rendered(each, self.versions.find_draft(each))

    def remove(self, paths: Iterable[str]) -> None:
        for path in list(paths):
            row = self.rows.pop(path)
            self.uids.discard(row.uid)
            self.families[placement.family_of(row)].discard(row)

    def apply(self, each: SourceFile) -> None:
        row = self.rows.get(each.path)
        if row is None:
            row = Past(each.path, placement.make_uid(each.path, self.uids))
            self.rows[row.path] = row
            self.uids.add(row.uid)
        row.digest = each.digest
        wish = self.versions.find_wish(each)
        if wish is None:
            return  # It is broken, and changes nothing.
        if row.versions and wish == placement.wish_of(row):
            row.versions.append(each)
        elif not row.versions or self.versions.is_good(each):
            self.move(row, wish)
            row.versions = [each]
        self.touched.add(placement.family_of(row))

    def move(self, row: Past, wish: Wish) -> None:
        self.leave(row)
        self.families[placement.family_of(row)].discard(row)
        row.day, row.base_slug, row.stated_language, row.is_translation = wish
        row.slug = ""
        self.families[placement.family_of(row)].add(row)

    def leave(self, row: Past) -> None:
        """Its path or address is about to change."""
        if row not in self.left and self.was_rendered(row):
            self.left[row] = (row.path, row.address)

    def was_rendered(self, row: Past) -> bool:
        row.is_rendered = row.is_rendered or self.find_last_good(row) is not None
        return row.is_rendered

    def find_last_good(self, row: Past) -> SourceFile | None:
        return next((each for each in reversed(row.versions) if self.versions.is_good(each)), None)

    def place(self, family: set[Past]) -> None:
        """Whether a version is good matters only where two want one slug."""
        rows = sorted(family, key=lambda row: row.path)
        wished = [placement.wished_slug(row) for row in rows]
        if len(set(wished)) == len(rows) and all(
            row.slug in ("", slug) for row, slug in zip(rows, wished, strict=True)
        ):
            for row, slug in zip(rows, wished, strict=True):
                row.slug = slug
            return
        rendered = [row for row in rows if self.was_rendered(row)]
        for row in family.difference(rendered):
            row.slug = ""
        placement.set_slugs(rendered, {row for row in rendered if row.slug})

    def remember_addresses(self) -> None:
        for row, (path, address) in self.left.items():
            if address != row.address:
                row.former.append(address)
            if path != row.path:
                row.former.append(article_address_of(path))

    def finish(self, folder: Folder) -> None:
        """Come to what the folder holds now, committed or not."""
        gone = dict.fromkeys(path for path in self.rows if path not in folder.posts)
        self.index(Push("HEAD", {**gone, **folder.posts}))
        for row in self.rows.values():
            if not self.versions.is_good(folder.posts[row.path]):
                good = self.find_last_good(row)
                if good and key_of(good) not in self.versions.stored:
                    row.last_good = self.versions.find_spooled(good)
                    row.last_good_at = row.ends[key_of(good)]
                row.slug = row.slug if good else ""


def read_draft(pk: int) -> Draft:
    """What renames ask of it."""
    title, text = Post.objects.values_list("title", "text").get(pk=pk)
    return Draft(title=title, text=text)


class Gone:
    """What renames.find asks of a post whose file is gone."""

    def __init__(self, row: Past, replay: Replay) -> None:
        self.digest = row.digest
        self.row = row
        self.replay = replay

    @cached_property
    def title(self) -> str:
        return self.draft.title if self.draft else source.name_of(self.row.path)

    @cached_property
    def text(self) -> str:
        return self.draft.text if self.draft else ""

    @cached_property
    def draft(self) -> Draft | None:
        good = self.replay.find_last_good(self.row)
        return self.replay.versions.find_draft(good) if good else None

"""Makes rows equal files: renders what changed, and writes it in one transaction."""

import dataclasses
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import date, datetime
from functools import cached_property, partial
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from posts import answers, fitting, history, lineage, placement, renames, search, source
from posts.lineage import Past
from posts.models import Address, Post, Snapshot, Tag, address_of, article_address_of
from posts.problems import Problem
from posts.rendering import Draft, Rendered, render_all, signature
from posts.report import Report
from posts.rows import BATCH, batches, find_linking, load, read_all, replace, update
from posts.source import Folder, SourceFile
from posts.spool import Spool

DRAFT_COLUMNS = [each.name for each in fields(Draft)]
# What must be known of every row to place it among the others.
PLACING = ("path", "digest", "renderer", "day", "base_slug", "stated_language", "is_translation",
           "slug", "original", "precedence", "status", "is_broken", "is_rendered")  # fmt: skip
HEAVY = ("body", "text", "toc", "anchors", "problems", "summary")

Progress = Callable[[int, int], None]


def index_posts(
    root: Path, *, everything: bool = False, on_progress: Progress = lambda done, total: None
) -> Report:
    """Make the rows equal the files below `root`. Idempotent; may run twice at once.

    Renders outside of the transaction, so that nobody waits for it, and looks at the files again
    inside: what has changed meanwhile is rendered too. Where there are no rows, the history tells
    what they would know. Raises source.SourceUnreadable.
    """
    renderer = renderer_of_today()
    scanned_at = time.time_ns()
    folder = source.scan(root, None if everything else Folder(root, stamps=remembered_stamps()))
    rows = dict(Post.objects.filter(renderer=renderer).values_list("path", "digest"))
    missing = [
        each for each in folder.posts.values() if everything or rows.get(each.path) != each.digest
    ]
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        fill = partial(render_into, spool, on_progress)
        fill(folder, missing)
        pasts = lineage.recall(folder, spool, fill) if is_past_wanted() else {}
        search.prepare(find_texts(spool, missing))
        while True:
            with transaction.atomic():
                folder = source.scan(root, folder)
                run = Run(folder, spool, renderer, everything, pasts)
                missing = [each for each in run.stale if each not in spool.places]
                if not missing:
                    run.snapshot.stamps = source.dump_stamps(folder.stamps, scanned_at)
                    report = run.write()
                    break
            fill(folder, missing)
    search.sweep()
    return report


def is_past_wanted() -> bool:
    """Nobody comes to a preview by an older address."""
    return not settings.POSTS_PREVIEW and not Post.objects.exists()


def render_into(
    spool: Spool, on_progress: Progress, folder: Folder, missing: list[SourceFile]
) -> None:
    zone = timezone.get_default_timezone()
    for done, rendered in enumerate(render_all(folder, missing, zone), start=1):
        spool.put(placement.keep_own_links(fitting.fit(rendered)))
        on_progress(done, len(missing))


def find_texts(spool: Spool, rendered: list[SourceFile]) -> Iterator[tuple[str, str]]:
    drafts = (spool.get(each).draft for each in rendered)
    return ((draft.title, draft.text) for draft in drafts if draft)


def remembered_stamps() -> dict[str, tuple[source.Stamp, str]]:
    """Hashing thousands of files to find one edit takes longer than all else about it."""
    stored = Snapshot.objects.filter(pk=1).values_list("stamps", flat=True).first()
    return source.load_stamps(stored or "")


def renderer_of_today() -> str:
    """All that a page depends on beside its file."""
    site = hashlib.sha1(settings.SITE_URL.encode(), usedforsecurity=False).hexdigest()[:8]
    return f"{signature()} {site} {timezone.get_default_timezone_name()}"


class Run:
    """One comparison of files and rows, within one transaction."""

    def __init__(
        self, folder: Folder, spool: Spool, renderer: str, everything: bool, pasts: dict[str, Past]
    ) -> None:
        self.folder = folder
        self.spool = spool
        self.report = Report()
        self.renderer = renderer
        self.snapshot, _ = (
            Snapshot.objects.defer("stamps")
            .select_for_update()
            .get_or_create(pk=1, defaults={"changed_at": timezone.now()})
        )
        self.rows = {row.path: row for row in read_all(PLACING)}
        self.pasts = {} if self.rows else pasts
        self.stale = [
            each for each in folder.posts.values() if everything or not self.is_current(each)
        ]

    def is_current(self, each: SourceFile) -> bool:
        row = self.rows.get(each.path)
        return bool(row and row.digest == each.digest and row.renderer == self.renderer)

    def write(self) -> Report:
        before = {
            row.pk: (row.path, row.day, row.slug) for row in self.rows.values() if row.is_rendered
        }
        wanted = {row.pk: placement.wish_of(row) for row in self.rows.values() if row.slug}
        facts = self.look_up_facts()
        self.move_renamed()
        self.remove_gone()
        for batch in batches(self.stale):
            self.save([self.spool.get(each) for each in batch])
        for row, past in self.find_pasts():
            wanted[row.pk] = placement.wish_of(past)
            before[row.pk] = (past.path, past.day, past.slug)
        dated, placed = self.take_commit_times(), self.place(wanted)
        update(dated, ["committed_at"])
        update(placed, ["slug", "original", "precedence"])
        self.remember_addresses(before)
        linked = self.link(facts)
        update(linked, ["urls", "site_problems"])
        self.close(dated | placed | linked)
        return self.report

    def place(self, wanted: dict[int, placement.Wish]) -> set[Post]:
        """`wanted` is what each post asked for until now."""
        rows = self.sorted_rows()
        settled = {row for row in rows if wanted.get(row.pk) == placement.wish_of(row)}
        return placement.set_places(rows, settled)

    def link(self, before: set[answers.Fact] | None) -> set[Post]:
        """Links of posts that did not change lead elsewhere only when an address or file did."""
        rows = self.sorted_rows()
        places = placement.digest_places(rows, self.folder)
        after = self.look_up_facts()
        if places != self.snapshot.places or before is None or after is None:
            self.snapshot.places = places
            linked = rows
        else:
            stale = {each.path for each in self.stale}
            dependent = find_linking({address for _, address, _ in before ^ after})
            linked = [row for row in rows if row.path in stale or row.pk in dependent]
        load(linked, ("links", "urls", "site_problems"))
        site = answers.Answers(rows, self.folder, answers.stored_lists, answers.stored_others)
        return placement.set_links(
            linked, rows, site, lambda posts: load(posts, ("anchors", "title"))
        )

    def sorted_rows(self) -> list[Post]:
        return sorted(
            (row for row in self.rows.values() if row.is_rendered), key=lambda row: row.path
        )

    def look_up_facts(self) -> set[answers.Fact] | None:
        """What links may find of the posts that changed; None when that is most of them."""
        rows = [self.rows[each.path].pk for each in self.stale if each.path in self.rows]
        return answers.stored_facts(rows) if len(rows) < BATCH else None

    def move_renamed(self) -> None:
        """Rows follow their files: the post keeps its identity and its older addresses."""
        gone = [path for path in self.rows if path not in self.folder.posts]
        new = [each for each in self.stale if each.path not in self.rows]
        for old, path in renames.find(gone, new, self.rows, self.spool.get).items():
            row = self.rows.pop(old)
            row.path = path
            # Two files may have changed places: first out of each other's way.
            Post.objects.filter(pk=row.pk).update(path=f"\x1a{row.pk}")
            self.rows[path] = row
            self.report.renamed.append((old, path))

    def remove_gone(self) -> None:
        gone = [path for path in self.rows if path not in self.folder.posts]
        ids = [self.rows.pop(path).pk for path in gone]
        for batch in batches(ids):
            Post.objects.filter(pk__in=batch).delete()
        self.report.removed = sorted(gone)

    def save(self, batch: list[Rendered]) -> None:
        """Write rendered posts with what hangs on them: tags, aliases and their place in search."""
        added, changed = [], []
        good = [rendered for rendered in batch if rendered.draft]
        for rendered in batch:
            row = self.rows.get(rendered.source.path)
            if row is None:
                row = self.begin(rendered, good)
                added.append(row)
            else:
                changed.append(row)
            self.apply(row, rendered)
        Post.objects.bulk_create(added)
        columns = [*DRAFT_COLUMNS, "search_key", "path", "digest", "renderer", "is_broken",
                   "is_rendered"]  # fmt: skip
        update(changed, columns)
        self.hang(good)
        for row in (*added, *changed):
            # Loaded anew if asked for: thousands of texts would fill the memory.
            for name in HEAVY:
                row.__dict__.pop(name, None)
        renamed = {path for _, path in self.report.renamed}
        self.report.added += [row.path for row in added]
        self.report.changed += [row.path for row in changed if row.path not in renamed]

    def begin(self, rendered: Rendered, good: list[Rendered]) -> Post:
        """A new row, or one that goes on where the history has left it; see to its last `good`."""
        path = rendered.source.path
        past = self.pasts.get(path)
        uid = past.uid if past else placement.make_uid(path, self.uids)
        self.uids.add(uid)
        row = self.rows[path] = Post(path=path, uid=uid, slug=past.slug if past else "")
        if past and past.last_good and rendered.draft is None:
            last_good = dataclasses.replace(self.spool.get(past.last_good), source=rendered.source)
            self.apply(row, last_good)
            good.append(last_good)
        return row

    def find_pasts(self) -> Iterator[tuple[Post, Past]]:
        """Of the new rows those that had an address before."""
        for path, past in self.pasts.items():
            if past.slug and path in self.rows:
                yield self.rows[path], past

    def apply(self, row: Post, rendered: Rendered) -> None:
        """A broken file leaves the last good version as it is, and only says what is wrong."""
        row.digest, row.renderer = rendered.source.digest, self.renderer
        row.is_broken = rendered.draft is None
        if rendered.draft is None:
            row.problems = [problem.as_json() for problem in rendered.problems]
            if not row.is_rendered:
                row.title = source.name_of(row.path)
                row.status = Post.Status.DRAFT
            return
        row.is_rendered = True
        for name in DRAFT_COLUMNS:
            setattr(row, name, getattr(rendered.draft, name))
        row.search_key = search.key_of(row.title, row.text)

    def hang(self, good: list[Rendered]) -> None:
        rows = [self.rows[rendered.source.path] for rendered in good]
        replace(
            Tag.objects.filter(post__in=rows), ("post_id", "slug", "name"),
            [(row.pk, slug, name) for row in rows for slug, name in
             {slug: name for name, slug in reversed(row.tags)}.items()],
        )  # fmt: skip
        aliases = Address.objects.filter(post__in=rows, kind=Address.Kind.ALIAS)
        replace(
            aliases, ("post_id", "kind", "address"),
            [(row.pk, Address.Kind.ALIAS, quote(alias))
             for row, rendered in zip(rows, good, strict=True) for alias in rendered.aliases],
        )  # fmt: skip
        search.store(rows)

    @cached_property
    def uids(self) -> set[UUID]:
        known = set(Post.objects.values_list("uid", flat=True))
        return known | {past.uid for past in self.pasts.values()}

    def take_commit_times(self) -> set[Post]:
        root, before = self.folder.root, self.snapshot.commit
        head = history.read_head(root)
        times, is_whole = history.read_new_times(root, before, head)
        self.snapshot.commit = head
        self.snapshot.edit_url = history.find_edit_url(root) if head else ""
        return self.set_commit_times(times, is_whole)

    def set_commit_times(self, times: dict[str, datetime], is_whole: bool) -> set[Post]:
        rows = [row for row in self.rows.values() if is_whole or row.path in times]
        load(rows, ("committed_at",))
        touched = set()
        for row in rows:
            known = None if is_whole else row.committed_at
            found = times.get(row.path)
            newest = max((each for each in (known, found) if each), default=None)
            if newest != row.committed_at:
                row.committed_at = newest
                touched.add(row)
        return touched

    def remember_addresses(self, before: dict[int, tuple[str, date | None, str]]) -> None:
        """Every address that a post once had leads to it for ever."""
        former = [(row, each) for row, past in self.find_pasts() for each in past.former]
        for row in self.rows.values():
            if row.pk not in before:
                continue
            path, day, slug = before[row.pk]
            if (day, slug) != (row.day, row.slug):
                former.append((row, address_of(day, slug)))
            if path != row.path:
                former.append((row, article_address_of(path)))
        Address.objects.bulk_create(
            [Address(post=row, kind=Address.Kind.FORMER, address=each) for row, each in former],
            ignore_conflicts=True,
        )

    def close(self, touched: set[Post]) -> None:
        report = self.report
        looked_at = [self.rows[each.path] for each in self.stale] + list(touched)
        report.unchanged = len(self.rows) - len(self.stale)
        report.broken = sorted(row.path for row in self.rows.values() if row.is_broken)
        load(looked_at, ("problems", "site_problems"))
        report.problems = sorted(
            {
                (row.path, Problem(each["line"], each["message"]))
                for row in looked_at
                for each in row.all_problems
            }
        )
        if touched or not report.is_empty:
            self.snapshot.changed_at = timezone.now()
        self.snapshot.authors = list(Post.objects.list_authors())
        self.snapshot.save()

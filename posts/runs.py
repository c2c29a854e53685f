"""Brings rows to what was rendered: one comparison of files and rows, within one transaction."""

import dataclasses
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from functools import cached_property
from uuid import UUID

from django.utils import timezone

from posts import (
    answers,
    galleries,
    lineage,
    linking,
    placement,
    renames,
    search,
    snapshots,
    source,
)
from posts.codes import Codes
from posts.exhibitions import Exhibitions
from posts.history import Times
from posts.lineage import Lineage, Past
from posts.models import Address, Post, address_of, article_address_of
from posts.problems import Problem
from posts.rendering import Draft, Rendered
from posts.report import Report
from posts.rows import BATCH, batches, find_linking, hang, lighten, load, read_all, update
from posts.source import Folder, SourceFile
from posts.spool import Spool

DRAFT_COLUMNS = [each.name for each in fields(Draft)]
# What must be known of every row to place it among the others.
PLACING = ("path", "digest", "renderer", "day", "base_slug", "stated_language", "is_translation",
           "slug", "original", "precedence", "status", "is_broken", "is_rendered")  # fmt: skip


class Run:
    """One comparison of files and rows, within one transaction."""

    def __init__(
        self,
        folder: Folder,
        spool: Spool,
        renderer: str,
        everything: bool,
        past: Lineage,
        codes: Codes,
        exhibitions: Exhibitions,
    ) -> None:
        self.codes = codes
        self.exhibitions = exhibitions
        self.folder = folder
        self.spool = spool
        self.report = Report()
        self.renderer = renderer
        self.snapshot = snapshots.lock()
        self.rows = {row.path: row for row in read_all(PLACING)}
        self.goes_on = bool(past.since)
        self.pasts = past.pasts if self.goes_on or not self.rows else {}
        self.stale = [
            each for each in folder.posts.values() if everything or not self.is_current(each)
        ]

    def is_current(self, each: SourceFile) -> bool:
        row, past = self.rows.get(each.path), self.pasts.get(each.path)
        if row is None or (past and (past.pk != row.pk or past.last_good)):
            return False
        return bool(row.digest == each.digest and row.renderer == self.renderer)

    def write(self) -> Report:
        before = {
            row.pk: (row.path, row.day, row.slug) for row in self.rows.values() if row.is_rendered
        }
        wanted = {row.pk: placement.wish_of(row) for row in self.rows.values() if row.slug}
        was_broken = {row for row in self.rows.values() if row.is_broken}
        facts = self.look_up_facts()
        self.follow_files()
        for batch in batches(self.stale):
            self.save([self.spool.get(each) for each in batch])
        placed = set()
        for row, past in self.find_pasts():
            wanted[row.pk] = placement.wish_of(past)
            before[row.pk] = (past.path, past.day, past.slug)
            if row.slug != past.slug:
                row.slug = past.slug
                placed.add(row)
        placed |= self.place(wanted)
        dated = snapshots.take_commit_times(
            self.snapshot,
            self.folder.root,
            self.rows,
            was_broken,
            self.report.added,
            self.pasts,
        )
        update(dated, Times._fields)
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
        coming = set(Post.objects.scheduled().values_list("path", flat=True))
        places = linking.digest_places(rows, self.folder, self.exhibitions, coming)
        after = self.look_up_facts()
        if places != self.snapshot.places or before is None or after is None:
            self.snapshot.places = places
            linked = rows
        else:
            stale = {each.path for each in self.stale}
            dependent = find_linking({address for _, address, _ in before ^ after})
            # Galleries show others, whatever is new about these.
            halls = any(map(galleries.is_page, stale))
            linked = [row for row in rows if row.path in stale or row.pk in dependent
                      or (halls and galleries.is_page(row.path))]  # fmt: skip
        load(linked, ("links", "urls", "site_problems"))
        stored = answers.stored_lists, answers.stored_others, answers.stored_waiting
        site = answers.Answers(rows, self.folder, self.codes, self.exhibitions, coming, *stored)
        return linking.set_links(
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

    def follow_files(self) -> None:
        """Rows go where their files went: the post keeps its identity and its older addresses."""
        renamed = self.find_renamed()
        moved = {path: self.rows.pop(old) for old, path in renamed.items()}
        self.remove([path for path, row in self.rows.items() if self.is_gone(row)])
        for path, row in moved.items():
            row.path = path
            # Two files may have changed places: first out of each other's way.
            Post.objects.filter(pk=row.pk).update(path=f"\x1a{row.pk}")
        self.rows |= moved
        self.report.renamed = list(renamed.items())

    def find_renamed(self) -> dict[str, str]:
        if self.goes_on:
            return lineage.find_renamed(self.pasts, self.rows.values())
        gone = [path for path in self.rows if path not in self.folder.posts]
        new = [each for each in self.stale if each.path not in self.rows]
        return renames.find(gone, new, self.rows, self.spool.get)

    def is_gone(self, row: Post) -> bool:
        """Another post may have come to its path, after it had gone."""
        past = self.pasts.get(row.path)
        return row.path not in self.folder.posts or bool(past and past.pk != row.pk)

    def remove(self, paths: list[str]) -> None:
        for batch in batches([self.rows.pop(path).pk for path in paths]):
            Post.objects.filter(pk__in=batch).delete()
        self.report.removed = sorted(paths)

    def save(self, batch: list[Rendered]) -> None:
        """Write rendered posts with what hangs on them: tags, aliases and their place in search."""
        added, changed = [], []
        good = [rendered for rendered in batch if rendered.draft]
        for rendered in batch:
            row = self.rows.get(rendered.source.path)
            if row is None:
                row = self.begin(rendered.source.path)
                added.append(row)
            else:
                changed.append(row)
            if rendered.draft is None and (last_good := self.find_last_good(row)):
                self.apply(row, last_good)
                good.append(last_good)
            self.apply(row, rendered)
        Post.objects.bulk_create(added)
        columns = [*DRAFT_COLUMNS, "search_key", "path", "digest", "renderer", "is_broken",
                   "is_rendered"]  # fmt: skip
        update(changed, columns)
        hang({self.rows[each.source.path]: each.aliases for each in good})
        lighten([*added, *changed])
        renamed = {path for _, path in self.report.renamed}
        self.report.added += [row.path for row in added]
        self.report.changed += [row.path for row in changed if row.path not in renamed]

    def begin(self, path: str) -> Post:
        """A new row, or one that goes on where the history has left it."""
        past = self.pasts.get(path)
        uid = past.uid if past else placement.make_uid(path, self.uids)
        self.uids.add(uid)
        row = self.rows[path] = Post(path=path, uid=uid, slug=past.slug if past else "")
        return row

    def find_last_good(self, row: Post) -> Rendered | None:
        """What the history has to show for a broken file, if its row has not got it."""
        past = self.pasts.get(row.path)
        if not past or not past.last_good:
            return None
        good = self.spool.get(past.last_good)
        return dataclasses.replace(good, source=self.folder.posts[row.path])

    def find_pasts(self) -> Iterator[tuple[Post, Past]]:
        """Those that had an address before the last of the pushes."""
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

    @cached_property
    def uids(self) -> set[UUID]:
        known = set(Post.objects.values_list("uid", flat=True))
        return known | {past.uid for past in self.pasts.values()}

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
                (problem.file or row.path, problem)
                for row in looked_at
                for problem in map(Problem.load, row.all_problems)
            }
        )
        if touched or not report.is_empty:
            self.snapshot.changed_at = timezone.now()
        self.snapshot.authors = Post.objects.list_authors()
        self.snapshot.save()

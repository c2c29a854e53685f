"""Looks posts over before they are pushed: everything that a deploy would report, without rows."""

import tempfile
from collections.abc import Collection
from datetime import UTC
from pathlib import Path
from urllib.parse import unquote

from django.conf import settings

from posts import fitting, history, lineage, linking, placement, scanning
from posts.answers import Answers, is_visible, list_addresses
from posts.codes import Codes
from posts.exhibitions import Exhibitions
from posts.models import Post
from posts.problems import Problem
from posts.rendering import Rendered, render_all
from posts.source import Folder, SourceFile
from posts.spool import Spool


def check_posts(root: Path, former: Collection[str] = ()) -> list[tuple[str, Problem]]:
    """(path, problem) of every problem below `root`. Raises source.SourceUnreadable.

    `former` are older addresses of posts that a database remembers; the history is asked for them
    too, but only when a link leads nowhere else.
    """
    with tempfile.TemporaryFile() as file:
        return check_folder(scanning.scan(root), Spool(file), former)


def check_folder(
    folder: Folder, spool: Spool, former: Collection[str]
) -> list[tuple[str, Problem]]:
    rows: list[Post] = []
    found: list[tuple[str, Problem]] = []
    lists: set[str] = set()
    others = set(former)
    waiting: set[tuple[int, str]] = set()
    for rendered in map(fitting.fit, render_all(folder, list(folder.posts.values()), UTC)):
        spool.put(rendered)
        found += [(each.file or rendered.source.path, each) for each in rendered.problems]
        if rendered.draft:
            row = make_row(len(rows), linking.keep_own_links(rendered))
            rows.append(row)
            slugs = [slug for _, slug in row.tags]
            lists |= list_addresses(row, slugs, row.category_slug, row.series_slug)
            if is_visible(row):
                others |= set(rendered.aliases)
            else:
                waiting |= {(row.pk, alias) for alias in rendered.aliases}
    placement.set_places(rows)
    readable = {unquote(each) for each in lists}
    coming = {row.path for row in rows if row.is_scheduled}
    shown = {row.path for row in rows if is_visible(row)}
    exhibitions = Exhibitions(settings.THUMBNAILS_DIR)
    site = Answers(
        rows,
        folder,
        Codes(),
        exhibitions,
        coming,
        lambda: readable,
        lambda: others | recall_addresses(folder, spool, shown),
        lambda: waiting,
    )
    exhibitions.prepare(folder, ())
    linking.set_links(rows, rows, site)
    for row in rows:
        told = map(Problem.load, row.site_problems)
        found += [(each.file or row.path, each) for each in told]
    return sorted(found)


def recall_addresses(folder: Folder, spool: Spool, shown: Collection[str]) -> set[str]:
    """Where the posts `shown` were before, as a site without rows would learn it."""

    def render(attic: Folder, versions: list[SourceFile]) -> None:
        for rendered in render_all(attic, versions, UTC):
            spool.put(fitting.fit(rendered))

    pushes = history.read_pushes(folder.root)
    pasts = lineage.replay(pushes, (), folder, spool, render, lineage.keep_quiet)
    return {unquote(each) for path in shown if path in pasts for each in pasts[path].former}


def make_row(number: int, rendered: Rendered) -> Post:
    """As much of a row as its place among the others needs; never saved."""
    draft = rendered.draft
    assert draft is not None  # noqa: S101 - the caller has looked
    return Post(
        pk=number,
        path=rendered.source.path,
        title=draft.title,
        author=draft.author,
        day=draft.day,
        published_at=draft.published_at,
        base_slug=draft.base_slug,
        stated_language=draft.stated_language,
        is_translation=draft.is_translation,
        links=draft.links,
        anchors=draft.anchors,
        status=draft.status,
        tag_names=draft.tag_names,
        category_slug=draft.category_slug,
        series_slug=draft.series_slug,
    )

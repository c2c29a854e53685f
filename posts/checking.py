"""Looks posts over before they are pushed: everything that a deploy would report, without rows."""

from collections.abc import Collection
from datetime import UTC
from pathlib import Path
from urllib.parse import unquote

from posts import fitting, linking, placement, source
from posts.answers import Answers, is_visible, list_addresses
from posts.codes import Codes
from posts.models import Post
from posts.problems import Problem
from posts.rendering import Rendered, render_all


def check_posts(root: Path, former: Collection[str] = ()) -> list[tuple[str, Problem]]:
    """(path, problem) of every problem below `root`. Raises source.SourceUnreadable.

    `former` are older addresses of posts, which only a database remembers.
    """
    folder = source.scan(root)
    rows: list[Post] = []
    found: list[tuple[str, Problem]] = []
    lists: set[str] = set()
    others = set(former)
    waiting: set[tuple[int, str]] = set()
    for rendered in map(fitting.fit, render_all(folder, list(folder.posts.values()), UTC)):
        found += [(rendered.source.path, problem) for problem in rendered.problems]
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
    site = Answers(rows, folder, Codes(), coming, lambda: readable, lambda: others, lambda: waiting)
    linking.set_links(rows, rows, site)
    for row in rows:
        found += [(row.path, Problem(each["line"], each["message"])) for each in row.site_problems]
    return sorted(found)


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

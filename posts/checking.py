"""Looks posts over before they are pushed: everything that a deploy would report, without rows."""

from datetime import UTC
from pathlib import Path

from posts import fitting, placement, source
from posts.models import Post
from posts.problems import Problem
from posts.rendering import Rendered, render_all


def check_posts(root: Path) -> list[tuple[str, Problem]]:
    """(path, problem) of every problem below `root`. Raises source.SourceUnreadable."""
    folder = source.scan(root)
    rows: list[Post] = []
    found: list[tuple[str, Problem]] = []
    for rendered in map(fitting.fit, render_all(folder, list(folder.posts.values()), UTC)):
        found += [(rendered.source.path, problem) for problem in rendered.problems]
        if rendered.draft:
            rows.append(make_row(len(rows), rendered))
    placement.set_slugs(rows)
    placement.set_links(rows, rows, folder.files)
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
        day=draft.day,
        base_slug=draft.base_slug,
        links=draft.links,
    )

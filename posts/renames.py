"""Tells which of the files that came is one of those that went, under another name."""

from collections import Counter
from collections.abc import Callable, Mapping
from posixpath import dirname
from typing import Protocol

from posts import galleries, reading
from posts.rendering import Rendered
from posts.source import SourceFile

# As git has it: half of the lines must be the same.
SIMILAR = 0.5
# Beyond this many pairs only files with the same content are matched.
MAX_PAIRS = 10_000


class Known(Protocol):
    """What must be known of a post whose file is gone."""

    @property
    def digest(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def text(self) -> str: ...


def find(
    gone: list[str],
    new: list[SourceFile],
    rows: Mapping[str, Known],
    rendered: Callable[[SourceFile], Rendered],
) -> dict[str, str]:
    """{old path: new path}: those with equal content, then the most similar pairs."""
    found = find_galleries(gone, new)
    rest = [path for path in gone if path not in found]
    by_digest = {rows[path].digest: path for path in sorted(rest, reverse=True)}
    for each in new:
        old = by_digest.pop(each.digest, None) if each.path not in found.values() else None
        if old is not None:
            found[old] = each.path
    gone = [path for path in gone if path not in found]
    new = [each for each in new if each.path not in found.values()]
    if gone and len(gone) * len(new) <= MAX_PAIRS:
        found |= find_similar(gone, new, rows, rendered)
    return found


def find_galleries(gone: list[str], new: list[SourceFile]) -> dict[str, str]:
    """A gallery is what it was, whichever file its text is in now, or none."""
    old = {dirname(path): path for path in gone if galleries.is_own_page(path)}
    paths = (each.path for each in new if galleries.is_own_page(each.path))
    return {old[dirname(path)]: path for path in paths if dirname(path) in old}


def find_similar(
    gone: list[str],
    new: list[SourceFile],
    rows: Mapping[str, Known],
    rendered: Callable[[SourceFile], Rendered],
) -> dict[str, str]:
    before = {path: lines_of(rows[path].title, rows[path].text) for path in gone}
    after = {
        each.path: lines_of(draft.title, draft.text)
        for each in new
        if (draft := rendered(each).draft) is not None
    }
    pairs = sorted(
        ((compare(old, fresh), path, new_path)
         for path, old in before.items() for new_path, fresh in after.items()),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )  # fmt: skip
    found: dict[str, str] = {}
    for score, path, new_path in pairs:
        if score >= SIMILAR and path not in found and new_path not in found.values():
            found[path] = new_path
    return found


def lines_of(title: str, text: str) -> Counter[str]:
    """Lines weighed by their length: a shared `}` says little."""
    return Counter(
        {
            line: len(line)
            for line in (title, *reading.without_groups(text).splitlines())
            if line.strip()
        }
    )


def compare(old: Counter[str], new: Counter[str]) -> float:
    """How much of the two is the same, from 0 to 1."""
    total = old.total() + new.total()
    return 2 * (old & new).total() / total if total else 0.0

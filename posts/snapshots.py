"""What one run of the index leaves to the next: commit, looks of files, where to edit."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from django.utils import timezone

from posts import history
from posts.history import Times
from posts.lineage import Past
from posts.models import Post, Snapshot
from posts.rows import load
from posts.source import Stamp, companion_of

# A file written twice within one tick of its file system's clock looks the same after both.
NS_UNTIL_SETTLED = 3_000_000_000
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def lock() -> Snapshot:
    """The one there is, made if need be; locked, so that runs come one by one."""
    snapshot, _ = (
        Snapshot.objects.defer("stamps")
        .select_for_update()
        .get_or_create(pk=1, defaults={"changed_at": timezone.now()})
    )
    return snapshot


def read_stamps() -> dict[str, tuple[Stamp, str]]:
    """Hashing thousands of files to find one edit takes longer than all else about it."""
    stored = Snapshot.objects.filter(pk=1).values_list("stamps", flat=True).first()
    return load_stamps(stored or "")


def dump_stamps(stamps: dict[str, tuple[Stamp, str]], now: int) -> str:
    """What to remember until the next scan, `now` in ns; files changed just now are left out."""
    return json.dumps(
        {path: (stamp, digest) for path, (stamp, digest) in stamps.items()
         if max(stamp[2:]) < now - NS_UNTIL_SETTLED},
        ensure_ascii=False,
        separators=(",", ":"),
    )  # fmt: skip


def load_stamps(text: str) -> dict[str, tuple[Stamp, str]]:
    found = json.loads(text or "{}")
    return {path: (tuple(stamp), digest) for path, (stamp, digest) in found.items()}


def take_commit_times(
    snapshot: Snapshot,
    root: Path,
    rows: Mapping[str, Post],
    was_broken: Collection[Post],
    added: Collection[str],
    pasts: Mapping[str, Past],
) -> set[Post]:
    """Bring both up to the commit that is checked out; return the rows whose time changed.

    The time is that of the version shown: a broken file leaves it as it is. It is read anew where
    the file is mended, where one that was there has become a post, and where the history had to say
    which version to show.
    """
    before, head = snapshot.commit, history.read_head(root)
    if is_any_unknown():
        before = ""
    times, is_whole = history.read_new_times(root, before, head)
    snapshot.commit = head
    snapshot.edit_url = history.find_edit_url(root) if head else ""
    current = [row for row in rows.values() if not (row.is_broken and row.is_rendered)]
    touched = set_commit_times(current, times, is_whole)
    read_times = cache(partial(history.read_times, root))
    older = {path for path in added if path not in times and (root / path).is_file()}
    if anew := [row for row in current if row in was_broken or row.path in older]:
        touched |= set_commit_times(anew, read_times(head) if head else {}, True)
    for path, row in rows.items():
        past = pasts.get(path)
        if row.is_broken and past and past.last_good:
            shown_at, commit = past.last_good_at
            set_times(row, fill(find_times(shown_at, read_times(commit))))
            touched.add(row)
    return touched


def set_commit_times(rows: Iterable[Post], times: dict[str, Times], is_whole: bool) -> set[Post]:
    dated = [row for row in rows if is_whole or {row.path, companion_of(row.path)} & times.keys()]
    load(dated, Times._fields)
    touched = set()
    for row in dated:
        found, before = find_times(row.path, times), Times(row.committed_at, row.added_at)
        newest = fill(found if is_whole else found.newest(before))
        if newest != before:
            set_times(row, newest)
            touched.add(row)
    return touched


def is_any_unknown() -> bool:
    """Whether a version wrote rows that did not ask when files were added: the one before this."""
    known = Post.objects.filter(is_broken=False, added_at=None)
    return known.exclude(committed_at=None).exists()


def fill(times: Times) -> Times:
    """What a merge itself has added came at some time that the history does not tell."""
    is_unknown = times.committed_at and not times.added_at
    return Times(times.committed_at, LONG_AGO) if is_unknown else times


def find_times(path: str, times: Mapping[str, Times]) -> Times:
    """A change of the metadata beside a post is one of the post."""
    beside = times.get(companion_of(path), Times())
    return times.get(path, Times()).newest(Times(beside.committed_at))


def set_times(row: Post, times: Times) -> None:
    row.committed_at, row.added_at = times

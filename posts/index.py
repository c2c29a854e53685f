"""Makes rows equal files: renders what changed, and writes it in one transaction."""

import hashlib
import tempfile
import time
from functools import partial
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from posts import fitting, lineage, linking, scanning, search, snapshots
from posts.codes import Codes
from posts.exhibitions import Exhibitions, name_top
from posts.lineage import Progress, keep_quiet
from posts.models import Post
from posts.rendering import render_all, signature
from posts.report import Report
from posts.runs import Run
from posts.source import Folder, SourceFile
from posts.spool import Spool


def index_posts(
    root: Path,
    *,
    everything: bool = False,
    on_progress: Progress = keep_quiet,
    on_history: Progress = keep_quiet,
    on_pictures: Progress = keep_quiet,
) -> Report:
    """Make the rows equal the files below `root`. Idempotent; may run twice at once.

    Renders outside of the transaction, so that nobody waits for it, and looks at the files again
    inside: what has changed meanwhile is rendered too. Where rows do not tell all, the history does
    (posts.lineage). Raises source.SourceUnreadable.
    """
    renderer = renderer_of_today()
    scanned_at = time.time_ns()
    known = {} if everything else snapshots.read_stamps()
    folder = scanning.scan(root, Folder(root, stamps=known))
    rows = dict(Post.objects.filter(renderer=renderer).values_list("path", "digest"))
    missing = [
        each for each in folder.posts.values() if everything or rows.get(each.path) != each.digest
    ]
    with tempfile.TemporaryFile() as file:
        spool = Spool(file)
        fill = partial(render_into, spool, on_progress)
        fill(folder, missing)
        past = lineage.recall(folder, spool, fill, on_history)
        search.prepare(spool.read_texts(missing))
        codes = Codes()
        codes.prepare(folder, spool.read_targets(missing))
        exhibitions = Exhibitions(settings.THUMBNAILS_DIR)
        exhibitions.prepare(folder, spool.read_targets(missing), on_pictures, everything=everything)
        while True:
            with transaction.atomic():
                before, folder = folder, scanning.scan(root, folder)
                run = Run(folder, spool, renderer, everything, past, codes, exhibitions)
                missing = [each for each in run.stale if each not in spool.places]
                is_past = past.since and (folder, run.snapshot.commit) != (before, past.since)
                if not missing and not is_past:
                    run.snapshot.stamps = snapshots.dump_stamps(folder.stamps, scanned_at)
                    report = run.write()
                    break
            fill(folder, missing)
            exhibitions.prepare(folder, spool.read_targets(missing), on_pictures)
            past = lineage.recall(folder, spool, fill, on_history) if is_past else past
    search.sweep()
    if not settings.POSTS_PREVIEW:
        exhibitions.sweep(folder)
    return report


def render_into(spool: Spool, tell: Progress, folder: Folder, missing: list[SourceFile]) -> None:
    zone = timezone.get_default_timezone()
    for done, rendered in enumerate(render_all(folder, missing, zone), start=1):
        spool.put(linking.keep_own_links(fitting.fit(name_top(rendered))))
        tell(done, len(missing))


def renderer_of_today() -> str:
    """All that a page depends on beside its file."""
    site = hashlib.sha1(settings.SITE_URL.encode(), usedforsecurity=False).hexdigest()[:8]
    words = settings.LANGUAGE_CODE
    return f"{signature()} {site} {words} {timezone.get_default_timezone_name()}"

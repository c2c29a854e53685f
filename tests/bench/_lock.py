"""How long indexing every post anew holds the lock for writing, beside a plain executemany."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blogsite.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402 - it needs the settings

from posts import index  # noqa: E402
from posts.rendering import Rendered, render_all  # noqa: E402

held: list[float] = []
original = transaction.atomic


@contextmanager
def timed(*args: Any, **options: Any) -> Iterator[None]:
    with original(*args, **options):
        started_at = time.monotonic()
        yield
    held.append(time.monotonic() - started_at)


def change(rendered: Rendered) -> Rendered:
    if rendered.draft:
        rendered.draft.title += " anew"
        rendered.draft.text += "\nWritten anew."
        rendered.draft.body += "<p>Written anew.</p>"
    return rendered


def write_plainly() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM posts_post")
        names = [each[0] for each in cursor.description]
        rows = [(*row[1:], row[0]) for row in cursor.fetchall()]
        assignments = ", ".join(f'"{name}" = %s' for name in names[1:])
        started_at = time.monotonic()
        with original():
            cursor.executemany(f"UPDATE posts_post SET {assignments} WHERE id = %s", rows)
        return time.monotonic() - started_at


def main() -> None:
    index.render_all = lambda *args: map(change, render_all(*args))  # type: ignore[attr-defined]
    index.signature = lambda: "another renderer"  # type: ignore[attr-defined]
    transaction.atomic = timed  # type: ignore[assignment]
    index.index_posts(Path(os.environ["POSTS_DIR"]))
    longest, plain = max(held), write_plainly()
    sys.stdout.write(
        f"all anew: locked for {longest:.2f} s at most, {plain:.2f} s for the rows alone: "
        f"x {longest / plain:.1f}\n"
    )


if __name__ == "__main__":
    main()

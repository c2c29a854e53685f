"""manage.py index_posts: make the rows of the blog equal its files."""

import gc
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from posts.index import index_posts
from posts.source import SourceUnreadable

SECONDS_BETWEEN_LINES = 5.0
BAR = 30


class Progress:
    """A bar on a terminal; elsewhere a line now and then."""

    def __init__(self, command: BaseCommand, verb: str = "rendered", unit: str = "") -> None:
        self.command = command
        self.verb = verb
        self.unit = unit
        self.is_terminal = command.stdout.isatty()
        self.next_line_at = time.monotonic() + SECONDS_BETWEEN_LINES

    def __call__(self, done: int, total: int) -> None:
        if self.is_terminal:
            bar = "█" * (BAR * done // total)
            end = "\n" if done == total else ""
            self.command.stdout.write(f"\r{bar:░<{BAR}} {done} of {total}{self.unit}", ending=end)
            self.command.stdout.flush()
        elif time.monotonic() >= self.next_line_at:
            self.command.stdout.write(f"{self.verb} {done} of {total}{self.unit}")
            self.command.stdout.flush()
            self.next_line_at = time.monotonic() + SECONDS_BETWEEN_LINES


class Command(BaseCommand):
    # The checks are the deploy's business: a wrong setting elsewhere must not hold up a post.
    requires_system_checks = []
    help = (
        "Make the blog equal the files in POSTS_DIR: render what changed, and print what was "
        "added, changed, removed, and every problem as file:line: message."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="render every post again")

    def handle(self, *args: Any, **options: Any) -> None:
        # What was imported stays: looking for garbage in it takes longer than a post does.
        gc.freeze()
        try:
            report = index_posts(
                settings.POSTS_DIR,
                everything=options["all"],
                on_progress=Progress(self),
                on_history=Progress(self, "went through", " pushes of the history"),
                on_pictures=Progress(self, "made small", " pictures"),
            )
        except SourceUnreadable as error:
            raise CommandError(str(error)) from error
        for word in ("added", "changed", "removed", "broken"):
            for path in getattr(report, word):
                self.stdout.write(f"{word} {path}")
        for old, new in report.renamed:
            self.stdout.write(f"renamed {old} to {new}")
        for path, problem in report.problems:
            self.stdout.write(f"{path}:{problem.line}: {problem.message}")
        self.stdout.write(f"nothing changed: {report}" if report.is_empty else str(report))

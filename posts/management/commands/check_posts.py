"""manage.py check_posts: every problem of the posts, fit for a pre-commit hook or CI."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from posts.answers import stored_others
from posts.checking import check_posts
from posts.models import Address
from posts.source import SourceUnreadable


def read_former_addresses() -> set[str]:
    """Links to them are fine; where no site is (in CI, say) only the history knows any."""
    try:
        return stored_others(kind=Address.Kind.FORMER)
    except DatabaseError:
        return set()


class Command(BaseCommand):
    help = "Print every problem of the posts as file:line: message, and exit 1 if there are any."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "folder", nargs="?", type=Path, help="where the posts are, unless in POSTS_DIR"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = (options["folder"] or settings.POSTS_DIR).absolute()
        try:
            found = check_posts(folder, read_former_addresses())
        except SourceUnreadable as error:
            raise CommandError(str(error)) from error
        for path, problem in found:
            self.stdout.write(f"{path}:{problem.line}: {problem.message}")
        if found:
            raise CommandError(f"{len(found)} problem{'s' if len(found) > 1 else ''} found.")
        self.stdout.write("No problem found.")

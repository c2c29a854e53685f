"""manage.py new_post "Title": begin a post."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from posts.starting import PostExists, TitleMissing, start_post


class Command(BaseCommand):
    help = "Make the file of a new post, a draft with today's date, and print where it is."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("title")
        parser.add_argument("--rst", action="store_true", help="reStructuredText, not Markdown")
        parser.add_argument("--tags", default="", help="with commas between them")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            path = start_post(
                settings.POSTS_DIR, options["title"], is_rst=options["rst"], tags=options["tags"]
            )
        except (TitleMissing, PostExists, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(path))

"""manage.py preview: see what you write, as it will be."""

import os
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from posts import previewing
from posts.report import Report
from posts.source import SourceUnreadable


class Command(BaseCommand):
    help = (
        "Serve the blog from the working tree, drafts and scheduled posts included. A file is "
        "rendered again when it is saved, and the browser refreshes itself. Ends with Ctrl-C."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8001, help="0 for any free one")

    def handle(self, *args: Any, **options: Any) -> None:
        database = settings.DATA_DIR / f"preview-{os.getpid()}.sqlite3"
        if not settings.POSTS_PREVIEW:
            start_again_with(database)
        try:
            self.serve(options["host"], options["port"])
        except KeyboardInterrupt:
            self.stdout.write("")
        except SourceUnreadable as error:
            raise CommandError(str(error)) from error
        finally:
            for ending in ("", "-wal", "-shm"):
                Path(f"{database}{ending}").unlink(missing_ok=True)

    def serve(self, host: str, port: int) -> None:
        previewing.prepare_settings(host)
        call_command("migrate", verbosity=0, skip_checks=True)
        try:
            server = previewing.make_server(host, port)
        except OSError as error:
            raise CommandError(f"Port {port}: {error.strerror}. Choose another: --port") from error
        self.stdout.write(f"Preview of {settings.POSTS_DIR}: http://{host}:{server.server_port}/")
        self.stdout.flush()
        previewing.watch(settings.POSTS_DIR, self.tell, self.tell_problem)

    def tell(self, report: Report) -> None:
        for path, problem in report.problems:
            self.stdout.write(f"{path}:{problem.line}: {problem.message}")
        self.stdout.write(str(report))
        self.stdout.flush()

    def tell_problem(self, message: str) -> None:
        self.stdout.write(message)
        self.stdout.flush()


def start_again_with(database: Path) -> None:
    """Become the same command with a database of its own: the site's stays untouched."""
    database.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "POSTS_PREVIEW": "1", "DATABASE_URL": f"sqlite:///{database}"}
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606 - ourselves

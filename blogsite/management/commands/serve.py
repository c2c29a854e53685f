"""Prepares the site and runs its processes in the foreground; what script/server ends in."""

from typing import Any

from django.core.management.base import BaseCommand

from blogsite import start


class Command(BaseCommand):
    help = "Bring everything up to date, then run web, queue and watch until Ctrl-C or SIGTERM."

    def handle(self, *args: Any, **options: Any) -> None:
        for line in start.prepare():
            self.stdout.write(line)
        start.run_supervisor()

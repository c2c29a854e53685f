"""Deletes old deliveries, deploys and task rows."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deployhooks import history
from deployhooks.management.arguments import positive_number


class Command(BaseCommand):
    help = "Delete old deliveries, deploys and task rows; also done every day by the queue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--days",
            type=positive_number,
            default=history.DAYS,
            metavar="N",
            help=f"delete what is older than N days (default: {history.DAYS})",
        )

    def handle(self, *, days: int, **options: Any) -> None:
        deleted = history.prune_history(days)
        told = ", ".join(f"{number} {name}" for name, number in deleted.items())
        self.stdout.write(f"Deleted {told}.")

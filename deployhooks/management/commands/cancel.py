"""Ends a deploy that is queued or running."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deployhooks import control
from deployhooks.management.asking import find_deploy, name_person


class Command(BaseCommand):
    help = "End a deploy: a queued one at once, a running one within seconds, put back if it moved."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, help="number of the deploy")

    def handle(self, **options: Any) -> None:
        try:
            deploy = control.cancel(find_deploy(options["id"]), by=name_person())
        except control.Refused as error:
            raise CommandError(str(error)) from None
        state = "is cancelled" if deploy.is_final else "is being cancelled"
        self.stdout.write(f"Deploy {deploy.pk} {state}.")

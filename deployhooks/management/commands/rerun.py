"""Asks for an earlier deploy once more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from deployhooks.management.asking import AskingCommand, find_deploy, name_person
from deployhooks.models import Deploy
from deployhooks.queue import rerun


class Command(AskingCommand):
    help = "Queue a new deploy that serves the deliveries of an earlier one, which stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, help="number of the deploy to run again")
        super().add_arguments(parser)

    def ask(self, **options: Any) -> Deploy:
        deploy = find_deploy(options["id"])
        try:
            return rerun(deploy, requested_by=name_person())
        except ValueError as error:
            raise CommandError(str(error)) from None

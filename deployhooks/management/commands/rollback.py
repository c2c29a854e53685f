"""Goes back to an earlier version and holds what is pushed from then on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from deployhooks import control
from deployhooks.management.asking import AskingCommand, find_deploy, name_person
from deployhooks.models import Deploy


class Command(AskingCommand):
    help = (
        "Go back to the version of an earlier deploy and freeze deploys, so that the next push "
        "does not undo it; `thaw` ends that."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "id",
            type=int,
            nargs="?",
            help="number of a deploy that succeeded (default: the one before the live one)",
        )
        super().add_arguments(parser)

    def ask(self, **options: Any) -> Deploy:
        target = find_deploy(options["id"]) if options["id"] is not None else None
        try:
            target = control.find_target(target)
            # To standard error: with --json, standard output holds the document alone.
            self.stderr.write(
                f"Back to deploy {target.pk} ({target.to_commit[:7]}); deploys are frozen until "
                f"`manage.py thaw`. {control.warn_about(target)}"
            )
            return control.roll_back(target, by=name_person())
        except control.Refused as error:
            raise CommandError(str(error)) from None

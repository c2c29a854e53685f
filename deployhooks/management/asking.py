"""The commands that ask for a deploy: they name it, or wait for its end with its log."""

from __future__ import annotations

import getpass
import sys
from abc import ABC, abstractmethod
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper

from deployhooks.following import follow
from deployhooks.models import Deploy
from deployhooks.presentation import describe_one_deploy, to_json


class AskingCommand(BaseCommand, ABC):
    """A command whose `ask()` requests a deploy; the rest is the same for all of them."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--wait",
            action="store_true",
            help="follow its log to the end; exit 0 when it succeeded, 1 otherwise",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print the deploy as one JSON object (the log goes to standard error)",
        )

    @abstractmethod
    def ask(self, **options: Any) -> Deploy:
        """Return the deploy that was asked for. Raises CommandError."""

    def handle(self, *, wait: bool, json: bool, **options: Any) -> None:
        deploy = self.ask(**options)
        # Standard output holds either what people read or the one document, never both.
        out = self.stderr if json else self.stdout
        if wait:
            deploy = self._wait(deploy, out)
        elif not json:
            self.stdout.write(f"Deploy {deploy.pk} is queued.")
        if json:
            self.stdout.write(to_json(describe_one_deploy(deploy.pk)))
        if wait and deploy.status != Deploy.Status.SUCCEEDED:
            reason = deploy.error or "its log says more"
            raise CommandError(f"Deploy {deploy.pk} {deploy.status}: {reason}")

    def _wait(self, deploy: Deploy, out: OutputWrapper) -> Deploy:
        def write(text: str) -> None:
            out.write(text, str, ending="")
            out.flush()

        try:
            return follow(deploy.pk, write)
        except KeyboardInterrupt:
            self.stderr.write(
                f"\nNo longer following deploy {deploy.pk}; it goes on by itself. "
                "`manage.py deploys` shows how it ends."
            )
            sys.exit(130)


def find_deploy(deploy_id: int) -> Deploy:
    try:
        return Deploy.objects.get(pk=deploy_id)
    except Deploy.DoesNotExist:
        raise CommandError(
            f"There is no deploy {deploy_id}. `manage.py deploys` lists those that there are."
        ) from None


def name_person() -> str:
    """Who sits at the command line, for the deploy's row."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a user id without a name, as in some containers
        return "command line"

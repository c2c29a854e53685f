"""Sends the webhook a signed push of the current tip, as GitHub would."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deployhooks.announcement import CannotAnnounce, build_push, find_tip, post_delivery
from deployhooks.wording import clean_controls, shorten


class Command(BaseCommand):
    help = (
        "Send the webhook a signed push delivery for the tip of the deployed branch, as GitHub "
        "would, and print the answer. Exits 1 when it is not 2xx."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        default = f"{settings.SITE_URL}/hooks/github/"
        parser.add_argument(
            "--url", default=default, help=f"the webhook's address (default: {default})"
        )
        parser.add_argument(
            "--submodule",
            metavar="PATH",
            help="announce the tip of the submodule at PATH instead of the site's",
        )

    def handle(self, *, url: str, submodule: str | None, **options: Any) -> None:
        try:
            tip = find_tip(submodule)
            self.stderr.write(f"{tip.branch} of {tip.full_name} at {shorten(tip.after)} -> {url}")
            reply = post_delivery(url, build_push(tip))
        except CannotAnnounce as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"HTTP {reply.status} {reply.phrase}")
        self.stdout.write(clean_controls(reply.text))
        if not reply.is_success:
            raise CommandError(f"The webhook answered {reply.status}.")

"""Lists the newest deploys, for people or for other programs."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deployhooks.management.arguments import positive_number
from deployhooks.management.tables import align
from deployhooks.models import Deploy
from deployhooks.presentation import describe_newest_deploys, to_json
from deployhooks.wording import (
    clean_controls,
    first_line,
    measure,
    say_ago,
    say_duration,
    shorten,
)

HEADINGS = ["ID", "STATUS", "TRIGGER", "COMMITS", "QUEUED", "TOOK", "WHAT HAPPENED"]


class Command(BaseCommand):
    help = "List the newest deploys with their steps; the newest comes first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--limit",
            type=positive_number,
            default=20,
            metavar="N",
            help="list at most N (default: 20)",
        )
        parser.add_argument(
            "--json", action="store_true", help="print one JSON list, with steps and output"
        )

    def handle(self, *, limit: int, json: bool, **options: Any) -> None:
        if json:
            self.stdout.write(to_json(describe_newest_deploys(limit)))
            return
        rows = [_summarise(deploy) for deploy in Deploy.objects.all()[:limit]]
        self.stdout.write(align([HEADINGS, *rows]) if rows else "There is no deploy yet.")


def _summarise(deploy: Deploy) -> list[str]:
    took = measure(deploy)
    return [
        str(deploy.pk),
        deploy.status,
        f"{deploy.trigger} of {deploy.rerun_of_id}" if deploy.rerun_of_id else deploy.trigger,
        f"{shorten(deploy.from_commit) or '-'} -> {shorten(deploy.to_commit) or '-'}",
        say_ago(deploy.queued_at),
        "-" if took is None else say_duration(took),
        ("put back; " if deploy.restored else "") + clean_controls(first_line(deploy.error)),
    ]

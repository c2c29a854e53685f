"""Lists what GitHub sent, for people or for other programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deployhooks.management.arguments import positive_number
from deployhooks.management.tables import align
from deployhooks.presentation import DeliveryShape, describe_newest_deliveries, to_json
from deployhooks.wording import clean_controls, first_line, say_ago, shorten

HEADINGS = ["RECEIVED", "EVENT", "REPOSITORY", "REF", "AFTER", "OUTCOME", "DEPLOY", "REASON"]


class Command(BaseCommand):
    help = "List the newest deliveries and what was done about them; the newest comes first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--limit",
            type=positive_number,
            default=20,
            metavar="N",
            help="list at most N (default: 20)",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON list")

    def handle(self, *, limit: int, json: bool, **options: Any) -> None:
        deliveries = describe_newest_deliveries(limit)
        if json:
            self.stdout.write(to_json(deliveries))
            return
        rows = [_summarise(delivery) for delivery in deliveries]
        self.stdout.write(align([HEADINGS, *rows]) if rows else "There is no delivery yet.")


def _summarise(delivery: DeliveryShape) -> list[str]:
    times = f" ({delivery['times_received']} times)" if delivery["times_received"] > 1 else ""
    cells = [
        say_ago(datetime.fromisoformat(delivery["received_at"])) + times,
        delivery["event"],
        delivery["repository"],
        delivery["ref"],
        shorten(delivery["after"]),
        delivery["outcome"],
        str(delivery["deploy"] or ""),
        delivery["reason"],
    ]
    return [clean_controls(first_line(cell)) or "-" for cell in cells]

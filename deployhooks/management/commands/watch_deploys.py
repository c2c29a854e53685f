"""Looks after the queue from outside it."""

from typing import Any

from django.core.management.base import BaseCommand

from deployhooks import watch


class Command(BaseCommand):
    help = "Return deploys of dead workers to the queue and mend the queue; runs until it is ended."

    def handle(self, *args: Any, **options: Any) -> None:
        watch.run()

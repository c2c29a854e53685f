"""Holds deploys."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from deployhooks import control
from deployhooks.management.asking import name_person


class Command(BaseCommand):
    help = "Hold what is pushed from now on, and what is queued, until `thaw`."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--reason", default="", help="why, for the admin and for GitHub")

    def handle(self, *, reason: str, **options: Any) -> None:
        control.freeze(reason, by=name_person())
        self.stdout.write("Deploys are frozen; `manage.py thaw` ends that.")

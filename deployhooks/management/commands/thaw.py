"""Ends a freeze and deploys what was held."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from deployhooks import control
from deployhooks.management.asking import name_person


class Command(BaseCommand):
    help = "End the freeze; what was pushed meanwhile is deployed."

    def handle(self, **options: Any) -> None:
        deploy = control.thaw(by=name_person())
        what = f"Deploy {deploy.pk} serves what was held." if deploy else "Nothing was held."
        self.stdout.write(f"Deploys are no longer frozen. {what}")

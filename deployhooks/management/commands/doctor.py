"""Says what a deploy would stumble over."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from deployhooks import doctor


class Command(BaseCommand):
    help = "Check, as the user who runs this, everything that a deploy needs; exit 1 on a problem."

    def handle(self, *args: Any, **options: Any) -> None:
        is_well = True
        for finding in doctor.examine():
            if finding.problem:
                is_well = False
                self.stdout.write(f"TO DO  {finding.what}: {finding.problem}")
            else:
                self.stdout.write(f"ok     {finding.what}")
        if not is_well:
            sys.exit(1)

"""Asks for a deploy by hand."""

from __future__ import annotations

from typing import Any

from deployhooks.management.asking import AskingCommand, name_person
from deployhooks.models import Deploy
from deployhooks.queue import request_deploy


class Command(AskingCommand):
    help = "Queue a deploy of the branch's tip, or join the one that is queued already."

    def ask(self, **options: Any) -> Deploy:
        return request_deploy(Deploy.Trigger.MANUAL, requested_by=name_person())

"""django-q's cluster, of which only one may run."""

from __future__ import annotations

from typing import IO, Any

from django.core.management.base import CommandError
from django_q.management.commands import qcluster

from deployhooks import cluster, locks

# Held until this process ends: the command itself returns when the cluster has started.
held: list[IO[str]] = []


class Command(qcluster.Command):  # type: ignore[misc]  # django-q has no types
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            held.append(cluster.take_over())
        except locks.AlreadyHeld:
            raise CommandError("The queue runs already: stop script/server first.") from None
        super().handle(*args, **options)

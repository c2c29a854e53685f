"""django-q's cluster, of which only one may run, and which says when it is about to end."""

from __future__ import annotations

import os
from types import FrameType
from typing import IO, Any

from django.core.management.base import CommandError
from django_q.cluster import Cluster
from django_q.management.commands import qcluster

from deployhooks import cluster, locks, queue

# Held until this process ends: the command itself returns when the cluster has started.
held: list[IO[str]] = []


class AnnouncedCluster(Cluster):  # type: ignore[misc]  # django-q has no types
    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        if os.getpid() == self.pid:
            cluster.announce_stop()
        super().sig_handler(signum, frame)


class Command(qcluster.Command):  # type: ignore[misc]
    def handle(self, *args: Any, **options: Any) -> None:
        try:
            held.append(cluster.take_over())
        except locks.AlreadyHeld:
            raise CommandError("The queue runs already: stop script/server first.") from None
        queue.enqueue_waiting()
        running = AnnouncedCluster()
        running.start()
        if options["run_once"]:
            running.stop()

"""Looks after deploys from outside the queue: what a dead process left goes back to the queue."""

from __future__ import annotations

import logging
import signal
import threading
import time
from datetime import datetime, timedelta
from types import FrameType

import django.db
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from deployhooks import cluster, queue, recovery
from deployhooks.drift import Drift
from deployhooks.models import Deploy

logger = logging.getLogger(__name__)

# Seconds between two rounds.
PAUSE = 2.0
# A queued deploy that nobody took for this long is told to the queue again.
FORGOTTEN = timedelta(seconds=15)
# No attempt is put off for longer, whatever a clock says that was set back.
LONGEST_WAIT = timedelta(seconds=75)
# A process that lives but gave no sign for this long does not run its deploy any more.
SILENCE = timedelta(seconds=60)
# The queue's row of a deploy that ended this long ago should be gone.
UNACKNOWLEDGED = timedelta(seconds=60)
# Seconds that a restarted queue gets before it is taken for broken again.
RESTART_PAUSE = 15.0


def run() -> None:
    """Go on with rounds until SIGTERM or SIGINT."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    watch = Watch()
    with Drift():
        while not stopped.is_set():
            try:
                watch.look()
                if watch.has_new_code():
                    logger.info("the code has changed: supervisor starts this process again")
                    return
            except django.db.Error as error:
                logger.warning("the database fails, trying again: %s", error)
                connection.close()
            stopped.wait(PAUSE)


class Watch:
    """Rounds that remember what they saw; they measure time by a clock that nobody sets."""

    def __init__(self) -> None:
        self.beats: dict[int, tuple[datetime | None, float]] = {}
        self.due_at: dict[int, float] = {}
        self.reminded: set[int] = set()
        self.restarted_at = -RESTART_PAUSE
        self.members: set[int] = set()
        self.main = 0
        self.rounds_damaged = 0
        self.code_seen: set[int | None] = set()

    def look(self) -> None:
        """One round: return what dead processes left, then see that the queue does its work."""
        queue.schedule_housekeeping()
        for deploy in Deploy.objects.here().running():
            if why := self.find_death(deploy):
                self.take_up(deploy, why)
        self.count_members()
        if Deploy.objects.here().running().exists():
            return
        if self.rounds_damaged > 1:  # in the first one the queue may be about to end as a whole
            self.restart_queue("one of its processes has died")
        self.remind_of_forgotten()
        if queue.drop_unacknowledged(UNACKNOWLEDGED):
            self.restart_queue("it finishes deploys but has lost the process that says so")

    def find_death(self, deploy: Deploy) -> str:
        """Why a running deploy does not go on any more; empty while it does."""
        if not recovery.is_alive(deploy):
            return (
                f"The process that ran it ({deploy.worker}) died during attempt {deploy.attempt}."
            )
        now = time.monotonic()
        beat, since = self.beats.get(deploy.pk, (None, now))
        if beat != deploy.heartbeat_at:
            since = now
        self.beats = {deploy.pk: (deploy.heartbeat_at, since)}
        if now - since < SILENCE.total_seconds():
            return ""
        return (
            f"The process that ran it ({deploy.worker}) lives, but gave no sign for "
            f"{now - since:.0f} s during attempt {deploy.attempt}."
        )

    def take_up(self, deploy: Deploy, why: str) -> None:
        pause = recovery.return_to_queue(deploy, why)
        if pause is not None:
            self.due_at[deploy.pk] = time.monotonic() + pause.total_seconds()
            self.reminded.discard(deploy.pk)

    def remind_of_forgotten(self) -> None:
        """Tell the queue once more of what waits while nothing runs; restart it when deaf."""
        waiting = {deploy.pk: deploy for deploy in Deploy.objects.here().queued()}
        self.due_at = {pk: due for pk, due in self.due_at.items() if pk in waiting}
        self.reminded &= set(waiting)
        for deploy in waiting.values():
            due_at = self.due_at.setdefault(deploy.pk, self.expect(deploy))
            if time.monotonic() < due_at:
                continue
            if deploy.pk in self.reminded:
                self.restart_queue(f"deploy {deploy.pk} waits and nobody takes it")
            logger.warning("deploy %s waits, reminding the queue", deploy.pk)
            queue.enqueue_again(deploy)
            self.reminded.add(deploy.pk)
            self.due_at[deploy.pk] = time.monotonic() + FORGOTTEN.total_seconds()

    def expect(self, deploy: Deploy) -> float:
        """When the queue must have taken a deploy that is seen for the first time."""
        now = timezone.now()
        ripe_at = max(deploy.queued_at, deploy.not_before or deploy.queued_at)
        left = min(max(ripe_at + FORGOTTEN - now, timedelta()), LONGEST_WAIT)
        return time.monotonic() + left.total_seconds()

    def count_members(self) -> None:
        """See whether a process of the queue that was there before is gone; the queue goes on."""
        found = cluster.find_members()
        main, members = (found[0].pid, found[1]) if found else (0, set())
        if main != self.main:
            self.main, self.members, self.rounds_damaged = main, members, 0
        is_damaged = bool(self.members - members)
        self.rounds_damaged = self.rounds_damaged + 1 if is_damaged else 0
        self.members |= members

    def has_new_code(self) -> bool:
        """Whether a deploy has changed the site's code since the first look; none runs now.

        Told by the deploys' numbers: their times are of a clock that may have been set meanwhile.
        """
        here = Deploy.objects.here()
        changed = here.filter(status=Deploy.Status.SUCCEEDED).exclude(to_commit=F("from_commit"))
        newest = changed.values_list("pk", flat=True).first()
        self.code_seen = self.code_seen or {newest}
        return newest not in self.code_seen and not here.running().exists()

    def restart_queue(self, why: str) -> None:
        """End the queue's processes, all of them and no others; supervisor starts it again.

        Not when one of them has just begun a deploy: while the rows are locked, none can.
        """
        if time.monotonic() - self.restarted_at < RESTART_PAUSE:
            return
        here = Deploy.objects.here()
        with transaction.atomic():
            list(here.queued().select_for_update())
            if here.running().exists():
                return
            logger.error("restarting the queue: %s", why)
            cluster.end()
        self.restarted_at = time.monotonic()
        self.main = 0

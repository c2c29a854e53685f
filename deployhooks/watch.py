"""Looks after deploys from outside the queue: what a dead process left goes back to the queue."""

from __future__ import annotations

import logging
import signal
import threading
import time
from datetime import timedelta
from types import FrameType

import psutil
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from deployhooks import cluster, process, queue
from deployhooks.lease import read_boot_id
from deployhooks.models import Deploy, Step

logger = logging.getLogger(__name__)

# Seconds between two rounds.
PAUSE = 2.0
# A queued deploy that nobody took for this long is told to the queue again.
FORGOTTEN = timedelta(seconds=15)
# The queue's row of a deploy that ended this long ago should be gone.
UNACKNOWLEDGED = timedelta(seconds=60)
# Seconds that a restarted queue gets before it is taken for broken again.
RESTART_PAUSE = 60.0
MAX_ATTEMPTS = 3


def run() -> None:
    """Go on with rounds until SIGTERM or SIGINT."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    watch = Watch()
    while not stopped.is_set():
        try:
            watch.look()
        except DatabaseError as error:
            logger.warning("the database fails, trying again: %s", error)
            connection.close()
        stopped.wait(PAUSE)


class Watch:
    """Rounds that remember which deploys the queue was reminded of, and when it was restarted."""

    def __init__(self) -> None:
        self.reminded_at: dict[int, float] = {}
        self.restarted_at = 0.0

    def look(self) -> None:
        """One round: return what dead processes left, then see that the queue does its work."""
        queue.schedule_housekeeping()
        for deploy in Deploy.objects.here().running():
            if not is_alive(deploy):
                return_to_queue(deploy)
        if Deploy.objects.here().running().exists():
            return
        self.remind_of_forgotten()
        if queue.drop_unacknowledged(UNACKNOWLEDGED):
            self.restart_queue("it finishes deploys but has lost the process that says so")

    def remind_of_forgotten(self) -> None:
        """Tell the queue once more of what waits while nothing runs; restart it when deaf."""
        for deploy in Deploy.objects.here().waiting_since(timezone.now() - FORGOTTEN):
            reminded_at = self.reminded_at.get(deploy.pk, 0.0)
            if time.monotonic() - reminded_at < FORGOTTEN.total_seconds():
                continue
            if reminded_at:
                self.restart_queue(f"deploy {deploy.pk} waits and nobody takes it")
            logger.warning("deploy %s waits, reminding the queue", deploy.pk)
            queue.enqueue_again(deploy)
            self.reminded_at[deploy.pk] = time.monotonic()

    def restart_queue(self, why: str) -> None:
        """End the queue's processes, all of them and no others; supervisor starts it again."""
        if time.monotonic() - self.restarted_at < RESTART_PAUSE:
            return
        logger.error("restarting the queue: %s", why)
        cluster.end()
        self.restarted_at = time.monotonic()


def is_alive(deploy: Deploy) -> bool:
    """Whether the very process that runs a deploy still lives."""
    if deploy.boot_id != read_boot_id() or deploy.pid is None:
        return False
    try:
        found = psutil.Process(deploy.pid)
        return found.create_time() == deploy.pid_started_at and (
            found.status() != psutil.STATUS_ZOMBIE
        )
    except psutil.NoSuchProcess:
        return False


def end_children(deploy: Deploy) -> None:
    """Kill the process groups that a dead deploy left running; never a later one of that number."""
    if deploy.boot_id != read_boot_id():
        return
    for group, started_at in deploy.process_groups:
        try:
            if psutil.Process(group).create_time() != started_at:
                continue
        except psutil.NoSuchProcess:
            pass  # the leader has ended, its children may live: the number is not free before
        process.kill_group(group)


@transaction.atomic
def return_to_queue(deploy: Deploy) -> None:
    """A dead deploy is queued again, or joins the one that is; after three attempts it failed."""
    end_children(deploy)
    died = f"The process that ran it ({deploy.worker}) died during attempt {deploy.attempt}."
    logger.warning("deploy %s: %s", deploy.pk, died)
    for step in deploy.steps.filter(status=Step.Status.RUNNING):
        step.close(Step.Status.FAILED, died)
    waiting = Deploy.objects.here().queued().select_for_update().first()
    if waiting:
        waiting.take_over(deploy)
        deploy.fail(f"{died} Deploy {waiting.pk} takes its work up.")
    elif deploy.attempt >= MAX_ATTEMPTS:
        deploy.fail(f"{died} It was the last attempt: see queue.log, then re-run this deploy.")
    else:
        deploy.return_to_queue(pause=timedelta(seconds=5 * 3 ** (deploy.attempt - 1)))

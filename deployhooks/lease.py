"""What the process that runs a deploy holds: a heartbeat, its children, an ear for cancel."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import django.db
import psutil
from django.db import connection
from django.db.models import F
from django.utils import timezone

from deployhooks import cluster, process
from deployhooks.identity import read_boot_id, read_start
from deployhooks.models import Deploy
from deployhooks.transactions import unsynced_transaction

logger = logging.getLogger(__name__)

# Seconds between two looks at the row, and between two heartbeats.
LOOK = 0.5
BEAT = 3.0


class Cancelled(Exception):
    """Somebody asked for the end of this deploy."""


class Interrupted(Exception):
    """The queue is about to end, and nothing live was changed yet."""


class LeaseLost(Exception):
    """The deploy was given to another process; this one may not write any more."""


def describe_this_process() -> dict[str, Any]:
    """The columns by which others find out whether the process that runs a deploy still lives."""
    me = psutil.Process()
    return {"worker": f"{me.name()} {me.pid}", **identify_this_process()}


def identify_this_process() -> dict[str, Any]:
    """Those of them that no other process ever has."""
    pid = os.getpid()
    return {"boot_id": read_boot_id(), "pid": pid, "pid_started_at": read_start(pid)}


def claim(deploy_id: int) -> Deploy | None:
    """Make a queued deploy ours; None when somebody else was first or it may not start yet.

    Raises IntegrityError when another deploy runs on this host.
    """
    lease = describe_this_process()
    if not Deploy.objects.claim(deploy_id, attempt=F("attempt") + 1, **lease):
        return None
    return find_claimed(deploy_id)


def find_claimed(deploy_id: int) -> Deploy | None:
    """Return a running deploy that is ours; None when it is not."""
    return Deploy.objects.running().filter(pk=deploy_id, **identify_this_process()).first()


class Lease:
    """Held while a deploy runs; a thread beats, stores the log, and watches for cancel."""

    def __init__(self, deploy: Deploy) -> None:
        self.deploy = deploy
        self.groups: dict[int, float] = {}
        self.store_log: Callable[[], None] = lambda: None
        self.is_shielded = False
        self.is_committed = False
        self.end: type[Exception] | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._watch, name=f"lease-{deploy.pk}", daemon=True)

    def __enter__(self) -> Lease:
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopped.set()
        self.thread.join(timeout=30)

    @property
    def row(self) -> Any:
        """The deploy's row as long as it is ours."""
        return Deploy.objects.filter(
            pk=self.deploy.pk, status=Deploy.Status.RUNNING, attempt=self.deploy.attempt
        )

    def check(self) -> None:
        """Raise Cancelled, Interrupted or LeaseLost when the deploy may not go on."""
        if self.end is LeaseLost or (self.end and not self.is_shielded):
            raise self.end

    def commit(self) -> None:
        """From now on live state changes: the deploy goes on to its end though the queue stops."""
        self.check()
        self.is_committed = True

    def add_process_group(self, group: int) -> None:
        """Note a started process group in the row, so that it can be ended when we cannot."""
        started = read_start(group)
        if started is not None:
            self.groups[group] = started
            self._store_groups()

    def remove_process_group(self, group: int) -> None:
        if self.groups.pop(group, None) is not None:
            self._store_groups()

    def _store_groups(self) -> None:
        with unsynced_transaction():
            self.row.update(process_groups=[list(item) for item in self.groups.items()])

    def _watch(self) -> None:
        next_beat = time.monotonic() + BEAT
        while not self.stopped.wait(LOOK):
            try:
                self.look()
                self.store_log()
                if time.monotonic() >= next_beat:
                    with unsynced_transaction():
                        self.row.update(heartbeat_at=timezone.now())
                    next_beat = time.monotonic() + BEAT
            except django.db.Error:
                logger.warning("deploy %s: no heartbeat, the database fails", self.deploy.pk)
                connection.close()
        connection.close()

    def look(self) -> None:
        """Find out whether we may go on; when not, end the running process."""
        found = self.row.values_list("cancel_requested_at", flat=True).first()
        if found is None and not self.row.exists():
            self.end = LeaseLost
        elif found:
            self.end = self.end or Cancelled
        elif not self.is_committed and cluster.is_stopping():
            self.end = self.end or Interrupted
        if self.end and (self.end is LeaseLost or not self.is_shielded):
            for group in list(self.groups):
                process.kill_group(group)

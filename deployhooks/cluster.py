"""The processes of the queue: known by a lock, ended as a whole, and never two clusters at once."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import IO

import psutil
from django.conf import settings

from deployhooks import locks
from deployhooks.identity import read_boot_id, read_start

logger = logging.getLogger(__name__)


def take_over() -> IO[str]:
    """Become the queue's main process: hold its lock, end what a killed predecessor left.

    Its sentinel, workers and monitor would go on taking tasks. Raises locks.AlreadyHeld when a
    cluster runs.
    """
    file = locks.hold(settings.RUN_DIR / "queue.lock")
    file.seek(0)
    end_leftovers(file.read())
    file.seek(0)
    file.truncate()
    stopping_file().unlink(missing_ok=True)
    since = read_start(os.getpid())
    json.dump({"boot": read_boot_id(), "group": os.getpgrp(), "since": since}, file)
    file.flush()
    return file


def announce_stop() -> None:
    """Say, as the cluster's main process, that it is about to end."""
    stopping_file().write_text(str(os.getpid()))


def is_stopping() -> bool:
    """Whether the running cluster has begun to end: nothing that takes long should be begun."""
    try:
        announced = stopping_file().read_text()
    except FileNotFoundError:
        return False
    main = find()
    return main is not None and announced == str(main.pid)


def stopping_file() -> Path:
    return Path(settings.RUN_DIR) / "queue.stopping"


def end_leftovers(record: str) -> None:
    """Kill the living processes of an earlier cluster, told by what it wrote when it began."""
    if not record:
        return
    earlier = json.loads(record)
    if earlier["boot"] != read_boot_id():
        return
    for process in psutil.process_iter():
        if is_leftover(process, earlier["group"], earlier["since"]):
            logger.warning("ending %s, left by a queue that was killed", process.pid)
            process.kill()


def is_leftover(process: psutil.Process, group: int, since: float) -> bool:
    try:
        return (
            process.pid != os.getpid()
            and os.getpgid(process.pid) == group
            and (read_start(process.pid) or 0.0) >= since
            and "qcluster" in process.cmdline()
        )
    except (psutil.Error, ProcessLookupError):
        return False


def find() -> psutil.Process | None:
    """Return the main process of the running cluster, None when none runs."""
    return locks.find_holder(settings.RUN_DIR / "queue.lock")


def find_members() -> tuple[psutil.Process, set[int]] | None:
    """Return the main process and the numbers of pusher, monitor and workers; None when none runs.

    The sentinel replaces the ones that die, and the cluster is often no longer whole then: a worker
    that was idle takes the lock of the task queue with it, a monitor the results.
    """
    main = find()
    if main is None:
        return None
    try:
        sentinels = main.children()
        members = [member for sentinel in sentinels for member in sentinel.children()]
    except psutil.NoSuchProcess:
        return None
    return main, {one.pid for one in members if read_start(one.pid) is not None}


def end() -> None:
    """Kill the cluster, exactly its own processes; supervisor starts it again."""
    main = find()
    if main is None:
        return
    try:
        family = [main, *main.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for process in family:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue

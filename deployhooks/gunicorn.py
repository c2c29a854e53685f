"""Finds the gunicorn that serves this site and tells it to reload."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from deployhooks import locks

# Seconds in which supervisor brings a dead master back.
MASTER_TIMEOUT = 30.0
NO_MASTER = (
    "gunicorn does not run, so no worker could be reloaded. Start it with script/server and re-run "
    "this deploy; web.log in the log folder tells why it ended."
)


class ReloadFailed(Exception):
    """The workers were not replaced; the message is for people."""


@dataclass(frozen=True)
class Worker:
    """A worker that has said that it is ready: its pid and the commit that it has loaded."""

    pid: int
    commit: str | None


@dataclass(frozen=True)
class Reloaded:
    workers: list[Worker]
    master: psutil.Process


class Gunicorn:
    """The gunicorn whose master holds the lock in `run_dir` (see blogsite/gunicorn_conf.py)."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir

    def find_master(self) -> psutil.Process | None:
        """Return the running master, None when there is none."""
        return locks.find_holder(self.run_dir / "gunicorn.lock")

    def children(self, master: psutil.Process) -> set[int]:
        """Return the pids of the master's living workers."""
        try:
            found = master.children()
        except psutil.NoSuchProcess:
            return set()
        return {child.pid for child in found if is_alive(child)}

    def workers(self, master: psutil.Process) -> list[Worker]:
        """Return the workers that are ready."""
        found = []
        for pid in sorted(self.children(master)):
            if state := self._read(f"worker.{pid}.json"):
                found.append(Worker(pid, state["commit"]))
        return found

    def versions(self) -> dict[str, str]:
        """Return the versions of gunicorn and Python that run, {} when none does."""
        master = self.find_master()
        for pid in self.children(master) if master else ():
            if state := self._read(f"worker.{pid}.json"):
                versions: dict[str, str] = state.get("versions", {})
                return versions
        return {}

    def all_serve(self, master: psutil.Process, commit: str) -> bool:
        """Whether each of the master's children is ready and has loaded this commit."""
        workers = self.workers(master)
        return (
            bool(workers)
            and {worker.pid for worker in workers} == self.children(master)
            and all(worker.commit == commit for worker in workers)
        )

    def reload(self, commit: str, timeout: float, check: Callable[[], None]) -> Reloaded:
        """Replace all workers, without dropping a request, and wait for the new ones.

        A master that dies meanwhile is started again by supervisor, with the new code; that counts.
        `check` is called while waiting and may raise. Raises ReloadFailed when no master comes up,
        when it refused, or when after `timeout` seconds not every worker is new and has loaded
        `commit`.
        """
        deadline = time.monotonic() + timeout
        asked_at = time.monotonic()
        asked, old = self.find_master(), set[int]()
        if asked:
            old = self.children(asked)
            send_signal(asked, signal.SIGHUP)
        master = asked
        while time.monotonic() < deadline:
            check()
            master = self.find_master()
            if problem := self.read_problem(asked_at):
                raise ReloadFailed(f"gunicorn kept the old workers: {problem}.")
            if master and not self.children(master) & old and self.all_serve(master, commit):
                return Reloaded(self.workers(master), master)
            if master is None and time.monotonic() > asked_at + MASTER_TIMEOUT:
                raise ReloadFailed(NO_MASTER)
            time.sleep(0.05)
        raise ReloadFailed(self._describe_late(master, old, commit, timeout))

    def read_problem(self, since: float) -> str | None:
        """Return why the master refused the reload that was asked for at `since`, if it did."""
        report = self._read("reload.json")
        return report["problem"] if report and report["began_at"] >= since else None

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            state: dict[str, Any] = json.loads((self.run_dir / name).read_text())
        except FileNotFoundError:
            return None
        return state

    def _describe_late(
        self, master: psutil.Process | None, old: set[int], commit: str, timeout: float
    ) -> str:
        states = [
            f"{pid} is {'an old one' if pid in old else 'new'}"
            for pid in sorted(self.children(master) if master else ())
        ]
        return (
            f"After {timeout:.0f} s not every gunicorn worker is a new one that runs {commit[:7]}: "
            f"{', '.join(states) or 'there is none'}. web.log in the log folder tells more."
        )


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def send_signal(process: psutil.Process, number: signal.Signals) -> None:
    """Signal exactly this process, never a later one that got its pid; nothing when it is gone.

    Raises ReloadFailed when it belongs to somebody else.
    """
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if process.is_running():
            signal.pidfd_send_signal(descriptor, number)
    except PermissionError:
        raise ReloadFailed(
            f"gunicorn's master ({process.pid}) belongs to another user than the queue; start "
            "both with script/server."
        ) from None
    finally:
        os.close(descriptor)

"""gunicorn's configuration: a reload keeps the old workers until every new one is ready.

The master runs this file (and again at each HUP). It must import nothing of the project: workers
are forked from the master and would inherit the old version of whatever it has loaded.
"""

import fcntl
import json
import os
import platform
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import gunicorn

PROJECT = Path(__file__).resolve().parent.parent
RUN_DIR = PROJECT / os.environ.get("DATA_DIR", "var") / "run"
# Seconds in which all new workers must be up; below it the deploy's reload step waits for them.
BOOT_TIMEOUT = float(os.environ.get("GUNICORN_BOOT_TIMEOUT", "60"))

wsgi_app = "blogsite.wsgi"
chdir = str(PROJECT)
bind = os.environ.get("GUNICORN_BIND") or f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = int(os.environ.get("GUNICORN_THREADS", "4"))
keepalive = 5
timeout = 60
graceful_timeout = 30
preload_app = False  # with True a reload never loads new code
control_socket_disable = True
proc_name = "blogsite"


def ready_file(pid: int) -> Path:
    return RUN_DIR / f"worker.{pid}.json"


def on_starting(server: Any) -> None:
    """Hold a lock by which others learn the master's true pid; pid files lie."""
    RUN_DIR.mkdir(parents=True, exist_ok=True)
    # Kept on the server: globals of this file go at the next reload, and the lock with them.
    server.master_lock = (RUN_DIR / "gunicorn.lock").open("w")
    try:
        fcntl.lockf(server.master_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit(f"Another gunicorn already serves with {RUN_DIR}.") from None
    # The report's clock begins anew at each boot of the machine.
    for leftover in (*RUN_DIR.glob("worker.*.json"), RUN_DIR / "reload.json"):
        leftover.unlink(missing_ok=True)


def post_worker_init(worker: Any) -> None:
    """Prove in the new worker that it can serve, then say so in its ready file."""
    from blogsite.boot import prove_it_can_serve

    # Of the master, from which this process was forked: a reload cannot change them.
    versions = {"gunicorn": gunicorn.__version__, "Python": platform.python_version()}
    state = {**prove_it_can_serve(), "age": worker.age, "versions": versions}
    write_report(worker, ready_file(worker.pid), state)


def worker_exit(server: Any, worker: Any) -> None:
    ready_file(worker.pid).unlink(missing_ok=True)


def child_exit(server: Any, worker: Any) -> None:
    ready_file(worker.pid).unlink(missing_ok=True)


def on_reload(server: Any) -> None:
    """Start the new workers and wait for them; when one fails, end them and keep the old.

    Called by the master inside reload(), after this file was read again and before gunicorn would
    start workers of its own. An exception here would end the master.
    """
    began_at = time.monotonic()
    wanted = server.cfg.workers
    server.cfg.set("workers", 0)  # reload() starts none; num_workers has its value already
    started: list[int] = []
    try:
        for _ in range(wanted):
            started.append(server.spawn_worker())
        problem = wait_until_ready(started)
    except OSError as error:  # no memory for another process, say
        problem = f"the new workers could not be started: {error}"
    if problem:
        server.log.error("Reload refused, the old workers stay: %s", problem)
        end_workers(server, started)
        started = list(server.WORKERS)
    mark_as_newest(server, started)
    report = {"began_at": began_at, "problem": problem}
    write_report(server, RUN_DIR / "reload.json", report)


def wait_until_ready(pids: Iterable[int]) -> str | None:
    """Return None when all workers are ready, else what went wrong."""
    deadline = time.monotonic() + BOOT_TIMEOUT
    waiting = set(pids)
    while waiting:
        for pid in pids:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return f"worker {pid} ended with {os.waitstatus_to_exitcode(status)} while starting"
        waiting = {pid for pid in waiting if not ready_file(pid).exists()}
        if time.monotonic() > deadline:
            return f"worker {min(waiting)} was not ready within {BOOT_TIMEOUT:.0f} s"
        time.sleep(0.02)
    return None


def end_workers(server: Any, pids: Iterable[int]) -> None:
    """End workers that never served, the hanging ones too, and forget them."""
    for pid in pids:
        worker = server.WORKERS.pop(pid)
        kill_child(pid)
        worker.tmp.close()
        ready_file(pid).unlink(missing_ok=True)


def kill_child(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass  # it has ended and was waited for


def mark_as_newest(server: Any, pids: Iterable[int]) -> None:
    """Give workers the highest ages: reload() retires those below and waits until they are gone."""
    server.worker_age = max([server.worker_age] + [w.age for w in server.WORKERS.values()])
    for age, pid in enumerate(pids, server.worker_age + 1):
        server.WORKERS[pid].age = age


def write_report(process: Any, path: Path, report: dict[str, Any]) -> None:
    """Tell the deploy that waits. A full disk is no reason for master or worker to end."""
    try:
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(report))
        draft.rename(path)
    except OSError as error:
        process.log.error("Cannot write %s: %s", path, error)

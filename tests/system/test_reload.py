"""A real gunicorn with the site's configuration: good reloads change all workers, bad none."""

import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import gunicorn
import psutil
import pytest

from deployhooks.gunicorn import Gunicorn, ReloadFailed
from tests.system.live_site import copy_project, find_free_port, git, wait_until


class Server:
    """A copy of the project, committed, and gunicorn that serves it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "site"
        copy_project(self.folder)
        git(self.folder, "init", "-q")
        self.port = find_free_port()
        self.gunicorn = Gunicorn(self.folder / "var" / "run")
        self.log = (folder / "web.log").open("w+")

    def commit(self, name: str = "note.txt", text: str = "") -> str:
        """Change a file and commit it, as a deploy does with the live tree; return the commit."""
        (self.folder / name).write_text(text or str(time.time_ns()))
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "-m", "change")
        return git(self.folder, "rev-parse", "HEAD")

    def start(self) -> None:
        environment = os.environ | {
            "DATA_DIR": "var",
            "PORT": str(self.port),
            "GUNICORN_BOOT_TIMEOUT": "15",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "blogsite/gunicorn_conf.py"],
            cwd=self.folder,
            env=environment,
            stdout=self.log,
            stderr=self.log,
        )
        wait_until(lambda: self.master and len(self.gunicorn.workers(self.master)) == 2, 30)

    @property
    def master(self) -> psutil.Process | None:
        return self.gunicorn.find_master()

    @property
    def pids(self) -> set[int]:
        assert self.master
        return {worker.pid for worker in self.gunicorn.workers(self.master)}

    def reload(self, commit: str, timeout: float = 60) -> set[int]:
        done = self.gunicorn.reload(commit, timeout, lambda: None)
        return {worker.pid for worker in done.workers}

    def status(self) -> int:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", "/healthz")
            answer = connection.getresponse()
            answer.read()
            return answer.status
        finally:
            connection.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.commit()
    server.start()
    yield server
    server.process.terminate()
    server.process.wait(40)
    server.log.close()


def test_the_master_is_found_by_its_lock(server: Server):
    assert server.master
    assert server.master.pid == server.process.pid


def test_the_versions_that_run_are_known(server: Server):
    running = {"gunicorn": gunicorn.__version__, "Python": platform.python_version()}
    assert server.gunicorn.versions() == running


def test_a_good_reload_replaces_every_worker_and_drops_no_request(server: Server):
    failures, stop = [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            try:
                if server.status() != 200:
                    failures.append("status")
            except OSError as error:
                failures.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        old = server.pids
        new = server.reload(server.commit())
        assert len(new) == 2
        assert not new & old
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("blogsite/urls.py", "this is not python"),
        ("blogsite/views.py", "import sys; sys.exit(3)"),
        ("blogsite/templates/broken.html", "{% nonsense %}"),
        ("blogsite/settings.py", "import a_package_that_is_missing"),
    ],
)
def test_broken_code_is_refused_and_the_old_workers_stay(server: Server, name: str, text: str):
    old = server.pids
    (server.folder / name).parent.mkdir(exist_ok=True)
    kept = (server.folder / name).read_text() if (server.folder / name).exists() else None
    with pytest.raises(ReloadFailed, match="kept the old workers"):
        server.reload(server.commit(name, text))
    assert server.pids == old
    assert server.status() == 200
    if kept is None:
        (server.folder / name).unlink()
    else:
        (server.folder / name).write_text(kept)
    assert not server.reload(server.commit()) & old


def test_an_import_that_hangs_is_given_up(server: Server):
    old = server.pids
    with pytest.raises(ReloadFailed, match="not ready within 15 s"):
        server.reload(server.commit("blogsite/urls.py", "import time; time.sleep(600)"))
    assert server.pids == old
    assert server.status() == 200


def test_a_reload_without_a_master_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("deployhooks.gunicorn.MASTER_TIMEOUT", 0.2)
    with pytest.raises(ReloadFailed, match="gunicorn does not run"):
        Gunicorn(tmp_path).reload("0" * 40, 5, lambda: None)


def test_workers_of_another_commit_are_not_taken_for_new_ones(server: Server):
    server.commit()
    with pytest.raises(ReloadFailed, match="not every gunicorn worker"):
        server.reload("0" * 40, timeout=5)


def test_a_lock_file_left_by_a_dead_master_names_nobody(server: Server):
    assert (server.gunicorn.run_dir / "gunicorn.lock").exists()
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(10)
    assert server.master is None

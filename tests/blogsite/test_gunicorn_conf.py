"""gunicorn's hooks where no real one gets: no memory, a full disk, a report of another boot."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from blogsite import gunicorn_conf


class Log:
    def __init__(self) -> None:
        self.errors: list[str] = []

    def error(self, text: str, *args: object) -> None:
        self.errors.append(text % args)


def make_server(spawn) -> SimpleNamespace:
    """A master with one old worker; `spawn` starts a process and returns its pid."""
    old = SimpleNamespace(age=7)
    server = SimpleNamespace(WORKERS={1: old}, worker_age=7, log=Log())
    server.cfg = SimpleNamespace(workers=2, set=lambda name, value: None)

    def spawn_worker() -> int:
        pid = spawn()
        server.WORKERS[pid] = SimpleNamespace(age=8, tmp=SimpleNamespace(close=lambda: None))
        return pid

    server.spawn_worker = spawn_worker
    return server


@pytest.fixture
def run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(gunicorn_conf, "RUN_DIR", tmp_path)
    return tmp_path


def fork() -> int:
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    return pid


def test_without_memory_for_new_workers_the_old_one_stays_and_the_master_lives(run_dir: Path):
    started = []

    def spawn() -> int:
        if started:
            raise OSError("Cannot allocate memory")
        started.append(fork())
        return started[0]

    server = make_server(spawn)
    gunicorn_conf.on_reload(server)
    assert list(server.WORKERS) == [1]
    assert server.WORKERS[1].age > 7
    report = json.loads((run_dir / "reload.json").read_text())
    assert "Cannot allocate memory" in report["problem"]
    assert not Path(f"/proc/{started[0]}").exists()


def test_a_full_disk_is_no_reason_to_end(run_dir: Path):
    run_dir.rmdir()
    server = make_server(fork)
    gunicorn_conf.write_report(server, run_dir / "reload.json", {})
    assert "Cannot write" in server.log.errors[0]


def test_a_report_of_an_earlier_boot_is_forgotten_at_the_start(run_dir: Path):
    (run_dir / "reload.json").write_text("{}")
    (run_dir / "worker.1.json").write_text("{}")
    server = SimpleNamespace()
    gunicorn_conf.on_starting(server)
    server.master_lock.close()
    assert [path.name for path in run_dir.iterdir()] == ["gunicorn.lock"]

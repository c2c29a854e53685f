"""A PostgreSQL server of the tests' own: on a free port of this machine, gone when they end.

Not pytest-postgresql's: initdb refuses to run as root, and that has no way to run it as another.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

USERS = ("postgres", "nobody")


def find_binaries() -> Path:
    """Return the folder of initdb and postgres; skips the test where there is none."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    pytest.skip("PostgreSQL's server is not installed (initdb is neither on PATH nor in /usr/lib)")


def _as_ordinary_user(folder: Path) -> dict[str, Any]:
    """What Popen needs: PostgreSQL's server does not run as root."""
    if os.geteuid() != 0:
        return {}
    user = next(name for name in USERS if _exists(name))
    shutil.chown(folder, user)
    return {"user": user, "group": folder.stat().st_gid, "extra_groups": []}


def _exists(user: str) -> bool:
    return subprocess.run(["id", user], capture_output=True).returncode == 0


class Server:
    """A server without fsync, for one test run; it can be ended, or stop answering, and come back.

    `url` is that of its database `postgres`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.binaries = find_binaries()
        self.options = _as_ordinary_user(folder)
        self.process: subprocess.Popen[bytes] | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"postgres://blogsite@127.0.0.1:{self.port}/postgres"
        subprocess.run(
            [
                self.binaries / "initdb",
                "-D",
                folder / "data",
                "-A",
                "trust",
                "-U",
                "blogsite",
                "-N",
            ],
            check=True,
            capture_output=True,
            cwd=folder,
            **self.options,
        )

    def start(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options = [part for pair in settings.items() for part in ("-c", "{}={}".format(*pair))]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.folder / "data", *options],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self.options,
            )
        _wait_until_it_answers(self.process, self.url, self.folder / "log")

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGINT)  # ends its connections, then itself
            self.process.wait(30)
        self.process = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Take connections, and answer nothing."""
        assert self.process
        master = psutil.Process(self.process.pid)
        family = [master, *master.children(recursive=True)]
        for one in family:
            one.suspend()
        try:
            yield
        finally:
            for one in family:
                one.resume()


@contextmanager
def running_server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="blogsite-postgres-") as name:
        server = Server(Path(name))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def private_server() -> Iterator[str]:
    """Yield the URL of a server that stays as it is."""
    with running_server() as server:
        yield server.url


def _wait_until_it_answers(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text()) from None
            time.sleep(0.05)
        else:
            return

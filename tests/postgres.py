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


@contextmanager
def private_server() -> Iterator[str]:
    """Yield the URL of a server's database `postgres`, without fsync: it lives for one test run."""
    binaries = find_binaries()
    with tempfile.TemporaryDirectory(prefix="blogsite-postgres-") as name:
        folder = Path(name)
        process_options = _as_ordinary_user(folder)
        subprocess.run(
            [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "blogsite", "-N"],
            check=True,
            capture_output=True,
            cwd=folder,
            **process_options,
        )
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": "",
            "fsync": "off",
        }
        options = [part for pair in settings.items() for part in ("-c", "{}={}".format(*pair))]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", folder / "data", *options],
                cwd=folder,
                stdout=log,
                stderr=log,
                **process_options,
            )
        url = f"postgres://blogsite@127.0.0.1:{port}/postgres"
        try:
            _wait_until_it_answers(server, url, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # ends its connections, then itself
            server.wait(30)


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

"""A whole site as a person would set it up: bare repositories, a clone, script/server."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import psutil
import psycopg

T = TypeVar("T")
PROJECT = Path(__file__).resolve().parents[2]
GIT = [
    *("git", "-c", "user.name=Tester", "-c", "user.email=tester@example.org"),
    *("-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"),
]


def git(folder: Path, *args: str) -> str:
    done = subprocess.run([*GIT, *args], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, f"git {args}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], T], timeout: float = 60, what: str = "") -> T:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {timeout} s: {what or condition}")


@dataclass
class Answer:
    status: int
    text: str
    seconds: float
    headers: dict[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        return json.loads(self.text)


class LiveSite:
    """`root/site.git`, `root/content.git`, `root/author` (where posts are written), `root/site`."""

    def __init__(self, root: Path, *, tracked: bool = True, **environment: str) -> None:
        self.root = root
        self.port = find_free_port()
        self.folder = root / "site"
        self.secret = self.password = ""
        self.server: subprocess.Popen[str] | None = None
        self.environment = self._make_environment(environment)
        self._make_repositories(tracked)

    def _make_environment(self, extra: dict[str, str]) -> dict[str, str]:
        dropped = ("DATA_DIR", "ENV_FILE", "GITHUB_WEBHOOK_SECRET_FILE", "DJANGO_SETTINGS_MODULE")
        kept = {k: v for k, v in os.environ.items() if k not in dropped}
        return kept | {"PORT": str(self.port), "VENV_DIR": sys.prefix, "DEPLOY_RETRY": "5"} | extra

    def _make_repositories(self, tracked: bool) -> None:
        for name in ("site", "content"):
            git(self.root, "init", "-q", "--bare", f"{name}.git")
        self.author = self.root / "author"
        git(self.root, "init", "-q", "author")
        git(self.author, "remote", "add", "origin", str(self.root / "content.git"))
        self.write_post("2020_01_02-first.rst", "The first post")
        self.developer = self.root / "developer"
        copy_project(self.developer)
        git(self.developer, "init", "-q")
        git(self.developer, "remote", "add", "origin", str(self.root / "site.git"))
        options = ["-b", "main"] if tracked else []
        git(
            self.developer, "submodule", "--quiet", "add", *options, str(self.root / "content.git"),
            "content",
        )  # fmt: skip
        self.push_site("The site")
        git(self.root, "clone", "-q", "--recurse-submodules", str(self.root / "site.git"), "site")

    # --- what authors do ---------------------------------------------------------------------

    def write_post(self, name: str, title: str, body: str = "Text.") -> str:
        """Commit a post and push it; return the commit."""
        (self.author / name).write_text(f"{title}\n{'=' * (2 * len(title))}\n\n{body}\n")
        return self.push_content(f"Write {name}")

    def push_content(self, message: str) -> str:
        git(self.author, "add", "-A")
        git(self.author, "commit", "-q", "-m", message)
        git(self.author, "push", "-q", "--force", "origin", "HEAD:main")
        return git(self.author, "rev-parse", "HEAD")

    def push_site(self, message: str) -> str:
        git(self.developer, "add", "-A")
        git(self.developer, "commit", "-q", "-m", message)
        git(self.developer, "push", "-q", "--force", "origin", "HEAD:main")
        return git(self.developer, "rev-parse", "HEAD")

    # --- the server --------------------------------------------------------------------------

    def start(self) -> str:
        """Run script/server until it answers; return what it printed."""
        self.console = (self.root / "console.txt").open("w+")
        self.server = subprocess.Popen(
            ["script/server"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=self.console,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        wait_until(self._is_up, 90, f"script/server: {self.printed()}")
        self._read_credentials()
        return self.printed()

    def _is_up(self) -> bool:
        assert self.server and self.server.poll() is None, f"script/server ended: {self.printed()}"
        try:
            return self.get("/healthz").status == 200
        except OSError:
            return False

    def _read_credentials(self) -> None:
        for attribute, label in (("secret", "webhook secret"), ("password", "admin password")):
            if found := re.search(rf"^{label}: (\S+)$", self.printed(), re.MULTILINE):
                setattr(self, attribute, found[1])

    def printed(self) -> str:
        return (self.root / "console.txt").read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End script/server as a person would; return its exit code."""
        assert self.server
        self.server.send_signal(number)
        code = self.server.wait(90)
        self.console.close()
        return code

    def processes(self) -> list[psutil.Process]:
        """Every living process that was started for this site, found by its environment."""
        found = []
        for process in psutil.process_iter():
            try:
                is_ours = process.environ().get("PORT") == str(self.port)
                if is_ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def clean_up(self) -> None:
        if self.server and self.server.poll() is None:
            self.stop()
        for process in self.processes():
            process.kill()

    def log(self, name: str) -> str:
        return (self.folder / "var" / "log" / f"{name}.log").read_text()

    # --- GitHub and visitors -----------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        begun = time.monotonic()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read().decode()
            return Answer(answer.status, text, time.monotonic() - begun, dict(answer.getheaders()))
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.request("GET", path)

    def deliver(
        self, repository: str = "content", guid: str = "", after: str = "", **payload: Any
    ) -> Answer:
        """Send a signed push delivery for the tip of `site` or `content`, as GitHub would."""
        url = str(self.root / f"{repository}.git")
        after = after or git(self.root / f"{repository}.git", "rev-parse", "main")
        body = json.dumps(
            {
                "ref": "refs/heads/main",
                "before": "0" * 40,
                "after": after,
                "deleted": False,
                "repository": {"full_name": f"someone/{repository}", "clone_url": url},
                "pusher": {"name": "someone"},
                "head_commit": {"id": after, "message": "A change"},
                **payload,
            }
        ).encode()
        signature = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/test",
            "X-GitHub-Event": "push",
            "X-GitHub-Hook-ID": "1",
            "X-GitHub-Delivery": guid or str(uuid.uuid4()),
            "X-Hub-Signature-256": f"sha256={signature}",
        }
        return self.request("POST", "/hooks/github/", body, headers)

    # --- the operator ------------------------------------------------------------------------

    def manage(self, *args: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert done.returncode == code, f"manage.py {args}: {done.stdout}{done.stderr}"
        return done.stdout

    def deploys(self) -> list[dict[str, Any]]:
        return json.loads(self.manage("deploys", "--json"))

    def deploy(self, number: int) -> dict[str, Any]:
        return next(deploy for deploy in self.deploys() if deploy["id"] == number)

    def status_of(self, number: int) -> str:
        """The deploy's status, read from the database: a command takes most of a second."""
        sql = f"SELECT status FROM deployhooks_deploy WHERE id = {number}"
        if url := self.environment.get("DATABASE_URL"):
            with psycopg.connect(url) as database:
                return str(database.execute(sql).fetchall()[0][0])
        path = self.folder / "var" / "db.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            return str(database.execute(sql).fetchall()[0][0])

    def wait_for_deploy(self, number: int, timeout: float = 90) -> dict[str, Any]:
        """Wait until a deploy is final and return it."""
        wait_until(
            lambda: self.status_of(number) not in ("queued", "running"),
            timeout,
            f"deploy {number} to end",
        )
        return self.deploy(number)

    def worker_pids(self) -> set[int]:
        return {int(file.stem.partition(".")[2]) for file in self.run_dir.glob("worker.*.json")}

    @property
    def run_dir(self) -> Path:
        return self.folder / "var" / "run"

    def sign_in(self) -> Browser:
        return Browser(self).sign_in()


class Browser:
    """Keeps cookies and sends forms with their CSRF token; enough for the admin without script."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site
        self.cookies: dict[str, str] = {}

    def sign_in(self) -> Browser:
        self.get("/admin/login/")
        answer = self.post("/admin/login/", username="admin", password=self.site.password)
        assert answer.status == 302, answer.text
        return self

    def get(self, path: str) -> Answer:
        return self._send("GET", path, None)

    def post(self, path: str, **fields: str) -> Answer:
        fields["csrfmiddlewaretoken"] = self.cookies.get("csrftoken", "")
        return self._send("POST", path, urlencode(fields).encode())

    def _send(self, method: str, path: str, body: bytes | None) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=30)
        try:
            headers = {"Cookie": cookies}
            if body is not None:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            for name, value in answer.getheaders():
                if name == "Set-Cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
            return Answer(answer.status, answer.read().decode(), 0, dict(answer.getheaders()))
        finally:
            connection.close()


def copy_project(target: Path) -> None:
    """Copy what git knows of the project, as it lies here now, without the sample posts."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if name.startswith("content/") or not (PROJECT / name).is_file():
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(PROJECT / name, target / name)

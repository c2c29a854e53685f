"""A live site whose deploys can be stopped at a step, and whose processes are known by name."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil

from tests.system.live_site import Answer, LiveSite, git, wait_until

STEPS = (
    *("fetch", "preflight", "migrate", "collectstatic"),
    *("pull", "submodules", "index_posts", "reload"),
)
SETTINGS = """

import holding

DEPLOY_STEPS = holding.wrap(DEPLOY_STEPS)
DEPLOY_ATTEMPT_PAUSE = 1
"""
# What the queue's processes say of themselves when they begin.
SAYINGS = {"worker": "ready for work", "monitor": "monitoring", "pusher": "pushing tasks"}
# supervisord, web's master and two workers, the queue's five, watch.
PROCESSES = 10


class HeldSite(LiveSite):
    def __init__(self, root: Path, **options: Any) -> None:
        super().__init__(root, **options)
        self.posts = 0
        shutil.copy(Path(__file__).with_name("holding.py"), self.developer / "holding.py")
        with (self.developer / "blogsite" / "settings.py").open("a") as settings:
            settings.write(SETTINGS)
        self.push_site("Steps that can be held")
        git(self.folder, "pull", "-q", "origin", "main")

    # --- deploys -----------------------------------------------------------------------------

    def push_post(self) -> str:
        """Push a new post and return the address of its page."""
        self.posts += 1
        self.write_post(f"2021_05_06-post{self.posts}.rst", f"Post number {self.posts}")
        return f"/2021/05/06/post{self.posts}/"

    def deliver_post(self) -> tuple[str, int]:
        page = self.push_post()
        answer = wait_until(self._try_to_deliver, 30, "a web server")
        assert answer.status == 202, answer.text
        return page, answer.json()["deploy"]

    def _try_to_deliver(self) -> Answer | None:
        try:
            return self.deliver("content")
        except OSError:
            return None  # the web's master was killed and comes back

    def query(self, sql: str, *values: object) -> list[Any]:
        with closing(sqlite3.connect(self.folder / "var" / "db.sqlite3", timeout=20)) as database:
            return database.execute(sql, values).fetchall()

    def state(self, number: int) -> tuple[str, int, str]:
        """Status, attempt and error of a deploy."""
        sql = "SELECT status, attempt, error FROM deployhooks_deploy WHERE id = ?"
        return self.query(sql, number)[0]

    def wait_for_end(self, number: int, timeout: float = 90) -> tuple[str, int, str]:
        def final() -> tuple[str, int, str] | None:
            state = self.state(number)
            return None if state[0] in ("queued", "running") else state

        try:
            return wait_until(final, timeout)
        except AssertionError:
            raise AssertionError(
                f"deploy {number} does not end: {self.state(number)}\n{self.newest_logs()}"
            ) from None

    def newest_logs(self) -> str:
        return f"{self.log('watch')[-3000:]}\n{self.log('queue')[-5000:]}"

    # --- holding -----------------------------------------------------------------------------

    @property
    def hold_dir(self) -> Path:
        return self.folder / "var" / "hold"

    def hold(self, names: Iterable[str]) -> None:
        self.hold_dir.mkdir(exist_ok=True)
        for name in names:
            (self.hold_dir / name).touch()

    def wait_until_held(self, name: str) -> int:
        """Wait until the deploy has come to that place; return the worker's number."""
        file = self.hold_dir / "held"

        def held() -> int:
            words = file.read_text().split() if file.exists() else []
            return int(words[1]) if words[:1] == [name] else 0

        return wait_until(held, 60, f"{name} to be held: {self.log('queue')[-3000:]}")

    def let_go(self, name: str | None = None) -> None:
        for file in self.hold_dir.glob(name or "*-*"):
            file.unlink()
        (self.hold_dir / "held").unlink(missing_ok=True)

    # --- processes ---------------------------------------------------------------------------

    def find(self, name: str) -> psutil.Process:
        """One of the site's processes by the name that people call it."""
        return wait_until(lambda: self._try_to_find(name), 30, f"a {name}")

    def _try_to_find(self, name: str) -> psutil.Process | None:
        try:
            return self._find(name)
        except psutil.NoSuchProcess:  # it ended while we looked
            return None

    def _find(self, name: str) -> psutil.Process | None:
        if name == "git child":
            found = [p for p in self.processes() if command_of(p)[:1] == ["git"]]
        elif name == "watch":
            found = self._by_command("watch_deploys")
        elif name.startswith("web"):
            masters = self._by_command("gunicorn")
            found = masters if name == "web master" else masters and masters[0].children()
        else:
            found = self._find_of_queue(name)
        return found[0] if found else None

    def _by_command(self, *words: str) -> list[psutil.Process]:
        """Processes with such a word in their command, without children of such."""
        found = [p for p in self.processes() if set(words) & set(command_of(p))]
        numbers = {p.pid for p in found}
        return [p for p in found if p.ppid() not in numbers]

    def _find_of_queue(self, name: str) -> list[psutil.Process]:
        mains = self._by_command("qcluster")
        sentinels = [child for main in mains for child in main.children()]
        if name == "queue main":
            return mains
        if name == "sentinel":
            return sentinels
        # Numbers are given out again: what a process said last is what it is.
        said = re.findall(rf"({'|'.join(SAYINGS.values())}) at (\d+)", self.log("queue"))
        roles = {int(pid): words for words, pid in said}
        members = [child for one in sentinels for child in one.children()]
        return [child for child in members if roles.get(child.pid) == SAYINGS[name]]

    def kill(self, name: str) -> None:
        process = self.find(name)
        process.kill()
        psutil.wait_procs([process], 10)

    # --- what must hold afterwards ------------------------------------------------------------

    def check(self, page: str) -> None:
        """The tip is live, nothing ran twice at once, and no process or lock is left."""
        wait_until(lambda: self._status(page) == 200, 30, f"{page} to be live")
        tip = git(self.root / "content.git", "rev-parse", "main")
        assert git(self.folder / "content", "rev-parse", "HEAD") == tip
        assert not (self.hold_dir / "twice").exists()
        git_dir = self.folder / ".git"
        locks = [path.name for path in git_dir.rglob("*.lock") if path.is_file()]
        assert locks == ["blogsite.lock"]
        unfinished = "SELECT id, status FROM deployhooks_deploy WHERE status IN (?, ?)"
        assert self.query(unfinished, "queued", "running") == []
        wait_until(self._is_whole, 40, f"the site to be whole: {self.describe_processes()}")

    def _status(self, path: str) -> int:
        try:
            return self.get(path).status
        except OSError:
            return 0  # the web's master was killed and comes back

    def _is_whole(self) -> bool:
        return len(self.processes()) == PROCESSES and bool(self._try_to_find("pusher"))

    def describe_processes(self) -> str:
        return json.dumps([" ".join(command_of(p))[-60:] for p in self.processes()], indent=1)


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []

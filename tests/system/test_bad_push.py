"""Bad pushes, killed processes and good reloads under steady load: no visitor notices anything.

One site serves all cases; each begins and ends with a version that works. The first ones have many
visitors, the others few. The numbers of each case are printed at the end (`pytest -s` or the
summary of a failure shows them).
"""

import importlib.metadata
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from deployhooks import locks
from deployhooks.gunicorn import Gunicorn
from tests.deployhooks.test_requirements import make_wheel
from tests.system.live_site import LiveSite, git, wait_until
from tests.system.load import FEW, MANY, Load, Numbers

GOOD_MIGRATION = """
from django.db import migrations

class Migration(migrations.Migration):
    dependencies = [("posts", "{last}")]
    operations = [migrations.RunSQL("{sql}", migrations.RunSQL.noop)]
"""
# A package that only this file knows; it must be gone again at the end.
PROBE = "blogsite_probe"
# It loads, as a trial finds out, and then does not do its work.
NO_INDEX = """
import time
from django.core.management.base import BaseCommand

class Command(BaseCommand):
    def handle(self, *args, **options):
        time.sleep(5)
        raise RuntimeError("no index")
"""
PAGES = ["/", "/2020/01/02/first/", "/archive/"]
FINAL = ("succeeded", "failed", "cancelled")


@dataclass
class Case:
    """A push that must not go live: what it changes, and what its log has to say."""

    files: dict[str, str]
    says: list[str]
    step: str = "preflight"
    is_appended: bool = False


CASES = {
    "syntax error in views": Case(
        {"posts/views.py": "def (:\n"}, ["SyntaxError", "posts/views.py", "its checks"]
    ),
    "syntax error in settings": Case(
        {"blogsite/settings.py": "DEBUG = = 1\n"}, ["SyntaxError", "blogsite/settings.py"]
    ),
    "syntax error in gunicorn's configuration": Case(
        {"blogsite/gunicorn_conf.py": "workers = = 2\n"}, ["SyntaxError", "gunicorn_conf.py"]
    ),
    "sys.exit at import": Case(
        {"posts/feeds.py": "import sys; sys.exit(3)\n"}, ["SystemExit: 3", "posts/feeds.py"]
    ),
    "an import that hangs": Case(
        {"posts/feeds.py": "import time; time.sleep(600)\n"}, ["its checks failed (was stopped"]
    ),
    "template error on the front page": Case(
        {"posts/templates/posts/base.html": "{% url 'posts:nowhere' %}\n"},
        ["NoReverseMatch", "nowhere", "a trial start"],
        is_appended=True,
    ),
    "a failing migration": Case(
        {"posts/migrations/9999_bad.py": GOOD_MIGRATION.replace("{sql}", "SELECT x FROM nowhere")},
        ["no such table: nowhere", "its migrations"],
    ),
    "a missing dependency": Case(
        {"posts/search.py": "import a_package_that_is_missing\n"},
        ["ModuleNotFoundError", "a_package_that_is_missing"],
        is_appended=True,
    ),
    "a requirement that cannot be installed": Case(
        {"requirements.txt": "a-package-that-nobody-has==1.0\n"},
        ["a-package-that-nobody-has", "installing its requirements"],
        is_appended=True,
    ),
    "workers that start everywhere but here, and a new package": Case(
        {
            "blogsite/urls.py": "if 'scratch' not in __file__: raise RuntimeError('not here')\n",
            "requirements.txt": f"{PROBE}==1\n",
        },
        ["kept the old workers"],
        step="reload",
        is_appended=True,
    ),
    "a failure after a migration": Case(
        {
            "posts/migrations/9998_good.py": GOOD_MIGRATION.replace("{sql}", "SELECT 1"),
            "posts/management/commands/index_posts.py": NO_INDEX,
        },
        ["no index", "posts.9998_good", "stay applied"],
        step="index_posts",
    ),
}


class Stage:
    """The site, its load, and what a test asks of both; the database is read, never written."""

    def __init__(self, site: LiveSite) -> None:
        self.site = site
        self.load = Load(site.port, site.secret, PAGES, MANY)
        self.gunicorn = Gunicorn(site.run_dir)

    def end_load(self) -> Numbers:
        report(self.load)
        self.load.stop()
        return self.load.total()

    def go_on_with_few_visitors(self) -> None:
        self.load = Load(self.site.port, self.site.secret, PAGES, FEW)
        self.load.end_stretch("start")

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        path = self.site.folder / "var" / "db.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(sql, values)]

    def push(self, *files: tuple[str, str], message: str = "A good change") -> int:
        """Push a change of the site that works, and deliver it; return the deploy's number."""
        for name, text in files or [("NOTE", str(time.time_ns()))]:
            (self.site.developer / name).write_text(text)
        self.site.push_site(message)
        return self.deliver("site")

    def deliver(self, repository: str) -> int:
        answer = self.site.deliver(repository)
        assert answer.status == 202, answer.text
        number: int = answer.json()["deploy"]
        return number

    def steps(self, number: int) -> list[dict[str, Any]]:
        return self.query(
            "SELECT * FROM deployhooks_step WHERE deploy_id = ? ORDER BY attempt, position", number
        )

    def wait_for_step(self, number: int, name: str, status: str) -> None:
        deadline = time.monotonic() + 90
        while not any(s["name"] == name and s["status"] == status for s in self.steps(number)):
            assert time.monotonic() < deadline, self.steps(number)
            time.sleep(0.005)

    def wait(self, number: int, timeout: float = 120) -> dict[str, Any]:
        def find_final() -> dict[str, Any] | None:
            (row,) = self.query("SELECT * FROM deployhooks_deploy WHERE id = ?", number)
            return row if row["status"] in FINAL else None

        return wait_until(find_final, timeout, f"deploy {number}: {self.steps(number)}")

    def succeed(self, number: int) -> dict[str, Any]:
        deploy = self.wait(number)
        assert deploy["status"] == "succeeded", (deploy, self.steps(number))
        self.assert_live(deploy["to_commit"])
        return deploy

    def head(self) -> str:
        return git(self.site.folder, "rev-parse", "HEAD")

    def assert_live(self, commit: str) -> None:
        """Every worker, the checkout and the answer of the site are of this commit."""
        assert self.head() == commit
        master = self.gunicorn.find_master()
        assert master
        wait_until(lambda: self.gunicorn.all_serve(master, commit), 10, f"workers of {commit}")
        assert self.site.get("/healthz").json()["commit"] == commit
        assert self.site.get("/").status == 200

    def queue_family(self) -> list[psutil.Process]:
        lock = self.site.run_dir / "queue.lock"
        main = wait_until(lambda: locks.find_holder(lock), 30, "a queue")  # it renews itself
        return [main, *main.children(recursive=True)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    wheels = tmp_path_factory.mktemp("wheels")
    make_wheel(wheels, PROBE, "1")
    site = LiveSite(
        tmp_path_factory.mktemp("bad_push"),
        PIP_NO_INDEX="1",
        PIP_FIND_LINKS=str(wheels),
        DEPLOY_PREFLIGHT_TIMEOUT="20",
        GUNICORN_BOOT_TIMEOUT="30",
    )
    stage = None
    try:
        site.start()
        stage = Stage(site)
        stage.assert_live(stage.head())
        stage.load.end_stretch("start")
        yield stage
        stage.end_load()
    finally:
        if stage:
            stage.load.stop()
        site.clean_up()
        if has_probe():
            pip("uninstall", "--yes", PROBE)


def has_probe() -> bool:
    names = (each.metadata["Name"] for each in importlib.metadata.distributions())
    return any(name.replace("-", "_") == PROBE for name in names)


def pip(*args: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *args]
    subprocess.run(command, check=True, capture_output=True)


def report(load: Load) -> None:
    lines = [f"{name}: {numbers}" for name, numbers in load.stretches[1:]]
    print("\n" + "\n".join([*lines, f"ALL: {load.total()}"]))


@pytest.fixture
def unnoticed(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Numbers]:
    """What happens in this test costs no visitor a request, and none has to ask twice."""
    stage.load.end_stretch("between")
    yield
    numbers = stage.load.end_stretch(request.node.name)
    print(f"\n{numbers}")
    assert numbers.failures == {}
    marker = request.node.get_closest_marker("resent")
    assert numbers.resent <= (marker.args[0] if marker else 0)


def last_migration(folder: Path) -> str:
    names = sorted(path.stem for path in (folder / "posts" / "migrations").glob("0*.py"))
    return names[-1]


def push_case(stage: Stage, case: Case) -> int:
    developer = stage.site.developer
    for name, text in case.files.items():
        kept = (developer / name).read_text() if case.is_appended else ""
        text = text.replace("{last}", last_migration(developer))
        (developer / name).write_text(kept + text)
    stage.site.push_site("A bad change")
    return stage.deliver("site")


def mend(stage: Stage, commit: str) -> int:
    """What a developer does about it: the files as they were, and a change that works."""
    git(stage.site.developer, "rm", "-r", "-q", "--cached", ".")
    git(stage.site.developer, "checkout", "-q", "-f", commit, "--", ".")
    git(stage.site.developer, "clean", "-q", "-f", "-d")
    return stage.push()


def take_back(stage: Stage, commit: str) -> int:
    """Or the commit is taken back by force, and an author pushes the next post."""
    git(stage.site.developer, "reset", "-q", "--hard", commit)
    git(stage.site.developer, "push", "-q", "--force", "origin", "HEAD:main")
    stage.site.write_post(f"2021_01_02-{time.time_ns()}.rst", "The next post")
    return stage.deliver("content")


def test_twenty_good_reloads(stage: Stage, unnoticed):
    commit = stage.head()
    for _ in range(20):
        old = stage.site.worker_pids()
        done = stage.gunicorn.reload(commit, 60, lambda: None)
        assert not {worker.pid for worker in done.workers} & old


@pytest.mark.parametrize("name", CASES)
def test_a_bad_push_is_refused_or_put_back_and_the_next_good_one_goes_live(
    stage: Stage, unnoticed, name: str
):
    case, before = CASES[name], stage.head()
    workers = stage.site.worker_pids()
    number = push_case(stage, case)
    deploy = stage.wait(number)
    assert deploy["status"] == "failed", stage.steps(number)
    failed = [step["name"] for step in stage.steps(number) if step["status"] == "failed"]
    assert failed == [case.step]
    for words in case.says:
        assert words in deploy["error"], deploy["error"]
    if case.step == "preflight":
        assert "the site is untouched" in deploy["error"]
        assert not deploy["restored"]
        assert stage.site.worker_pids() == workers
    else:
        assert deploy["restored"]
        back = stage.steps(number)[-1]
        assert back["name"] == "put_back"
        assert ("1 packages put back" in back["output"]) == ("requirements.txt" in case.files)
    stage.assert_live(before)
    assert not has_probe()
    cure = mend if list(CASES).index(name) % 3 == 0 else take_back
    stage.succeed(cure(stage, before))


@pytest.mark.resent(16)
def test_a_worker_killed_right_after_the_pull_is_replaced_by_one_that_works(
    stage: Stage, unnoticed
):
    number = stage.push()
    stage.wait_for_step(number, "pull", "succeeded")
    os.kill(min(stage.site.worker_pids()), signal.SIGKILL)
    stage.succeed(number)


def test_a_queue_killed_between_pull_and_reload_goes_on_where_it_was(stage: Stage, unnoticed):
    number = stage.push()
    stage.wait_for_step(number, "pull", "succeeded")
    for process in stage.queue_family():
        process.kill()
    stage.succeed(number)
    assert {step["attempt"] for step in stage.steps(number)} == {1, 2}
    stage.succeed(stage.push())


def test_a_queue_killed_between_reload_and_verification_goes_on_where_it_was(
    stage: Stage, unnoticed
):
    old = stage.site.worker_pids()
    number = stage.push()
    stage.wait_for_step(number, "reload", "running")
    wait_until(lambda: stage.site.worker_pids() - old, 30, "a new worker")
    # Only its main process, as the system would when it needs memory: the others are orphans.
    stage.queue_family()[0].kill()
    stage.succeed(number)
    stage.succeed(stage.push())


def test_the_load_was_at_least_two_hundred_requests_a_second(stage: Stage):
    total = stage.end_load()
    stage.go_on_with_few_visitors()  # they take a third of the processors
    assert not total.failures
    is_busy = os.getloadavg()[1] > 2 * (os.cpu_count() or 1)
    if total.rate < 200 and is_busy:
        pytest.xfail(f"this machine is busy with other work, {total}")
    assert total.rate >= 200, total


def test_a_failure_while_putting_back_is_shouted_and_the_old_workers_serve_on(
    stage: Stage, unnoticed
):
    before, workers = stage.head(), stage.site.worker_pids()
    index = stage.site.developer / "posts/management/commands/index_posts.py"
    index.write_text(NO_INDEX)
    stage.site.push_site("A bad change")
    command = [sys.executable, "manage.py", "deploy", "--wait"]
    waiting = subprocess.Popen(
        command, cwd=stage.site.folder, env=stage.site.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    (newest,) = wait_until(
        lambda: stage.query("SELECT id FROM deployhooks_deploy WHERE status = 'running'"), 30
    )
    stage.wait_for_step(newest["id"], "index_posts", "running")
    # Somebody's git works in the checkout just when it is to be put back.
    lock = stage.site.folder / ".git" / "index.lock"
    with lock.open("x"):
        _, problems = waiting.communicate(timeout=90)
    assert waiting.returncode == 1
    assert "Putting back failed, what is live is not certain" in problems
    assert "a living process has it open" in stage.steps(newest["id"])[-1]["output"]
    deploy = stage.wait(newest["id"])
    assert (deploy["status"], deploy["restored"]) == ("failed", 0)
    assert "Putting back failed" in stage.site.sign_in().get("/admin/").text
    assert stage.site.worker_pids() == workers
    # That git died there. The next good push goes through all the same.
    stage.succeed(mend(stage, before))
    assert not lock.exists()
    assert "Putting back failed" not in stage.site.sign_in().get("/admin/").text


def test_two_pushes_right_after_another_both_go_live_while_the_queue_renews_itself(
    stage: Stage, unnoticed
):
    queue = stage.queue_family()[0]
    first = stage.push()
    stage.wait_for_step(first, "fetch", "succeeded")
    stage.site.write_post("2021_03_04-second.rst", "Right after another")
    second = stage.deliver("content")
    assert second != first
    stage.succeed(first)
    stage.succeed(second)
    assert stage.site.get("/2021/03/04/second/").status == 200
    wait_until(lambda: not queue.is_running(), 20, "the queue to renew itself")


def test_old_static_files_stay_served_for_those_who_have_the_old_page(stage: Stage, unnoticed):
    css = stage.site.developer / "posts" / "static" / "posts" / "blog.css"
    old = find_css(stage)
    stage.succeed(stage.push(("posts/static/posts/blog.css", css.read_text() + "/* new */\n")))
    new = find_css(stage)
    assert new != old
    assert stage.site.get(new).text.endswith("/* new */\n")
    assert stage.site.get(old).status == 200


def find_css(stage: Stage) -> str:
    page = stage.site.get("/").text
    return page.partition('rel="stylesheet" href="')[2].partition('"')[0]


def test_a_rollback_freezes_and_a_thaw_goes_on_with_what_was_pushed_meanwhile(
    stage: Stage, unnoticed
):
    before = stage.head()
    stage.succeed(stage.push())
    stage.site.manage("rollback", "--wait")
    stage.assert_live(before)
    (stage.site.developer / "NOTE").write_text("held")
    stage.site.push_site("Held")
    answer = stage.site.deliver("site")
    assert answer.json()["outcome"] == "held"
    assert "Deploys are frozen" in stage.site.sign_in().get("/admin/").text
    stage.site.manage("thaw")
    (newest,) = stage.query("SELECT max(id) AS id FROM deployhooks_deploy")
    stage.succeed(newest["id"])
    assert stage.head() == git(stage.site.developer, "rev-parse", "HEAD")


def test_a_dead_gunicorn_is_started_again_and_the_deploy_says_so(stage: Stage):
    stage.load.stop()
    master = stage.gunicorn.find_master()
    assert master
    stage.site.write_post("2021_03_05-third.rst", "After the crash")
    number = stage.deliver("content")
    stage.wait_for_step(number, "index_posts", "running")
    master.kill()
    stage.succeed(number)
    detail = stage.steps(number)[-1]["detail"]
    assert "gunicorn itself had ended and was started again" in detail

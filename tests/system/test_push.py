"""From push to page on a live site: what README's "From push to page" says, seen from outside."""

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deployhooks.bytecode import read_fresh
from tests.postgres import running_server
from tests.system.live_site import LiveSite, git, wait_until

STEPS = ["fetch", "preflight", "migrate", "collectstatic"]
STEPS += ["pull", "submodules", "index_posts", "reload"]
POST = "2016_06_19-use_github_webhooks.rst"


def statuses(deploy: dict) -> dict[str, str]:
    return {step["name"]: step["status"] for step in deploy["steps"]}


def test_a_pushed_post_goes_live_and_a_failed_deploy_is_run_again(site: LiveSite, shared: Path):
    wait_until(lambda: len(site.worker_pids()) == 2)
    workers = site.worker_pids()

    # A post of the corpus is pushed, the delivery answered while the work goes on.
    shutil.copy(shared / "corpus" / "blog" / POST, site.author / POST)
    commit = site.push_content("A post")
    answer = site.deliver("content")
    assert answer.status == 202, answer.text
    assert answer.json()["outcome"] == "queued"
    number = answer.json()["deploy"]
    assert site.get("/2016/06/19/use_github_webhooks/").status == 404

    deploy = site.wait_for_deploy(number)
    assert deploy["status"] == "succeeded", deploy
    assert [step["name"] for step in deploy["steps"]] == STEPS
    assert deploy["submodules"]["content"]["to"] == commit
    assert deploy["deliveries"] == [answer.json()["delivery"]]
    assert statuses(deploy)["preflight"] == statuses(deploy)["pull"] == "skipped"
    assert all(step["detail"] for step in deploy["steps"])
    page = site.get("/2016/06/19/use_github_webhooks/")
    assert page.status == 200
    assert (shared / "corpus" / "blog" / POST).read_text().splitlines()[0] in page.text
    assert POST not in site.get("/").text
    assert "/2016/06/19/use_github_webhooks/" in site.get("/").text
    assert not site.worker_pids() & workers

    # The same delivery again changes nothing.
    again = site.deliver("content", guid=answer.json()["delivery"])
    assert (again.status, again.json()["outcome"]) == (200, "duplicate")
    assert again.json()["deploy"] == number

    # The admin shows all of it.
    browser = site.sign_in()
    assert answer.json()["delivery"] in browser.get("/admin/deployhooks/delivery/").text
    shown = browser.get(f"/admin/deployhooks/deploy/{number}/change/").text
    for name in STEPS:
        assert name in shown
    assert commit[:7] in shown

    # The remote is away: the next delivery's deploy fails and says why.
    (site.root / "content.git").rename(site.root / "away.git")
    answer = deliver_unreachable(site)
    failed = site.wait_for_deploy(answer.json()["deploy"])
    assert failed["status"] == "failed"
    assert "content" in failed["error"]
    assert site.get("/2016/06/19/use_github_webhooks/").status == 200

    # It is back: the re-run from the admin succeeds, the old deploy stays as it was.
    (site.root / "away.git").rename(site.root / "content.git")
    browser.get("/admin/deployhooks/deploy/")
    done = browser.post(
        "/admin/deployhooks/deploy/", action="rerun_selected", _selected_action=str(failed["id"])
    )
    assert done.status == 302
    newest = site.deploys()[0]
    assert newest["rerun_of"] == failed["id"]
    assert site.wait_for_deploy(newest["id"])["status"] == "succeeded"
    assert site.deploy(failed["id"])["error"] == failed["error"]


def everything_is_live(page: str) -> str:
    return page if "Everything that the remotes have is live" in page else ""


def deliver_unreachable(site: LiveSite):
    """A delivery for a repository that cannot be reached at this moment."""
    after = git(site.author, "rev-parse", "HEAD")
    return site.deliver("content", after=after)


def test_a_push_that_moves_a_pinned_submodule_and_a_template_goes_live_at_once(
    make_site: Callable[..., LiveSite],
):
    site = make_site(tracked=False)
    site.start()
    site.write_post("2021_03_04-second.rst", "The second post")
    ignored = site.deliver("content")
    assert (ignored.status, ignored.json()["outcome"]) == (200, "ignored")
    assert "branch" in ignored.json()["reason"]

    git(site.developer / "content", "pull", "-q", str(site.root / "content.git"), "main")
    template = site.developer / "posts" / "templates" / "robots-note.txt"
    template.parent.mkdir(exist_ok=True)
    template.write_text("a template of the new version\n")
    (site.developer / "posts" / "added.py").write_text("ADDED = True\n")
    commit = site.push_site("Second post and a template")
    deploy = site.wait_for_deploy(site.deliver("site").json()["deploy"], 120)
    assert deploy["status"] == "succeeded", deploy["error"]
    assert deploy["to_commit"] == commit
    assert statuses(deploy)["preflight"] == "succeeded"
    assert statuses(deploy)["pull"] == "succeeded"
    assert all(read_fresh(module) for module in (site.folder / "posts").rglob("*.py"))
    assert site.get("/2021/03/04/second/").status == 200
    assert wait_until(lambda: site.get("/healthz").json()["commit"] == commit, 10)


def test_nothing_is_lost_by_a_database_that_is_away_a_server_that_stops_or_a_hook_that_never_came(
    make_site: Callable[..., LiveSite],
):
    with running_server() as postgres:
        pauses = {"DEPLOY_DRIFT_INTERVAL": "2", "DEPLOY_DRIFT_GRACE": "1"}
        site = make_site(DEPLOY_RETRY="15", DATABASE_URL=postgres.url, **pauses)
        site.start()
        number = site.deliver("content", after="1" * 40).json()["deploy"]
        wait_until(lambda: site.status_of(number) == "running")

        postgres.stop()
        answer = site.deliver("content")
        assert (answer.status, answer.json()["outcome"]) == (503, "refused")
        assert site.get("/").status == 503
        wait_until(lambda: "the database fails" in site.log("queue"), 30)
        time.sleep(3)  # long enough for what would die of it to die more than once
        postgres.start()
        guid = answer.json()["delivery"]
        again = site.deliver("content", guid=guid, after="1" * 40)
        assert again.status == 202
        newest = again.json()["deploy"]
        ended = wait_until(lambda: site.status_of(newest) == "running" and site.deploy(number))
        assert newest == number or f"Deploy {newest} takes its work up" in ended["error"]
        # At most the watch has renewed a queue that lost its way; nobody gave up for good.
        said = site.log("supervisord")
        assert said.count("spawned") <= 4 and "FATAL" not in said, said

        begun = time.monotonic()
        assert site.stop() == 0
        assert time.monotonic() - begun < 40
        assert site.processes() == []
        site.write_post("2021_05_06-later.rst", "Written meanwhile")
        site.start()
        assert site.wait_for_deploy(newest)["status"] == "succeeded"
        assert site.get("/2021/05/06/later/").status == 200
        # What no remote ever showed was handed on, and is told in the end.
        assert site.wait_for_deploy(site.deploys()[0]["id"])["status"] == "failed"

        # A push of which no delivery tells.
        tip = site.write_post("2021_07_08-untold.rst", "Nobody told")
        wait_until(lambda: site.get("/2021/07/08/untold/").status == 200)
        found = site.deploys()[0]
        assert (found["trigger"], found["deliveries"]) == ("drift", [])
        assert found["submodules"]["content"]["to"] == tip
        browser = site.sign_in()
        shown = wait_until(lambda: everything_is_live(browser.get("/admin/").text))
        for word in (tip[:7], "checked out", "remote", "last asked"):
            assert word in shown
        assert f"deploy {found['id']} brings it live" in site.log("watch")
        site.stop()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_server_stops_cleanly_and_starts_again(
    make_site: Callable[..., LiveSite], number: signal.Signals
):
    site = make_site()
    printed = site.start()
    for label in ("webhook URL: ", "webhook secret: ", "admin password: "):
        assert printed.count(label) == 1
    assert all(read_fresh(module) for module in (site.folder / "posts").rglob("*.py"))
    assert site.stop(number) == 0
    assert site.processes() == []
    state = site.folder / "var"
    for private in (state / "db.sqlite3", state / "log", state / "run", state / "secret_key"):
        assert private.stat().st_mode & 0o077 == 0, private
    printed = site.start()
    assert "webhook URL: " in printed
    assert "webhook secret: " not in printed
    assert "admin password: " not in printed
    if number == signal.SIGTERM:
        last = site.deliver("content").json()["deploy"]
        site.stop(signal.SIGKILL)  # the others see for themselves that nobody looks after them
        site.start()
        assert site.wait_for_deploy(last)["status"] == "succeeded"
    assert site.stop(number) == 0
    assert site.processes() == []

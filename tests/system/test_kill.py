"""kill -9 of each process at each step of a deploy: nothing lost, nothing twice, nothing stuck."""

from __future__ import annotations

import http.client
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.system.held_site import STEPS, HeldSite
from tests.system.live_site import git, wait_until
from tests.waiting import stretched

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldSite]:
    """One running site for many deaths."""
    site = HeldSite(tmp_path_factory.mktemp("held"))
    site.start()
    yield site
    site.clean_up()


@pytest.fixture(autouse=True)
def nothing_held(site: HeldSite) -> Iterator[None]:
    yield
    site.let_go()


@pytest.fixture
def kill(site: HeldSite, record_property: Record) -> Callable[[str, str], None]:
    """kill -9 somebody; the end of the test run tells how many times that was survived."""

    def kill(victim: str, place: str) -> None:
        site.kill(victim)
        record_property("fault", f"kill -9 of {victim} at {place}")

    return kill


@pytest.mark.parametrize("victim", ["web worker", "web master", "watch", "monitor", "pusher"])
def test_a_deploy_goes_on_when_at_every_step_somebody_kills_the(
    site: HeldSite, kill: Callable, victim: str
):
    places = [f"before-{step}" for step in STEPS]
    site.hold(places)
    page, number = site.deliver_post()
    for place in places:
        site.wait_until_held(place)
        kill(victim, place)
        site.let_go(place)
    assert site.wait_for_end(number) == ("succeeded", 1, ""), site.newest_logs()
    site.check(page)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("victim", ["busy worker", "sentinel", "queue main"])
def test_a_deploy_is_taken_up_again_when_somebody_kills(
    site: HeldSite, kill: Callable, victim: str, step: str
):
    place = f"before-{step}"
    if victim == "sentinel" and step in ("fetch", "submodules", "index_posts", "reload"):
        place = f"after-{step}"  # the others have nothing to do, and end in their middle
    site.hold([place])
    page, number = site.deliver_post()
    site.wait_until_held(place)
    kill(victim.removeprefix("busy "), place)
    site.let_go()
    status, attempt, error = site.wait_for_end(number)
    assert (status, error) == ("succeeded", "")
    # A worker without its sentinel may come to the end before the queue that is started anew.
    assert attempt == 2 or victim == "sentinel"
    site.check(page)


@pytest.mark.parametrize("step", STEPS)
def test_a_deploy_ends_with_the_reason_when_somebody_kills_its_git(
    site: HeldSite, kill: Callable, step: str
):
    place = f"before-{step}"
    site.hold([place])
    page, number = site.deliver_post()
    site.wait_until_held(place)
    kill("git child", place)
    site.let_go()
    status, attempt, error = site.wait_for_end(number)
    assert (status, attempt) == ("failed", 1)
    assert "exited -9" in error
    guid = site.query(
        "SELECT guid FROM deployhooks_delivery ORDER BY id DESC LIMIT 1",
    )[0][0]
    again = site.deliver("content", guid=guid)
    assert again.status == 202, again.text
    assert site.wait_for_end(again.json()["deploy"])[0] == "succeeded"
    site.check(page)


@pytest.mark.parametrize("victim", ["worker", "monitor", "pusher", "sentinel", "queue main"])
def test_the_next_push_goes_live_when_somebody_killed_the_idle(
    site: HeldSite, kill: Callable, victim: str
):
    kill(victim, "rest")
    page, number = site.deliver_post()
    assert site.wait_for_end(number)[0] == "succeeded"
    site.check(page)


def test_a_deploy_of_code_is_taken_up_when_its_worker_is_killed_half_way(
    site: HeldSite, kill: Callable
):
    places = ["after-preflight", "after-pull"]
    site.hold(places)
    page = site.push_post()
    (site.developer / "NEWS").write_text("new\n")
    commit = site.push_site("Code")
    number = site.deliver("site").json()["deploy"]
    for place in places:
        site.wait_until_held(place)
        kill("worker", place)
        site.let_go(place)
    assert site.wait_for_end(number, 150) == ("succeeded", 3, ""), site.newest_logs()
    assert site.get("/healthz").json()["commit"] == commit
    site.check(page)


def test_the_tip_goes_live_whoever_is_killed_at_whatever_moment(site: HeldSite, kill: Callable):
    chance = random.Random(0)
    victims = ["worker", "sentinel", "queue main", "watch", "web master", "web worker", "monitor"]
    for victim in victims:
        page, number = site.deliver_post()
        time.sleep(chance.uniform(0, 2.5))
        kill(victim, "any moment")
    assert site.wait_for_end(number, 120)[0] == "succeeded"
    site.check(page)
    statuses = "SELECT DISTINCT status FROM deployhooks_deploy"
    assert {status for (status,) in site.query(statuses)} <= {"succeeded", "failed"}


@pytest.mark.parametrize("door", ["command", "button"])
def test_cancel_ends_the_step_at_once_puts_back_and_is_final(
    site: HeldSite, door: str, record_property: Record
):
    live = git(site.folder / "content", "rev-parse", "HEAD")
    browser = site.sign_in()
    site.hold(["after-submodules"])
    page, number = site.deliver_post()
    site.wait_until_held("after-submodules")
    group = os.getpgid(site.find("git child").pid)
    if door == "command":
        site.manage("cancel", str(number))
    else:
        browser.post(f"/admin/deployhooks/deploy/{number}/cancel/")
    asked_at = time.monotonic()
    ended = "the end of the step's process group"
    wait_until(lambda: not is_group_alive(group), stretched(2), ended)
    record_property("seconds", time.monotonic() - asked_at)
    site.let_go()  # the step runs once more when it is put back
    assert site.wait_for_end(number)[0] == "cancelled"
    restored = "SELECT restored, cancel_requested_by FROM deployhooks_deploy WHERE id = ?"
    ((is_restored, by),) = site.query(restored, number)
    assert is_restored
    assert by == "admin" or door == "command"
    assert git(site.folder / "content", "rev-parse", "HEAD") == live
    assert site.get(page).status == 404


def is_group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_burst_of_forty_pushes_makes_at_most_three_deploys(site: HeldSite):
    before = len(site.query("SELECT id FROM deployhooks_deploy"))
    pages = [site.push_post() for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.deliver("content"), range(40)))
    assert {answer.status for answer in answers} == {202}
    guids = {answer.json()["delivery"] for answer in answers}
    assert len(guids) == 40
    for number in {answer.json()["deploy"] for answer in answers}:
        assert site.wait_for_end(number, 120)[0] == "succeeded"
    assert len(site.query("SELECT id FROM deployhooks_deploy")) - before <= 3
    site.check(pages[-1])


def test_github_is_answered_in_milliseconds_while_a_deploy_runs(site: HeldSite):
    site.hold(["before-index_posts"])
    page, number = site.deliver_post()
    site.wait_until_held("before-index_posts")
    seconds = sorted(site.deliver("content").seconds for _ in range(20))
    site.let_go()
    assert seconds[10] < stretched(0.25), seconds
    newest = site.deploys()[0]["id"]
    assert newest == number + 1
    assert site.wait_for_end(newest)[0] == "succeeded"
    site.check(page)


def test_ten_thousand_refused_requests_neither_grow_the_database_nor_stop_a_deploy(site: HeldSite):
    def refuse(_: int) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
        with closing(connection):
            answers = set()
            for _ in range(500):
                headers = {"Content-Type": "application/json", "X-Hub-Signature-256": "sha256=0"}
                connection.request("POST", "/hooks/github/", b"{}", headers)
                answer = connection.getresponse()
                answer.read()
                answers.add(answer.status)
            return answers.pop() if len(answers) == 1 else 0

    database = site.folder / "var" / "db.sqlite3"
    size = database.stat().st_size
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(refuse, number) for number in range(20)]
        page, number = site.deliver_post()
        assert site.wait_for_end(number, 120)[0] == "succeeded"
        assert {one.result() for one in asked} == {403}
    assert site.query("SELECT count(*) FROM deployhooks_refusal")[0][0] <= 200
    assert database.stat().st_size - size < 1024 * 1024
    site.check(page)

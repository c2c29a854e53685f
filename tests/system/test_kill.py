"""kill -9 of each process at each step of a deploy: nothing lost, nothing twice, nothing stuck."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.system.held_site import STEPS, HeldSite

survived: list[str] = []


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


def survive(site: HeldSite, victim: str, place: str) -> None:
    site.kill(victim)
    survived.append(f"{victim} at {place}")


@pytest.mark.parametrize("victim", ["web worker", "web master", "watch", "monitor", "pusher"])
def test_a_deploy_goes_on_when_at_every_step_somebody_kills_the(site: HeldSite, victim: str):
    places = [f"before-{step}" for step in STEPS]
    site.hold(places)
    page, number = site.deliver_post()
    for place in places:
        site.wait_until_held(place)
        survive(site, victim, place)
        site.let_go(place)
    assert site.wait_for_end(number) == ("succeeded", 1, "")
    site.check(page)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("victim", ["busy worker", "sentinel", "queue main"])
def test_a_deploy_is_taken_up_again_when_somebody_kills(site: HeldSite, victim: str, step: str):
    place = f"before-{step}"
    if victim == "sentinel" and step in ("fetch", "submodules", "index_posts", "reload"):
        place = f"after-{step}"  # the others have nothing to do, and end in their middle
    site.hold([place])
    page, number = site.deliver_post()
    site.wait_until_held(place)
    survive(site, victim.removeprefix("busy "), place)
    site.let_go()
    assert site.wait_for_end(number) == ("succeeded", 2, "")
    site.check(page)


@pytest.mark.parametrize("step", STEPS)
def test_a_deploy_ends_with_the_reason_when_somebody_kills_its_git(site: HeldSite, step: str):
    place = f"before-{step}"
    site.hold([place])
    page, number = site.deliver_post()
    site.wait_until_held(place)
    survive(site, "git child", place)
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
def test_the_next_push_goes_live_when_somebody_killed_the_idle(site: HeldSite, victim: str):
    survive(site, victim, "rest")
    page, number = site.deliver_post()
    assert site.wait_for_end(number)[0] == "succeeded"
    site.check(page)


def test_a_deploy_of_code_is_taken_up_when_its_worker_is_killed_half_way(site: HeldSite):
    places = ["after-preflight", "after-pull"]
    site.hold(places)
    page = site.push_post()
    (site.developer / "NEWS").write_text("new\n")
    commit = site.push_site("Code")
    number = site.deliver("site").json()["deploy"]
    for place in places:
        site.wait_until_held(place)
        survive(site, "worker", place)
        site.let_go(place)
    assert site.wait_for_end(number, 150) == ("succeeded", 3, "")
    assert site.get("/healthz").json()["commit"] == commit
    site.check(page)


def test_the_faults_survived_are_told(capsys: pytest.CaptureFixture[str]):
    with capsys.disabled():
        sys.stdout.write(f"\n{len(survived)} faults survived: kill -9 of {', '.join(survived)}\n")

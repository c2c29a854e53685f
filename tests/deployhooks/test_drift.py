"""A push of which no delivery told goes live all the same; asked are real remotes."""

import json
from pathlib import Path

import pytest

from deployhooks import control, drift, queue
from deployhooks.models import Delivery, Deploy, RemoteState
from deployhooks.overview import look_over
from tests.deployhooks import repositories as repos

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(tmp_path: Path, settings) -> Path:
    """A clone whose content is tracked and whose theme is pinned; no grace, an hour's interval."""
    for name in ("content", "theme"):
        repos.make_remote(tmp_path / f"{name}.git", {"a.txt": "a\n"})
    remote = repos.make_remote(tmp_path / "site.git", {"manage.py": ""})
    repos.add_submodule(remote, "content", tmp_path / "content.git", branch="main")
    repos.add_submodule(remote, "theme", tmp_path / "theme.git")
    settings.DEPLOY_CHECKOUT = repos.clone(remote, tmp_path / "checkout")
    settings.DEPLOY_DRIFT_GRACE, settings.DEPLOY_DRIFT_INTERVAL = 0, 3600
    return tmp_path


def look() -> RemoteState:
    drift.Drift().look()
    return RemoteState.objects.get()


def push(site: Path, name: str = "site") -> str:
    return repos.commit(site / f"{name}.git", {"new.txt": f"{Deploy.objects.count()}\n"})


def test_nothing_is_deployed_while_everything_is_live(site):
    push(site, "theme")
    state = look()
    assert state.live_commit == state.remote_commit == repos.head(site / "checkout")
    assert state.note == "Everything that the remotes have is live."
    assert not Deploy.objects.exists()


@pytest.mark.parametrize("name", ["site", "content"])
def test_a_push_of_which_nobody_told_is_deployed_and_said(site, name):
    tip = push(site, name)
    state = look()
    deploy = Deploy.objects.get()
    assert (deploy.trigger, deploy.requested_by) == ("drift", "watch_deploys")
    assert f"No delivery came for it, deploy {deploy.pk} brings it live." in state.note
    assert tip in (state.remote_commit, state.submodules["content"]["remote"])
    assert look_over().remote.note == state.note


def test_a_delivery_gets_its_time_before_the_branch_is_deployed_without_it(site, settings):
    settings.DEPLOY_DRIFT_GRACE = 60
    push(site)
    asking = drift.Drift()
    assert 59 < asking.look() <= 60
    assert not Deploy.objects.exists()
    asking.seen = (asking.seen[0], asking.seen[1] - 61)
    assert asking.look() == 3600
    assert Deploy.objects.count() == 1


def make_delivery(site: Path, after: str, outcome: str = "queued", **overrides) -> Delivery:
    repository = {"full_name": "ada/site", "clone_url": str(site / "site.git")}
    payload = {"ref": "refs/heads/main", "after": after, "repository": repository} | overrides
    return Delivery.objects.create(
        guid=str(Delivery.objects.count()),
        event="push",
        after=after,
        outcome=outcome,
        payload=json.dumps(payload),
    )


@pytest.mark.parametrize("outcome", ["queued", "ignored"])
def test_what_a_delivery_announced_is_left_to_it(site, outcome):
    message = {"message": "Later [skip deploy]"} if outcome == "ignored" else None
    make_delivery(site, push(site), outcome, head_commit=message)
    assert "Its delivery came" in look().note
    assert not Deploy.objects.exists()


def test_the_same_commit_announced_for_anything_else_hides_no_lost_delivery(site):
    tip = push(site)
    elsewhere = {"full_name": "eve/fork", "clone_url": "https://github.com/eve/fork.git"}
    make_delivery(site, tip, "ignored", ref="refs/heads/feat")
    make_delivery(site, tip, "ignored", ref="refs/tags/main")
    make_delivery(site, tip, "ignored", repository=elsewhere)
    make_delivery(site, tip, "ignored")  # its branch was not the deployed one then
    look()
    assert Deploy.objects.get().trigger == "drift"


def test_a_branch_whose_name_ends_alike_is_another_one(site):
    tip = push(site)
    repos.commit(site / "site.git", {"odd.txt": ""}, branch="x/refs/heads/main")
    assert look().remote_commit == tip


def test_a_delivery_whose_deploy_came_too_early_is_made_good(site):
    delivery = make_delivery(site, push(site))
    early = Deploy.objects.create(trigger="push", status="succeeded", to_commit="a" * 40, host="x")
    early.deliveries.add(delivery)
    look()
    assert Deploy.objects.filter(trigger="drift").count() == 1


@pytest.mark.parametrize("status", ["failed", "cancelled", "succeeded"])
def test_a_tip_that_was_deployed_once_is_not_tried_again_by_itself(site, status, settings):
    tip, content = push(site), repos.head(site / "content.git", "main")
    moves = {"content": {"from": None, "to": content}}
    Deploy.objects.create(
        trigger="push", status=status, to_commit=tip, submodules=moves, host=settings.DEPLOY_HOST
    )
    assert f"went there and is {status}" in look().note
    push(site, "content")
    look()
    assert Deploy.objects.filter(trigger="drift").count() == 1


def test_a_tip_that_could_not_even_be_fetched_is_tried_once(site):
    push(site)
    look()
    Deploy.objects.update(status="failed")
    assert "It was tried without success" in look().note
    assert Deploy.objects.count() == 1


def test_nothing_is_deployed_by_itself_while_frozen(site):
    control.freeze("a talk")
    push(site)
    assert "Deploys are frozen." in look().note
    assert not Deploy.objects.exists()


def test_a_deploy_that_is_on_its_way_is_enough(site):
    queue.request_deploy(Deploy.Trigger.MANUAL)
    push(site)
    assert "A deploy is on its way." in look().note
    assert Deploy.objects.count() == 1


def test_commits_made_on_the_server_are_not_taken_back_by_drift(site):
    (site / "checkout" / "local.txt").write_text("mine\n")
    repos.git("add", "-A", cwd=site / "checkout")
    repos.git("commit", "-qm", "Mine", cwd=site / "checkout")
    assert look().note == "Everything that the remotes have is live."


def test_a_remote_that_does_not_answer_is_told_and_asked_again_later(site):
    look()
    (site / "site.git").rename(site / "away.git")
    asking = drift.Drift()
    assert asking.look() == 3600
    state = RemoteState.objects.get()
    assert "site.git" in state.error
    assert state.live_commit
    (site / "away.git").rename(site / "site.git")
    assert look().error == ""


def test_with_an_interval_of_0_nobody_asks(site, settings):
    settings.DEPLOY_DRIFT_INTERVAL = 0
    with drift.Drift() as asking:
        assert not asking.thread.is_alive()


def test_the_thread_asks_and_ends(site, settings, monkeypatch):
    monkeypatch.setattr(drift, "FIRST_PAUSE", 0.01)
    with drift.Drift() as asking:
        while not RemoteState.objects.exists():
            assert asking.thread.is_alive()
    assert not asking.thread.is_alive()

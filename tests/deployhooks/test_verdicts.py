"""A commit of the site that was refused keeps no post from going live."""

import json

import pytest

from deployhooks import control, deployer, drift, queue
from deployhooks.models import Delivery, Deploy, Freeze
from tests.deployhooks import fake_steps
from tests.deployhooks import repositories as repos
from tests.deployhooks.test_rollback import push_post, site  # noqa: F401 - a fixture
from tests.deployhooks.tiny_site import FILES

pytestmark = pytest.mark.django_db(transaction=True)
BROKEN = {"blogsite/urls.py": "def (:"}


def deliver(remote, after, **overrides) -> Delivery:
    """The delivery of a push to a remote, as GitHub sends it."""
    payload = {
        **{"ref": "refs/heads/main", "after": after, "before": "0" * 40},
        "repository": {"clone_url": str(remote)},
    }
    values = {"event": "push", "guid": after, "after": after, "payload": json.dumps(payload)}
    return Delivery.objects.create(**values | overrides)


def deploy(trigger="push", deliveries=(), **overrides) -> Deploy:
    asked = queue.request_deploy(Deploy.Trigger(trigger), deliveries=deliveries, **overrides)
    return go(asked)


def go(asked: Deploy) -> Deploy:
    deployer.run_deploy(asked.pk)
    asked.refresh_from_db()
    return asked


@pytest.fixture
def refused(site):  # noqa: F811
    """A site that works, and the deploy by which its newest commit was refused."""
    assert deploy().status == "succeeded"
    commit = repos.commit(site.remote, BROKEN)
    failed = deploy(deliveries=[deliver(site.remote, commit)])
    assert failed.status == "failed"
    return failed


def post(site, name="third.rst") -> Delivery:  # noqa: F811
    return deliver(site.root / "content.git", push_post(site, name))


def test_a_post_goes_live_beside_a_site_that_was_refused(site, refused):  # noqa: F811
    live = repos.head(site.checkout)

    done = deploy(deliveries=[post(site)])

    assert (done.status, done.to_commit) == ("succeeded", live), done.error
    assert (site.checkout / "content/third.rst").exists()
    assert done.steps.get(name="fetch").detail.endswith(
        f"the site stays at {live[:7]}: {refused.to_commit[:7]} was refused by deploy {refused.pk};"
        " push a correction or re-run that deploy"
    )
    assert deploy(deliveries=[post(site, "fourth.rst")]).status == "succeeded"


@pytest.mark.parametrize("how", ["rerun", "manual", "joined by the site", "joined by hand"])
def test_who_asks_for_the_site_gets_its_newest_commit(site, refused, how):  # noqa: F811
    if how == "rerun":
        asked = queue.rerun(refused)
    elif how == "manual":
        asked = queue.request_deploy(Deploy.Trigger.MANUAL)
    else:
        asked = queue.request_deploy(Deploy.Trigger.PUSH, deliveries=[post(site)])
        again = [deliver(site.remote, refused.to_commit, guid="again")]
        joins = {"joined by the site": ("push", again), "joined by hand": ("manual", [])}[how]
        queue.request_deploy(Deploy.Trigger(joins[0]), deliveries=joins[1])

    assert go(asked).status == "failed"
    assert asked.to_commit == refused.to_commit


def test_a_correction_goes_live_and_brings_the_posts(site, refused):  # noqa: F811
    deploy(deliveries=[post(site)])
    commit = repos.commit(site.remote, {"blogsite/urls.py": FILES["blogsite/urls.py"]})

    done = deploy(deliveries=[deliver(site.remote, commit)])

    assert (done.status, done.to_commit) == ("succeeded", commit)


def test_a_failure_of_git_is_no_verdict_on_the_code(site):  # noqa: F811
    assert deploy().status == "succeeded"
    commit = repos.commit(site.remote, {"app/new.py": ""})
    site.settings.DEPLOY_STEPS = [
        "deployhooks.steps.fetch.fetch",
        "tests.deployhooks.fake_steps.pull",
    ]
    fake_steps.behaviour["pull"] = fake_steps.fail
    assert deploy(deliveries=[deliver(site.remote, commit)]).status == "failed"
    fake_steps.behaviour.clear()

    assert deploy(deliveries=[post(site)]).to_commit == commit


def test_a_commit_that_went_live_since_is_no_refused_one(site, refused):  # noqa: F811
    Deploy.objects.filter(pk=refused.pk).update(rerun_of=None)
    Deploy.objects.create(
        **{"status": "succeeded", "trigger": "rerun", "to_commit": refused.to_commit},
        host=site.settings.DEPLOY_HOST,
    )
    again = deploy(deliveries=[post(site)])
    assert again.to_commit == refused.to_commit


def test_drift_brings_the_post_that_no_delivery_told_of_and_then_rests(site, refused):  # noqa: F811
    push_post(site, "third.rst")
    watcher = drift.Drift()

    assert drift.find_reason_against(watcher.ask()) == ""
    drift.deploy(watcher.ask())
    done = go(Deploy.objects.queued().get())

    assert done.status == "succeeded", done.error
    assert (site.checkout / "content/third.rst").exists()
    reason = drift.find_reason_against(watcher.ask())
    assert f"Deploy {refused.pk} went there and is failed" in reason


def test_a_thaw_that_holds_only_posts_leaves_the_site_too(site, refused):  # noqa: F811
    control.freeze("a talk")
    held = post(site)
    Delivery.objects.filter(pk=held.pk).update(outcome="held")

    done = go(control.thaw())

    assert not Freeze.objects.exists()
    assert done.status == "succeeded", done.error

"""Rolling back by command: code, tracked submodules and their order, warnings, freeze and thaw."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployhooks import control, deployer, queue
from deployhooks.models import Deploy
from tests.deployhooks import fake_steps
from tests.deployhooks import repositories as repos
from tests.deployhooks.test_put_back import FAKE, REAL
from tests.deployhooks.tiny_site import TinySite, make_migration

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(tmp_path, settings, monkeypatch) -> TinySite:
    """A tiny site with a tracked content submodule, deployed twice: with a post, with code."""
    site = TinySite(tmp_path, settings, monkeypatch)
    content = repos.make_remote(tmp_path / "content.git", {"first.rst": "First\n"})
    repos.add_submodule(site.remote, "content", content, branch="main")
    repos.git("pull", "-q", cwd=site.checkout)
    repos.git("submodule", "update", "-q", "--init", cwd=site.checkout)
    settings.DEPLOY_CHECKOUT = site.checkout
    settings.DEPLOY_CONTENT = [site.checkout / "content"]
    settings.DEPLOY_RETRY = 0
    settings.DEPLOY_STEPS = REAL + FAKE
    fake_steps.behaviour.clear()
    return site


def push_post(site: TinySite, name: str) -> str:
    return repos.commit(site.root / "content.git", {name: "Text\n"})


def deploy(deploy: Deploy | None = None) -> Deploy:
    deploy = deploy or queue.request_deploy(Deploy.Trigger.PUSH)
    deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    assert deploy.status == "succeeded", deploy.error
    return deploy


def roll_back(*args: str) -> str:
    """Run the command and the deploy that it asks for; return what it said."""
    said = StringIO()
    call_command("rollback", *args, stdout=StringIO(), stderr=said)
    deploy(Deploy.objects.queued().get())
    return said.getvalue()


def test_code_and_tracked_submodules_go_back_and_migrations_that_stay_are_named(site):
    old_post = push_post(site, "second.rst")
    first = deploy()
    more = make_migration('migrations.RunSQL("SELECT 1")')
    repos.commit(site.remote, {"app/migrations/0002_more.py": more, "app/new.py": ""})
    push_post(site, "third.rst")
    deploy()
    said = roll_back()
    assert f"Back to deploy {first.pk}" in said
    assert "stay applied: app.0002_more" in said
    assert repos.head(site.checkout) == first.to_commit
    assert repos.head(site.checkout / "content") == old_post
    rollback = Deploy.objects.latest("pk")
    assert (rollback.trigger, rollback.rollback_to) == ("rollback", first)
    assert "stay applied: app.0002_more" in rollback.steps.get(name="migrate").detail
    assert f"rolled back to deploy {first.pk}" in queue.is_frozen().reason


def test_a_rollback_that_changes_only_content_warns_of_nothing(site):
    push_post(site, "second.rst")
    first = deploy()
    push_post(site, "third.rst")
    deploy()
    said = roll_back(str(first.pk))
    assert "stay applied" not in said
    assert not (site.checkout / "content" / "third.rst").exists()
    steps = dict(Deploy.objects.latest("pk").steps.values_list("name", "status"))
    assert steps["preflight"] == steps["pull"] == "skipped"


def test_a_thaw_brings_the_newest_version_back(site):
    push_post(site, "second.rst")
    deploy()
    newest = push_post(site, "third.rst")
    deploy()
    roll_back()
    queue.request_deploy(Deploy.Trigger.MANUAL)
    control.freeze("not yet")
    deploy(control.thaw())
    assert repos.head(site.checkout / "content") == newest


def test_a_rollback_that_is_not_possible_says_why_and_freezes_nothing(site):
    deploy()
    with pytest.raises(CommandError, match="no earlier version"):
        call_command("rollback")
    with pytest.raises(CommandError, match="There is no deploy 4711"):
        call_command("rollback", "4711")
    assert not queue.is_frozen()

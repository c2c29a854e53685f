"""Putting back: everything that a deploy has changed returns to the version that worked."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from deployhooks import deployer, recovery
from deployhooks.explanations import explain, has_left_mess
from deployhooks.models import Deploy
from deployhooks.process import ProcessFailed
from deployhooks.requirements import Requirements
from tests.deployhooks import fake_steps
from tests.deployhooks import repositories as repos
from tests.deployhooks.tiny_site import FILES, TinySite, make_migration

pytestmark = pytest.mark.django_db(transaction=True)
REAL = [
    "deployhooks.steps.fetch.fetch",
    "deployhooks.steps.preflight.preflight",
    "deployhooks.steps.migrate.migrate",
    "deployhooks.steps.collectstatic.collectstatic",
    "deployhooks.steps.pull.pull",
    "deployhooks.steps.submodules.submodules",
]
FAKE = ["tests.deployhooks.fake_steps.index", "tests.deployhooks.fake_steps.reload"]
RED = {"app/static/app/look.css": "p { color: red }\n"}


@pytest.fixture
def site(tmp_path, settings, monkeypatch) -> TinySite:
    site = TinySite(tmp_path, settings, monkeypatch)
    settings.DEPLOY_CHECKOUT = site.checkout
    settings.DEPLOY_RETRY = 0
    settings.DEPLOY_STEPS = REAL + FAKE
    fake_steps.behaviour.clear()
    fake_steps.ran.clear()
    return site


def fail_for(commit: str):
    return lambda context: context.target.commit == commit and context.fail("it went wrong")


def deploy(site: TinySite, files, **overrides) -> Deploy:
    if files:
        repos.commit(site.remote, files)
    values = {"trigger": "push", "host": site.settings.DEPLOY_HOST}
    deploy = Deploy.objects.create(**(values | overrides))
    deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    return deploy


def manifest(site: TinySite) -> dict:
    return json.loads((site.root / "var" / "static" / "staticfiles.json").read_text())["paths"]


def test_a_failure_after_the_pull_puts_files_and_static_files_back_and_says_what_is_live(site):
    assert deploy(site, {"app/first.py": ""}).status == "succeeded"
    before, old = repos.head(site.checkout), manifest(site)
    commit = repos.commit(site.remote, RED)
    fake_steps.behaviour["reload"] = fail_for(commit)
    failed = deploy(site, None)
    assert (failed.status, failed.restored) == ("failed", True)
    assert repos.head(site.checkout) == before
    assert manifest(site) == old
    step = failed.steps.get(name="put_back")
    assert step.detail == f"put back: {before[:7]} is live again"
    for action in ("pull:", "static files:", "submodules:", "index:", "reload:"):
        assert action in step.output
    steps = list(failed.steps.all())
    assert f"{before[:7]} went on serving" in " ".join(explain(failed, steps).lines)
    assert not has_left_mess(failed, steps)
    assert not (site.root / "var" / "kept").exists()


def test_the_lock_of_a_git_that_was_killed_on_the_way_does_not_keep_it_from_being_put_back(site):
    assert deploy(site, {"app/first.py": ""}).status == "succeeded"
    before = repos.head(site.checkout)
    lock = site.checkout / ".git" / "index.lock"
    commit = repos.commit(site.remote, RED)

    def die(context):
        if context.target.commit == commit:
            lock.touch()
            context.fail("git was killed")

    fake_steps.behaviour["index"] = die
    failed = deploy(site, None)
    assert (failed.status, failed.restored) == ("failed", True), failed.error
    assert repos.head(site.checkout) == before
    assert f"removed {lock}" in failed.steps.get(name="put_back").output


def test_migrations_that_were_applied_are_named_and_stay(site):
    assert deploy(site, {"app/first.py": ""}).status == "succeeded"
    more = make_migration('migrations.RunSQL("CREATE TABLE more (x)")')
    commit = repos.commit(site.remote, {"app/migrations/0002_more.py": more})
    fake_steps.behaviour["index"] = fail_for(commit)
    failed = deploy(site, None)
    assert "Migrations that were applied stay applied: app.0002_more." in failed.error
    assert "more" in site.tables()


def test_a_refusal_before_anything_changed_puts_nothing_back(site):
    failed = deploy(site, {"blogsite/urls.py": "def (:"})
    assert (failed.status, failed.restored) == ("failed", False)
    assert [step.name for step in failed.steps.all()] == ["fetch", "preflight"]


def test_a_failure_between_collectstatic_and_pull_takes_the_manifest_back(site):
    assert deploy(site, {"app/first.py": ""}).status == "succeeded"
    old = manifest(site)
    site.settings.DEPLOY_STEPS = [*REAL[:4], FAKE[0]]
    fake_steps.behaviour["index"] = fake_steps.fail
    failed = deploy(site, RED)
    assert failed.restored
    assert manifest(site) == old


def test_the_next_attempt_of_a_killed_deploy_comes_back_to_what_the_first_had_found(site):
    assert deploy(site, {"app/first.py": ""}).status == "succeeded"
    before, old = repos.head(site.checkout), manifest(site)
    commit = repos.commit(site.remote, RED)
    fake_steps.behaviour["index"] = fake_steps.leave
    with pytest.raises(SystemExit):
        deploy(site, None, attempt=0)
    killed = Deploy.objects.latest("pk")
    # As if the process had been killed in its step index: nobody has put anything back.
    repos.git("reset", "-q", "--hard", commit, cwd=site.checkout)
    Deploy.objects.filter(pk=killed.pk).update(status="queued", restored=False)
    fake_steps.behaviour["index"] = fail_for(commit)
    deployer.run_deploy(killed.pk)
    killed.refresh_from_db()
    assert (killed.status, killed.attempt, killed.restored) == ("failed", 2, True)
    assert repos.head(site.checkout) == before
    assert manifest(site) == old


@pytest.mark.parametrize("ends", ["failed", "cancelled"])
def test_a_deploy_that_died_three_times_is_put_back_in_a_fourth_attempt(site, ends):
    assert deploy(site, {"app/first.py": ""}).status == "succeeded"
    before = repos.head(site.checkout)
    commit = repos.commit(site.remote, RED)
    died = Deploy.objects.create(
        **{"trigger": "push", "host": site.settings.DEPLOY_HOST, "status": "running"},
        **{"attempt": 3, "from_commit": before, "to_commit": commit},
        cancel_requested_at=timezone.now() if ends == "cancelled" else None,
    )
    died.steps.create(attempt=3, position=1, name="pull", status="succeeded")
    died.steps.create(attempt=3, position=2, name="reload")
    repos.git("pull", "-q", cwd=site.checkout)
    fake_steps.ran.clear()

    assert recovery.return_to_queue(died, "It died.") == timedelta()
    deployer.run_deploy(died.pk)

    died.refresh_from_db()
    assert (died.status, died.restored, died.attempt) == (ends, True, 4)
    assert ("died in each of 3 attempts" in died.error) == (ends == "failed")
    assert repos.head(site.checkout) == before
    assert fake_steps.ran == ["index", "reload"]
    assert [step.name for step in died.steps.filter(attempt=4)] == ["put_back"]


def test_packages_go_back_before_anything_of_the_old_version_starts(site, monkeypatch):
    monkeypatch.setattr(Requirements, "prepare", lambda self, path, folder: None)
    monkeypatch.setattr(Requirements, "install", lambda self, path: None)
    monkeypatch.setattr(Requirements, "freeze", lambda self: ["Django==5.2"])
    put_back = []

    def restore(self, frozen):
        put_back.append((frozen, list(fake_steps.ran)))
        return 2

    monkeypatch.setattr(Requirements, "restore", restore)
    commit = repos.commit(site.remote, {"requirements.txt": "Django==6\n"})
    fake_steps.behaviour["index"] = fail_for(commit)
    failed = deploy(site, None)
    assert put_back == [(["Django==5.2"], ["index"])]
    assert "requirements: 2 packages put back" in failed.steps.get(name="put_back").output


def test_packages_that_were_not_changed_are_not_called_put_back(site, monkeypatch):
    def fail(self, path):
        raise ProcessFailed(["pip"], 1, "no network")

    monkeypatch.setattr(Requirements, "prepare", lambda self, path, folder: None)
    monkeypatch.setattr(Requirements, "install", fail)
    failed = deploy(site, {"requirements.txt": "x==1\n"})
    steps = list(failed.steps.all())
    assert "Installing the requirements that were proved failed" in failed.error
    assert [step.name for step in steps] == ["fetch", "preflight", "put_back"]
    assert not failed.restored
    assert "none was changed" in steps[-1].output
    assert "Nothing was changed" in " ".join(explain(failed, steps).lines)
    assert not has_left_mess(failed, steps)


def test_when_one_thing_cannot_be_put_back_the_others_are_and_it_is_shouted(site, monkeypatch):
    commit = repos.commit(site.remote, {"requirements.txt": "x==1\n"})
    monkeypatch.setattr(Requirements, "prepare", lambda self, path, folder: None)
    monkeypatch.setattr(Requirements, "install", lambda self, path: None)

    def fail(self, frozen):
        raise ProcessFailed(["pip"], 1, "no network")

    monkeypatch.setattr(Requirements, "restore", fail)
    fake_steps.behaviour["reload"] = fail_for(commit)
    failed = deploy(site, None)
    assert (failed.status, failed.restored) == ("failed", False)
    assert failed.error.startswith("Putting back failed, what is live is not certain:")
    for words in ("no network", "it went wrong", "Look at the server now"):
        assert words in failed.error
    assert failed.steps.get(name="put_back").status == "failed"
    assert fake_steps.ran == ["index", "reload", "index", "reload"]
    assert explain(failed, list(failed.steps.all())).is_alarming


def add_code(site: TinySite) -> Path:
    """Give the site a tracked submodule whose code the start page needs; return its remote."""
    plugin = repos.make_remote(site.root / "plugin.git", {"__init__.py": "GREETING = 'hello'\n"})
    repos.add_submodule(site.remote, "plugin", plugin, branch="main")
    urls = FILES["blogsite/urls.py"].replace("str(", "plugin.GREETING + str(")
    repos.commit(site.remote, {"blogsite/urls.py": f"import plugin\n{urls}"})
    return plugin


def test_code_in_a_submodule_is_proved_and_goes_live_and_back_like_the_sites_own(site):
    plugin = add_code(site)
    assert deploy(site, None).status == "succeeded"
    live, file = repos.head(site.checkout / "plugin"), site.checkout / "plugin" / "__init__.py"

    repos.commit(plugin, {"__init__.py": "GREETING = nobody_knows\n"})
    refused = deploy(site, None)
    assert (refused.status, refused.restored) == ("failed", False)
    assert "NameError" in refused.error and "the site is untouched" in refused.error
    assert repos.head(site.checkout / "plugin") == live

    repos.commit(plugin, {"__init__.py": "GREETING = 'good evening'\n"})
    old = manifest(site)

    def fail_with_the_new(context):
        if "evening" in file.read_text():
            context.fail("no worker came up")

    fake_steps.behaviour["reload"] = fail_with_the_new
    failed = deploy(site, None)
    assert (failed.status, failed.restored) == ("failed", True)
    assert repos.head(site.checkout / "plugin") == live
    assert manifest(site) == old
    fake_steps.behaviour.clear()
    assert deploy(site, None).status == "succeeded"
    assert "evening" in file.read_text()

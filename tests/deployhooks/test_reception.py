"""The table of outcomes: what is decided, and what is written down about it."""

import json
import logging
import shutil
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django_q.models import OrmQ

from deployhooks import queue
from deployhooks.models import Delivery, Deploy, Freeze, Refusal
from deployhooks.signatures import sign
from tests.deployhooks.hooks import (
    OLD_SECRET,
    SECRET,
    TIP,
    make_checkout,
    make_push,
    make_repository,
    send,
    use_site,
)
from tests.deployhooks.repositories import git

pytestmark = pytest.mark.django_db
GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"


@pytest.fixture(autouse=True)
def site(settings, tmp_path: Path) -> Path:
    return use_site(settings, tmp_path)


def finish(deploy: Deploy, status: str) -> None:
    Deploy.objects.filter(pk=deploy.pk).update(status=status)


def assert_ignored(response, *words: str) -> None:
    answer = response.json()
    assert response.status_code == 200
    assert (answer["outcome"], answer["deploy"]) == ("ignored", None)
    for word in words:
        assert word in answer["reason"]
    assert Delivery.objects.get().outcome == "ignored"
    assert Delivery.objects.get().reason == answer["reason"]
    assert not Deploy.objects.exists()
    assert not OrmQ.objects.exists()


# --- queued -------------------------------------------------------------------------------------


def test_a_push_to_the_deployed_branch_is_queued():
    response = send(X_GitHub_Delivery=GUID)

    deploy = Deploy.objects.get()
    assert response.status_code == 202
    assert response.json() == {
        "delivery": GUID,
        "outcome": "queued",
        "reason": "Push to refs/heads/main of acme/site, the site.",
        "deploy": deploy.pk,
    }
    assert (deploy.status, deploy.trigger, deploy.requested_by) == ("queued", "push", "octocat")
    assert [delivery.guid for delivery in deploy.deliveries.all()] == [GUID]
    assert OrmQ.objects.count() == 1


def test_the_delivery_keeps_all_that_explains_it():
    push = make_push(head_commit={"message": "茶\n\nLong."})
    send(push, X_GitHub_Delivery=GUID, Authorization="Basic c2VjcmV0")

    delivery = Delivery.objects.get()
    assert (delivery.guid, delivery.hook_id, delivery.event) == (GUID, "109948940", "push")
    assert (delivery.repository, delivery.ref) == ("acme/site", "refs/heads/main")
    assert (delivery.before, delivery.after) == (push["before"], TIP)
    assert (delivery.pusher, delivery.head_message) == ("octocat", "茶\n\nLong.")
    assert json.loads(delivery.payload) == push
    assert delivery.remote_address == "127.0.0.1"
    assert (delivery.signature_algorithm, delivery.secret_number) == ("sha256", 1)
    assert (delivery.outcome, delivery.times_received) == ("queued", 1)
    assert (delivery.answer_status, delivery.answer["delivery"]) == (202, GUID)
    assert delivery.headers["X-Github-Event"] == "push"
    assert delivery.headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert not {"Authorization", "X-Hub-Signature", "X-Hub-Signature-256"} & set(delivery.headers)


def test_an_event_s_action_is_kept():
    send({"action": "created"}, X_GitHub_Event="star")

    assert Delivery.objects.get().action == "created"


def test_sha1_and_the_older_secret_are_taken_and_noted():
    body = json.dumps(make_push()).encode()
    send(body=body, X_Hub_Signature_256=None, X_Hub_Signature=sign(body, OLD_SECRET, "sha1"))

    delivery = Delivery.objects.get()
    assert (delivery.signature_algorithm, delivery.secret_number) == ("sha1", 2)


def test_a_push_joins_the_deploy_that_waits():
    first, second = send().json(), send().json()

    assert first["deploy"] == second["deploy"]
    assert first["delivery"] != second["delivery"]
    assert Deploy.objects.get().deliveries.count() == 2
    assert OrmQ.objects.count() == 1


def test_a_push_while_a_deploy_runs_makes_another():
    finish(Deploy.objects.get(pk=send().json()["deploy"]), "running")

    assert send().json()["outcome"] == "queued"
    assert Deploy.objects.count() == 2


def test_a_push_to_a_tracked_submodule_s_branch_is_queued():
    response = send(make_push("acme/content"))

    assert response.status_code == 202
    assert "submodule content" in response.json()["reason"]


def test_a_dot_stands_for_the_branch_of_the_site(settings):
    settings.DEPLOY_BRANCH = "live"

    assert send(make_push("acme/news", ref="refs/heads/live")).status_code == 202
    assert send(make_push("acme/news", ref="refs/heads/main")).status_code == 200


def test_a_submodule_of_a_submodule_counts(site: Path):
    make_checkout(
        site / "content",
        gitmodules='[submodule "x"]\npath = pictures\nurl = ../pictures.git\nbranch = main\n',
    )

    response = send(make_push("acme/pictures"))

    assert response.status_code == 202
    assert "submodule content/pictures" in response.json()["reason"]


def test_deploy_repository_names_the_site_whatever_its_url(settings):
    settings.DEPLOY_REPOSITORY = "acme/mirror"

    assert send(make_push("acme/mirror")).status_code == 202


def test_deploy_branch_is_the_branch_that_counts(settings):
    settings.DEPLOY_BRANCH = "live"

    assert send(make_push(ref="refs/heads/live")).status_code == 202
    assert send(make_push(ref="refs/heads/main")).status_code == 200


def test_folders_as_remotes_are_matched(settings, tmp_path: Path):
    use_site(settings, tmp_path / "local", remote="/srv/git/site.git")
    repository = {"full_name": "x/y", "clone_url": "file:///srv/git/site.git"}

    assert send(make_push(repository=repository)).status_code == 202


def test_the_port_tells_two_servers_apart(settings, tmp_path: Path):
    use_site(settings, tmp_path / "local", remote="http://127.0.0.1:8001/acme/site.git")
    other = {"full_name": "a/b", "clone_url": "http://127.0.0.1:8002/acme/site.git"}
    same = {"full_name": "a/b", "clone_url": "http://me@127.0.0.1:8001/acme/site"}

    assert send(make_push(repository=other)).json()["outcome"] == "ignored"
    assert send(make_push(repository=same)).json()["outcome"] == "queued"


def test_a_row_holds_what_does_not_fit_and_what_no_database_takes():
    odd = "\x00\ud800" + "茶" * 400
    send(
        make_push(
            pusher={"name": odd},
            before=odd,
            after=odd,
            head_commit={"message": odd * 100},
            repository={**make_repository(), "full_name": odd},
        )
    )

    delivery = Delivery.objects.get()
    assert delivery.outcome == "queued"
    assert delivery.pusher.startswith("\ufffd\ufffd茶")
    delivery.full_clean(exclude=["hook_id"])


# --- held ---------------------------------------------------------------------------------------


def test_a_push_while_frozen_is_held(settings):
    Freeze.objects.create(host=settings.DEPLOY_HOST, reason="holidays")
    response = send()

    assert response.status_code == 202
    assert (response.json()["outcome"], response.json()["deploy"]) == ("held", None)
    assert "holidays" in response.json()["reason"]
    assert Delivery.objects.get().outcome == "held"
    assert not Deploy.objects.exists()


def test_a_held_delivery_that_comes_again_after_the_thaw_is_queued(settings):
    freeze = Freeze.objects.create(host=settings.DEPLOY_HOST)
    send(X_GitHub_Delivery=GUID)
    freeze.delete()

    assert send(X_GitHub_Delivery=GUID).json()["outcome"] == "queued"
    assert Delivery.objects.get().times_received == 2


def test_the_freeze_of_another_host_holds_nothing():
    Freeze.objects.create(host="elsewhere")

    assert send().json()["outcome"] == "queued"


# --- the same delivery again --------------------------------------------------------------------


@pytest.mark.parametrize("status", ["queued", "running", "succeeded"])
def test_a_repeated_delivery_queues_nothing(status: str):
    deploy = Deploy.objects.get(pk=send(X_GitHub_Delivery=GUID).json()["deploy"])
    finish(deploy, status)

    response = send(X_GitHub_Delivery=GUID)

    assert response.status_code == 200
    assert response.json()["outcome"] == "duplicate"
    assert response.json()["deploy"] == deploy.pk
    assert status in response.json()["reason"]
    assert Deploy.objects.count() == OrmQ.objects.count() == 1
    delivery = Delivery.objects.get()
    assert (delivery.outcome, delivery.times_received) == ("queued", 2)
    assert (delivery.answer_status, delivery.answer) == (200, response.json())
    assert delivery.last_received_at > delivery.received_at


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_redelivery_after_an_unlucky_deploy_makes_another(status: str):
    old = Deploy.objects.get(pk=send(X_GitHub_Delivery=GUID).json()["deploy"])
    other = Delivery.objects.get(guid=send().json()["delivery"])
    finish(old, status)

    response = send(X_GitHub_Delivery=GUID)

    new = Deploy.objects.get(pk=response.json()["deploy"])
    assert (response.status_code, response.json()["outcome"]) == (202, "queued")
    assert (new.rerun_of, new.status) == (old, "queued")
    assert other in new.deliveries.all()
    assert set(new.deliveries.all()) == set(old.deliveries.all())
    old.refresh_from_db()
    assert old.status == status
    assert send(X_GitHub_Delivery=GUID).json()["deploy"] == new.pk


def test_a_redelivery_after_a_failure_joins_the_deploy_that_waits():
    old = Deploy.objects.get(pk=send(X_GitHub_Delivery=GUID).json()["deploy"])
    finish(old, "failed")
    waiting = send().json()["deploy"]

    assert send(X_GitHub_Delivery=GUID).json()["deploy"] == waiting
    assert Deploy.objects.get(pk=waiting).rerun_of == old


def test_a_redelivery_after_a_failure_is_held_while_frozen(settings):
    old = Deploy.objects.get(pk=send(X_GitHub_Delivery=GUID).json()["deploy"])
    finish(old, "failed")
    Freeze.objects.create(host=settings.DEPLOY_HOST)

    assert send(X_GitHub_Delivery=GUID).json()["outcome"] == "held"


def test_the_same_guid_of_another_hook_is_another_delivery():
    send(X_GitHub_Delivery=GUID, X_GitHub_Hook_ID="1")
    response = send(X_GitHub_Delivery=GUID, X_GitHub_Hook_ID="2")

    assert response.json()["outcome"] == "queued"
    assert Delivery.objects.count() == 2


def test_a_missing_hook_id_is_the_empty_one():
    send(X_GitHub_Delivery=GUID, X_GitHub_Hook_ID=None)

    assert send(X_GitHub_Delivery=GUID, X_GitHub_Hook_ID=None).json()["outcome"] == "duplicate"
    assert Delivery.objects.get().hook_id == ""


def test_an_ignored_delivery_is_decided_afresh_when_it_comes_again(settings):
    settings.DEPLOY_BRANCH = "live"
    assert send(X_GitHub_Delivery=GUID).json()["outcome"] == "ignored"
    settings.DEPLOY_BRANCH = "main"

    assert send(X_GitHub_Delivery=GUID).json()["outcome"] == "queued"
    assert Delivery.objects.get().outcome == "queued"


# --- pong and ignored ---------------------------------------------------------------------------


def test_a_ping_is_answered_with_pong():
    response = send({"zen": "Design for failure.", "hook_id": 1}, X_GitHub_Event="ping")

    assert (response.status_code, response.json()["outcome"]) == (200, "pong")
    assert Delivery.objects.get().outcome == "pong"
    assert not Deploy.objects.exists()


def test_other_events_are_ignored():
    assert_ignored(send({"action": "created"}, X_GitHub_Event="star"), "event star")


def test_other_branches_are_ignored():
    assert_ignored(send(make_push(ref="refs/heads/draft")), "draft", "main")


def test_tags_are_ignored():
    assert_ignored(send(make_push(ref="refs/tags/main")), "is a tag")


def test_refs_that_are_no_branch_are_ignored():
    assert_ignored(send(make_push(ref="refs/notes/commits")), "not a branch")


def test_a_branch_that_begins_like_the_deployed_one_is_another():
    assert_ignored(send(make_push(ref="refs/heads/main" + "x" * 300)), "deployed is main")


def test_deletions_are_ignored():
    push = make_push(deleted=True, after="0" * 40, head_commit=None)

    assert_ignored(send(push), "deleted")


def test_unknown_repositories_are_ignored():
    assert_ignored(send(make_push("acme/other")), "acme/other", "acme/site", "acme/theme")


def test_a_skip_marker_is_obeyed():
    push = make_push(head_commit={"message": "Typo\n\n[skip deploy]"})

    assert_ignored(send(push), "[skip deploy]")


def test_a_push_to_a_pinned_submodule_is_ignored_and_says_what_to_do():
    response = send(make_push("acme/theme"))

    assert_ignored(response, "pinned", "the site records its commit", "branch = main")


def test_another_branch_of_a_tracked_submodule_is_ignored():
    assert_ignored(send(make_push("acme/content", ref="refs/heads/draft")), "draft", "main")


def test_only_the_remote_names_a_submodule(settings):
    repository = {"full_name": "acme/content", "clone_url": "https://elsewhere.org/acme/content"}

    assert_ignored(send(make_push(repository=repository)), "none of those deployed here")


# --- nothing lost -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda site: shutil.rmtree(site), "DEPLOY_CHECKOUT"),
        (lambda site: shutil.rmtree(site / ".git"), "DEPLOY_CHECKOUT"),
        (lambda site: git("remote", "remove", "origin", cwd=site), "DEPLOY_REMOTE"),
        (lambda site: git("checkout", "-q", "--detach", cwd=site), "DEPLOY_BRANCH"),
        (lambda site: git("update-ref", "-d", "HEAD", cwd=site), "no commit"),
    ],
)
def test_a_site_that_does_not_know_its_repository_says_so(site: Path, spoil, word: str):
    spoil(site)
    response = send()

    assert response.status_code == 500
    assert response.json()["outcome"] == "refused"
    assert word in response.json()["reason"]
    assert not Delivery.objects.exists()
    assert Refusal.objects.get().status == 500


def test_a_push_that_may_mend_the_submodules_is_taken(site: Path):
    (site / ".gitmodules").write_text("[submodule")
    git("add", ".gitmodules", cwd=site)
    git("commit", "-q", "-m", "Break", cwd=site)

    assert send(make_push("acme/site")).status_code == 202
    response = send(make_push("acme/content"))
    assert response.status_code == 500
    assert ".gitmodules" in response.json()["reason"]


def test_an_alias_of_a_url_is_understood(site: Path):
    git("remote", "set-url", "origin", "hub:x/site.git", cwd=site)
    git("config", "url.https://github.com/acme/.insteadOf", "hub:x/", cwd=site)

    assert send().status_code == 202


def test_a_password_in_the_remote_is_told_to_nobody(site: Path, caplog):
    git("remote", "set-url", "origin", "https://me:hunter2@github.com/acme/site.git", cwd=site)

    assert "hunter2" not in send(make_push("acme/other")).text
    assert "hunter2" not in Delivery.objects.get().reason + caplog.text


def test_a_ping_is_answered_even_then(site: Path):
    shutil.rmtree(site)

    assert send({}, X_GitHub_Event="ping").json()["outcome"] == "pong"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("broken", ["request_deploy", "enqueue"])
def test_what_cannot_be_written_whole_is_not_written_at_all(broken: str, monkeypatch):
    def fail(*args: object, **kwargs: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(queue, broken, fail)
    response = send(X_GitHub_Delivery=GUID)

    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert response.json()["outcome"] == "refused"
    assert response.json()["delivery"] == GUID
    assert not Delivery.objects.exists()
    assert not Deploy.objects.exists()
    assert not OrmQ.objects.exists()
    assert Refusal.objects.get().status == 503

    monkeypatch.undo()
    assert send(X_GitHub_Delivery=GUID).status_code == 202


def test_the_waiting_time_for_locks_is_put_back(settings):
    def read_timeout() -> int:
        with connection.cursor() as cursor:
            return cursor.execute("PRAGMA busy_timeout").fetchone()[0]

    usual = settings.DATABASES["default"]["OPTIONS"]["timeout"] * 1000
    send()

    assert read_timeout() == usual


def test_what_a_payload_says_cannot_forge_a_line_in_the_log(caplog):
    with caplog.at_level(logging.INFO):
        send(make_push(ref="refs/heads/x\ndelivery 1 queued\x1b[31m"))

    [line] = [one.getMessage() for one in caplog.records if one.name.endswith("reception")]
    assert line.isprintable()


def test_each_delivery_has_a_line_in_the_log_and_no_secret(caplog):
    with caplog.at_level(logging.INFO):
        send(X_GitHub_Delivery=GUID)

    lines = [record.getMessage() for record in caplog.records if record.name.endswith("reception")]
    assert lines == [f"delivery {GUID} queued: Push to refs/heads/main of acme/site, the site."]
    assert SECRET.decode() not in caplog.text


def test_a_delivery_takes_few_queries(django_assert_max_num_queries):
    send()
    with django_assert_max_num_queries(20):
        send()

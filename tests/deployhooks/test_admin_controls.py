"""The admin's buttons to roll back, freeze and thaw, and the banners that go with them."""

import pytest
from django.test import Client
from django.urls import reverse

from deployhooks import control, queue
from deployhooks.models import Deploy
from tests.deployhooks import repositories as repos
from tests.deployhooks.rows import OLD, make_delivery, make_deploy, make_staff, make_step

pytestmark = pytest.mark.django_db
FREEZE = "/admin/deployhooks/deploy/freeze/"
THAW = "/admin/deployhooks/deploy/thaw/"


def rollback_of(deploy):
    return reverse("admin:deployhooks_deploy_rollback", args=[deploy.pk])


@pytest.fixture
def earlier():
    earlier = make_deploy(to_commit=OLD)
    make_deploy()
    return earlier


def test_the_rollback_page_names_the_commit_and_changes_nothing(admin_client, earlier):
    page = admin_client.get(rollback_of(earlier)).content.decode()
    assert OLD[:7] in page
    assert "frozen" in page
    assert not queue.is_frozen()
    assert not Deploy.objects.queued().exists()


def test_the_rollback_page_warns_of_migrations_that_stay(admin_client, tmp_path, settings):
    site = repos.make_remote(tmp_path / "site.git", {"manage.py": ""})
    old = repos.head(repos.desk_of(site))
    repos.commit(site, {"blog/migrations/0002_more.py": "", "blog/migrations/__init__.py": ""})
    settings.DEPLOY_CHECKOUT = repos.clone(site, tmp_path / "checkout")
    earlier = make_deploy(to_commit=old)
    page = admin_client.get(rollback_of(earlier)).content.decode()
    assert "blog.0002_more" in page
    assert "stay applied" in page
    assert "__init__" not in page


def test_the_rollback_button_queues_a_rollback_and_freezes(admin_client, earlier):
    answer = admin_client.post(rollback_of(earlier), follow=True)
    deploy = Deploy.objects.queued().get()
    assert (deploy.trigger, deploy.rollback_to) == ("rollback", earlier)
    assert deploy.requested_by == "admin"
    assert "Deploys are frozen." in answer.content.decode()


def test_a_deploy_that_never_was_live_offers_no_rollback(admin_client):
    failed = make_deploy(status="failed")
    page = admin_client.get(f"/admin/deployhooks/deploy/{failed.pk}/change/").content.decode()
    assert rollback_of(failed) not in page
    answer = admin_client.post(rollback_of(failed), follow=True)
    assert "only one that succeeded" in answer.content.decode()
    assert not queue.is_frozen()


def test_a_deploy_that_succeeded_offers_a_rollback(admin_client, earlier):
    page = admin_client.get(f"/admin/deployhooks/deploy/{earlier.pk}/change/").content.decode()
    assert rollback_of(earlier) in page


def test_freeze_and_thaw_buttons_stand_where_they_make_sense(admin_client):
    page = admin_client.get("/admin/").content.decode()
    assert FREEZE in page
    assert THAW not in page
    admin_client.post(FREEZE, {"reason": "a talk"})
    page = admin_client.get("/admin/").content.decode()
    assert "a talk" in page
    assert THAW in page
    assert FREEZE not in page


def test_the_thaw_button_deploys_what_was_held(admin_client):
    control.freeze("a talk")
    held = make_delivery(outcome="held")
    admin_client.post(THAW)
    assert not queue.is_frozen()
    assert list(Deploy.objects.queued().get().deliveries.all()) == [held]


@pytest.mark.parametrize("address", [FREEZE, THAW])
def test_freeze_and_thaw_need_a_post_with_a_token(admin_user, address):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 403


def test_a_rollback_needs_a_token(admin_user, earlier):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.post(rollback_of(earlier)).status_code == 403
    assert not Deploy.objects.queued().exists()


def test_staff_who_may_only_view_decide_nothing(client, earlier):
    client.force_login(make_staff("view"))
    assert (
        rollback_of(earlier)
        not in client.get(f"/admin/deployhooks/deploy/{earlier.pk}/change/").content.decode()
    )
    assert FREEZE not in client.get("/admin/").content.decode()
    for address in (rollback_of(earlier), FREEZE, THAW):
        assert client.post(address).status_code == 403
    assert client.get(rollback_of(earlier)).status_code == 403
    assert not queue.is_frozen()


def test_staff_with_the_change_permission_may_decide(client, earlier):
    client.force_login(make_staff("view", "change_deploy"))
    client.post(rollback_of(earlier))
    assert Deploy.objects.queued().get().rollback_to == earlier


@pytest.mark.parametrize("address", ["/admin/", "/admin/deployhooks/delivery/"])
def test_a_failed_put_back_has_a_banner_until_a_deploy_ends_well(admin_client, address):
    broken = make_deploy(status="failed", error="Putting back failed, look at the server.")
    make_step(broken, "put_back", status="failed")
    page = admin_client.get(address).content.decode()
    assert "Putting back failed: what is live is not certain." in page
    assert f"/admin/deployhooks/deploy/{broken.pk}/change/" in page
    make_deploy()
    assert "Putting back failed" not in admin_client.get(address).content.decode()

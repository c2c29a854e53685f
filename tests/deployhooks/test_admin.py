"""The admin: lists, pages, links, who may do what, and how it fares in a long history."""

import json
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from deployhooks.admin.deliveries import PAYLOAD_SHOWN
from deployhooks.admin.deploys import OUTPUT_SHOWN
from deployhooks.models import Delivery, Deploy, Freeze
from tests.deployhooks.rows import (
    NEW,
    OLD,
    make_delivery,
    make_deploy,
    make_refusal,
    make_staff,
    make_step,
)

pytestmark = pytest.mark.django_db

LISTS = {name: f"/admin/deployhooks/{name}/" for name in ("delivery", "deploy", "refusal")}


def page_of(row):
    return reverse(f"admin:deployhooks_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def viewer(client):
    client.force_login(make_staff("view"))
    return client


def read(client, address, status=200):
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


# --- What it shows ------------------------------------------------------------------------------


def test_every_list_and_page_opens_for_staff_who_may_view(viewer):
    deploy = make_deploy([make_delivery()], status="failed", error="No route to host")
    make_step(deploy, status="failed", output="fatal: no route\n")
    rows = [deploy, Delivery.objects.get(), make_refusal()]
    for address in ["/admin/", "/admin/deployhooks/", *LISTS.values(), *map(page_of, rows)]:
        read(viewer, address)


def test_every_list_opens_while_it_is_empty(admin_client):
    for address in ["/admin/", *LISTS.values()]:
        read(admin_client, address)


def test_list_of_deploys_says_what_happened(viewer):
    make_deploy([make_delivery(), make_delivery()], status="failed", error="No route to host")
    make_deploy(trigger="rerun", rerun_of=Deploy.objects.get(), requested_by="ada", restored=True)
    page = read(viewer, LISTS["deploy"])
    assert "No route to host" in page
    assert "push, 2 deliveries" in page
    assert f'rerun of <a href="{page_of(Deploy.objects.last())}">' in page
    assert "put back" in page
    assert f'<code title="{NEW}">{NEW[:7]}</code>' in page


def test_list_of_deploys_names_the_step_that_runs(viewer):
    deploy = make_deploy(status="running")
    make_step(deploy, "fetch")
    make_step(deploy, "submodules", status="running")
    assert "runs submodules" in read(viewer, LISTS["deploy"])


def test_deploy_and_delivery_link_to_each_other(viewer):
    delivery = make_delivery()
    deploy = make_deploy([delivery])
    assert page_of(delivery) in read(viewer, page_of(deploy))
    assert page_of(deploy) in read(viewer, page_of(delivery))
    assert page_of(deploy) in read(viewer, LISTS["delivery"])


def test_list_of_deliveries_names_them_as_github_does(viewer):
    assert make_delivery().guid in read(viewer, LISTS["delivery"])


def test_delivery_shows_its_newest_deploy_in_the_list(viewer):
    delivery = make_delivery()
    make_deploy([delivery], status="failed")
    newest = make_deploy([delivery], trigger="rerun")
    assert page_of(newest) in read(viewer, LISTS["delivery"])


def test_deploy_and_its_rerun_link_to_each_other(viewer):
    old = make_deploy(status="failed")
    new = make_deploy(trigger="rerun", rerun_of=old)
    assert page_of(new) in read(viewer, page_of(old))
    assert page_of(old) in read(viewer, page_of(new))


def test_page_of_a_deploy_shows_steps_with_output_escaped(viewer):
    deploy = make_deploy(status="failed", error="<b>broken</b>")
    make_step(deploy, "fetch", detail="The tip is <i>bbb</i>", output="<script>alert(1)</script>")
    make_step(deploy, "pull", status="skipped", detail="Nothing moved.")
    page = read(viewer, page_of(deploy))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page and "<b>broken" not in page and "<i>bbb" not in page
    assert "Nothing moved." in page


def test_page_of_a_deploy_drops_escape_sequences_of_terminals(viewer):
    deploy = make_deploy()
    make_step(deploy, output="\x1b[31mred\x1b[0m\x07\n")
    page = read(viewer, page_of(deploy))
    assert ">red\n" in page and "\x1b" not in page


def test_page_of_a_deploy_cuts_a_long_output_and_links_to_the_whole(viewer):
    deploy = make_deploy()
    make_step(deploy, output="first line\n" + "x" * OUTPUT_SHOWN)
    page = read(viewer, page_of(deploy))
    assert "first line" not in page
    log = reverse("admin:deployhooks_deploy_log", args=[deploy.pk])
    assert log in page
    whole = viewer.get(log)
    assert whole["Content-Type"].startswith("text/plain") and "first line" in whole.content.decode()


def test_page_of_a_restored_deploy_says_what_went_on_serving(viewer):
    deploy = make_deploy(status="failed", error="No worker came up.", restored=True)
    make_step(deploy, "reload", status="failed")
    make_step(deploy, "put_back")
    assert f"Put back: {OLD[:7]} went on serving." in read(viewer, page_of(deploy))


def test_page_of_a_deploy_that_failed_early_says_that_nothing_changed(viewer):
    deploy = make_deploy(status="failed", error="No route to host")
    make_step(deploy, "fetch", status="failed")
    assert f"Nothing was changed: {OLD[:7]} went on serving." in read(viewer, page_of(deploy))


def test_failed_put_back_is_shouted_on_its_page_and_on_the_front_page(viewer):
    deploy = make_deploy(status="failed", error="No worker came up.")
    make_step(deploy, "reload", status="failed")
    make_step(deploy, "put_back", status="failed")
    assert "Look at the server now." in read(viewer, page_of(deploy))
    assert "what is live is not certain" in read(viewer, "/admin/")


def test_page_of_a_queued_deploy_says_when_the_queue_does_not_take_it(viewer):
    deploy = make_deploy(status="queued")
    sentence = f"The queue has not taken deploy {deploy.pk}: is `manage.py qcluster` running"
    assert sentence in read(viewer, page_of(deploy))
    assert sentence in read(viewer, "/admin/")


def test_page_of_a_queued_deploy_names_the_one_it_waits_for(viewer):
    running = make_deploy(status="running")
    deploy = make_deploy(status="queued")
    assert f"end of deploy {running.pk}, which runs now" in read(viewer, page_of(deploy))


def test_running_deploy_without_sign_of_life_is_reported(viewer):
    silent = timezone.now() - timedelta(minutes=3)
    deploy = make_deploy(status="running", heartbeat_at=silent)
    assert "no sign of life" in read(viewer, page_of(deploy))
    assert "no sign of life" in read(viewer, "/admin/")


def test_page_of_an_unfinished_deploy_updates_itself_with_and_without_script(viewer):
    deploy = make_deploy(status="running")
    page = read(viewer, page_of(deploy))
    assert '<noscript><meta http-equiv="refresh"' in page
    live = reverse("admin:deployhooks_deploy_live", args=[deploy.pk])
    assert f'data-url="{live}"' in page
    assert "data-unfinished" in read(viewer, live)
    Deploy.objects.update(status="succeeded", finished_at=timezone.now())
    assert "data-unfinished" not in read(viewer, live)
    assert "http-equiv" not in read(viewer, page_of(deploy))


def test_pages_work_under_a_policy_without_inline_script_and_style(viewer):
    deploy = make_deploy([make_delivery()], status="running")
    make_step(deploy, status="running", output="x")
    for address in ["/admin/", *LISTS.values(), page_of(deploy), page_of(Delivery.objects.get())]:
        page = read(viewer, address)
        assert "<style" not in page and " style=" not in page and " onclick=" not in page
        assert "<script>" not in page


def test_frozen_site_shows_a_banner_with_the_reason(viewer):
    deploy = make_deploy([make_delivery()])
    Freeze.objects.create(host=settings.DEPLOY_HOST, reason="A talk is on.", frozen_by="ada")
    addresses = ["/admin/", LISTS["deploy"], LISTS["delivery"], page_of(deploy)]
    for address in addresses:
        assert "A talk is on." in read(viewer, address)


def test_front_page_tells_live_commit_last_delivery_and_refusals(viewer):
    make_deploy([make_delivery(reason="The branch draft is not deployed.", outcome="ignored")])
    make_refusal(unrecorded=4)
    make_refusal(received_at=timezone.now() - timedelta(hours=2))
    page = read(viewer, "/admin/")
    assert NEW[:7] in page
    assert "The branch draft is not deployed." in page
    assert "5 requests refused" in page


def test_front_page_tells_nothing_to_those_who_may_not_see_deploys(client):
    make_deploy()
    client.force_login(make_staff())
    assert "dh-card" not in read(client, "/admin/")


# --- Deliveries and refusals --------------------------------------------------------------------


def test_page_of_a_delivery_shows_headers_answer_and_indented_payload(viewer):
    delivery = make_delivery(
        payload=json.dumps({"pusher": {"name": "艾达"}}), answer={"outcome": "queued"}
    )
    page = read(viewer, page_of(delivery))
    assert "X-GitHub-Event" in page
    assert "  &quot;pusher&quot;: {\n    &quot;name&quot;: &quot;艾达&quot;" in page
    assert "&quot;outcome&quot;: &quot;queued&quot;" in page


@pytest.mark.parametrize(
    "payload", [r'{"a": "\ud800"}', r'{"a": "\u0000"}', "no json", "", "[" * 5000, '{"a": NaN}']
)
def test_page_of_a_delivery_survives_any_payload(viewer, payload):
    read(viewer, page_of(make_delivery(payload=payload)))


def test_huge_payload_is_cut_with_a_note_and_can_be_downloaded(viewer):
    payload = json.dumps({"long": "x" * PAYLOAD_SHOWN, "end": "the very end"})
    delivery = make_delivery(payload=payload)
    page = read(viewer, page_of(delivery))
    assert "Only the beginning" in page and "the very end" not in page
    download = viewer.get(reverse("admin:deployhooks_delivery_payload", args=[delivery.pk]))
    assert download["Content-Disposition"].startswith("attachment")
    assert download.content.decode() == payload


def test_payload_is_for_those_who_may_view_deliveries(client):
    delivery = make_delivery()
    client.force_login(make_staff("view_deploy"))
    read(client, reverse("admin:deployhooks_delivery_payload", args=[delivery.pk]), status=403)


def test_deploy_with_many_deliveries_links_to_all_of_them(viewer):
    deploy = make_deploy([make_delivery() for _ in range(25)])
    make_delivery(guid="another")
    link = f"{LISTS['delivery']}?deploys__id__exact={deploy.pk}"
    assert link in read(viewer, page_of(deploy))
    listed = read(viewer, link)
    assert "25 deliveries" in listed


def test_refusals_show_reason_sender_and_how_many_more_there_were(viewer):
    make_refusal(unrecorded=7)
    page = read(viewer, LISTS["refusal"])
    assert "The signature matches none" in page
    assert "198.51.100.7" in page and "curl/8.5.0" in page
    assert "and 7 more like it" in page


@pytest.mark.parametrize("term", ["matches none", "198.51", "curl"])
def test_refusals_are_found(viewer, term):
    make_refusal(reason="No event", remote_address="203.0.113.9", headers={})
    found = make_refusal()
    page = read(viewer, f"{LISTS['refusal']}?q={term}")
    assert page_of(found) in page and "1 refusal\n" in page


# --- Search and filters -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "term",
    [
        "1234567",
        "1234567890123456789012345678901234567890",
        "deadbeef-0000",
        "deadbeef-0000-0000-0000-000000000001",
        "draft",
        "Grace",
        "gr/blog",
        "typo in title",
        "not deployed",
        "issues",
    ],
)
def test_deliveries_are_found(viewer, term):
    make_delivery()
    found = make_delivery(
        guid="deadbeef-0000-0000-0000-000000000001",
        after="1234567890123456789012345678901234567890",
        ref="refs/heads/draft",
        pusher="Grace",
        repository="gr/blog",
        head_message="Fix a typo in title",
        reason="not deployed",
        event="issues",
    )
    page = read(viewer, f"{LISTS['delivery']}?q={term}")
    assert page_of(found) in page and "1 delivery" in page


def test_deploys_are_found(viewer):
    make_deploy([make_delivery()])
    found = make_deploy(
        [make_delivery(guid="deadbeef-0000-0000-0000-000000000001")],
        status="failed",
        to_commit="1234567890123456789012345678901234567890",
        error="No route to host",
        requested_by="Grace",
    )
    terms = [
        str(found.pk),
        f"%23{found.pk}",
        "1234567",
        "deadbeef-0000-0000-0000-000000000001",
        "deadbeef",
        "route",
        "Grace",
    ]
    for term in terms:
        page = read(viewer, f"{LISTS['deploy']}?q={term}")
        assert page_of(found) in page and "1 deploy\n" in page, term


def test_a_word_of_hexadecimal_letters_is_found_as_a_word(viewer):
    found = make_delivery(head_message="Mend the facade")
    assert page_of(found) in read(viewer, f"{LISTS['delivery']}?q=facade")


@pytest.mark.parametrize(
    ("name", "query", "count"),
    [
        ("deploy", "status__exact=failed", "1 deploy\n"),
        ("deploy", "trigger__exact=rerun", "1 deploy\n"),
        ("deploy", "restored__exact=1", "1 deploy\n"),
        ("delivery", "outcome=ignored", "1 delivery\n"),
        ("delivery", "event=push", "2 deliveries\n"),
        ("delivery", "event=ping", "1 delivery\n"),
        ("delivery", "event=other", "1 delivery\n"),
        ("refusal", "status=413", "1 refusal\n"),
    ],
)
def test_lists_can_be_filtered(viewer, name, query, count):
    make_deploy([make_delivery(), make_delivery(outcome="ignored")])
    make_deploy(status="failed", trigger="rerun", restored=True)
    make_delivery(event="ping")
    make_delivery(event="issues")
    make_refusal()
    make_refusal(status=413)
    assert count in read(viewer, f"{LISTS[name]}?{query}")


def test_only_outcomes_that_a_row_can_have_are_offered(viewer):
    make_delivery()
    offered = set(re.findall(r"[?&;]outcome=(\w+)", read(viewer, LISTS["delivery"])))
    assert offered == {"queued", "held", "pong", "ignored"}


# --- Who may do what ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(LISTS))
def test_nobody_adds_changes_or_deletes_through_the_admin(admin_client, name):
    row = {"delivery": make_delivery, "deploy": make_deploy, "refusal": make_refusal}[name]()
    assert admin_client.get(f"{LISTS[name]}add/").status_code == 403
    assert admin_client.get(f"{LISTS[name]}{row.pk}/delete/").status_code == 403
    assert admin_client.post(page_of(row), {"status": "succeeded"}).status_code == 403
    admin_client.post(LISTS[name], {"action": "delete_selected", "_selected_action": [row.pk]})
    assert type(row).objects.filter(pk=row.pk).exists()


def test_pages_of_rows_that_do_not_exist_lead_back(admin_client):
    for address in LISTS.values():
        assert admin_client.get(f"{address}999/change/").status_code == 302
        assert admin_client.get(f"{address}nonsense/change/").status_code == 302


def test_strangers_are_sent_to_sign_in(client):
    deploy = make_deploy(status="failed")
    for view in ("rerun", "live", "log"):
        address = reverse(f"admin:deployhooks_deploy_{view}", args=[deploy.pk])
        assert client.post(address).status_code == 302
    assert Deploy.objects.count() == 1


def test_staff_who_may_see_only_deliveries_see_no_deploys(client):
    deploy = make_deploy()
    client.force_login(make_staff("view_delivery"))
    read(client, LISTS["delivery"])
    for view in ("change", "live", "log"):
        read(client, reverse(f"admin:deployhooks_deploy_{view}", args=[deploy.pk]), status=403)


def test_button_of_a_failed_deploy_makes_a_new_one_linked_to_it(admin_client):
    delivery = make_delivery()
    old = make_deploy([delivery], status="failed", error="No route to host")
    before = Deploy.objects.filter(pk=old.pk).values().get()
    address = reverse("admin:deployhooks_deploy_rerun", args=[old.pk])
    assert f'action="{address}"' in read(admin_client, page_of(old))

    answer = admin_client.post(address)

    new = Deploy.objects.get(status="queued")
    assert answer["Location"] == page_of(new)
    assert (new.rerun_of, new.trigger, new.requested_by) == (old, "rerun", "admin")
    assert list(new.deliveries.all()) == [delivery]
    assert Deploy.objects.filter(pk=old.pk).values().get() == before


def test_rerun_button_stands_only_where_it_makes_sense(admin_client):
    for status, has_button in {"succeeded": False, "running": False, "cancelled": True}.items():
        deploy = make_deploy(status=status)
        assert ("Re-run this deploy" in read(admin_client, page_of(deploy))) is has_button


def test_rerun_of_an_unfinished_deploy_is_refused_with_the_reason(admin_client):
    deploy = make_deploy(status="running")
    address = reverse("admin:deployhooks_deploy_rerun", args=[deploy.pk])
    answer = admin_client.post(address, follow=True)
    assert "is still running" in answer.content.decode()
    assert Deploy.objects.count() == 1


def test_rerun_and_deploy_now_need_a_post_with_a_token(admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    deploy = make_deploy(status="failed")
    addresses = [
        reverse("admin:deployhooks_deploy_rerun", args=[deploy.pk]),
        reverse("admin:deployhooks_deploy_now"),
    ]
    for address in addresses:
        assert client.get(address).status_code == 405
        assert client.post(address).status_code == 403
    assert Deploy.objects.count() == 1


def test_rerun_of_a_deploy_that_does_not_exist_is_404(admin_client):
    address = reverse("admin:deployhooks_deploy_rerun", args=[999])
    assert admin_client.post(address).status_code == 404


def test_action_reruns_selected_deploys_in_one_new_deploy(admin_client):
    first = make_deploy([make_delivery()], status="failed")
    second = make_deploy([make_delivery()], status="cancelled")
    running = make_deploy(status="running")
    assert "Re-run selected deploys" in read(admin_client, LISTS["deploy"])

    answer = admin_client.post(
        LISTS["deploy"],
        {"action": "rerun_selected", "_selected_action": [first.pk, second.pk, running.pk]},
        follow=True,
    )

    new = Deploy.objects.get(status="queued")
    assert new.rerun_of == first and new.deliveries.count() == 2
    page = answer.content.decode()
    assert f"runs deploy #{first.pk} again" in page and f"runs deploy #{second.pk} again" in page
    assert f"Deploy {running.pk} is still running" in page


def test_action_takes_no_endless_selection(admin_client):
    for _ in range(51):
        make_deploy(status="failed")
    data = {"action": "rerun_selected", "_selected_action": ["1"], "select_across": "1"}
    answer = admin_client.post(LISTS["deploy"], data, follow=True)
    assert "Select at most 50" in answer.content.decode()
    assert not Deploy.objects.queued().exists()


def test_deploy_now_queues_a_manual_deploy(admin_client):
    address = reverse("admin:deployhooks_deploy_now")
    assert f'action="{address}"' in read(admin_client, LISTS["deploy"])
    answer = admin_client.post(address)
    deploy = Deploy.objects.get()
    assert (deploy.status, deploy.trigger, deploy.requested_by) == ("queued", "manual", "admin")
    assert answer["Location"] == page_of(deploy)


def test_cancel_button_ends_a_queued_deploy_and_asks_a_running_one_to_end(admin_client):
    for status, wanted in {"queued": "cancelled", "running": "running"}.items():
        deploy = make_deploy(status=status, heartbeat_at=timezone.now())
        address = reverse("admin:deployhooks_deploy_cancel", args=[deploy.pk])
        assert f'action="{address}"' in read(admin_client, page_of(deploy))
        page = admin_client.post(address, follow=True).content.decode()
        deploy.refresh_from_db()
        assert deploy.status == wanted
        assert ("Cancelled by admin." if deploy.is_final else "admin asked to cancel it.") in page
        assert f'action="{address}"' not in page


def test_cancel_of_a_finished_deploy_is_refused_with_the_reason(admin_client):
    deploy = make_deploy()
    address = reverse("admin:deployhooks_deploy_cancel", args=[deploy.pk])
    answer = admin_client.post(address, follow=True)
    assert "is succeeded already" in answer.content.decode()


def test_thaw_button_deploys_what_was_held(admin_client):
    delivery = make_delivery(outcome="held")
    Freeze.objects.create(host=settings.DEPLOY_HOST, reason="A talk is on.")
    address = reverse("admin:deployhooks_deploy_thaw")
    assert f'action="{address}"' in read(admin_client, page_of(delivery))
    answer = admin_client.post(address)
    assert not Freeze.objects.exists()
    assert answer["Location"] == page_of(Deploy.objects.get())
    assert admin_client.post(address)["Location"] == LISTS["deploy"]  # nothing more was held


def test_staff_who_may_only_view_see_no_button_and_cannot_deploy(viewer):
    Freeze.objects.create(host=settings.DEPLOY_HOST)
    deploys = [make_deploy(status=status) for status in ("failed", "succeeded", "running")]
    make_deploy()
    forms = [reverse(f"admin:deployhooks_deploy_{view}") for view in ("now", "thaw")]
    for view in ("rerun", "cancel", "rollback"):
        forms += [reverse(f"admin:deployhooks_deploy_{view}", args=[row.pk]) for row in deploys]
    addresses = ["/admin/", LISTS["deploy"], LISTS["delivery"], *map(page_of, deploys)]
    pages = "".join(read(viewer, address) for address in addresses)
    assert "Re-run selected deploys" not in pages
    for form in forms:
        assert form not in pages
        assert viewer.post(form).status_code == 403
    selection = {"action": "rerun_selected", "_selected_action": [deploys[0].pk]}
    assert viewer.post(LISTS["deploy"], selection).status_code == 403
    assert Deploy.objects.count() == 4 and Freeze.objects.exists()
    assert not Deploy.objects.exclude(cancel_requested_at=None).exists()


def test_staff_with_the_change_permission_may_deploy_but_not_edit(client):
    deploy = make_deploy(status="failed")
    client.force_login(make_staff("view", "change_deploy"))
    assert client.post(page_of(deploy), {"status": "succeeded"}).status_code == 403
    client.post(reverse("admin:deployhooks_deploy_rerun", args=[deploy.pk]))
    assert Deploy.objects.get(status="queued").requested_by == "eve"


def test_the_queues_own_admin_is_not_there(admin_client):
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]
    for name in ("success", "failure", "schedule", "ormq"):
        assert admin_client.get(f"/admin/django_q/{name}/").status_code == 404
        assert admin_client.get(f"/admin/django_q/{name}/add/").status_code == 404

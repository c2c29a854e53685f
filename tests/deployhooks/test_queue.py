"""Asking for deploys."""

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from deployhooks import queue
from deployhooks.models import Delivery, Deploy

pytestmark = pytest.mark.django_db


def make_delivery(**overrides) -> Delivery:
    values = {"guid": f"guid-{Delivery.objects.count()}", "event": "push"}
    return Delivery.objects.create(**(values | overrides))


def make_deploy(**overrides) -> Deploy:
    return Deploy.objects.create(
        **({"trigger": "push", "host": queue.settings.DEPLOY_HOST} | overrides)
    )


def test_the_first_request_makes_a_deploy_and_its_queue_row():
    delivery = make_delivery()
    deploy = queue.request_deploy(Deploy.Trigger.PUSH, deliveries=[delivery])
    assert deploy.status == "queued"
    assert list(deploy.deliveries.all()) == [delivery]
    assert [row.args() for row in OrmQ.objects.all()] == [(deploy.pk,)]


def test_a_request_while_one_is_queued_joins_it():
    first = queue.request_deploy(Deploy.Trigger.PUSH, deliveries=[make_delivery()])
    second = queue.request_deploy(Deploy.Trigger.MANUAL, deliveries=[make_delivery()])
    assert first == second
    assert first.deliveries.count() == 2
    assert OrmQ.objects.count() == 1


def test_a_request_while_one_runs_makes_another():
    running = make_deploy(status="running")
    assert queue.request_deploy(Deploy.Trigger.PUSH) != running


def test_the_queue_row_goes_with_the_callers_transaction():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        queue.request_deploy(Deploy.Trigger.PUSH)
        raise ZeroDivisionError
    assert not Deploy.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_rerun_is_linked_to_the_old_deploy_which_stays_as_it_was():
    old = make_deploy(status="failed", error="no network")
    old.deliveries.add(make_delivery())
    new = queue.rerun(old, "someone")
    assert (new.rerun_of, new.trigger, new.requested_by) == (old, "rerun", "someone")
    assert list(new.deliveries.all()) == list(old.deliveries.all())
    old.refresh_from_db()
    assert (old.status, old.error) == ("failed", "no network")


def test_a_rerun_joins_a_queued_deploy_and_links_it_if_it_was_free():
    queued = queue.request_deploy(Deploy.Trigger.PUSH)
    first, second = make_deploy(status="failed"), make_deploy(status="failed")
    assert queue.rerun(first) == queue.rerun(second) == queued
    queued.refresh_from_db()
    assert (queued.rerun_of, queued.trigger) == (first, "push")


@pytest.mark.parametrize("status", ["queued", "running"])
def test_what_is_not_final_is_not_rerun(status):
    with pytest.raises(ValueError, match=status):
        queue.rerun(make_deploy(status=status))


@pytest.mark.parametrize("status", ["queued", "running"])
def test_the_database_itself_allows_only_one_on_a_host(status):
    make_deploy(status=status)
    make_deploy(status=status, host="elsewhere")
    with pytest.raises(IntegrityError), transaction.atomic():
        make_deploy(status=status)


def test_of_two_claims_one_wins():
    deploy = make_deploy()
    assert Deploy.objects.claim(deploy.pk)
    assert not Deploy.objects.claim(deploy.pk)


def test_telling_the_queue_again_replaces_its_row():
    deploy = queue.request_deploy(Deploy.Trigger.PUSH)
    queue.enqueue_again(deploy)
    assert [row.args() for row in OrmQ.objects.all()] == [(deploy.pk,)]


def test_a_push_that_joins_a_rollback_that_is_not_meant_to_last_goes_live():
    target = make_deploy(status="succeeded")
    waiting = queue.request_deploy(Deploy.Trigger.RERUN, rollback_to=target)
    assert queue.request_deploy(Deploy.Trigger.PUSH, deliveries=[make_delivery()]) == waiting
    waiting.refresh_from_db()
    assert waiting.rollback_to is None


def test_a_queue_that_begins_is_told_of_all_that_waits():
    deploy = make_deploy()
    queue.enqueue_waiting()
    assert [row.args() for row in OrmQ.objects.all()] == [(deploy.pk,)]

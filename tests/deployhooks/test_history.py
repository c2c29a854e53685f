"""Pruning."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployhooks import history
from deployhooks.models import Delivery, Deploy

pytestmark = pytest.mark.django_db
OLD = timezone.now() - timedelta(days=100)


def make_delivery(**overrides) -> Delivery:
    values = {"guid": f"guid-{Delivery.objects.count()}", "event": "push", "last_received_at": OLD}
    return Delivery.objects.create(**(values | overrides))


def make_deploy(**overrides) -> Deploy:
    values = {"trigger": "push", "host": "here", "status": "succeeded", "queued_at": OLD}
    return Deploy.objects.create(**(values | overrides))


@pytest.fixture
def keep_none(monkeypatch):
    monkeypatch.setattr(history, "DEPLOYS_KEPT", 0)


def test_old_rows_go_and_new_ones_stay(keep_none):
    make_deploy().deliveries.add(make_delivery())
    make_deploy().steps.create(position=1, name="fetch")
    new = make_deploy(queued_at=timezone.now())
    kept = make_delivery(last_received_at=timezone.now())
    assert history.prune_history() == {"deploys": 2, "deliveries": 1, "tasks": 0}
    assert list(Deploy.objects.all()) == [new]
    assert list(Delivery.objects.all()) == [kept]


def test_a_delivery_stays_as_long_as_its_deploy(keep_none):
    make_deploy(queued_at=timezone.now()).deliveries.add(make_delivery())
    assert history.prune_history()["deliveries"] == 0


@pytest.mark.parametrize("status", ["queued", "running"])
def test_what_is_not_final_stays(keep_none, status):
    make_deploy(status=status)
    assert history.prune_history()["deploys"] == 0


def test_what_is_held_stays(keep_none):
    make_delivery(outcome="held")
    assert history.prune_history()["deliveries"] == 0


def test_the_newest_deploys_stay_for_a_rollback():
    make_deploy()
    assert history.prune_history()["deploys"] == 0


def test_more_rows_than_a_batch_go_as_well(keep_none, monkeypatch):
    monkeypatch.setattr(history, "BATCH", 2)
    for _ in range(5):
        make_delivery()
    assert history.prune_history()["deliveries"] == 5

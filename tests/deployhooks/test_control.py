"""Freeze, thaw, roll back, cancel."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployhooks import control, queue
from deployhooks.models import Delivery, Deploy

pytestmark = pytest.mark.django_db


def make_delivery(**overrides) -> Delivery:
    values = {"guid": f"guid-{Delivery.objects.count()}", "event": "push"}
    return Delivery.objects.create(**(values | overrides))


def make_deploy(**overrides) -> Deploy:
    number = Deploy.objects.count()
    values = {
        "trigger": "push",
        "host": queue.settings.DEPLOY_HOST,
        "status": "succeeded",
        "to_commit": f"{number:040d}",
        "finished_at": timezone.now() + timedelta(minutes=number),
    }
    return Deploy.objects.create(**(values | overrides))


def test_a_freeze_holds_what_is_queued():
    deploy = queue.request_deploy(Deploy.Trigger.PUSH, deliveries=[make_delivery()])
    control.freeze("a talk", "ada")
    deploy.refresh_from_db()
    assert deploy.status == "cancelled"
    assert "a talk" in deploy.error
    assert Delivery.objects.get().outcome == "held"
    assert queue.is_frozen().reason == "a talk"


def test_a_thaw_deploys_what_was_held_in_one_deploy():
    first, second = make_delivery(outcome="held"), make_delivery(outcome="held")
    control.freeze("a talk")
    deploy = control.thaw("ada")
    assert set(deploy.deliveries.all()) == {first, second}
    assert not queue.is_frozen()
    assert {d.outcome for d in Delivery.objects.all()} == {"queued"}


def test_what_was_held_does_not_join_a_rollback_that_has_not_begun():
    make_deploy()
    make_deploy()
    queue.request_deploy(Deploy.Trigger.PUSH, deliveries=[make_delivery()])
    rollback = control.roll_back()
    deploy = control.thaw()
    rollback.refresh_from_db()
    assert (rollback.status, deploy.rollback_to) == ("cancelled", None)
    assert deploy.deliveries.count() == 1


def test_a_thaw_with_nothing_held_deploys_nothing():
    control.freeze()
    assert control.thaw() is None
    assert not Deploy.objects.exists()


def test_a_rollback_goes_to_the_version_before_the_live_one_and_freezes():
    before = make_deploy()
    make_deploy(to_commit="b" * 40)
    make_deploy(to_commit="b" * 40)  # the same version once more is no earlier version
    asked = control.roll_back(by="ada")
    assert (asked.rollback_to, asked.trigger) == (before, "rollback")
    assert f"deploy {before.pk}" in queue.is_frozen().reason


def test_versions_that_differ_in_a_submodule_alone_are_different():
    before = make_deploy(to_commit="b" * 40, submodules={"content": {"from": None, "to": "1" * 40}})
    make_deploy(to_commit="b" * 40, submodules={"content": {"from": "1" * 40, "to": "2" * 40}})
    assert control.roll_back().rollback_to == before


def test_a_rollback_holds_the_queued_push_and_takes_its_place():
    make_deploy()
    make_deploy()
    queued = queue.request_deploy(Deploy.Trigger.PUSH, deliveries=[make_delivery()])
    asked = control.roll_back()
    queued.refresh_from_db()
    assert (queued.status, asked.status) == ("cancelled", "queued")
    assert Delivery.objects.get().outcome == "held"


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_nobody_rolls_back_to_what_never_was_live(status):
    with pytest.raises(control.Refused, match=status):
        control.roll_back(make_deploy(status=status))
    assert not queue.is_frozen()


def test_without_an_earlier_version_there_is_no_rollback():
    make_deploy()
    with pytest.raises(control.Refused, match="no earlier version"):
        control.roll_back()


def test_a_queued_deploy_is_cancelled_at_once():
    deploy = control.cancel(queue.request_deploy(Deploy.Trigger.PUSH), "ada")
    assert (deploy.status, deploy.error) == ("cancelled", "Cancelled by ada.")


def test_a_running_deploy_is_asked_to_end():
    deploy = control.cancel(make_deploy(status="running"), "ada")
    assert deploy.status == "running"
    assert deploy.cancel_requested_at
    assert deploy.cancel_requested_by == "ada"


def make_half_done(**overrides) -> Deploy:
    """One whose process died: it waits for its next attempt, and what it moved is not put back."""
    values = {"status": "queued", "attempt": 1, "from_commit": "a" * 40, "finished_at": None}
    return make_deploy(**(values | overrides))


def test_a_queued_deploy_that_is_half_done_is_put_back_before_it_is_cancelled():
    waiting = make_half_done(not_before=timezone.now() + timedelta(hours=1))
    deploy = control.cancel(waiting, "ada")
    assert (deploy.status, deploy.cancel_requested_by) == ("queued", "ada")
    assert deploy.not_before <= timezone.now()


def test_a_freeze_lets_what_is_half_done_be_put_back_and_holds_its_deliveries():
    waiting = make_half_done()
    waiting.deliveries.add(make_delivery())
    control.freeze("a talk")
    waiting.refresh_from_db()
    assert (waiting.status, bool(waiting.cancel_requested_at)) == ("queued", True)
    assert Delivery.objects.get().outcome == "held"


def test_a_rollback_begins_from_what_is_half_done():
    earlier = make_deploy()
    make_deploy()
    waiting = make_half_done(attempt=2)
    rollback = control.roll_back(earlier)
    assert (rollback, rollback.trigger, rollback.rollback_to) == (waiting, "rollback", earlier)
    assert rollback.cancel_requested_at is None
    assert rollback.from_commit == waiting.from_commit
    thawed = queue.request_deploy(Deploy.Trigger.PUSH)
    assert (thawed, thawed.rollback_to) == (waiting, None)


@pytest.mark.parametrize("waits_for", [{"cancel_requested_at": timezone.now()}, {"attempt": 3}])
def test_a_push_that_joins_what_waits_to_be_put_back_is_deployed_all_the_same(waits_for):
    waiting = make_half_done(**waits_for)
    deploy = queue.request_deploy(Deploy.Trigger.PUSH, deliveries=[make_delivery()])
    assert deploy == waiting
    assert (deploy.cancel_requested_at, deploy.deaths) == (None, 0)
    assert deploy.from_commit == waiting.from_commit


def test_what_is_final_is_not_cancelled():
    with pytest.raises(control.Refused, match="succeeded already"):
        control.cancel(make_deploy())


def test_after_a_rollback_the_next_one_goes_further_back_not_forward():
    first = make_deploy(to_commit="a" * 40)
    middle = make_deploy(to_commit="b" * 40)
    make_deploy(to_commit="c" * 40)
    make_deploy(to_commit="b" * 40, trigger="rollback", rollback_to=middle)
    assert control.find_target() == first


def test_after_a_rollback_to_the_first_version_there_is_no_earlier_one():
    first = make_deploy(to_commit="a" * 40)
    make_deploy(to_commit="b" * 40)
    make_deploy(to_commit="a" * 40, trigger="rollback", rollback_to=first)
    with pytest.raises(control.Refused, match="no earlier version"):
        control.find_target()


def test_a_thaw_goes_on_with_a_deploy_that_was_queued_by_hand():
    queue.request_deploy(Deploy.Trigger.MANUAL, requested_by="ada")
    control.freeze("a talk")
    assert control.thaw("bob").trigger == "manual"


def test_a_thaw_does_not_repeat_what_an_earlier_freeze_held():
    queue.request_deploy(Deploy.Trigger.MANUAL)
    control.freeze()
    control.cancel(control.thaw())
    control.freeze()
    assert control.thaw() is None


def test_freezing_again_changes_the_reason_and_forgets_nothing():
    queue.request_deploy(Deploy.Trigger.MANUAL)
    since = control.freeze("a talk").frozen_at
    control.freeze("a longer talk")
    assert queue.is_frozen().reason == "a longer talk"
    assert queue.is_frozen().frozen_at == since
    assert control.thaw()


def test_a_thaw_before_the_rollback_began_goes_forward():
    make_deploy()
    make_deploy()
    rollback = control.roll_back()
    held = make_delivery(outcome="held")
    deploy = control.thaw("ada")
    rollback.refresh_from_db()
    assert rollback.status == "cancelled"
    assert (deploy.rollback_to, list(deploy.deliveries.all())) == (None, [held])

"""Looking after deploys from outside the queue; dead processes are real ones."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import timedelta

import psutil
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ

from deployhooks import cluster, queue, recovery, watch
from deployhooks.explanations import explain
from deployhooks.identity import read_start
from deployhooks.lease import describe_this_process
from deployhooks.models import Delivery, Deploy
from deployhooks.overview import find_broken

pytestmark = pytest.mark.django_db(transaction=True)


def make_deploy(**overrides) -> Deploy:
    values = {"trigger": "push", "host": queue.settings.DEPLOY_HOST, "attempt": 1}
    return Deploy.objects.create(**(values | overrides))


def make_running(**overrides) -> Deploy:
    return make_deploy(**({"status": "running"} | describe_this_process() | overrides))


def make_dead(**overrides) -> Deploy:
    """A deploy whose process has ended, and whose number another process may have by now."""
    return make_running(**({"pid_started_at": 1.0} | overrides))


def reload(deploy: Deploy) -> Deploy:
    deploy.refresh_from_db()
    return deploy


def start_group(seconds: int = 60) -> subprocess.Popen:
    """A process group as git makes one: a leader and a child."""
    code = f"import subprocess; subprocess.run(['sleep', '{seconds}'])"
    return subprocess.Popen([sys.executable, "-c", code], start_new_session=True)


def test_the_deploy_of_a_living_process_is_left_alone():
    deploy = make_running()
    watch.Watch().look()
    assert reload(deploy).status == "running"


@pytest.mark.parametrize(
    "gone", [{"pid_started_at": 1.0}, {"boot_id": "an earlier boot"}, {"pid": 2**22 + 1}]
)
def test_the_deploy_of_a_dead_process_is_queued_again_after_a_pause(gone):
    deploy = make_running(**gone)
    deploy.steps.create(position=1, name="fetch")
    watch.Watch().look()
    assert reload(deploy).status == "queued"
    assert deploy.not_before > timezone.now()
    assert deploy.steps.get().status == "failed"
    assert "died during attempt 1" in deploy.steps.get().detail


def test_pauses_grow_and_the_third_death_is_the_last():
    pauses = []
    deploy = make_dead()
    for attempt in (1, 2, 3):
        Deploy.objects.filter(pk=deploy.pk).update(status="running", attempt=attempt)
        recovery.return_to_queue(reload(deploy), "It died.")
        if reload(deploy).status == "queued":
            pauses.append(deploy.not_before - deploy.queued_at)
    assert pauses == sorted(pauses)
    assert len(set(pauses)) == 2
    assert deploy.status == "failed"
    assert "last attempt" in deploy.error


def test_orderly_stops_are_no_deaths():
    deploy = make_dead(attempt=0)
    for is_stop in (True, True, False, True, True, False):
        Deploy.objects.update(status="running", attempt=F("attempt") + 1)
        pause = recovery.return_to_queue(reload(deploy), "It ended.", is_stop=is_stop)
        assert reload(deploy).status == "queued"
        assert bool(pause) != is_stop
    Deploy.objects.update(status="running", attempt=F("attempt") + 1)
    recovery.return_to_queue(reload(deploy), "It died.")
    assert (reload(deploy).status, deploy.attempt) == ("failed", 7)


def test_after_three_deaths_a_deploy_that_moved_something_gets_one_more_to_be_put_back():
    deploy = make_dead(attempt=3)
    deploy.steps.create(attempt=1, position=1, name="pull", status="succeeded")
    watch.Watch().look()
    assert reload(deploy).status == "queued"
    assert deploy.not_before <= timezone.now()
    assert OrmQ.objects.count() == 1, "it does not wait"

    Deploy.objects.update(status="running", attempt=4, pid_started_at=1.0)
    watch.Watch().look()
    assert reload(deploy).status == "failed"
    assert deploy.error.startswith("Putting back failed, what is live is not certain:")
    assert find_broken() == deploy
    assert explain(deploy, list(deploy.steps.all())).is_alarming


def test_a_dead_deploy_joins_the_queued_one_which_comes_back_to_the_same_version():
    dead = make_dead(
        from_commit="a" * 40, submodules={"content": {"from": "b" * 40, "to": "c" * 40}}
    )
    delivery = Delivery.objects.create(guid="1", event="push")
    dead.deliveries.add(delivery)
    waiting = make_deploy()
    watch.Watch().look()
    assert reload(dead).status == "failed"
    assert f"Deploy {waiting.pk} takes its work up" in dead.error
    assert list(reload(waiting).deliveries.all()) == [delivery]
    assert waiting.from_commit == "a" * 40


def test_the_children_of_a_dead_deploy_are_killed():
    group = start_group()
    started_at = read_start(group.pid)
    make_dead(process_groups=[[group.pid, started_at]])
    watch.Watch().look()
    assert group.wait(5) < 0


def test_a_process_that_got_the_number_of_a_child_is_not_killed():
    group = start_group()
    try:
        make_dead(process_groups=[[group.pid, 1.0]])
        watch.Watch().look()
        time.sleep(0.2)
        assert group.poll() is None
    finally:
        os.killpg(group.pid, 9)
        group.wait()


def test_what_the_queue_forgot_is_told_again_and_only_once_in_a_while():
    long_ago = timezone.now() - timedelta(minutes=1)
    deploy = make_deploy(queued_at=long_ago)
    rounds = watch.Watch()
    rounds.look()
    assert [row.args() for row in OrmQ.objects.all()] == [(deploy.pk,)]
    first = OrmQ.objects.get().pk
    rounds.look()
    assert OrmQ.objects.get().pk == first


def test_what_waits_for_its_pause_or_for_another_is_not_forgotten():
    make_deploy(queued_at=timezone.now())
    watch.Watch().look()
    Deploy.objects.update(queued_at=timezone.now() - timedelta(minutes=1))
    make_running()
    watch.Watch().look()
    assert not OrmQ.objects.exists()


def test_a_queue_that_stays_deaf_is_restarted(monkeypatch):
    ended = []
    monkeypatch.setattr(cluster, "end", lambda: ended.append(1))
    monkeypatch.setattr(watch, "FORGOTTEN", timedelta(seconds=0.1))
    make_deploy(queued_at=timezone.now() - timedelta(minutes=1))
    rounds = watch.Watch()
    rounds.look()
    assert ended == []
    for _ in range(3):
        time.sleep(0.15)
        rounds.look()
    assert ended == [1]


def test_a_queue_that_never_acknowledges_is_restarted(monkeypatch):
    ended = []
    monkeypatch.setattr(cluster, "end", lambda: ended.append(1))
    deploy = queue.request_deploy(Deploy.Trigger.PUSH)
    long_ago = timezone.now() - timedelta(minutes=5)
    Deploy.objects.filter(pk=deploy.pk).update(status="succeeded", finished_at=long_ago)
    watch.Watch().look()
    assert ended == [1]
    assert not OrmQ.objects.exists()


def test_a_process_that_lives_but_gives_no_sign_loses_its_deploy(monkeypatch):
    monkeypatch.setattr(watch, "SILENCE", timedelta(seconds=0.2))
    deploy = make_running(heartbeat_at=timezone.now())
    rounds = watch.Watch()
    rounds.look()
    time.sleep(0.3)
    Deploy.objects.update(heartbeat_at=timezone.now())
    rounds.look()
    assert reload(deploy).status == "running"
    time.sleep(0.3)
    rounds.look()
    assert reload(deploy).status == "queued"


@pytest.mark.parametrize("jump", [timedelta(days=-1), timedelta(days=1)])
def test_a_clock_that_jumps_kills_no_living_deploy_and_stops_no_queued_one(monkeypatch, jump):
    running = make_running(heartbeat_at=timezone.now())
    rounds = watch.Watch()
    rounds.look()
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + jump)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    rounds.look()
    assert reload(running).status == "running"

    Deploy.objects.update(pid_started_at=1.0)
    rounds.look()
    assert reload(running).status == "queued"
    monkeypatch.setattr(timezone, "now", now)
    rounds.due_at[running.pk] = time.monotonic() - 1
    rounds.look()
    assert OrmQ.objects.count() == 1
    assert Deploy.objects.claim(running.pk) or jump > timedelta()


def test_a_pause_from_a_clock_that_was_set_back_is_none():
    deploy = make_deploy(not_before=timezone.now() + timedelta(hours=5))
    assert Deploy.objects.claim(deploy.pk)


def test_a_cancelled_deploy_that_died_is_put_back_and_stays_cancelled():
    dead = make_dead(cancel_requested_at=timezone.now(), cancel_requested_by="ada")
    waiting = make_deploy()
    delivery = Delivery.objects.create(guid="1", event="push")
    dead.deliveries.add(delivery)
    watch.Watch().look()
    assert (reload(dead).status, dead.error) == ("cancelled", "Cancelled by ada.")
    assert not waiting.deliveries.exists()


def test_children_that_were_never_noted_are_found_by_their_mark():
    deploy = make_dead()
    with recovery.marking_children(deploy):
        child = start_group()
    other = start_group()
    try:
        watch.Watch().look()
        assert child.wait(5) < 0
        assert other.poll() is None
    finally:
        os.killpg(other.pid, 9)
        other.wait()


def test_a_queue_that_lost_a_process_is_restarted_when_nothing_runs(monkeypatch):
    ended = []
    monkeypatch.setattr(cluster, "end", lambda: ended.append(1))
    members = {1, 2, 3}
    main = psutil.Process()
    monkeypatch.setattr(cluster, "find_members", lambda: (main, set(members)))
    rounds = watch.Watch()
    rounds.look()
    members.remove(2)
    members.add(4)
    deploy = make_running(heartbeat_at=timezone.now())
    for _ in range(3):
        rounds.look()
    assert ended == []
    deploy.succeed()
    rounds.look()
    assert ended == [1]


def test_a_queue_that_has_just_begun_a_deploy_is_not_restarted(monkeypatch):
    ended = []
    monkeypatch.setattr(cluster, "end", lambda: ended.append(1))
    deploy = make_running()
    rounds = watch.Watch()
    rounds.restart_queue("one of its processes has died")
    assert ended == []
    deploy.succeed()
    rounds.restart_queue("one of its processes has died")
    assert ended == [1]


def test_no_deploy_begins_while_the_queue_is_ended(monkeypatch):
    deploy = make_deploy()
    claims: list[Future[bool]] = []

    def claim() -> bool:
        with closing(connection):
            return Deploy.objects.claim(deploy.pk)

    def end() -> None:
        claims.append(pool.submit(claim))
        assert wait(claims, timeout=0.3).not_done

    monkeypatch.setattr(cluster, "end", end)
    with ThreadPoolExecutor(1) as pool:
        watch.Watch().restart_queue("one of its processes has died")
    assert claims[0].result()


@pytest.mark.parametrize(
    ("deploy", "expected"),
    [
        ({"from_commit": "a" * 40, "to_commit": "b" * 40}, True),
        ({"from_commit": "a" * 40, "to_commit": "a" * 40}, False),
        ({"from_commit": "a" * 40, "to_commit": "b" * 40, "status": "failed"}, False),
    ],
)
@pytest.mark.parametrize("jump", [timedelta(), timedelta(hours=-1), timedelta(days=1)])
def test_it_starts_afresh_after_a_deploy_that_changed_code(deploy, expected, jump):
    make_deploy(status="succeeded", from_commit="1" * 40, to_commit="2" * 40)
    rounds = watch.Watch()
    assert not rounds.has_new_code()
    finished_at = timezone.now() + jump
    make_deploy(**({"status": "succeeded", "finished_at": finished_at} | deploy))
    assert rounds.has_new_code() is expected
    assert not watch.Watch().has_new_code()
    make_running()
    assert not rounds.has_new_code()


@pytest.fixture(params=[timedelta(hours=-1), timedelta(days=1)], ids=["back", "forward"])
def jump(request, monkeypatch) -> Callable[[], None]:
    """Set the clock an hour back or a day forward; what measures time itself goes on."""
    now = timezone.now

    def jump() -> None:
        monkeypatch.setattr(timezone, "now", lambda: now() + request.param)

    return jump


def test_a_deploy_that_waited_when_the_clock_jumped_is_told_again_and_can_be_claimed(
    jump, monkeypatch
):
    deploy = make_dead()
    rounds = watch.Watch()
    rounds.look()
    assert reload(deploy).status == "queued"
    jump()
    OrmQ.objects.all().delete()
    later = time.monotonic() + watch.LONGEST_WAIT.total_seconds()
    monkeypatch.setattr(time, "monotonic", lambda: later)
    rounds.look()
    assert OrmQ.objects.count() == 1
    assert get_broker().dequeue()  # its row is of the clock as it is now
    assert Deploy.objects.claim(deploy.pk, attempt=2)


def test_a_queue_whose_task_is_given_out_twice_by_a_clock_runs_it_once(jump):
    deploy = make_deploy(attempt=0, status="queued")
    queue.enqueue(deploy)
    assert get_broker().dequeue()
    assert Deploy.objects.claim(deploy.pk, attempt=1)
    jump()
    get_broker().dequeue()
    assert not Deploy.objects.claim(deploy.pk, attempt=2)
    assert reload(deploy).attempt == 1

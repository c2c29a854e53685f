"""Running a deploy: claim, steps, end, cancel, a lost lease, two at once; with a real checkout."""

import errno
import fcntl
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest
from django.db import IntegrityError, OperationalError, connection

from deployhooks import cluster, control, deployer, lease, queue
from deployhooks.models import Deploy, Step
from tests.deployhooks import fake_steps
from tests.deployhooks.repositories import clone, commit, git, make_remote
from tests.waiting import stretched

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = [f"tests.deployhooks.fake_steps.{name}" for name in ("fetch", "index", "reload")]


@pytest.fixture
def checkout(tmp_path: Path, settings) -> Path:
    remote = make_remote(tmp_path / "site.git", {"manage.py": ""})
    settings.DEPLOY_CHECKOUT = clone(remote, tmp_path / "checkout")
    settings.DEPLOY_STEPS = STEPS
    fake_steps.behaviour.clear()
    fake_steps.ran.clear()
    return settings.DEPLOY_CHECKOUT


def make_deploy(**overrides) -> Deploy:
    return Deploy.objects.create(
        **({"trigger": "push", "host": queue.settings.DEPLOY_HOST} | overrides)
    )


def run(**behaviour: Callable) -> Deploy:
    fake_steps.behaviour.update(behaviour)
    deploy = make_deploy()
    deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    return deploy


def steps_of(deploy: Deploy) -> list[tuple[str, str]]:
    return list(deploy.steps.values_list("name", "status"))


def wait_until(condition: Callable[[], object], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_deploy_goes_through_its_steps_and_succeeds(checkout):
    deploy = run()
    assert deploy.status == "succeeded"
    assert deploy.attempt == 1
    assert deploy.finished_at > deploy.started_at
    assert steps_of(deploy) == [(name, "succeeded") for name in ("fetch", "index", "reload")]
    assert deploy.steps.first().detail == "fetch done"


def test_a_step_is_running_in_its_row_before_its_effect(checkout):
    seen = []

    def look(context):
        seen.extend(Step.objects.values_list("name", "status", "finished_at"))

    run(fetch=look)
    assert seen == [("fetch", "running", None)]


def test_a_step_with_nothing_to_do_is_skipped_with_its_reason(checkout):
    deploy = run(index=fake_steps.skip)
    step = deploy.steps.get(name="index")
    assert (step.status, step.detail) == ("skipped", "nothing to do")
    assert deploy.status == "succeeded"


def test_a_failing_step_ends_the_deploy_with_its_sentence(checkout):
    deploy = run(index=fake_steps.fail)
    assert (deploy.status, deploy.error) == ("failed", "it went wrong, do this")
    assert steps_of(deploy) == [("fetch", "succeeded"), ("index", "failed")]
    assert not deploy.restored


def test_a_bug_fails_the_deploy_and_is_raised_for_the_queue_to_keep(checkout):
    with pytest.raises(RuntimeError):
        run(index=fake_steps.crash)
    deploy = Deploy.objects.get()
    assert deploy.status == "failed"
    assert "error of blogsite itself" in deploy.error
    assert "a bug" in deploy.error
    assert "Traceback" in deploy.steps.get(name="index").output


def test_the_queues_time_out_leaves_no_deploy_running(checkout):
    with pytest.raises(SystemExit):
        run(index=fake_steps.leave)
    assert Deploy.objects.get().status == "failed"
    assert Deploy.objects.get().steps.get(name="index").status == "failed"


@pytest.mark.parametrize("status", ["running", "succeeded", "failed", "cancelled"])
def test_a_deploy_that_is_not_queued_is_not_run(checkout, status):
    deploy = make_deploy(status=status)
    deployer.run_deploy(deploy.pk)
    assert fake_steps.ran == []


def test_while_another_runs_a_deploy_stays_queued(checkout):
    make_deploy(status="running")
    deploy = make_deploy()
    deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, fake_steps.ran) == ("queued", [])


def test_output_reaches_the_row_while_the_process_still_runs(checkout):
    fake_steps.behaviour["fetch"] = fake_steps.print_slowly
    deploy = make_deploy()
    thread = in_thread(lambda: deployer.run_deploy(deploy.pk))
    wait_until(lambda: Step.objects.filter(output__contains="half", status="running").exists())
    control.cancel(deploy)
    thread.join()


def test_cancel_ends_the_running_process_within_two_seconds_and_is_final(checkout):
    fake_steps.behaviour["index"] = fake_steps.print_slowly
    deploy = make_deploy()
    thread = in_thread(lambda: deployer.run_deploy(deploy.pk))
    wait_until(lambda: Deploy.objects.get().process_groups)
    group = Deploy.objects.get().process_groups[0][0]
    asked_at = time.monotonic()
    control.cancel(deploy, "ada")
    wait_until(lambda: not is_group_alive(group), stretched(2))
    thread.join()
    assert time.monotonic() - asked_at < stretched(2.5)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.error) == ("cancelled", "Cancelled by ada.")
    assert fake_steps.ran == ["fetch", "index"]


def test_a_cancel_as_the_last_step_ends_puts_back_what_moved(checkout, monkeypatch):
    queue.settings.DEPLOY_STEPS = [STEPS[0], "deployhooks.steps.pull.pull", STEPS[2]]
    tip = commit(checkout.parent / "site.git", {"manage.py": "print(1)\n"})
    git("fetch", "--quiet", cwd=checkout)
    close = Step.close

    def cancel_and_close(step, status, detail):
        if step.name == "reload":
            control.cancel(step.deploy, "ada")
        close(step, status, detail)

    monkeypatch.setattr(lease, "LOOK", 60)  # nobody sees it in time
    monkeypatch.setattr(Step, "close", cancel_and_close)
    deploy = run(fetch=fake_steps.set_target(tip))
    assert (deploy.status, deploy.error) == ("cancelled", "Cancelled by ada.")
    assert deploy.restored
    assert (checkout / "manage.py").read_text() == ""


def test_a_queue_that_stops_hands_a_deploy_back_that_has_changed_nothing(checkout, monkeypatch):
    fake_steps.behaviour["fetch"] = fake_steps.print_slowly
    deploy = make_deploy()
    thread = in_thread(lambda: deployer.run_deploy(deploy.pk))
    wait_until(lambda: Deploy.objects.get().process_groups)
    monkeypatch.setattr(cluster, "is_stopping", lambda: True)
    thread.join(5)
    deploy.refresh_from_db()
    assert (deploy.status, fake_steps.ran) == ("queued", ["fetch"])
    assert deploy.stops == 1
    assert "was stopped" in deploy.steps.get().detail or "interrupted" in deploy.steps.get().detail


def test_a_queue_that_stops_lets_a_deploy_end_that_has_begun_to_change(checkout, monkeypatch):
    def stop(context):
        monkeypatch.setattr(cluster, "is_stopping", lambda: True)
        time.sleep(1.2)

    queue.settings.DEPLOY_STEPS = [STEPS[0], "tests.deployhooks.fake_steps.pull", *STEPS[1:]]
    assert run(pull=stop).status == "succeeded"


def test_a_queue_that_stops_begins_no_deploy(checkout, monkeypatch):
    monkeypatch.setattr(cluster, "is_stopping", lambda: True)
    assert run().status == "queued"
    assert fake_steps.ran == []


def test_a_deploy_that_was_given_to_another_process_is_left_alone(checkout):
    def lose(context):
        Deploy.objects.update(attempt=2)
        time.sleep(1.2)
        context.run([sys.executable, "-c", "open('touched', 'w')"])

    deploy = run(index=lose)
    assert (deploy.status, deploy.attempt) == ("running", 2)
    assert fake_steps.ran == ["fetch", "index"]
    assert not (checkout / "touched").exists()


def test_two_runs_on_one_checkout_are_impossible_even_without_the_database(checkout, monkeypatch):
    monkeypatch.setattr(deployer, "LOCK_TIMEOUT", 0.2)
    with (checkout / ".git" / "blogsite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        deploy = run()
    assert deploy.status == "failed"
    assert "Another process works on the checkout" in deploy.error
    assert fake_steps.ran == []


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_cancel_ends_the_wait_for_the_checkout_unless_something_must_be_put_back(
    checkout, monkeypatch, has_begun
):
    monkeypatch.setattr(deployer, "LOCK_TIMEOUT", 2.0)
    deploy = make_deploy(from_commit=git("rev-parse", "HEAD", cwd=checkout) if has_begun else "")
    with (checkout / ".git" / "blogsite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = in_thread(lambda: deployer.run_deploy(deploy.pk))
        wait_until(lambda: Deploy.objects.get().status == "running")
        control.cancel(deploy, "ada")
        wait_until(lambda: not thread.is_alive() or has_begun, 2)
        if has_begun:
            time.sleep(1)
    thread.join()
    deploy.refresh_from_db()
    assert (deploy.status, deploy.error) == ("cancelled", "Cancelled by ada.")
    assert fake_steps.ran == []


def test_the_checkouts_lock_is_free_afterwards(checkout):
    run()
    with (checkout / ".git" / "blogsite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_moved_is_put_back_when_a_later_step_fails(checkout, tmp_path):
    before = git("rev-parse", "HEAD", cwd=checkout)
    after = commit(tmp_path / "site.git", {"new.txt": "new"})
    moves = []

    def move(context):
        moves.append("there" if context.target.commit == after else "back")
        git("fetch", "-q", cwd=checkout)
        git("reset", "-q", "--hard", context.target.commit, cwd=checkout)

    fake_steps.behaviour["pull"] = move
    queue.settings.DEPLOY_STEPS = [STEPS[0], "tests.deployhooks.fake_steps.pull", *STEPS[1:]]
    deploy = run(
        fetch=fake_steps.set_target(after),
        reload=lambda c: c.target.commit == after and c.fail("no"),
    )
    assert (deploy.status, deploy.restored) == ("failed", True)
    assert moves == ["there", "back"]
    assert git("rev-parse", "HEAD", cwd=checkout) == before
    assert steps_of(deploy)[-2:] == [("reload", "failed"), ("put_back", "succeeded")]
    assert "pull:" in deploy.steps.get(name="put_back").output


def test_what_an_attempt_that_died_in_pull_left_is_put_back_when_the_next_one_fails(checkout):
    deploy = make_deploy(
        status="queued", attempt=1, from_commit=git("rev-parse", "HEAD", cwd=checkout)
    )
    deploy.steps.create(attempt=1, position=1, name="pull", status="failed")
    queue.settings.DEPLOY_STEPS = [STEPS[0], "tests.deployhooks.fake_steps.pull", *STEPS[1:]]
    fake_steps.behaviour["fetch"] = fake_steps.fail
    deployer.run_deploy(deploy.pk)
    assert fake_steps.ran == ["fetch", "pull", "index", "reload"]
    assert deploy.steps.get(name="put_back").status == "succeeded"


def test_a_failure_while_putting_back_is_told(checkout, tmp_path):
    after = commit(tmp_path / "site.git", {"new.txt": "new"})

    def move(context):
        git("fetch", "-q", cwd=checkout)
        git("reset", "-q", "--hard", after, cwd=checkout)

    queue.settings.DEPLOY_STEPS = [STEPS[0], "tests.deployhooks.fake_steps.pull", *STEPS[1:]]
    deploy = run(fetch=fake_steps.set_target(after), pull=move, index=fake_steps.fail)
    assert (deploy.status, deploy.restored) == ("failed", False)
    assert "Putting back failed" in deploy.error
    assert "it went wrong, do this" in deploy.error


def test_the_lease_names_the_process_and_ends_with_the_deploy(checkout):
    seen = {}

    def look(context):
        row = Deploy.objects.get()
        seen.update(pid=row.pid, boot=bool(row.boot_id), beat=row.heartbeat_at)
        time.sleep(3.8)
        assert Deploy.objects.get().heartbeat_at > seen["beat"]

    run(fetch=look)
    assert seen["pid"] == os.getpid()
    assert seen["boot"]
    assert not [t for t in threading.enumerate() if t.name.startswith("lease-")]


def in_thread(action: Callable[[], object]) -> threading.Thread:
    def act() -> None:
        action()
        connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def is_group_alive(group: int) -> bool:
    return subprocess.run(["pgrep", "-g", str(group)], capture_output=True).returncode == 0


@contextmanager
def locked_database() -> Iterator[None]:
    """Another process's exclusive transaction on the test's SQLite database."""
    name = connection.settings_dict["NAME"]
    connect = sqlite3.connect(name, isolation_level=None, check_same_thread=False)
    with closing(connect) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


def test_a_deploy_whose_database_is_locked_for_long_goes_back_to_the_queue(checkout, monkeypatch):
    monkeypatch.setattr(deployer, "DATABASE_PAUSE", 0.1)
    deploy = make_deploy()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 300")
    stack = ExitStack()

    def lock(context):
        stack.enter_context(locked_database())
        threading.Timer(1.5, stack.close).start()

    fake_steps.behaviour["index"] = lock
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.3)
    deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.attempt) == ("queued", 1)
    step = deploy.steps.get(name="index")
    assert step.status == "failed"
    assert "database is locked" in step.detail
    fake_steps.behaviour.clear()
    Deploy.objects.update(not_before=None)
    deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.attempt) == ("succeeded", 2)


@pytest.mark.parametrize(
    "place",
    [
        "Deploy.objects.claim, before it is heard",
        "lease.find_claimed",
        "lease.Lease.look",
        "deployer.Context",
    ],
)
def test_a_deploy_whose_database_goes_away_around_its_claim_goes_back_to_the_queue(
    checkout, monkeypatch, place
):
    def fail(*args, **kwargs):
        raise OperationalError("the server is gone")

    def claim_and_fail(queryset, *args, **kwargs):
        assert real_claim(queryset, *args, **kwargs)
        fail()

    queryset = type(Deploy.objects.all())
    real_claim = queryset.claim
    owner, name, substitute = {
        "Deploy.objects.claim, before it is heard": (queryset, "claim", claim_and_fail),
        "lease.find_claimed": (lease, "find_claimed", fail),
        "lease.Lease.look": (lease.Lease, "look", fail),
        "deployer.Context": (deployer, "Context", fail),
    }[place]
    deploy = make_deploy()
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, substitute)
        deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.attempt) == ("queued", 1)
    Deploy.objects.update(not_before=None)
    deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.attempt) == ("succeeded", 2)


def test_a_claim_that_fails_is_told_and_leaves_what_others_run_alone(checkout, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("the server is gone")

    deploy = make_deploy(status="running", attempt=1, pid=1, worker="another 1")
    monkeypatch.setattr(deployer, "claim", fail)
    with pytest.raises(OperationalError, match="the server is gone"):
        deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    assert (deploy.status, deploy.attempt) == ("running", 1)


def test_a_step_that_breaks_a_rule_of_the_database_is_no_other_deploy(checkout):
    def fail(context):
        raise IntegrityError("a rule of the database")

    deploy = run(index=fail)
    assert (deploy.status, deploy.attempt) == ("queued", 1)
    assert "a rule of the database" in deploy.steps.get(name="index").detail


def test_what_a_killed_git_left_is_removed_and_stands_in_the_log(checkout):
    (checkout / ".git" / "index.lock").touch()
    deploy = run()
    assert deploy.status == "succeeded"
    assert "index.lock, left by a git that was killed" in deploy.steps.get(name="fetch").output


def test_a_full_disk_fails_the_step_in_words(checkout):
    def write(context):
        raise OSError(errno.ENOSPC, "No space left on device", "/var/x")

    deploy = run(index=write)
    assert deploy.status == "failed"
    assert "No space left on device" in deploy.error
    assert "make room" in deploy.error
    assert "error of blogsite itself" not in deploy.error

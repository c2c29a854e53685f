"""The commands deploys, deploy and rerun: what they print, wait for and answer with."""

import json
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployhooks import following
from deployhooks.following import new_part
from deployhooks.models import Deploy
from tests.deployhooks.rows import NEW, OLD, make_delivery, make_deploy, make_step

pytestmark = pytest.mark.django_db

# fmt: off
KEYS = [
    "id", "status", "trigger", "rerun_of", "deliveries", "from_commit", "to_commit", "submodules",
    "queued_at", "started_at", "finished_at", "host", "attempt", "error", "restored", "steps",
]
# fmt: on
STEP_KEYS = ["name", "status", "detail", "started_at", "finished_at", "output"]


def run(*args):
    out, err = StringIO(), StringIO()
    call_command(*args, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


class World:
    """What happens elsewhere while a command sleeps: one act a nap, then nothing for ever."""

    def __init__(self, monkeypatch):
        self.acts = []
        self.now = 0.0
        monkeypatch.setattr(following, "sleep", self.sleep)
        monkeypatch.setattr(following, "monotonic", lambda: self.now)

    def sleep(self, seconds):
        self.now += seconds
        assert self.acts, "the command waits for something that never comes"
        self.acts.pop(0)()

    def pass_time(self, seconds):
        self.now += seconds


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


def start(**fields):
    Deploy.objects.queued().update(
        status="running",
        started_at=timezone.now(),
        heartbeat_at=timezone.now(),
        attempt=1,
        **fields,
    )


def end(status="succeeded", **fields):
    Deploy.objects.running().update(status=status, finished_at=timezone.now(), **fields)


# --- deploys ------------------------------------------------------------------------------------


def test_deploys_prints_every_key_of_the_contract_newest_first():
    first = make_delivery()
    second = make_delivery()
    old = make_deploy([first, second], status="failed", error="No route to host")
    make_step(old, "fetch", status="failed", detail="No route", output="fatal\n")
    new = make_deploy(
        [first, second],
        trigger="rerun",
        rerun_of=old,
        submodules={"content": {"from": None, "to": NEW}},
        restored=True,
    )

    found = json.loads(run("deploys", "--json")[0])

    assert [deploy["id"] for deploy in found] == [new.pk, old.pk]
    assert list(found[0]) == KEYS
    assert found[0]["rerun_of"] == old.pk and found[0]["restored"] is True
    assert found[0]["deliveries"] == [first.guid, second.guid]
    assert found[0]["submodules"] == {"content": {"from": None, "to": NEW}}
    assert (found[0]["from_commit"], found[0]["to_commit"]) == (OLD, NEW)
    assert found[1]["error"] == "No route to host"
    assert list(found[1]["steps"][0]) == STEP_KEYS
    assert found[1]["steps"][0]["output"] == "fatal\n"


def test_times_have_a_zone_and_what_is_not_known_yet_is_null():
    make_deploy(status="queued")
    deploy = json.loads(run("deploys", "--json")[0])[0]
    assert datetime.fromisoformat(deploy["queued_at"]).tzinfo is not None
    for key in ("started_at", "finished_at", "from_commit", "to_commit", "rerun_of"):
        assert deploy[key] is None
    assert deploy["steps"] == [] and deploy["deliveries"] == []


def test_deploys_lists_the_steps_of_the_newest_attempt():
    deploy = make_deploy(attempt=2)
    make_step(deploy, "fetch", attempt=1, position=1, status="failed")
    make_step(deploy, "fetch", attempt=2, position=1)
    make_step(deploy, "pull", attempt=2, position=2)
    found = json.loads(run("deploys", "--json")[0])
    assert [(step["name"], step["status"]) for step in found[0]["steps"]] == [
        ("fetch", "succeeded"),
        ("pull", "succeeded"),
    ]


def test_deploys_lists_as_many_as_asked_for():
    for _ in range(25):
        make_deploy()
    assert len(json.loads(run("deploys", "--json")[0])) == 20
    assert len(json.loads(run("deploys", "--json", "--limit", "3")[0])) == 3
    with pytest.raises(CommandError, match="not a number from 1 on"):
        run("deploys", "--limit", "0")


def test_deploys_takes_as_many_queries_for_many_as_for_one(django_assert_num_queries):
    for _ in range(10):
        make_step(make_deploy([make_delivery()]))
    with django_assert_num_queries(3):
        run("deploys", "--json")


def test_deploys_prints_a_table_for_people():
    old = make_deploy(status="failed", error="No route to \x1b[31mhost\nand more")
    make_deploy(trigger="rerun", rerun_of=old)
    lines = run("deploys")[0].splitlines()
    assert lines[0].split()[:3] == ["ID", "STATUS", "TRIGGER"]
    assert f"rerun of {old.pk}" in lines[1] and f"{OLD[:7]} -> {NEW[:7]}" in lines[1]
    assert "12 s" in lines[2] and lines[2].endswith("No route to host")


def test_deploys_says_when_there_is_none():
    assert run("deploys")[0] == "There is no deploy yet.\n"
    assert json.loads(run("deploys", "--json")[0]) == []


# --- deploy, rerun ------------------------------------------------------------------------------


def test_deploy_queues_a_manual_deploy_and_names_it():
    out, _ = run("deploy")
    deploy = Deploy.objects.get()
    assert (deploy.status, deploy.trigger) == ("queued", "manual")
    assert "command line" in deploy.requested_by
    assert out == f"Deploy {deploy.pk} is queued.\n"


def test_deploy_prints_the_queued_deploy_as_json():
    deploy = json.loads(run("deploy", "--json")[0])
    assert list(deploy) == KEYS and deploy["status"] == "queued"


def test_rerun_makes_a_new_deploy_of_the_same_deliveries():
    delivery = make_delivery()
    old = make_deploy([delivery], status="failed")
    new = json.loads(run("rerun", str(old.pk), "--json")[0])
    assert new["rerun_of"] == old.pk and new["trigger"] == "rerun"
    assert new["deliveries"] == [delivery.guid]
    old.refresh_from_db()
    assert old.status == "failed"


@pytest.mark.parametrize("number", ["999", "0", "99999999999999999999"])
def test_rerun_of_an_unknown_deploy_is_an_error_that_says_where_to_look(number):
    with pytest.raises(CommandError, match=f"no deploy {number}. `manage.py deploys`") as error:
        run("rerun", number)
    assert error.value.returncode == 1
    assert not Deploy.objects.exists()


def test_rerun_of_an_unfinished_deploy_is_an_error():
    deploy = make_deploy(status="running")
    with pytest.raises(CommandError, match="still running"):
        run("rerun", str(deploy.pk))


# --- --wait -------------------------------------------------------------------------------------


def test_wait_follows_steps_and_output_to_the_success(world):
    def fetch():
        start()
        make_step(Deploy.objects.get(), "fetch", status="running", output="From github\n")

    def fetch_more():
        step = Deploy.objects.get().steps.get()
        step.output += " * main\n"
        step.save()
        step.close("succeeded", "The tip is bbb.")

    def pull():
        make_step(Deploy.objects.get(), "pull", status="skipped", detail="Nothing moved.")
        end()

    world.acts = [fetch, fetch_more, pull]
    out, _ = run("deploy", "--wait")
    lines = out.splitlines()
    number = Deploy.objects.get().pk
    assert lines[:5] == [
        f"Deploy {number} is queued.",
        f"Deploy {number} is running.",
        "--> fetch",
        "From github",
        " * main",
    ]
    assert lines[5].startswith("    ok after ") and lines[5].endswith(": The tip is bbb.")
    assert lines[6] == "--> pull"
    assert "skipped" in lines[7] and lines[-1] == f"Deploy {number} succeeded."


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_wait_exits_with_1_and_the_error_unless_the_deploy_succeeded(world, status):
    world.acts = [start, lambda: end(status, error="No route to host")]
    with pytest.raises(CommandError, match=f"{status}: No route to host") as error:
        run("deploy", "--wait")
    assert error.value.returncode == 1


def test_wait_shows_what_a_step_wrote_although_it_ended_between_two_looks(world):
    def all_at_once():
        start()
        make_step(Deploy.objects.get(), output="everything\n")
        end()

    world.acts = [all_at_once]
    out, _ = run("deploy", "--wait")
    assert "everything\n" in out


def test_wait_with_json_keeps_the_log_off_standard_output(world):
    def work():
        start()
        make_step(Deploy.objects.get(), output="From github\n")
        end()

    world.acts = [work]
    out, err = run("deploy", "--wait", "--json")
    assert json.loads(out)["status"] == "succeeded"
    assert "From github" in err


def test_wait_with_json_prints_the_failed_deploy_before_it_fails(world):
    world.acts = [start, lambda: end("failed", error="No route")]
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("deploy", "--wait", "--json", stdout=out, stderr=StringIO())
    assert json.loads(out.getvalue())["error"] == "No route"


def test_wait_says_what_to_do_when_no_queue_takes_the_deploy(world):
    def let_time_pass():
        world.pass_time(15)
        Deploy.objects.update(queued_at=timezone.now() - timedelta(seconds=15))

    world.acts = [let_time_pass, *[lambda: None] * 3, lambda: world.pass_time(60), start, end]
    out, _ = run("deploy", "--wait")
    advice = f"is `manage.py qcluster` running on {settings.DEPLOY_HOST}?"
    assert out.count(advice) == 2  # at once, and as a reminder a minute later


def test_wait_names_the_deploy_that_is_waited_for(world):
    running = make_deploy(status="running", heartbeat_at=timezone.now())

    def begin_after_it():
        Deploy.objects.filter(pk=running.pk).update(status="succeeded")
        start()

    world.acts = [lambda: world.pass_time(6), lambda: None, begin_after_it, end]
    out, _ = run("deploy", "--wait")
    assert f"... Waits for the end of deploy {running.pk}, which runs now.\n" in out


def test_wait_goes_on_through_a_second_attempt(world):
    def die():
        make_step(Deploy.objects.get(), "fetch", status="failed", detail="The process died.")
        Deploy.objects.update(status="queued", attempt=1)

    def start_again():
        Deploy.objects.update(status="running", attempt=2, heartbeat_at=timezone.now())
        make_step(Deploy.objects.get(), "fetch")

    world.acts = [start, die, start_again, end]
    out, _ = run("deploy", "--wait")
    assert out.count("--> fetch") == 2
    assert "is running (attempt 2)." in out


def test_ctrl_c_leaves_the_deploy_alone(world):
    def interrupt():
        raise KeyboardInterrupt

    world.acts = [start, interrupt]
    err = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("deploy", "--wait", stdout=StringIO(), stderr=err)
    assert stop.value.code == 130
    assert "it goes on by itself" in err.getvalue()
    assert Deploy.objects.get().status == "running"


def test_log_cannot_steer_the_terminal(world):
    def work():
        start()
        make_step(Deploy.objects.get(), output="\x1b]0;title\x07\x1b[2Jhello\x9b31m\r\n")
        end()

    world.acts = [work]
    out, _ = run("deploy", "--wait")
    assert "hello" in out and "\x1b" not in out and "\x9b" not in out and "\r" not in out


@pytest.mark.parametrize(
    ("seen", "output", "new"),
    [
        ("", "abc", "abc"),
        ("abc", "abcdef", "def"),
        ("abc", "abc", ""),
        ("head middle" + "t" * 200, "head [cut]" + "t" * 200 + "new", "new"),
    ],
)
def test_new_output_is_what_was_not_seen(seen, output, new):
    assert new_part(seen, output) == new


def test_output_cut_beyond_what_was_seen_says_that_something_is_missing():
    shown = new_part("head " + "a" * 300, "head [cut] " + "b" * 5000)
    assert "left out" in shown and shown.endswith("b" * 4000)

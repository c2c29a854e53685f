"""The step fetch finds the target, on real remotes over file and http."""

import json
import random
import re
import shutil
import subprocess
import threading
import time

import pytest

from deployhooks import control
from deployhooks.checkout import CheckoutError
from deployhooks.checkout.faults import Fault, classify
from deployhooks.models import Delivery, Deploy
from deployhooks.payloads import NO_COMMIT
from deployhooks.steps.context import StepFailed
from deployhooks.steps.fetch import fetch
from deployhooks.steps.pull import pull
from tests.deployhooks import repositories as repos
from tests.deployhooks.contexts import deploy, make_context, make_site, put_back
from tests.deployhooks.git_server import serve
from tests.deployhooks.hooks import make_push, make_repository
from tests.disks import filled, small_disk
from tests.waiting import stretched

pytestmark = pytest.mark.django_db


def make_delivery(context, after, **overrides):
    values = {"hook_id": "1", "guid": after, "event": "push", "after": after}
    context.deploy.deliveries.add(Delivery.objects.create(**values | overrides))


def test_a_push_is_found_with_its_distance(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path))
    for number in range(3):
        tip = repos.commit(tmp_path / "site.git", {"manage.py": f"print({number})\n"})
    old = context.before.commit

    assert fetch(context) == f"{old[:7]} -> {tip[:7]} on main (3 commits)"
    assert context.target.commit == tip


def test_nothing_live_changes(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path))
    repos.commit(tmp_path / "site.git", {"manage.py": "print(1)\n"})
    repos.commit(tmp_path / "content.git", {"second.rst": "Second\n"})

    fetch(context)

    assert context.checkout.version() == context.before
    assert (tmp_path / "checkout/manage.py").read_text() == "print()\n"
    assert repos.git("status", "--porcelain", cwd=tmp_path / "checkout") == ""


def test_nothing_new_is_a_success_too(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path))

    assert fetch(context) == f"already at {context.before.commit[:7]} on main"
    assert context.target == context.before


def test_the_deploy_records_where_it_comes_from_and_goes_to(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path))
    old = context.before
    tip = repos.commit(tmp_path / "site.git", {"manage.py": "print(1)\n"})
    post = repos.commit(tmp_path / "content.git", {"second.rst": "Second\n"})

    line = fetch(context)

    recorded = Deploy.objects.get()
    assert (recorded.from_commit, recorded.to_commit) == (old.commit, tip)
    assert recorded.submodules == {
        "content": {"from": old.submodules["content"], "to": post},
        "theme": {"from": old.submodules["theme"], "to": old.submodules["theme"]},
    }
    assert line.endswith(f"; content {old.submodules['content'][:7]} -> {post[:7]}")


def test_a_tracked_submodule_goes_to_its_branchs_tip_and_a_pinned_one_to_what_is_recorded(
    tmp_path, settings
):
    context = make_context(settings, make_site(tmp_path))
    tip = repos.commit(tmp_path / "content.git", {"second.rst": "Second\n"})
    repos.commit(tmp_path / "theme.git", {"base.css": "p { margin: 0 }\n"})

    fetch(context)

    assert context.target.submodules == {
        "content": tip,
        "theme": context.before.submodules["theme"],
    }


def test_a_pinned_submodule_that_is_recorded_anew_is_fetched(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path))
    tip = repos.commit(tmp_path / "theme.git", {"base.css": "p { margin: 0 }\n"})
    repos.git("fetch", "--quiet", cwd=repos.desk_of(tmp_path / "site.git") / "theme")
    repos.record_submodule(tmp_path / "site.git", "theme", tip)

    fetch(context)

    assert context.target.submodules["theme"] == tip


def test_a_recorded_commit_that_is_on_no_branch_is_fetched_by_its_name(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path))
    lonely = repos.commit(tmp_path / "theme.git", {"base.css": "p { margin: 0 }\n"})
    repos.git("fetch", "--quiet", cwd=repos.desk_of(tmp_path / "site.git") / "theme")
    repos.rewind(tmp_path / "theme.git")
    repos.record_submodule(tmp_path / "site.git", "theme", lonely)

    deploy(context)

    assert context.checkout.version().submodules["theme"] == lonely


def test_a_recorded_commit_that_nobody_has_fails_with_what_to_do(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path))
    repos.record_submodule(tmp_path / "site.git", "theme", "12345678" * 5)

    with pytest.raises(CheckoutError, match=r"1234567 of the submodule theme .*push it there"):
        fetch(context)


def test_submodules_that_are_not_cloned_are_fetched_beside_the_live_tree(tmp_path, settings):
    make_site(tmp_path)
    path = repos.clone(tmp_path / "site.git", tmp_path / "fresh", submodules=False)
    context = make_context(settings, path)

    fetch(context)

    assert set(context.target.submodules) == {"content", "theme"}
    assert context.deploy.submodules["content"]["from"] is None
    assert list((path / "content").iterdir()) == []


def test_a_force_push_is_told_with_what_it_takes_back(tmp_path, settings):
    make_site(tmp_path)
    repos.commit(tmp_path / "site.git", {"a": "a\n"})
    repos.git("pull", "--quiet", "--ff-only", cwd=tmp_path / "checkout")
    context = make_context(settings, tmp_path / "checkout")
    repos.rewind(tmp_path / "site.git")
    tip = repos.commit(tmp_path / "site.git", {"b": "b\n"})

    assert fetch(context).endswith("on main (1 commit, 1 taken back)")
    assert context.target.commit == tip


def test_the_operators_branch_is_followed(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), branch="live")
    tip = repos.commit(tmp_path / "site.git", {"a": "a\n"}, branch="live")

    assert " on live " in fetch(context)
    assert context.target.commit == tip


def test_a_branch_that_the_remote_has_not_fails_at_once_and_says_so(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), branch="live", retry=60)
    began = time.monotonic()

    with pytest.raises(CheckoutError) as caught:
        fetch(context)

    assert time.monotonic() - began < stretched(5)
    assert "Fetching live from origin failed" in str(caught.value)
    assert "The remote has no such branch" in str(caught.value)


def test_a_folder_that_was_moved_away_fails_at_once_and_says_so(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), retry=60)
    repos.move_away(tmp_path / "site.git")
    began = time.monotonic()

    with pytest.raises(CheckoutError, match="There is no repository at that address"):
        fetch(context)

    assert time.monotonic() - began < stretched(5)
    repos.move_back(tmp_path / "site.git")
    assert fetch(context).startswith("already at")


def test_a_branch_name_that_is_an_option_is_none(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), branch="--upload-pack=touch pwned")

    with pytest.raises(CheckoutError, match="DEPLOY_BRANCH"):
        fetch(context)


def test_a_rollback_goes_where_the_chosen_deploy_went_without_any_remote(tmp_path, settings):
    make_site(tmp_path)
    repos.commit(tmp_path / "content.git", {"second.rst": "Second\n"})
    chosen = make_context(settings, tmp_path / "checkout")
    deploy(chosen)
    repos.commit(tmp_path / "site.git", {"manage.py": "print(1)\n"})
    repos.commit(tmp_path / "content.git", {"third.rst": "Third\n"})
    deploy(make_context(settings, tmp_path / "checkout"))
    for name in ("site", "content", "theme"):
        repos.move_away(tmp_path / f"{name}.git")

    context = make_context(settings, tmp_path / "checkout", rollback_to=chosen.deploy)
    lines = deploy(context)

    assert context.target == chosen.target == context.checkout.version()
    assert lines[0].startswith(f"back to deploy {chosen.deploy.pk}: ")
    assert "taken back" in lines[0]


# --- Announced, but not there yet ----------------------------------------------------------------


def test_an_announced_commit_that_comes_late_is_waited_for(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), retry=30)
    desk = repos.desk_of(tmp_path / "site.git")
    repos.git("commit", "--quiet", "--allow-empty", "-m", "Late", cwd=desk)
    make_delivery(context, repos.head(desk))
    late = threading.Timer(0.7, repos.git, ["push", "-q", "origin", "HEAD:main"], {"cwd": desk})
    late.start()

    fetch(context)

    late.join()
    assert context.target.commit == repos.head(desk)
    assert "The announced commit is not there yet; trying again" in context.log.text


def test_an_announced_commit_that_never_comes_fails_with_a_sentence(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), retry=1)
    make_delivery(context, "12345678" * 5)

    with pytest.raises(StepFailed, match=r"GitHub announced 1234567, but after \d tr"):
        fetch(context)


def test_an_announced_commit_is_waited_for_though_another_push_is_here(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), retry=30)
    repos.commit(tmp_path / "site.git", {"a": "a\n"})
    desk = repos.desk_of(tmp_path / "site.git")
    repos.git("commit", "--quiet", "--allow-empty", "-m", "Late", cwd=desk)
    make_delivery(context, repos.head(desk))
    make_delivery(context, context.before.commit)
    late = threading.Timer(0.7, repos.git, ["push", "-q", "origin", "HEAD:main"], {"cwd": desk})
    late.start()

    fetch(context)

    late.join()
    assert context.target.commit == repos.head(desk)
    assert context.deploy.deliveries.count() == 2


@pytest.mark.parametrize("is_frozen", [False, True])
def test_what_never_comes_is_handed_on_and_the_rest_goes_live(tmp_path, settings, is_frozen):
    context = make_context(settings, make_site(tmp_path), retry=0.5)
    tip = repos.commit(tmp_path / "site.git", {"a": "a\n"})
    make_delivery(context, tip)
    make_delivery(context, "12345678" * 5)
    if is_frozen:
        control.freeze("a talk")

    fetch(context)

    assert context.target.commit == tip
    assert [one.after for one in context.deploy.deliveries.all()] == [tip]
    late = Delivery.objects.get(after="12345678" * 5)
    assert "GitHub announced 1234567, but after " in context.log.text
    if is_frozen:
        assert (late.outcome, late.newest_deploy()) == ("held", None)
        assert control.thaw() == late.newest_deploy()
    assert late.newest_deploy().status == "queued"
    assert late.newest_deploy().pk != context.deploy.pk


@pytest.mark.parametrize("last", ["the tip", NO_COMMIT])
def test_an_announced_commit_that_a_later_push_took_back_is_not_waited_for(
    tmp_path, settings, last
):
    context = make_context(settings, make_site(tmp_path), retry=60)
    make_delivery(context, "12345678" * 5)
    later = {"hook_id": "1", "event": "push"}
    Delivery.objects.create(guid="b", before="12345678" * 5, after="abcdabcd" * 5, **later)
    tip = repos.commit(tmp_path / "site.git", {"a": "a\n"})
    after = tip if last == "the tip" else last
    Delivery.objects.create(guid="c", before="abcdabcd" * 5, after=after, **later)

    fetch(context)

    assert context.target.commit == tip
    assert context.log.text.count("trying again") == 0


def test_an_announced_commit_of_what_is_followed_no_more_is_not_waited_for(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), retry=60)
    push = make_push(ref="refs/heads/old", repository=make_repository(clone_url="/elsewhere.git"))
    make_delivery(context, "12345678" * 5, payload=json.dumps(push))

    assert fetch(context).startswith("already at")


def test_an_announced_commit_of_a_submodule_is_looked_for_there(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path), retry=60)
    make_delivery(context, context.before.submodules["content"])
    make_delivery(context, "0" * 40)

    assert fetch(context).startswith("already at")


def test_what_a_delivery_announces_is_never_an_argument(tmp_path, settings):
    context = make_context(settings, make_site(tmp_path))
    make_delivery(context, f"--output={tmp_path}/pwned")

    with pytest.raises(StepFailed):
        fetch(context)

    assert not (tmp_path / "pwned").exists()


# --- Over http ------------------------------------------------------------------------------------


def test_a_push_is_fetched_over_http(tmp_path, settings):
    make_site(tmp_path)
    with serve(tmp_path) as server:
        path = tmp_path / "checkout"
        repos.git("remote", "set-url", "origin", f"{server.url}/site.git", cwd=path)
        context = make_context(settings, path)
        with pytest.raises(CheckoutError, match="is a folder of this machine"):
            fetch(context)
        for name in ("content", "theme"):
            desk = repos.desk_of(tmp_path / "site.git")
            key = f"submodule.{name}.url"
            repos.git("config", "-f", ".gitmodules", key, f"../{name}.git", cwd=desk)
        tip = repos.commit(
            tmp_path / "site.git", {".gitmodules": (desk / ".gitmodules").read_text()}
        )

        deploy(context)

        assert context.checkout.version().commit == tip
        theme = repos.git("config", "remote.origin.url", cwd=path / "theme")
        assert theme == f"{server.url}/theme.git"


@pytest.mark.parametrize("status", [500, 502, 503, 404, 429])
def test_a_server_in_trouble_is_asked_again(tmp_path, settings, status):
    site = repos.make_remote(tmp_path / "site.git")
    path = repos.clone(site, tmp_path / "checkout")
    with serve(tmp_path) as server:
        repos.git("remote", "set-url", "origin", f"{server.url}/site.git", cwd=path)
        context = make_context(settings, path, retry=20)
        server.failures = [status]

        assert fetch(context).startswith("already at")
        assert "trying again in 1 s (try 2)" in context.log.text


@pytest.mark.parametrize(("hanging", "ends"), [(1, "already at"), (10, r"[23] tries in")])
def test_a_server_that_never_answers_leaves_time_for_more_tries(tmp_path, settings, hanging, ends):
    site = repos.make_remote(tmp_path / "site.git")
    path = repos.clone(site, tmp_path / "checkout")
    with serve(tmp_path) as server:
        repos.git("remote", "set-url", "origin", f"{server.url}/site.git", cwd=path)
        context = make_context(settings, path, retry=1)
        context.deadline = time.monotonic() + 5
        server.failures = [0] * hanging
        try:
            said = fetch(context)
        except CheckoutError as error:
            said = str(error)

    assert re.search(ends, said)
    assert "failed (was stopped after 1 s); trying again in 1 s (try 2)" in context.log.text
    assert time.monotonic() < context.deadline + 3


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_that_refuses_us_is_not_asked_again(tmp_path, settings, status):
    site = repos.make_remote(tmp_path / "site.git")
    path = repos.clone(site, tmp_path / "checkout")
    with serve(tmp_path) as server:
        address = server.url.replace("http://", "http://me:hunter2@")
        repos.git("remote", "set-url", "origin", f"{address}/site.git", cwd=path)
        context = make_context(settings, path, retry=60)
        server.failures = [status] * 10
        began = time.monotonic()

        with pytest.raises(CheckoutError, match="The remote does not let us in") as caught:
            fetch(context)

    assert time.monotonic() - began < stretched(5)
    assert "hunter2" not in f"{caught.value}{context.log.text}"


def test_a_server_that_is_gone_is_tried_until_time_is_over(tmp_path, settings):
    site = repos.make_remote(tmp_path / "site.git")
    path = repos.clone(site, tmp_path / "checkout")
    with serve(tmp_path) as server:
        repos.git("remote", "set-url", "origin", f"{server.url}/site.git", cwd=path)
    context = make_context(settings, path, retry=2)
    began = time.monotonic()

    with pytest.raises(
        CheckoutError, match=r"\([23] tries in [2-9] s\) failed: .*Couldn't connect to server"
    ):
        fetch(context)

    assert 1.5 < time.monotonic() - began < stretched(6)


def test_a_cancel_ends_the_waiting_at_once(tmp_path, settings):
    class Cancelled(Exception):
        pass

    site = repos.make_remote(tmp_path / "site.git")
    path = repos.clone(site, tmp_path / "checkout")
    repos.git("remote", "set-url", "origin", "http://127.0.0.1:9/site.git", cwd=path)
    context = make_context(settings, path, retry=60)
    threading.Timer(1, lambda: setattr(context.lease, "end", Cancelled)).start()
    began = time.monotonic()

    with pytest.raises(Cancelled):
        fetch(context)

    assert time.monotonic() - began < stretched(3)


# --- What git says --------------------------------------------------------------------------------

SSH_TAIL = (
    "fatal: Could not read from remote repository.\n\nPlease make sure you have the correct"
    " access rights\nand the repository exists.\n"
)


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (
            "fatal: unable to access 'http://127.0.0.1:9/x/': Failed to connect to 127.0.0.1 port 9"
            " after 0 ms: Couldn't connect to server",
            Fault.PASSING,
        ),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", Fault.PASSING),
        (
            "fatal: unable to access 'http://x/': The requested URL returned error: 503",
            Fault.PASSING,
        ),
        (
            "fatal: unable to access 'http://x/': Recv failure: Connection reset by peer",
            Fault.PASSING,
        ),
        ("fatal: unable to access 'http://x/': Empty reply from server", Fault.PASSING),
        (
            "error: RPC failed; curl 28 Operation too slow. Less than 1000 bytes/sec transferred"
            " the last 20 seconds\nfatal: expected flush after ref listing",
            Fault.PASSING,
        ),
        ("fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", Fault.PASSING),
        ("fatal: the remote end hung up unexpectedly", Fault.PASSING),
        (f"ssh: connect to host x port 22: Connection timed out\n{SSH_TAIL}", Fault.PASSING),
        (
            f"kex_exchange_identification: Connection closed by remote host\n{SSH_TAIL}",
            Fault.PASSING,
        ),
        (SSH_TAIL, Fault.PASSING),
        (f"ERROR: Repository not found.\n{SSH_TAIL}", Fault.VANISHED),
        (
            "remote: Repository not found.\nfatal: repository 'https://github.com/a/b/' not found",
            Fault.VANISHED,
        ),
        ("fatal: remote error: upload-pack: not our ref 1234", Fault.NOT_THERE_YET),
        (
            "error: Server does not allow request for unadvertised object 1234",
            Fault.NOT_THERE_YET,
        ),
        (f"git@github.com: Permission denied (publickey).\n{SSH_TAIL}", Fault.AUTHENTICATION),
        (f"Host key verification failed.\n{SSH_TAIL}", Fault.HOST_KEY),
        ("fatal: Authentication failed for 'https://github.com/a/b/'", Fault.AUTHENTICATION),
        (
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
            Fault.AUTHENTICATION,
        ),
        (
            "fatal: unable to access 'https://x/': The requested URL returned error: 403",
            Fault.AUTHENTICATION,
        ),
        (f"ERROR: Permission to a/b.git denied to deploy key\n{SSH_TAIL}", Fault.AUTHENTICATION),
        ("fatal: couldn't find remote ref refs/heads/live", Fault.NO_BRANCH),
        (
            f"fatal: '/srv/x.git' does not appear to be a git repository\n{SSH_TAIL}",
            Fault.NO_REPOSITORY,
        ),
        (
            "fatal: unable to access 'https://x/': SSL certificate problem: it has expired",
            Fault.CERTIFICATE,
        ),
        ("fatal: transport 'ext' not allowed", Fault.PROTOCOL),
        ("fatal: detected dubious ownership in repository at '/srv/site'", Fault.OWNER),
        (
            "fatal: Unable to create '/srv/site/.git/index.lock': File exists.\n\nAnother git"
            " process seems to be running in this repository",
            Fault.LOCKED,
        ),
        ("fatal: write error: No space left on device", Fault.DISK_FULL),
        (
            "error: insufficient permission for adding an object to repository database",
            Fault.NOT_WRITABLE,
        ),
        ("error: cannot open .git/FETCH_HEAD: Permission denied", Fault.NOT_WRITABLE),
        ("fatal: something else", Fault.UNKNOWN),
        ("", Fault.UNKNOWN),
    ],
)
def test_gits_messages_are_understood(message, fault):
    assert classify(message) is fault


def test_real_messages_are_understood(tmp_path):
    def say(*args):
        finished = subprocess.run(
            ["git", *args],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "GIT_ALLOW_PROTOCOL": "http:file"},
        )
        return classify(finished.stderr)

    remote = repos.make_remote(tmp_path / "site.git")

    assert say("ls-remote", "http://127.0.0.1:9/x") is Fault.PASSING
    assert say("ls-remote", str(tmp_path / "nowhere.git")) is Fault.NO_REPOSITORY
    assert say("ls-remote", "ext::sh -c true") is Fault.PROTOCOL
    assert say("-C", str(remote), "fetch", str(remote), "refs/heads/x") is Fault.NO_BRANCH


def test_only_what_passes_by_itself_passes():
    assert [fault.name for fault in Fault if fault.passes] == [
        "NOT_THERE_YET",
        "VANISHED",
        "PASSING",
    ]


def test_a_full_disk_is_told_in_words_and_room_is_all_it_takes(tmp_path, settings):
    with small_disk(tmp_path / "small", 8) as is_mounted:
        if not is_mounted:
            pytest.skip("only root can mount a small disk")
        place = make_site(tmp_path).rename(tmp_path / "away")
        shutil.move(place, tmp_path / "small" / "checkout")
        context = make_context(settings, tmp_path / "small" / "checkout")
        noise = random.Random(0).randbytes(200_000).hex()
        tip = repos.commit(tmp_path / "site.git", {"manage.py": "print(1)\n", "big.txt": noise})
        with filled(tmp_path / "small"), pytest.raises(CheckoutError, match="is full: make room"):
            fetch(context)
        fetch(context)
        assert context.target.commit == tip

        with filled(tmp_path / "small"), pytest.raises(CheckoutError, match="is full: make room"):
            pull(context)
        put_back(context)
        assert context.checkout.version() == context.before
        context = make_context(settings, tmp_path / "small" / "checkout")
        deploy(context)
        assert context.checkout.version().commit == tip

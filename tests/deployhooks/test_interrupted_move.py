"""A git that is ended while it writes files leaves two versions; the next move tidies up."""

import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from deployhooks import control, deployer, doctor
from deployhooks.checkout import CheckoutError
from deployhooks.models import Deploy
from deployhooks.steps.fetch import fetch
from tests.deployhooks import repositories as repos
from tests.deployhooks.contexts import deploy, make_context, make_site, put_back
from tests.deployhooks.test_pull import kept_refs

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = [
    *(f"deployhooks.steps.{name}.{name}" for name in ("fetch", "pull", "submodules")),
    "tests.deployhooks.fake_steps.reload",
]
# In the order in which git goes through them: the one in the middle does not come to its end.
MANY = {f"many/{number:04}.txt": f"{number}\n" * 50 for number in range(300)}
OLD = MANY | {"zoo.txt": "old\n", "gone.txt": "gone\n"}
NEW = {f"many/{number:04}.txt": "other\n" for number in range(0, 300, 7)} | {
    "new/stray.py": "print()\n",
    "slow": "x\n",
    "zoo.txt": "new\n",
}


@pytest.fixture
def path(tmp_path, settings):
    """A site of many files, as has its content; `slow` is written there for a minute."""
    path = make_site(tmp_path)
    for remote in ("site.git", "content.git"):
        commit_all(tmp_path / remote, OLD)
    deploy(make_context(settings, path))
    for git_dir in (path / ".git", path / ".git/modules/content"):
        repos.git("config", "filter.slow.smudge", "exec sleep 60", cwd=git_dir)
        (git_dir / "info").mkdir(exist_ok=True)
        (git_dir / "info/attributes").write_text("slow filter=slow\n")
    settings.DEPLOY_STEPS = STEPS
    return path


def commit_all(remote: Path, files: dict[str, str]) -> str:
    """Many files at once."""
    desk = repos.desk_of(remote)
    for name, text in files.items():
        (desk / name).parent.mkdir(parents=True, exist_ok=True)
        (desk / name).write_text(text)
    repos.git("add", "--all", cwd=desk)
    return repos.push(remote)


def push_new(remote: Path) -> str:
    (repos.desk_of(remote) / "gone.txt").unlink(missing_ok=True)
    return commit_all(remote, NEW)


def assert_whole(folder: Path, commit: str) -> None:
    """Every file of the commit is there as it was committed, and none besides."""
    assert repos.head(folder) == commit
    assert repos.git("status", "--porcelain", "--ignore-submodules", cwd=folder) == ""
    assert repos.git("ls-files", "--others", cwd=folder) == ""
    names = repos.git("ls-tree", "-r", "--name-only", commit, cwd=folder).split()
    assert repos.git("ls-files", cwd=folder).split() == names


@contextmanager
def when_it_is_in_the_middle(folder: Path, act):
    """Call `act` with the git that writes files, once it has written those before `slow`."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if (folder / "new/stray.py").exists():
                # Files go one after the other: this one is followed by `slow`.
                act(find_git())
                return
            time.sleep(0.02)

    thread = threading.Thread(target=wait)
    thread.start()
    yield
    thread.join()


def find_git() -> psutil.Process:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in psutil.Process().children():
            if "checkout" in child.cmdline() and len(child.children(recursive=True)) > 0:
                return child
        time.sleep(0.02)
    raise AssertionError("no git writes files")


def kill(git: psutil.Process) -> None:
    os.killpg(git.pid, signal.SIGKILL)  # it leads a group of its own


def run_deploy() -> Deploy:
    deploy = Deploy.objects.create(trigger="push", host=deployer.recovery.settings.DEPLOY_HOST)
    deployer.run_deploy(deploy.pk)
    deploy.refresh_from_db()
    return deploy


@pytest.mark.parametrize("how", ["cancelled", "killed"])
def test_a_pull_that_ends_in_the_middle_is_put_back_to_the_last_file(tmp_path, path, how):
    before = repos.head(path)
    push_new(tmp_path / "site.git")
    act = kill if how == "killed" else lambda git: control.cancel(Deploy.objects.get(), "ada")
    Deploy.objects.all().delete()

    with when_it_is_in_the_middle(path, act):
        ended = run_deploy()

    assert (ended.status, ended.restored) == ("failed" if how == "killed" else "cancelled", True)
    assert_whole(path, before)
    assert kept_refs(path) == []
    output = ended.steps.get(name="put_back").output
    assert "had been cut short, its files were taken away" in output


def test_a_submodule_that_stops_in_the_middle_is_put_back_too(tmp_path, path, settings):
    before = repos.head(path / "content")
    push_new(tmp_path / "content.git")

    with when_it_is_in_the_middle(path / "content", kill):
        ended = run_deploy()

    assert (ended.status, ended.restored) == ("failed", True)
    assert_whole(path / "content", before)
    assert kept_refs(path / "content") == []


def break_off(settings, path: Path, folder: Path):
    """A deploy that is killed as its machine is: nothing is put back."""
    context = make_context(settings, path)
    with when_it_is_in_the_middle(folder, kill), pytest.raises(CheckoutError):
        deploy(context)
    for lock in path.glob(".git/**/index.lock"):
        lock.unlink()
    return context


def test_until_then_nobody_calls_it_clean(tmp_path, path, settings):
    before = repos.head(path)
    push_new(tmp_path / "site.git")

    context = break_off(settings, path, path)

    assert repos.head(path) == before
    assert context.has_moved
    assert not context.checkout.is_at(before)
    problems = [finding.problem for finding in doctor.check_checkout() if finding.problem]
    assert "cut short" in problems[0]
    put_back(context)
    assert not context.has_moved
    assert [finding.problem for finding in doctor.check_checkout()] == [""]


@pytest.mark.parametrize("where", [".", "content"])
def test_the_next_attempt_may_go_to_a_third_commit(tmp_path, path, settings, where):
    folder, remote = (
        (path, tmp_path / "site.git") if where == "." else (path / where, tmp_path / "content.git")
    )
    push_new(remote)
    break_off(settings, path, folder)
    third = repos.commit(remote, {"third": "3\n"}, remove=("new", "slow"))

    deploy(make_context(settings, path))

    assert_whole(folder, third)
    assert not (folder / "new").exists()
    assert kept_refs(folder) == []


def test_a_new_submodule_that_stopped_in_the_middle_leaves_nothing(tmp_path, path, settings):
    before = repos.head(path)
    more = repos.make_remote(tmp_path / "more.git")
    push_new(more)
    repos.add_submodule(tmp_path / "site.git", "more", more)
    context = make_context(settings, path)
    fetch(context)
    git_dir = path / ".git/modules/more"
    repos.git(
        "config", "--file", git_dir / "config", "filter.slow.smudge", "exec sleep 60", cwd=path
    )
    (git_dir / "info").mkdir(exist_ok=True)
    (git_dir / "info/attributes").write_text("slow filter=slow\n")
    with when_it_is_in_the_middle(path / "more", kill), pytest.raises(CheckoutError):
        deploy(context)
    for lock in path.glob(".git/**/index.lock"):
        lock.unlink()

    put_back(context)

    assert_whole(path, before)
    assert not (path / "more").exists()


def test_what_somebody_writes_into_a_torn_version_is_kept(tmp_path, path, settings):
    before = repos.head(path)
    push_new(tmp_path / "site.git")
    context = break_off(settings, path, path)
    (path / "zoo.txt").write_text("mended by hand\n")
    (path / "many/0001.txt").write_text("1\n" * 20)  # as git leaves a file when it is killed

    put_back(context)

    assert_whole(path, before)
    (ref,) = kept_refs(path)
    assert repos.git("show", f"{ref}:zoo.txt", cwd=path) == "mended by hand"
    assert repos.git("diff", "--name-only", before, ref, cwd=path) == "zoo.txt"


def make_tree(desk: Path, entries: str) -> str:
    done = subprocess.run(
        ["git", "mktree"], cwd=desk, input=entries, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_version_that_git_refuses_to_write_is_in_nobodys_way(tmp_path, path, settings):
    before = repos.head(path)
    desk = repos.desk_of(tmp_path / "site.git")
    inner = make_tree(
        desk, repos.git("ls-tree", "HEAD:many", cwd=desk).replace("0000.txt", "git~1")
    )
    made = make_tree(desk, f"{repos.git('ls-tree', 'HEAD', cwd=desk)}\n040000 tree {inner}\todd")
    commit = repos.git("commit-tree", made, "-p", "HEAD", "-m", "Odd", cwd=desk)
    repos.git("push", "--quiet", "origin", f"{commit}:refs/heads/main", cwd=desk)
    context = make_context(settings, path)
    with pytest.raises(CheckoutError, match="invalid path"):
        deploy(context)
    assert context.has_moved

    put_back(context)

    assert_whole(path, before)
    assert not context.has_moved

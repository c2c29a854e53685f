"""What a killed git leaves in a checkout is taken away; what a living one works with stays."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from deployhooks.checkout import Checkout, repair
from tests.deployhooks import repositories as repos
from tests.deployhooks.git_server import serve


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A site with a tracked submodule at content, cloned."""
    content = repos.make_remote(tmp_path / "content.git", {"first.rst": "First\n"})
    site = repos.make_remote(tmp_path / "site.git", {"manage.py": "print()\n"})
    repos.add_submodule(site, "content", content, branch="main")
    repos.clone(site, tmp_path / "checkout")
    return Checkout(tmp_path / "checkout")


def mend(checkout: Checkout) -> list[str]:
    return list(repair.repair(checkout, checkout.path.parent / "scratch", lambda: None))


def start_git(folder: Path, *args: str, **env: str) -> subprocess.Popen:
    """A git that waits for its editor: it has the index's lock, and no file open."""
    editor = {"GIT_EDITOR": "sleep 60 #", "GIT_CONFIG_GLOBAL": os.devnull}
    (folder / "new.txt").write_text("new\n")
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    return subprocess.Popen(
        [*git, "commit", "--include", "--verbose", "new.txt", *args],
        cwd=folder,
        env=os.environ | editor | env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.02)


def test_a_checkout_in_order_needs_no_repair(checkout):
    before = sorted(path for path in checkout.path.rglob("*"))
    assert mend(checkout) == []
    assert sorted(path for path in checkout.path.rglob("*")) == before


@pytest.mark.parametrize(
    "name",
    [
        "index.lock",
        "HEAD.lock",
        "config.lock",
        "shallow.lock",
        "packed-refs.lock",
        "refs/heads/main.lock",
        "refs/remotes/origin/main.lock",
        "objects/info/commit-graphs/commit-graph-chain.lock",
        "objects/pack/tmp_pack_abcdef",
        "objects/ab/tmp_obj_abcdef",
        "modules/content/index.lock",
        "modules/content/shallow.lock",
        "modules/content/refs/remotes/origin/main.lock",
    ],
)
def test_what_a_dead_git_left_is_removed_and_told(checkout, name):
    path = checkout.git_dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert [note.split(",")[0] for note in mend(checkout)] == [f"removed {path}"]
    assert not path.exists()


def test_the_lock_of_a_git_that_was_killed_is_removed(checkout):
    lock = checkout.git_dir / "index.lock"
    repos.git("add", "-N", ".", cwd=checkout.path)
    (checkout.path / "new.txt").write_text("new\n")
    repos.git("add", "new.txt", cwd=checkout.path)
    process = start_git(checkout.path)
    wait_for(lock)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert lock.exists()
    mend(checkout)
    assert not lock.exists()
    repos.git("status", cwd=checkout.path)


@pytest.mark.parametrize("inside", [".", "content"])
def test_the_lock_of_a_living_git_stays(checkout, monkeypatch, inside):
    monkeypatch.setattr(repair, "PATIENCE", 0.5)
    folder = checkout.path / inside
    git_dir = checkout.git_dir if inside == "." else checkout.git_dir / "modules" / "content"
    (folder / "new.txt").write_text("new\n")
    repos.git("add", "new.txt", cwd=folder)
    process = start_git(folder)
    try:
        wait_for(git_dir / "index.lock")
        (note,) = mend(checkout)
        assert note.startswith("left as they are, because git works here (git -c")
        assert str(process.pid) in note
        assert (git_dir / "index.lock").exists()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("command", ["ls-remote", "fetch"])
def test_a_git_that_only_asks_a_remote_owns_no_lock_nor_do_its_helpers(
    checkout, tmp_path, monkeypatch, command
):
    monkeypatch.setattr(repair, "PATIENCE", 0.2)
    lock = checkout.git_dir / "modules" / "content" / "index.lock"
    lock.touch()
    with serve(tmp_path) as server:
        server.failures = [0]
        address = server.url.replace("http://", "http://u:hunter2@") + "/site.git"
        process = subprocess.Popen(
            ["git", command, "--", address], cwd=checkout.path, start_new_session=True
        )
        try:
            while not server.requests:
                assert process.poll() is None
                time.sleep(0.02)
            notes = "".join(mend(checkout))
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert lock.exists() == (command == "fetch")
    assert ("remote-http" in notes) == (command == "fetch")
    assert "hunter2" not in notes


def test_a_lock_that_any_living_process_has_open_stays(checkout):
    lock = checkout.git_dir / "config.lock"
    with lock.open("w"):
        (note,) = mend(checkout)
    assert note == f"left {lock}: a living process has it open"
    assert lock.exists()


def test_a_git_that_works_elsewhere_keeps_nobody_from_repairing(checkout, tmp_path):
    other = repos.clone(tmp_path / "content.git", tmp_path / "elsewhere")
    (other / "new.txt").write_text("new\n")
    repos.git("add", "new.txt", cwd=other)
    process = start_git(other)
    try:
        wait_for(other / ".git" / "index.lock")
        (checkout.git_dir / "index.lock").touch()
        assert len(mend(checkout)) == 1
        assert (other / ".git" / "index.lock").exists()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_our_own_lock_stays(checkout):
    (checkout.git_dir / "blogsite.lock").touch()
    assert mend(checkout) == []


def test_a_worktree_whose_making_was_killed_can_be_made_again(checkout, tmp_path):
    tree = tmp_path / "scratch" / "tree"
    repos.git("worktree", "add", "-q", "--detach", "--lock", tree, "HEAD", cwd=checkout.path)
    subprocess.run(["rm", "-rf", tmp_path / "scratch"], check=True)
    assert mend(checkout) == ["removed the half-made worktree tree"]
    repos.git("worktree", "prune", cwd=checkout.path)
    repos.git("worktree", "add", "-q", "--detach", tree, "HEAD", cwd=checkout.path)


def test_a_submodule_that_somebody_clones_just_now_is_left_alone(checkout, monkeypatch):
    monkeypatch.setattr(repair, "PATIENCE", 0.2)
    module = checkout.git_dir / "modules" / "content"
    (module / "HEAD").unlink()
    loop = ["git", "-c", "alias.loop=!sleep 60", "loop"]
    process = subprocess.Popen(loop, cwd=checkout.path, start_new_session=True)
    try:
        while "git works here" not in "".join(mend(checkout)):
            assert process.poll() is None
            assert module.exists()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert "cannot be used" in mend(checkout)[0]


def test_worktrees_of_people_stay(checkout, tmp_path):
    repos.git("worktree", "add", "-q", "--lock", tmp_path / "mine", "HEAD", cwd=checkout.path)
    assert mend(checkout) == []


@pytest.mark.parametrize("content", [b"", b"\0" * 41])
def test_refs_and_indexes_that_a_power_cut_emptied_are_made_anew(checkout, content):
    module = checkout.git_dir / "modules" / "content"
    tip = repos.head(checkout.path / "content")
    (module / "refs/remotes/origin/main").write_bytes(content)
    (module / "index").write_bytes(content)
    assert len(mend(checkout)) == 2
    (submodule,) = checkout.submodules()
    assert checkout.fetch_submodule(submodule) == tip
    checkout.place_submodule(submodule, tip)
    assert repos.git("status", "--porcelain", cwd=checkout.path / "content") == ""


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: subprocess.run(["rm", "-r", folder / "objects"], check=True),
        lambda folder: (folder / "HEAD").write_text(""),
        lambda folder: (folder / "HEAD").unlink(),
        lambda folder: subprocess.run(["rm", "-r", folder / "refs"], check=True),
        lambda folder: (folder / "config").write_text(""),
        lambda folder: (
            [path.unlink() for path in folder.rglob("*.pack")]
            + [path.unlink() for path in (folder / "objects").glob("??/*")]
        ),
    ],
    ids=["no objects", "empty HEAD", "no HEAD", "no refs", "empty config", "objects lost"],
)
def test_a_half_made_submodule_is_completed_by_the_next_deploy(checkout, damage):
    damage(checkout.git_dir / "modules" / "content")
    tip = repos.head(checkout.path.parent / "content.git", "main")
    checkout = Checkout(checkout.path)
    mend(checkout)
    checkout.version()
    (submodule,) = checkout.submodules()
    assert checkout.fetch_submodule(submodule) == tip
    checkout.place_submodule(submodule, tip)
    checkout.sync_submodule(submodule)
    assert (checkout.path / "content" / "first.rst").read_text() == "First\n"
    assert Checkout(checkout.path).version().submodules == {"content": tip}

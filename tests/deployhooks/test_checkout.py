"""What stands in a checkout is read from real repositories."""

import contextlib
import time
from pathlib import Path

import psutil
import pytest

from deployhooks.checkout import Checkout, CheckoutError, Version
from tests.deployhooks import repositories as repos


def make_site(tmp_path, **overrides):
    """A site with a tracked submodule at content and a pinned one at theme, cloned."""
    content = repos.make_remote(tmp_path / "content.git", {"first.rst": "First\n"})
    theme = repos.make_remote(tmp_path / "theme.git", {"base.css": "p {}\n"})
    site = repos.make_remote(tmp_path / "site.git", {"manage.py": "print()\n"})
    repos.add_submodule(site, "content", content, branch="main")
    repos.add_submodule(site, "theme", theme)
    repos.clone(site, tmp_path / "checkout")
    return Checkout(tmp_path / "checkout", **overrides)


def test_a_checkout_tells_where_it_comes_from_and_where_it_is(tmp_path):
    checkout = make_site(tmp_path)

    assert checkout.remote_url() == str(tmp_path / "site.git")
    assert checkout.branch_name() == "main"
    assert checkout.head_commit() == repos.head(tmp_path / "site.git", "main")


def test_the_version_names_the_commit_of_each_submodule(tmp_path):
    checkout = make_site(tmp_path)
    ahead = repos.commit(tmp_path / "content.git", {"second.rst": "Second\n"})
    repos.git("pull", "--quiet", "origin", "main", cwd=tmp_path / "checkout/content")

    assert checkout.version() == Version(
        repos.head(tmp_path / "site.git", "main"),
        {"content": ahead, "theme": repos.head(tmp_path / "theme.git", "main")},
    )


def test_submodules_tell_what_is_tracked_and_what_is_pinned(tmp_path):
    content, theme = make_site(tmp_path).submodules()

    assert (content.path, content.name, content.branch) == ("content", "content", "main")
    assert content.url == str(tmp_path / "content.git")
    assert (theme.path, theme.branch) == ("theme", None)
    assert theme.recorded == repos.head(tmp_path / "theme.git", "main")


def test_submodules_are_those_of_the_commit_asked_for(tmp_path):
    checkout = make_site(tmp_path)
    before = repos.head(tmp_path / "checkout", "HEAD~1")

    assert [one.path for one in checkout.submodules(before)] == ["content"]


def test_submodules_within_submodules_are_named_with_their_whole_path(tmp_path):
    inner = repos.make_remote(tmp_path / "inner.git")
    outer = repos.make_remote(tmp_path / "outer.git")
    site = repos.make_remote(tmp_path / "site.git")
    repos.add_submodule(outer, "deep down", inner, branch="main")
    repos.add_submodule(site, "outer", outer)
    repos.clone(site, tmp_path / "checkout")

    checkout = Checkout(tmp_path / "checkout")

    assert [one.path for one in checkout.submodules()] == ["outer", "outer/deep down"]
    assert checkout.version().submodules["outer/deep down"] == repos.head(inner, "main")


def test_a_submodule_that_is_not_cloned_has_no_commit_in_the_version(tmp_path):
    make_site(tmp_path)
    repos.clone(tmp_path / "site.git", tmp_path / "bare-bones", submodules=False)

    checkout = Checkout(tmp_path / "bare-bones")

    assert [one.path for one in checkout.submodules()] == ["content", "theme"]
    assert checkout.version().submodules == {}


def test_a_dot_for_a_branch_means_the_sites_own(tmp_path):
    theme = repos.make_remote(tmp_path / "theme.git")
    site = repos.make_remote(tmp_path / "site.git")
    repos.add_submodule(site, "theme", theme)
    repos.git("config", "-f", ".gitmodules", "submodule.theme.branch", ".", cwd=repos.desk_of(site))
    repos.git("add", ".gitmodules", cwd=repos.desk_of(site))
    repos.push(site)
    repos.clone(site, tmp_path / "checkout")

    assert Checkout(tmp_path / "checkout").submodules()[0].branch == "main"


def test_a_relative_address_is_below_the_sites_own(tmp_path):
    repos.make_remote(tmp_path / "theme.git")
    site = repos.make_remote(tmp_path / "site.git")
    repos.add_submodule(site, "theme", "../theme.git")
    repos.clone(site, tmp_path / "checkout")

    assert Checkout(tmp_path / "checkout").submodules()[0].url == str(tmp_path / "theme.git")


def test_the_operators_branch_comes_first(tmp_path):
    assert make_site(tmp_path, branch="live").branch_name() == "live"


def test_a_branch_that_is_none_names_the_setting(tmp_path):
    checkout = make_site(tmp_path, branch="--upload-pack=touch /tmp/x")

    with pytest.raises(CheckoutError, match="DEPLOY_BRANCH is no name of a branch"):
        checkout.branch_name()


def test_at_a_commit_the_remotes_default_branch_is_deployed(tmp_path):
    checkout = make_site(tmp_path)
    repos.git("checkout", "--quiet", "--detach", cwd=checkout.path)

    assert checkout.branch_name() == "main"


def test_at_a_commit_with_no_default_branch_the_setting_is_named(tmp_path):
    checkout = make_site(tmp_path)
    repos.git("checkout", "--quiet", "--detach", cwd=checkout.path)
    repos.git("remote", "set-head", "origin", "--delete", cwd=checkout.path)

    with pytest.raises(CheckoutError, match="set DEPLOY_BRANCH"):
        checkout.branch_name()


def test_a_remote_that_is_missing_names_the_setting(tmp_path):
    with pytest.raises(CheckoutError, match="set DEPLOY_REMOTE"):
        make_site(tmp_path, remote="upstream").remote_url()


def test_a_remote_given_as_a_relative_folder_is_told_in_full(tmp_path):
    checkout = make_site(tmp_path)
    repos.git("remote", "set-url", "origin", "../site.git", cwd=checkout.path)

    assert checkout.remote_url() == str(tmp_path / "site.git")


def test_a_folder_that_is_no_checkout_is_said_to_be_none(tmp_path):
    with pytest.raises(CheckoutError, match=r"is no git checkout. Set DEPLOY_CHECKOUT"):
        Checkout(tmp_path).head_commit()


def test_the_environment_of_another_repository_is_not_believed(tmp_path, monkeypatch):
    checkout = make_site(tmp_path)
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))

    assert checkout.remote_url() == str(tmp_path / "site.git")
    assert [one.path for one in checkout.submodules()] == ["content", "theme"]


def test_a_linked_worktree_is_a_checkout(tmp_path):
    checkout = make_site(tmp_path)
    repos.git("worktree", "add", "--quiet", "--detach", tmp_path / "scratch", cwd=checkout.path)

    assert Checkout(tmp_path / "scratch").head_commit() == checkout.head_commit()


def test_reading_takes_milliseconds_and_leaves_nothing_open(tmp_path):
    def look():
        fresh = Checkout(tmp_path / "checkout")
        return fresh.remote_url(), fresh.submodules(), fresh.branch_name()

    make_site(tmp_path)
    look()
    files = len(list(Path("/proc/self/fd").iterdir()))
    others = psutil.Process().children()  # such as a test's database server
    times = []
    for _ in range(10):
        began = time.perf_counter()
        look()
        times.append(time.perf_counter() - began)

    assert min(times) < 0.05
    assert psutil.Process().children() == others
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    with contextlib.suppress(CheckoutError):
        Checkout(tmp_path / "checkout").submodules("0" * 40)
    assert psutil.Process().children() == others

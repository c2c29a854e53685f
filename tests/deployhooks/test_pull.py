"""The step pull moves the checkout and throws nothing away that somebody made there."""

import os
import shutil

import pytest

from deployhooks.bytecode import read_fresh
from deployhooks.checkout import CheckoutError
from deployhooks.steps.fetch import fetch
from deployhooks.steps.pull import pull
from tests.deployhooks import repositories as repos
from tests.deployhooks.contexts import deploy, make_context, make_site, put_back, run

pytestmark = pytest.mark.django_db


def bring(settings, path, **overrides):
    """Fetch and pull; the context and pull's line."""
    context = make_context(settings, path, **overrides)
    fetch(context)
    return context, run(pull, context)


def kept_refs(path, kind="local-changes"):
    refs = repos.git("for-each-ref", "--format=%(refname)", f"refs/blogsite/{kind}", cwd=path)
    return refs.split()


def show(path, ref, name):
    return repos.git("show", f"{ref}:{name}", cwd=path)


def names_in(path, ref):
    return repos.git("-c", "core.quotePath=off", "ls-tree", "-r", "--name-only", ref, cwd=path)


def is_clean(path):
    return repos.git("status", "--porcelain", "--ignore-submodules", cwd=path) == ""


@pytest.fixture
def path(tmp_path):
    return make_site(tmp_path)


@pytest.fixture
def site(tmp_path, path):
    return tmp_path / "site.git"


def test_a_push_is_followed(path, site, settings):
    tip = repos.commit(site, {"manage.py": "print(1)\n"})

    _, line = bring(settings, path)

    assert line == f"{tip[:7]} on main"
    assert (path / "manage.py").read_text() == "print(1)\n"
    assert repos.git("symbolic-ref", "HEAD", cwd=path) == "refs/heads/main"
    assert is_clean(path)


def test_with_nothing_new_the_step_is_skipped_with_its_reason(path, settings):
    context, line = bring(settings, path)

    assert line == f"[already at {context.before.commit[:7]}]"


def test_a_submodule_ahead_of_what_is_recorded_is_no_local_change(tmp_path, path, settings):
    repos.commit(tmp_path / "content.git", {"second.rst": "Second\n"})
    repos.git("pull", "--quiet", "origin", "main", cwd=path / "content")

    _, line = bring(settings, path)

    assert line.startswith("[already at")
    assert kept_refs(path) == []


def test_after_a_force_push_the_commits_left_behind_stay_reachable(path, site, settings):
    left = repos.commit(site, {"a": "a\n"})
    bring(settings, path)
    repos.rewind(site)
    tip = repos.commit(site, {"b": "b\n"})

    _, line = bring(settings, path)

    ref = f"refs/blogsite/left-behind/{left[:12]}"
    assert line == f"{tip[:7]} on main; 1 commit up to {left[:7]} left behind, kept under {ref}"
    assert repos.head(path, ref) == left
    assert repos.head(path) == tip
    assert not (path / "a").exists()


def test_a_local_commit_stays_reachable(path, site, settings):
    (path / "mine").write_text("mine\n")
    repos.git("add", "mine", cwd=path)
    repos.git("commit", "--quiet", "-m", "Mine", cwd=path)
    mine = repos.head(path)
    tip = repos.commit(site, {"a": "a\n"})

    _, line = bring(settings, path)

    assert repos.head(path) == tip
    assert f"kept under refs/blogsite/left-behind/{mine[:12]}" in line
    assert repos.head(path, f"refs/blogsite/left-behind/{mine[:12]}") == mine


def test_going_back_leaves_no_ref_for_commits_that_the_remote_has(path, site, settings):
    context, _ = bring(settings, path)
    repos.commit(site, {"a": "a\n"})
    bring(settings, path)

    _, line = bring(settings, path, rollback_to=context.deploy)

    assert line == f"{context.before.commit[:7]} on main"
    assert kept_refs(path, "left-behind") == []


def test_local_changes_are_kept_and_named(path, site, settings):
    (path / "manage.py").write_text("print('mine')\n")
    repos.commit(site, {"manage.py": "print(1)\n"})

    _, line = bring(settings, path)

    (ref,) = kept_refs(path)
    assert f"local changes (manage.py) kept under {ref}" in line
    assert show(path, ref, "manage.py") == "print('mine')"
    assert (path / "manage.py").read_text() == "print(1)\n"
    assert is_clean(path)


def test_local_changes_are_kept_and_undone_also_when_nothing_is_new(path, settings):
    (path / "manage.py").write_text("print('mine')\n")

    _, line = bring(settings, path)

    assert "local changes (manage.py) kept under" in line
    assert is_clean(path)


def test_a_change_within_the_second_of_the_index_is_kept(path, site, settings):
    repos.git("config", "core.trustctime", "false", cwd=path)
    for file in (path / "manage.py", path / ".git/index"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    repos.git("update-index", "--refresh", cwd=path)
    (path / "manage.py").write_text("mine!()\n")
    for file in (path / "manage.py", path / ".git/index"):
        os.utime(file, (1_700_000_000, 1_700_000_000))
    repos.commit(site, {"manage.py": "print(1)\n"})

    _, line = bring(settings, path)

    assert "local changes (manage.py) kept under" in line


def test_deleted_staged_and_new_files_are_kept(path, site, settings):
    repos.commit(site, {"gone": "gone\n", "staged": "old\n", "both": "old\n"})
    bring(settings, path)
    (path / "gone").unlink()
    (path / "staged").write_text("mine\n")
    (path / "added").write_text("mine\n")
    (path / "both").write_text("staged\n")
    repos.git("add", "staged", "added", "both", cwd=path)
    (path / "both").write_text("unstaged\n")
    repos.commit(site, {"manage.py": "print(1)\n"})

    _, line = bring(settings, path)

    (ref,) = kept_refs(path)
    assert "(added, both, gone, staged)" in line
    assert "gone" not in names_in(path, ref).split()
    assert show(path, ref, "staged") == "mine"
    assert show(path, ref, "added") == "mine"
    assert show(path, ref, "both") == "unstaged"
    assert show(path, f"{ref}^2", "both") == "staged"
    assert (path / "gone").read_text() == "gone\n"
    assert not (path / "added").exists()
    assert is_clean(path)


def test_an_unfinished_merge_is_kept(path, site, settings):
    repos.git("checkout", "--quiet", "-b", "other", cwd=path)
    (path / "manage.py").write_text("print('other')\n")
    repos.git("commit", "--quiet", "-am", "Other", cwd=path)
    repos.git("checkout", "--quiet", "main", cwd=path)
    (path / "manage.py").write_text("print('mine')\n")
    repos.git("commit", "--quiet", "-am", "Mine", cwd=path)
    with pytest.raises(AssertionError, match="CONFLICT"):
        repos.git("merge", "other", cwd=path)
    tip = repos.commit(site, {"manage.py": "print(1)\n"})

    bring(settings, path)

    (ref,) = kept_refs(path)
    assert "<<<<<<<" in show(path, ref, "manage.py")
    assert repos.head(path) == tip
    assert is_clean(path)


def test_untracked_files_stay_where_they_are(path, site, settings):
    (path / "note").write_text("mine\n")
    repos.commit(site, {"manage.py": "print(1)\n"})

    _, line = bring(settings, path)

    assert (path / "note").read_text() == "mine\n"
    assert kept_refs(path) == []
    assert "local changes" not in line


def test_run_time_files_are_neither_touched_nor_kept(path, site, settings):
    (path / "var").mkdir()
    (path / "var/db").write_text("rows\n")
    (path / ".env").write_text("SECRET=1\n")
    (path / "manage.py").write_text("print('mine')\n")
    before = (path / "var/db").stat()
    repos.commit(site, {"manage.py": "print(1)\n"})

    bring(settings, path)

    (ref,) = kept_refs(path)
    assert (path / "var/db").stat() == before
    assert (path / ".env").read_text() == "SECRET=1\n"
    assert not {".env", "var/db"} & set(names_in(path, ref).split())


@pytest.mark.parametrize("name", ["new file", "var/neu \u4e2d.txt", "*"])
def test_an_untracked_file_in_the_way_is_kept(path, site, settings, name):
    (path / name).parent.mkdir(exist_ok=True)
    (path / name).write_text("mine\n")
    repos.commit(site, {name: "theirs\n"})

    _, line = bring(settings, path)

    (ref,) = kept_refs(path)
    assert f"({name})" in line
    assert show(path, ref, name) == "mine"
    assert (path / name).read_text() == "theirs\n"


def test_a_file_with_a_name_that_is_no_text_is_kept(path, site, settings):
    name = os.fsdecode(b"caf\xe9")
    (path / name).write_text("mine\n")
    repos.commit(site, {name: "theirs\n"})

    _, line = bring(settings, path)

    assert r"(caf\udce9)" in line
    assert len(kept_refs(path)) == 1
    assert (path / name).read_text() == "theirs\n"


def test_an_untracked_folder_in_the_way_of_a_file_is_kept(path, site, settings):
    (path / "pages/deep").mkdir(parents=True)
    (path / "pages/deep/one").write_text("mine\n")
    (path / "pages/empty").mkdir()
    repos.commit(site, {"pages": "now a file\n"})

    bring(settings, path)

    (ref,) = kept_refs(path)
    assert show(path, ref, "pages/deep/one") == "mine"
    assert (path / "pages").read_text() == "now a file\n"


def test_byte_code_in_the_way_of_a_file_is_nobodys_work(path, site, settings):
    (path / "posts/__pycache__").mkdir(parents=True)
    (path / "posts/__pycache__/views.cpython-311.pyc").write_text("made")
    repos.commit(site, {"posts": "now a file\n"})

    _, line = bring(settings, path)

    assert "kept" not in line
    assert kept_refs(path) == []
    assert (path / "posts").read_text() == "now a file\n"


def test_the_byte_code_of_what_was_pulled_is_made(path, site, settings):
    repos.commit(site, {"posts/added.py": "ADDED = True\n"})

    bring(settings, path)

    assert read_fresh(path / "posts" / "added.py")


def test_an_untracked_file_in_the_way_of_a_folder_is_kept(path, site, settings):
    (path / "pages").write_text("mine\n")
    repos.commit(site, {"pages/one": "one\n", "pages/two": "two\n"})

    bring(settings, path)

    (ref,) = kept_refs(path)
    assert show(path, ref, "pages") == "mine"
    assert (path / "pages/two").read_text() == "two\n"


def test_a_link_in_the_way_is_kept_and_not_followed(tmp_path, path, site, settings):
    (tmp_path / "outside").mkdir()
    (path / "pages").symlink_to(tmp_path / "outside")
    repos.commit(site, {"pages/one": "one\n"})

    bring(settings, path)

    (ref,) = kept_refs(path)
    assert show(path, ref, "pages") == str(tmp_path / "outside")
    assert not (path / "pages").is_symlink()
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_the_target_has_anyway_needs_no_keeping(path, site, settings):
    (path / "manage.py").write_text("print(1)\n")
    (path / "new").write_text("new\n")
    repos.commit(site, {"manage.py": "print(1)\n", "new": "new\n"})

    _, line = bring(settings, path)

    assert "local changes" not in line
    assert kept_refs(path) == []
    assert is_clean(path)


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_change_hidden_from_git_is_kept_when_it_would_be_overwritten(path, site, settings, flag):
    repos.git("update-index", flag, "manage.py", cwd=path)
    (path / "manage.py").write_text("print('mine')\n")
    repos.commit(site, {"manage.py": "print(1)\n"})

    bring(settings, path)

    (ref,) = kept_refs(path)
    assert show(path, ref, "manage.py") == "print('mine')"
    assert (path / "manage.py").read_text() == "print(1)\n"


def test_a_repository_that_nobody_knows_is_not_swept_away(path, site, settings):
    repos.git("init", "--quiet", path / "pages", cwd=path)
    (path / "pages/one").write_text("mine\n")
    repos.commit(site, {"pages": "now a file\n"})

    with pytest.raises(CheckoutError, match=r"is a git repository of its own.*Move it away"):
        bring(settings, path)

    assert (path / "pages/one").read_text() == "mine\n"


def test_at_a_commit_the_checkout_comes_back_to_the_branch(path, site, settings):
    repos.git("checkout", "--quiet", "--detach", cwd=path)
    tip = repos.commit(site, {"manage.py": "print(1)\n"})

    bring(settings, path)

    assert repos.git("symbolic-ref", "HEAD", cwd=path) == "refs/heads/main"
    assert repos.head(path) == tip


def test_on_another_branch_the_checkout_goes_to_the_operators(path, site, settings):
    repos.git("checkout", "--quiet", "-b", "other", cwd=path)
    (path / "manage.py").write_text("print('other')\n")
    repos.git("commit", "--quiet", "-am", "Other", cwd=path)
    other = repos.head(path)
    tip = repos.commit(site, {"manage.py": "print(1)\n"})

    bring(settings, path, branch="main")

    assert repos.git("symbolic-ref", "HEAD", cwd=path) == "refs/heads/main"
    assert repos.head(path) == repos.head(path, "main") == tip
    assert repos.head(path, "other") == other


def test_a_lock_fails_with_what_to_do_before_anything_is_touched(path, site, settings):
    (path / "manage.py").write_text("print('mine')\n")
    (path / ".git/index.lock").touch()
    repos.commit(site, {"manage.py": "print(1)\n"}, remove=("theme",))

    with pytest.raises(CheckoutError, match=r"index.lock exists: another git works in"):
        bring(settings, path)

    assert (path / "manage.py").read_text() == "print('mine')\n"
    assert (path / "theme/base.css").exists()
    assert kept_refs(path) == []


def test_hooks_are_off(path, site, settings):
    for name in ("post-checkout", "reference-transaction", "post-index-change"):
        hook = path / ".git/hooks" / name
        hook.write_text('#!/bin/sh\necho $0 >> "$(dirname $0)/ran"\n')
        hook.chmod(0o755)
    repos.git("config", "core.fsmonitor", path / ".git/hooks/post-checkout", cwd=path)
    (path / "manage.py").write_text("print('mine')\n")
    repos.commit(site, {"manage.py": "print(1)\n"})

    deploy(make_context(settings, path))

    assert not (path / ".git/hooks/ran").exists()


# --- Submodules that come and go ------------------------------------------------------------------


def test_a_submodule_that_is_removed_is_taken_away_and_its_commits_stay(path, site, settings):
    theme = repos.head(path / "theme")
    (path / "theme/note").write_text("untracked\n")
    repos.commit(site, {"a": "a\n"}, remove=("theme",))

    _, line = bring(settings, path)

    assert "theme taken away" in line
    assert not (path / "theme/base.css").exists()
    assert not (path / "theme/.git").exists()
    assert (path / "theme/note").read_text() == "untracked\n"
    assert repos.head(path / ".git/modules/theme") == theme


def test_a_removed_submodule_with_local_changes_keeps_them(path, site, settings):
    (path / "theme/base.css").write_text("mine\n")
    repos.commit(site, {"a": "a\n"}, remove=("theme",))

    _, line = bring(settings, path)

    (ref,) = kept_refs(path / ".git/modules/theme")
    assert f"theme: local changes (base.css) kept under {ref}" in line
    assert not (path / "theme").exists()


def test_a_submodule_replaced_by_plain_files(path, site, settings):
    (path / "theme/extra.css").write_text("mine\n")
    repos.git("rm", "-q", "-f", "theme", cwd=repos.desk_of(site))
    tip = repos.commit(site, {"theme/base.css": "plain\n", "theme/extra.css": "theirs\n"})

    _, line = bring(settings, path)

    (ref,) = kept_refs(path)
    assert show(path, ref, "theme/extra.css") == "mine"
    assert (path / "theme/base.css").read_text() == "plain\n"
    assert (path / "theme/extra.css").read_text() == "theirs\n"
    assert repos.head(path) == tip
    assert is_clean(path)
    assert "theme taken away" in line


def test_a_folder_replaced_by_a_submodule(tmp_path, path, site, settings):
    repos.commit(site, {"pages/one": "one\n"})
    bring(settings, path)
    (path / "pages/mine").write_text("mine\n")
    pages = repos.make_remote(tmp_path / "pages.git", {"two": "two\n"})
    repos.commit(site, remove=("pages",))
    repos.add_submodule(site, "pages", pages)

    context = make_context(settings, path)
    lines = deploy(context)

    (ref,) = kept_refs(path)
    assert f"local changes (pages/mine) kept under {ref}" in lines[1]
    assert (path / "pages/two").read_text() == "two\n"
    assert not (path / "pages/one").exists()
    assert context.checkout.version() == context.target


def test_everything_can_be_put_back_without_any_remote(tmp_path, path, site, settings):
    context = make_context(settings, path)
    extra = repos.make_remote(tmp_path / "extra.git")
    repos.commit(site, {"manage.py": "print(1)\n"}, remove=("theme",))
    repos.add_submodule(site, "extra", extra)
    repos.commit(tmp_path / "content.git", {"second.rst": "Second\n"})
    deploy(context)
    for name in ("site", "content", "theme", "extra"):
        repos.move_away(tmp_path / f"{name}.git")

    lines = put_back(context)

    assert context.checkout.version() == context.before
    assert (path / "theme/base.css").exists()
    assert not (path / "extra").exists()
    assert "extra taken away" in lines[0]
    assert repos.git("status", "--porcelain", cwd=path) == ""


def test_an_interrupted_move_is_completed(path, site, settings):
    tip = repos.commit(site, {"manage.py": "print(1)\n", "new": "new\n", "other": "other\n"})
    context = make_context(settings, path)
    fetch(context)
    (path / "manage.py").write_text("print(1)\n")
    (path / "new").write_text("new\n")

    line = run(pull, context)

    assert line == f"{tip[:7]} on main"
    assert is_clean(path)


def test_a_checkout_of_another_user_is_explained(path, site, settings, monkeypatch):
    if os.getuid() != 0:
        pytest.skip("only root may give files to another user")
    context = make_context(settings, path)
    repos.commit(site, {"manage.py": "print(1)\n"})
    for place in (path, path / ".git"):
        shutil.chown(place, 12345)

    with pytest.raises(CheckoutError, match=r"safe.directory"):
        deploy(context)

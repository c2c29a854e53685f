"""The scratch worktree: the new version with the code of its submodules, beside the live tree."""

import pytest

from deployhooks.bytecode import compile_project, read_fresh
from deployhooks.checkout.content import is_content
from deployhooks.scratch import live_environment
from deployhooks.steps.fetch import fetch
from tests.deployhooks import repositories as repos
from tests.deployhooks.contexts import make_context, make_site, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(tmp_path, settings):
    path = make_site(tmp_path)
    settings.DATA_DIR = tmp_path / "var"
    settings.DEPLOY_CONTENT = [path / "content"]
    return path


def make_scratch(settings, path):
    context = make_context(settings, path)
    run(fetch, context)
    context.scratch.make(context.target)
    return context.scratch


def test_the_new_commit_is_checked_out_beside_the_live_tree(path, settings, tmp_path):
    commit = repos.commit(tmp_path / "site.git", {"manage.py": "new"})
    scratch = make_scratch(settings, path)
    assert (scratch.tree / "manage.py").read_text() == "new"
    assert repos.head(scratch.tree) == commit
    assert (path / "manage.py").read_text() == "print()\n"
    assert repos.git("status", "--porcelain", cwd=path) == ""


def test_the_byte_code_of_the_live_tree_is_there(path, settings, tmp_path):
    repos.commit(tmp_path / "site.git", {"posts/same.py": "x = 1\n"})
    repos.git("pull", "-q", cwd=path)
    compile_project(path)
    scratch = make_scratch(settings, path)
    assert read_fresh(scratch.tree / "posts" / "same.py")


def test_a_submodule_with_code_is_there_at_its_new_commit_one_with_content_is_not(
    path, settings, tmp_path
):
    theme = repos.commit(tmp_path / "theme.git", {"base.css": "p { color: red }\n"})
    repos.git("fetch", "-q", cwd=repos.desk_of(tmp_path / "site.git") / "theme")
    repos.record_submodule(tmp_path / "site.git", "theme", theme)
    scratch = make_scratch(settings, path)
    assert "red" in (scratch.tree / "theme" / "base.css").read_text()
    assert "red" not in (path / "theme" / "base.css").read_text()
    assert list((scratch.tree / "content").iterdir()) == []
    assert repos.git("status", "--porcelain", cwd=path / "theme") == ""


def test_what_an_earlier_deploy_left_is_replaced(path, settings):
    scratch = make_scratch(settings, path)
    (scratch.tree / "left.txt").write_text("left")
    again = make_scratch(settings, path)
    assert not (again.tree / "left.txt").exists()
    again.remove()
    assert not again.folder.exists()
    assert make_scratch(settings, path).tree.exists()


def test_a_change_of_a_submodule_with_code_counts_as_a_change_of_code(path, settings):
    context = make_context(settings, path)
    before = context.before
    context.target = type(before)(before.commit, {**before.submodules, "content": "1" * 40})
    assert not context.code_changes
    context.target = type(before)(before.commit, {**before.submodules, "theme": "1" * 40})
    assert context.code_changes


@pytest.mark.parametrize(
    ("submodule", "content", "expected"),
    [
        ("content", "content", True),
        ("content/posts", "content", True),
        ("content", "content/posts", True),
        ("contents", "content", False),
        ("theme", "content", False),
    ],
)
def test_a_submodule_holds_content_where_posts_lie(
    settings, tmp_path, submodule, content, expected
):
    settings.DEPLOY_CONTENT = [tmp_path / content]
    assert is_content(tmp_path / submodule) is expected


def test_the_live_environment_names_the_sites_own_state(settings, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = live_environment()
    assert environment["DATA_DIR"] == settings.DEPLOY_ENVIRONMENT["DATA_DIR"]
    assert not {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE"} & environment.keys()

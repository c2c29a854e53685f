"""The step submodules brings every submodule to its commit, and believes nothing it is told."""

import pytest

from deployhooks.checkout import CheckoutError
from deployhooks.checkout.addresses import absolute, check, is_folder, resolve
from deployhooks.checkout.gitmodules import is_branch_name
from deployhooks.steps.fetch import fetch
from deployhooks.steps.pull import pull
from deployhooks.steps.submodules import submodules
from tests.deployhooks import repositories as repos
from tests.deployhooks.contexts import deploy, make_context, make_site, put_back, run

pytestmark = pytest.mark.django_db


def bring(settings, path, **overrides):
    """Run all three steps; the context and the line of the last."""
    context = make_context(settings, path, **overrides)
    return context, deploy(context)[-1]


def set_in_gitmodules(site, **keys):
    """Change keys of .gitmodules at the site's desk and push: submodule__theme__url=..."""
    desk = repos.desk_of(site)
    for key, value in keys.items():
        repos.git("config", "-f", ".gitmodules", key.replace("__", "."), str(value), cwd=desk)
    return repos.commit(site, {".gitmodules": (desk / ".gitmodules").read_text()})


def reflog(path):
    return repos.git("reflog", "--format=%H", "HEAD", cwd=path).split()


def local_commit(path, name="mine"):
    (path / name).write_text("mine\n")
    repos.git("add", name, cwd=path)
    repos.git("commit", "--quiet", "-m", "Mine", cwd=path)
    return repos.head(path)


@pytest.fixture
def path(tmp_path):
    return make_site(tmp_path)


@pytest.fixture
def site(tmp_path, path):
    return tmp_path / "site.git"


@pytest.fixture
def content(tmp_path, path):
    return tmp_path / "content.git"


@pytest.fixture
def theme(tmp_path, path):
    return tmp_path / "theme.git"


def test_a_push_to_a_tracked_submodule_is_followed(path, content, settings):
    old = repos.head(path / "content")
    tip = repos.commit(content, {"second.rst": "Second\n"})

    context, line = bring(settings, path)

    assert line == f"content {old[:7]} -> {tip[:7]}"
    assert (path / "content/second.rst").exists()
    assert context.checkout.version() == context.target


def test_a_push_to_a_pinned_submodule_is_not(path, theme, settings):
    repos.commit(theme, {"base.css": "p { margin: 0 }\n"})

    _, line = bring(settings, path)

    assert line == "[all are where they should be]"


def test_a_site_without_submodules_skips_the_step(tmp_path, settings):
    site = repos.make_remote(tmp_path / "site.git")

    _, line = bring(settings, repos.clone(site, tmp_path / "checkout"))

    assert line == "[the site has none]"


def test_a_later_deploy_does_not_move_a_tracked_submodule_back(path, site, content, settings):
    tip = repos.commit(content, {"second.rst": "Second\n"})
    bring(settings, path)
    visited = len(reflog(path / "content"))
    repos.commit(site, {"manage.py": "print(1)\n"})

    _, line = bring(settings, path)

    assert line == "[all are where they should be]"
    assert repos.head(path / "content") == tip
    assert len(reflog(path / "content")) == visited


def test_a_tracked_submodule_never_passes_the_recorded_commit_on_its_way(
    path, site, content, settings
):
    recorded = repos.commit(content, {"second.rst": "Second\n"})
    repos.git("fetch", "--quiet", cwd=repos.desk_of(site) / "content")
    repos.record_submodule(site, "content", recorded)
    tip = repos.commit(content, {"third.rst": "Third\n"})

    bring(settings, path)

    assert repos.head(path / "content") == tip
    assert recorded not in reflog(path / "content")


def test_submodules_that_are_missing_are_cloned(tmp_path, path, site, settings):
    fresh = repos.clone(site, tmp_path / "fresh", submodules=False)

    context, line = bring(settings, fresh)

    assert "content new -> " in line
    assert (fresh / "content/first.rst").exists()
    assert (fresh / "theme/base.css").exists()
    assert context.checkout.version() == context.target
    assert repos.git("status", "--porcelain", cwd=fresh) == ""


def test_git_itself_is_content_with_what_was_made(tmp_path, path, site, content, settings):
    fresh = repos.clone(site, tmp_path / "fresh", submodules=False)
    bring(settings, fresh)
    tip = repos.commit(content, {"second.rst": "Second\n"})

    repos.git("submodule", "update", "--remote", "content", cwd=fresh)

    assert repos.head(fresh / "content") == tip
    assert "-" not in {line[0] for line in repos.git("submodule", "status", cwd=fresh).splitlines()}
    repos.git("fsck", "--strict", cwd=fresh / "content")


def test_a_half_made_submodule_is_completed(tmp_path, path, site, settings):
    fresh = repos.clone(site, tmp_path / "fresh", submodules=False)
    (fresh / ".git/modules/content/objects").mkdir(parents=True)
    (fresh / ".git/modules/theme").mkdir(parents=True)
    (fresh / "theme/.git").write_text("gitdir: ../.git/modules/theme\n")

    context, _ = bring(settings, fresh)

    assert context.checkout.version() == context.target


def test_a_submodule_added_by_hand_before_git_had_modules_is_taken_as_it_is(
    tmp_path, path, site, content, settings
):
    fresh = repos.clone(site, tmp_path / "fresh", submodules=False)
    repos.git("clone", "--quiet", content, "content", cwd=fresh)
    tip = repos.commit(content, {"second.rst": "Second\n"})

    bring(settings, fresh)

    assert repos.head(fresh / "content") == tip
    assert (fresh / "content/.git").is_dir()

    repos.commit(site, {"a": "a\n"}, remove=("content",))
    bring(settings, fresh)

    assert not (fresh / "content").exists()
    assert repos.head(fresh / ".git/modules/content") == tip


def test_a_changed_address_is_followed(tmp_path, path, site, theme, settings):
    moved = theme.rename(tmp_path / "moved.git")
    set_in_gitmodules(site, submodule__theme__url=moved)

    _, line = bring(settings, path)

    assert line == f"theme now comes from {moved}"
    assert repos.git("config", "remote.origin.url", cwd=path / "theme") == str(moved)
    assert repos.git("config", "submodule.theme.url", cwd=path) == str(moved)


def test_a_changed_address_with_a_new_commit_is_followed(tmp_path, path, site, settings):
    other = repos.make_remote(tmp_path / "other.git", {"other.rst": "Other\n"})
    set_in_gitmodules(site, submodule__content__url=other)

    context, line = bring(settings, path)

    assert repos.head(path / "content") == repos.head(other, "main")
    assert f"content now comes from {other}" in line
    assert "left behind, kept under refs/blogsite/left-behind/" in line
    assert context.checkout.version() == context.target


def make_nested(tmp_path):
    inner = repos.make_remote(tmp_path / "inner.git", {"inner": "one\n"})
    outer = repos.make_remote(tmp_path / "outer.git", {"outer": "one\n"})
    site = repos.make_remote(tmp_path / "site.git")
    repos.add_submodule(outer, "deep", inner, branch="main")
    repos.add_submodule(site, "outer", outer)
    return repos.clone(site, tmp_path / "checkout")


def test_nested_submodules_are_followed(tmp_path, settings):
    path = make_nested(tmp_path)
    tip = repos.commit(tmp_path / "inner.git", {"inner": "two\n"})

    context, line = bring(settings, path)

    assert line.startswith("outer/deep ")
    assert repos.head(path / "outer/deep") == tip
    assert context.deploy.submodules["outer/deep"]["to"] == tip


@pytest.mark.parametrize("content", ["outer", "outer/posts"])
def test_content_brings_no_repositories_but_those_that_the_operator_has_named(
    tmp_path, settings, content
):
    make_nested(tmp_path)
    path = repos.clone(tmp_path / "site.git", tmp_path / "fresh", submodules=False)
    settings.DEPLOY_CONTENT = [path / content]

    context, line = bring(settings, path)

    assert "outer/deep is not followed" in line
    assert str(tmp_path / "inner.git") in line
    assert list((path / "outer/deep").iterdir()) == []
    assert set(context.checkout.version().submodules) == set(context.deploy.submodules) == {"outer"}
    assert "outer/deep is not followed" in bring(settings, path)[1]

    settings.DEPLOY_CONTENT_SUBMODULES = [f"file://{tmp_path}/inner"]
    assert "outer/deep new -> " in bring(settings, path)[1]


def test_nested_submodules_that_are_missing_are_cloned(tmp_path, settings):
    make_nested(tmp_path)
    fresh = repos.clone(tmp_path / "site.git", tmp_path / "fresh", submodules=False)

    context, _ = bring(settings, fresh)

    assert (fresh / "outer/deep/inner").read_text() == "one\n"
    assert context.checkout.version() == context.target


def test_a_changed_address_of_a_nested_submodule_is_followed(tmp_path, settings):
    path = make_nested(tmp_path)
    moved = (tmp_path / "inner.git").rename(tmp_path / "moved.git")
    outer_tip = set_in_gitmodules(tmp_path / "outer.git", submodule__deep__url=moved)
    repos.git("fetch", "--quiet", cwd=repos.desk_of(tmp_path / "site.git") / "outer")
    repos.record_submodule(tmp_path / "site.git", "outer", outer_tip)

    _, line = bring(settings, path)

    assert f"outer/deep now comes from {moved}" in line
    assert repos.git("config", "remote.origin.url", cwd=path / "outer/deep") == str(moved)


def test_a_removed_submodule_takes_its_nested_ones_with_it_and_comes_back(tmp_path, settings):
    path = make_nested(tmp_path)
    context = make_context(settings, path)
    repos.commit(tmp_path / "site.git", {"a": "a\n"}, remove=("outer",))
    deploy(context)
    assert not (path / "outer").exists()

    put_back(context)

    assert context.checkout.version() == context.before
    assert (path / "outer/deep/inner").read_text() == "one\n"


def test_a_submodule_that_moves_to_another_folder_keeps_its_repository(path, site, settings):
    repos.git("mv", "theme", "look", cwd=repos.desk_of(site))
    repos.push(site)

    context, _ = bring(settings, path)

    assert (path / "look/base.css").exists()
    assert not (path / "theme").exists()
    assert context.checkout.version() == context.target


def test_a_submodule_under_a_new_name_at_the_same_place_is_another_one(
    tmp_path, path, site, settings
):
    other = repos.make_remote(tmp_path / "other.git", {"other.css": "p {}\n"})
    repos.commit(site, remove=("theme",))
    repos.add_submodule(site, "theme", other, name="second")

    context, _ = bring(settings, path)

    assert (path / "theme/other.css").exists()
    assert not (path / "theme/base.css").exists()
    assert context.checkout.version() == context.target


def test_local_changes_in_a_submodule_are_kept_and_named(path, content, settings):
    (path / "content/first.rst").write_text("Mine\n")
    tip = repos.commit(content, {"first.rst": "Theirs\n"})

    _, line = bring(settings, path)

    ref = repos.git("for-each-ref", "--format=%(refname)", "refs/blogsite", cwd=path / "content")
    assert f"content: local changes (first.rst) kept under {ref}" in line
    assert repos.git("show", f"{ref}:first.rst", cwd=path / "content") == "Mine"
    assert repos.head(path / "content") == tip


def test_local_changes_in_a_submodule_are_kept_also_when_it_need_not_move(path, settings):
    (path / "theme/base.css").write_text("mine\n")

    _, line = bring(settings, path)

    assert "theme: local changes (base.css) kept under refs/blogsite/local-changes/" in line
    assert (path / "theme/base.css").read_text() == "p {}\n"


def test_local_commits_in_a_submodule_are_kept_and_named(path, content, settings):
    mine = local_commit(path / "content")
    repos.commit(content, {"second.rst": "Second\n"})

    _, line = bring(settings, path)

    assert f"1 commit up to {mine[:7]} left behind, kept under refs/blogsite/left-behind" in line
    assert repos.head(path / "content", f"refs/blogsite/left-behind/{mine[:12]}") == mine


def test_a_force_push_to_a_tracked_submodule_is_followed(path, content, settings):
    left = repos.commit(content, {"second.rst": "Second\n"})
    bring(settings, path)
    repos.rewind(content)
    tip = repos.commit(content, {"other.rst": "Other\n"})

    _, line = bring(settings, path)

    assert repos.head(path / "content") == tip
    assert f"refs/blogsite/left-behind/{left[:12]}" in line


def test_a_dot_for_a_branch_follows_the_sites_own(path, site, theme, settings):
    set_in_gitmodules(site, submodule__theme__branch=".")
    tip = repos.commit(theme, {"base.css": "p { margin: 0 }\n"})

    bring(settings, path)

    assert repos.head(path / "theme") == tip


def test_relative_addresses_are_followed(tmp_path, path, site, settings):
    set_in_gitmodules(site, submodule__theme__url="../theme.git")
    fresh = repos.clone(site, tmp_path / "fresh", submodules=False)

    context, _ = bring(settings, fresh)

    assert context.checkout.version() == context.target


@pytest.mark.parametrize("name", ["with space", "b\u00fcro/\u4e2d\u6587", "a.b=c", "x'y\"z"])
def test_names_and_paths_may_be_unusual(tmp_path, path, site, settings, name):
    other = repos.make_remote(tmp_path / "other.git", {"one": "one\n"})
    repos.add_submodule(site, name, other, branch="main", name=name)
    bring(settings, path)
    tip = repos.commit(other, {"one": "two\n"})

    context, line = bring(settings, path)

    assert line.startswith(f"{name} ")
    assert repos.head(path / name) == tip
    assert context.checkout.version() == context.target


# --- What no honest site says ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys",
    [
        {"update": "!touch pwned; touch ../pwned"},
        {"update": "none", "ignore": "all", "fetchRecurseSubmodules": "false", "shallow": "true"},
        {"update": "rebase"},
    ],
)
def test_settings_of_a_submodule_neither_run_nor_stop_anything(
    tmp_path, path, site, content, settings, keys
):
    set_in_gitmodules(site, **{f"submodule__content__{key}": text for key, text in keys.items()})
    for key, text in keys.items():
        repos.git("config", f"submodule.content.{key}", text, cwd=path)
    tip = repos.commit(content, {"second.rst": "Second\n"})

    bring(settings, path)

    assert repos.head(path / "content") == tip
    assert list(tmp_path.rglob("pwned")) == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("ext::sh -c 'touch pwned'", "not a helper"),
        ("fd::17", "not a helper"),
        ("-u./payload", "it is none"),
        ("--upload-pack=touch pwned", "it is none"),
        ("ssh://-oProxyCommand=touch/x", "it is none"),
        ("git@-oProxyCommand=touch:x", "it is none"),
        ("ftp://127.0.0.1/x", "Use https"),
    ],
)
def test_an_address_that_is_none_is_refused(tmp_path, path, site, settings, url, sentence):
    set_in_gitmodules(site, submodule__theme__url=url)
    # The recorded commit is here already; make it look at the address.
    desk = repos.desk_of(site)
    repos.git("update-index", "--cacheinfo", f"160000,{'12345678' * 5},theme", cwd=desk)
    repos.push(site)

    with pytest.raises(CheckoutError, match=sentence):
        bring(settings, path)

    assert list(tmp_path.rglob("pwned")) == []
    assert (path / "manage.py").read_text() == "print()\n"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("path", "../outside"),
        ("path", "/tmp/outside"),
        ("path", ".git/hooks"),
        ("path", "-theme"),
        ("branch", "--upload-pack=touch pwned"),
        ("branch", "../x"),
    ],
)
def test_a_submodule_that_leads_out_of_its_place_is_refused(path, site, settings, key, value):
    modules = f'[submodule "x"]\n\tpath = {value if key == "path" else "x"}\n\turl = ../theme.git\n'
    if key == "branch":
        modules += f"\tbranch = {value}\n"
    desk = repos.desk_of(site)
    if key == "branch" or value == "-theme":
        place = value if key == "path" else "x"
        repos.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},{place}", cwd=desk)
    repos.commit(site, {".gitmodules": modules})

    context = make_context(settings, path)
    if key == "path" and value != "-theme":
        # git cannot record such a path at all: there is nothing to follow.
        deploy(context)
        assert "x" not in context.target.submodules
    else:
        with pytest.raises(CheckoutError, match="gitmodules is refused"):
            deploy(context)


@pytest.mark.parametrize("name", ["../../hooks", "..", "a/../../x", "/tmp/x", "a\\..\\b", ".git"])
def test_a_name_that_leads_out_of_its_place_is_refused(path, site, settings, name):
    desk = repos.desk_of(site)
    text = (desk / ".gitmodules").read_text()
    escaped = name.replace("\\", "\\\\")
    repos.commit(site, {".gitmodules": text.replace('"theme"', f'"{escaped}"')})

    with pytest.raises(CheckoutError, match="would lead outside"):
        bring(settings, path)


def test_a_submodule_within_the_repository_of_another_is_refused(path, site, settings):
    text = (repos.desk_of(site) / ".gitmodules").read_text()
    text = text.replace('"theme"', '"content/objects"')
    repos.commit(site, {".gitmodules": text})

    with pytest.raises(CheckoutError, match="would lie within"):
        bring(settings, path)


def test_what_is_refused_but_live_already_can_be_got_rid_of(path, site, settings):
    text = (repos.desk_of(site) / ".gitmodules").read_text()
    repos.commit(site, {".gitmodules": text + "\tbranch = a b\n"})
    repos.git("pull", "--quiet", cwd=path)
    context = make_context(settings, path)
    with pytest.raises(CheckoutError, match="gitmodules is refused"):
        deploy(context)
    tip = repos.commit(site, {".gitmodules": text})

    bring(settings, path)

    assert repos.head(path) == tip


def test_a_link_on_the_way_to_a_submodule_is_refused(tmp_path, path, site, settings):
    context = make_context(settings, path)
    fetch(context)
    run(pull, context)
    (tmp_path / "outside").mkdir()
    repos.git("submodule", "deinit", "--quiet", "--force", "theme", cwd=path)
    (path / "theme").rmdir()
    (path / "theme").symlink_to(tmp_path / "outside")

    with pytest.raises(CheckoutError, match="is a symbolic link"):
        submodules(context)

    assert list((tmp_path / "outside").iterdir()) == []


def test_filters_and_hooks_of_the_operators_machine_do_not_run(
    tmp_path, path, content, settings, monkeypatch
):
    bad = tmp_path / "bad"
    bad.write_text(f"#!/bin/sh\ntouch {tmp_path}/pwned\ncat\n")
    bad.chmod(0o755)
    config = tmp_path / "gitconfig"
    config.write_text(
        f'[core]\n\tfsmonitor = {bad}\n\thooksPath = {tmp_path}\n[filter "x"]\n\tsmudge = {bad}\n'
        f"\tclean = {bad}\n[alias]\n\tfetch = !{bad}\n[uploadpack]\n\tpackObjectsHook = {bad}\n"
        f"[diff]\n\texternal = {bad}\n[gc]\n\tauto = 1\n"
    )
    (tmp_path / "post-checkout").write_text(bad.read_text())
    (tmp_path / "post-checkout").chmod(0o755)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    (path / "content/first.rst").write_text("mine\n")
    tip = repos.commit(content, {".gitattributes": "* filter=x\n", "second.rst": "Second\n"})

    bring(settings, path)

    assert repos.head(path / "content") == tip
    assert not (tmp_path / "pwned").exists()


# --- Addresses and names alone --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "base", "whole"),
    [
        ("../b.git", "https://x.org/a/s.git", "https://x.org/a/b.git"),
        ("../../c/b", "https://x.org/a/s/", "https://x.org/c/b"),
        ("./b", "https://x.org/a", "https://x.org/a/b"),
        ("../b", "git@x.org:a/s.git", "git@x.org:a/b"),
        ("../b", "git@x.org:s.git", "git@x.org:b"),
        ("../b/", "/srv/git/s.git", "/srv/git/b"),
        ("https://y.org/b", "https://x.org/a", "https://y.org/b"),
    ],
)
def test_relative_addresses_mean_what_git_means(url, base, whole):
    assert resolve(url, base) == whole


def test_a_relative_address_that_leads_out_is_refused():
    with pytest.raises(CheckoutError, match="leads out"):
        check(resolve("../../../x", "a/b"), "the submodule x", with_files=True)


def test_an_address_is_told_without_its_password():
    with pytest.raises(CheckoutError) as caught:
        check("ftp://me:hunter2@x.org/x", "the submodule x", with_files=False)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("/srv/x.git", True),
        ("file:///srv/x", True),
        ("../x", True),
        ("./a:b", True),
        ("https://x.org/x", False),
        ("git@x.org:x", False),
        ("ext::sh", False),
    ],
)
def test_folders_are_told_from_servers(tmp_path, url, answer):
    assert is_folder(url) is answer
    assert (absolute(url, tmp_path) == url) is (not answer or url.startswith(("/", "file:")))


def test_a_folder_is_refused_where_the_site_has_a_server():
    with pytest.raises(CheckoutError, match="is a folder of this machine"):
        check("/srv/x.git", "the submodule x", with_files=False)
    check("/srv/x.git", "the submodule x", with_files=True)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("main", True),
        ("feature/x-1", True),
        ("\u4e2d", True),
        ("", False),
        ("-x", False),
        ("a..b", False),
        ("a b", False),
        ("a.lock", False),
        ("a/.b", False),
        ("a/", False),
        ("@", False),
        ("a@{1}", False),
        ("a:b", False),
    ],
)
def test_names_of_branches_are_those_of_git(name, answer):
    assert is_branch_name(name) is answer

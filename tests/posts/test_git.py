"""What the blog asks of git: when a file last changed, and where it can be edited."""

import os
import subprocess

import pytest

from posts import history
from posts.index import index_posts
from posts.models import Post, Snapshot
from tests.posts.blogs import get_post, make_markdown, write_posts
from tests.posts.pictures import write_pictures

pytestmark = pytest.mark.django_db


def git(folder, *args, at="2016-06-19T08:00:00Z"):
    env = {**os.environ, "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at,
           "GIT_CONFIG_GLOBAL": os.devnull}  # fmt: skip
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", *identity, *args], cwd=folder, env=env, check=True, capture_output=True)


def commit_post(folder, path, text, at):
    write_posts(folder, **{path: text})
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x", at=at)


def test_the_last_commit_tells_when_a_post_was_updated(tmp_path):
    git(tmp_path, "init", "-q")
    commit_post(tmp_path, "2016-01-01-分.md", make_markdown(), "2016-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert get_post("2016-01-01-分.md").updated_at.isoformat() == "2016-02-01T00:00:00+00:00"
    commit_post(tmp_path, "2016-01-01-分.md", make_markdown("B"), "2017-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert get_post("2016-01-01-分.md").updated_at.year == 2017
    told = make_markdown("C", updated="2016-03-03")
    commit_post(tmp_path, "2016-01-01-分.md", told, "2018-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert get_post("2016-01-01-分.md").updated_at.isoformat() == "2016-03-03T00:00:00+00:00"


def test_bringing_a_post_here_or_to_another_name_is_no_update_of_it(tmp_path):
    git(tmp_path, "init", "-q")
    commit_post(tmp_path, "2016-01-01-a.md", make_markdown(), "2017-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert not get_post("2016-01-01-a.md").is_updated
    commit_post(tmp_path, "2016-01-01-a.md", make_markdown("B"), "2018-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert get_post("2016-01-01-a.md").is_updated
    (tmp_path / "2016-01-01-a.md").rename(tmp_path / "2016-01-01-b.md")
    commit_post(tmp_path, "2016-01-01-b.md", make_markdown("B"), "2019-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert not get_post("2016-01-01-b.md").is_updated
    told = make_markdown("B", updated="2016-03-03")
    commit_post(tmp_path, "2016-01-01-c.md", told, "2019-02-02T00:00:00Z")
    index_posts(tmp_path)
    assert get_post("2016-01-01-c.md").is_updated


def test_rows_of_a_version_that_did_not_ask_learn_when_their_files_were_added(tmp_path):
    git(tmp_path, "init", "-q")
    commit_post(tmp_path, "2016-01-01-a.md", make_markdown(), "2017-02-01T00:00:00Z")
    commit_post(tmp_path, "2016-01-02-b.md", make_markdown(), "2018-02-01T00:00:00Z")
    index_posts(tmp_path)
    # That version may have been back for a while: some rows are its own, some not.
    Post.objects.filter(path="2016-01-01-a.md").update(added_at=None)
    index_posts(tmp_path)
    assert get_post("2016-01-01-a.md").added_at.year == 2017


def test_a_file_that_becomes_a_post_without_a_change_has_its_time_from_the_history(tmp_path):
    git(tmp_path, "init", "-q")
    write_pictures(tmp_path, "galleries/g/a.png")
    write_posts(tmp_path, **{"galleries/g/index.de.md": "# Ganz anders\n\nEin Text."})
    commit_post(tmp_path, "galleries/g/index.txt", "In other words", "2016-02-01T00:00:00Z")
    index_posts(tmp_path)
    (tmp_path / "galleries/g/index.txt").unlink()
    commit_post(tmp_path, "2016-01-01-a.md", make_markdown(), "2017-02-01T00:00:00Z")
    index_posts(tmp_path)
    committed_at = get_post("galleries/g/index.de.md").committed_at
    assert committed_at.isoformat() == "2016-02-01T00:00:00+00:00"


def test_posts_below_the_top_of_a_repository_are_found_in_its_history(tmp_path):
    git(tmp_path, "init", "-q")
    commit_post(tmp_path, "content/2016-01-01-a.md", make_markdown(), "2016-02-01T00:00:00Z")
    index_posts(tmp_path / "content")
    assert get_post("2016-01-01-a.md").updated_at.month == 2


def test_posts_outside_of_git_are_indexed_too(tmp_path):
    write_posts(tmp_path, **{"2016-01-01-a.md": make_markdown()})
    index_posts(tmp_path)
    assert get_post("2016-01-01-a.md").updated_at == get_post("2016-01-01-a.md").published_at


@pytest.mark.parametrize(
    "remote",
    ["https://github.com/me/my.blog.git", "git@github.com:me/my.blog.git",
     "https://x:secret@github.com/me/my.blog", "ssh://git@github.com/me/my.blog"],
)  # fmt: skip
def test_github_remotes_give_a_place_to_edit(tmp_path, remote):
    git(tmp_path, "init", "-q", "-b", "trunk")
    git(tmp_path, "remote", "add", "origin", remote)
    commit_post(tmp_path, "content/2016-01-01-a.md", make_markdown(), "2016-02-01T00:00:00Z")
    index_posts(tmp_path / "content")
    url = "https://github.com/me/my.blog/edit/trunk/content/"
    assert Snapshot.objects.get().edit_url == url


def test_other_remotes_give_none(tmp_path):
    git(tmp_path, "init", "-q")
    git(tmp_path, "remote", "add", "origin", "https://git.example.org/me/blog.git")
    commit_post(tmp_path, "a.md", make_markdown(), "2016-02-01T00:00:00Z")
    assert history.find_edit_url(tmp_path) == ""


def test_a_change_of_the_metadata_beside_a_post_is_one_of_the_post(tmp_path):
    git(tmp_path, "init", "-q")
    write_posts(tmp_path, **{"two.meta": ".. title: Two\n.. date: 2016-01-01\n"})
    commit_post(tmp_path, "two.md", "Text.\n", "2017-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert not get_post("two.md").is_updated
    meta = ".. title: Deux\n.. date: 2016-01-01\n"
    commit_post(tmp_path, "two.meta", meta, "2018-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert get_post("two.md").updated_at.year == 2018
    assert get_post("two.md").is_updated


def test_no_name_of_a_file_is_taken_for_a_time(tmp_path):
    git(tmp_path, "init", "-q")
    write_posts(tmp_path, **{"\x01b": "x", "a\nb": "x", "A": "x"})
    commit_post(tmp_path, "2016-01-01-a\x01b.md", make_markdown(), "2017-02-01T00:00:00Z")
    commit_post(tmp_path, "2016-01-01-c.md", make_markdown(), "2018-02-01T00:00:00Z")
    index_posts(tmp_path)
    assert get_post("2016-01-01-c.md").committed_at.year == 2018
    times = history.read_times(tmp_path, "HEAD")
    assert times["2016-01-01-a\x01b.md"].added_at.year == times["\x01b"].added_at.year == 2017

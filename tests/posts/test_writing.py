"""Writing at home: check, begin, preview."""

import time
import urllib.error
import urllib.request
from datetime import datetime, timedelta
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from posts import previewing
from posts.checking import check_posts
from posts.models import Post
from posts.source import SourceUnreadable
from posts.starting import start_post
from tests.posts.blogs import make_markdown, write_posts
from tests.posts.previews import running_preview
from tests.posts.test_git import commit_post, git


@pytest.mark.django_db
def test_every_problem_is_told_with_file_and_line(tmp_path, settings, capsys):
    settings.POSTS_DIR = tmp_path
    write_posts(tmp_path, **{
        "2016-01-01-a.md": make_markdown(body="x\n\n[lost](nowhere.md)", status="what"),
        "2016-01-02-b.rst": "T\n====\n\n*open\n",
        "2016-01-03-c.md": make_markdown(body="[b](2016_01_02-b.md)"),
    })  # fmt: skip
    (tmp_path / "2016-01-04-d.md").write_bytes(b"\xff")
    with pytest.raises(CommandError, match="4 problems found"):
        call_command("check_posts")
    assert [line.split(": ")[0] for line in capsys.readouterr().out.splitlines()] == [
        "2016-01-01-a.md:2", "2016-01-01-a.md:8", "2016-01-02-b.rst:4", "2016-01-04-d.md:1",
    ]  # fmt: skip


@pytest.mark.django_db
def test_checking_writes_no_row_and_passes_good_posts(tmp_path, capsys):
    write_posts(tmp_path, **{"2016-01-01-a.md": make_markdown()})
    call_command("check_posts", str(tmp_path))
    assert capsys.readouterr().out == "No problem found.\n"
    assert not Post.objects.exists()


@pytest.mark.parametrize("options", [[], ["--rst"]])
def test_a_new_post_is_a_draft_of_today_without_problems(tmp_path, settings, capsys, options):
    settings.POSTS_DIR = tmp_path
    call_command("new_post", "分治 and 征服", *options, tags="a, 中文")
    path = tmp_path / capsys.readouterr().out.strip()
    assert path.stem == f"{timezone.localdate():%Y_%m_%d}-分治_and_征服"
    assert check_posts(tmp_path) == []
    assert "draft" in path.read_text()
    with pytest.raises(CommandError, match="is there already"):
        call_command("new_post", "分治 and 征服", *options)


@pytest.mark.parametrize("title", ["", " ", "\t\n"])
def test_a_new_post_without_title_is_refused(tmp_path, settings, title):
    settings.POSTS_DIR = tmp_path
    with pytest.raises(CommandError, match="needs a title"):
        call_command("new_post", title)
    assert not list(tmp_path.iterdir())


def test_new_posts_of_signs_alone_have_names_of_their_own(tmp_path):
    noon = timezone.make_aware(datetime(2026, 11, 22, 12, 30, 5))
    with mock.patch("django.utils.timezone.now", return_value=noon):
        path = start_post(tmp_path, "😀")
    with mock.patch("django.utils.timezone.now", return_value=noon + timedelta(seconds=1)):
        other = start_post(tmp_path, "…")
    assert [path.name, other.name] == ["2026_11_22-post_123005.md", "2026_11_22-post_123006.md"]
    assert check_posts(tmp_path) == []


@pytest.mark.parametrize("title", ["文" * 300, "word " * 100])
def test_a_new_post_with_a_long_title_has_a_name_that_fits(tmp_path, title):
    path = start_post(tmp_path, title)
    assert len(path.name.encode()) < 220
    assert " ".join(title.split()) in path.read_text()


@pytest.mark.django_db
def test_the_preview_outlives_files_that_come_and_go(tmp_path, monkeypatch):
    write_posts(tmp_path, **{"2016-01-01-a.md": "# A\n"})
    looks = [
        PermissionError(13, "x"),
        SourceUnreadable("4913.md cannot be read"),
        KeyboardInterrupt,
    ]
    told = []
    original = previewing.index_posts

    def index_badly(root):
        if told:
            raise looks.pop(0)
        return original(root)

    monkeypatch.setattr(previewing, "SECONDS_BETWEEN_LOOKS", 0)
    monkeypatch.setattr(previewing, "index_posts", index_badly)
    with pytest.raises(KeyboardInterrupt):
        previewing.watch(tmp_path, told.append, told.append)
    assert told[1:] == ["[Errno 13] x", "4913.md cannot be read"]


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def test_preview_shows_drafts_and_follows_the_files(tmp_path):
    posts = tmp_path / "posts"
    write_posts(posts, **{"2016-01-01-a.md": make_markdown("Before", status="draft")})
    with running_preview(posts, tmp_path / "data") as (url, process):

        def page(address="2016/01/01/a/"):
            try:
                with urllib.request.urlopen(url + address) as answer:
                    return answer.read().decode()
            except urllib.error.HTTPError:
                return ""

        assert "preview.js" in wait_for(lambda: page() if "Before" in page() else "")
        assert "location.reload" in page("static/posts/preview.js")
        write_posts(posts, **{"2016-01-01-a.md": make_markdown("After", status="draft")})
        wait_for(lambda: "After" in page())
        foreign = urllib.request.Request(url, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(foreign)
        (posts / "2016-01-01-a.md").unlink()
        wait_for(lambda: "is empty" in process.stdout.readline())
        write_posts(posts, **{"2016-01-01-a.md": make_markdown("Again", status="draft")})
        wait_for(lambda: "Again" in page())
    assert not list((tmp_path / "data").glob("preview-*"))
    assert process.returncode == 0


def test_links_to_where_a_post_was_once_are_no_problem_without_a_database(tmp_path):
    git(tmp_path, "init", "-q")
    first = make_markdown("Second", "A text that is kept.\n" * 5)
    commit_post(tmp_path, "2022_05_09-second_post.md", first, "2022-05-09T00:00:00Z")
    (tmp_path / "2022_05_09-second_post.md").rename(tmp_path / "2022_05_09-renamed.md")
    links = "[a](/2022/05/09/second_post/) [b](/articles/2022_05_09-second_post.md.html)"
    text = make_markdown("Third", f"{links} [c](/2022/05/09/never/)")
    commit_post(tmp_path, "2022_05_10-third.md", text, "2022-05-10T00:00:00Z")
    assert [problem.message for _, problem in check_posts(tmp_path)] == [
        "the link /2022/05/09/never/ leads nowhere"
    ]


def test_the_history_is_asked_only_when_a_link_leads_nowhere_else(tmp_path, monkeypatch):
    write_posts(tmp_path, **{"a.md": "# A\n", "b.md": "# B\n\n[a](a.md) [a](/pages/a/)\n"})
    monkeypatch.setattr("posts.history.read_pushes", None)
    assert check_posts(tmp_path) == []

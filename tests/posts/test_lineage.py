"""A site without rows learns from the history what its rows would know."""

import subprocess
import sys

import pytest
from django.conf import settings

from posts import lineage
from posts.heads import find_head
from posts.index import index_posts
from posts.models import Address, Post, Snapshot
from posts.source import blob_id
from tests.posts.blogs import get_post, make_markdown, make_rst, write_posts
from tests.posts.test_git import git

pytestmark = pytest.mark.django_db

LINES = "\n".join(f"Line {number} of the text.\n" for number in range(9))


def commit(root, *gone, at="2016-06-19T08:00:00Z", **posts):
    for path in gone:
        (root / path).unlink()
    write_posts(root, **posts)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "x", at=at)


def make_repository(root):
    root.mkdir(exist_ok=True)
    git(root, "init", "-q", "-b", "main")
    return root


def index_each_commit_then_anew(root, *commits):
    """(rows as pushes made them, rows as a new host makes them) by path."""
    for gone, posts in commits:
        commit(root, *gone, **posts)
        index_posts(root)
    before = dump()
    Post.objects.all().delete()
    Snapshot.objects.all().delete()
    index_posts(root)
    return before, dump()


def dump():
    return {
        post.path: (post.uid, post.slug, post.title, post.is_broken,
                    sorted(post.addresses.values_list("address", "kind")))
        for post in Post.objects.all()
    }  # fmt: skip


def test_a_new_host_keeps_redirects_and_feed_ids(tmp_path, client):
    root = make_repository(tmp_path / "posts")
    before, after = index_each_commit_then_anew(
        root,
        ([], {"2016_01_01-old.md": make_markdown("T", LINES), "2016-01-02-b.rst": make_rst("B")}),
        (["2016_01_01-old.md"], {"2017_02_02-new.md": make_markdown("T2", LINES + "More.\n")}),
        ([], {"2016-01-02-b.rst": make_rst("B", slug="c")}),
    )
    assert after == before
    for old in ("/2016/01/01/old/", "/articles/2016_01_01-old.md.html"):
        assert client.get(old)["Location"] == "/2017/02/02/new/"
    assert client.get("/2016/01/02/b/")["Location"] == "/2016/01/02/c/"


@pytest.mark.parametrize("top", ["", "content/"])
@pytest.mark.parametrize("is_out", [True, False])
def test_a_page_that_becomes_a_post_or_a_post_a_page_keeps_its_address(tmp_path, top, is_out):
    """It says a day; among the pages that counts for nothing."""
    places = [f"{top}pages/about.md", f"{top}writings/about.md"]
    if not is_out:
        places.reverse()
    text = make_markdown("About", LINES, date="2012-03-03")
    before, after = index_each_commit_then_anew(
        make_repository(tmp_path / "posts"),
        ([], {places[0]: text, "b.md": "# B\n"}),
        ([places[0]], {places[1]: text}),
    )
    assert before == after
    former = "/pages/about/" if is_out else "/2012/03/03/about/"
    assert former in [address for address, _ in after[places[1]][-1]]


def test_who_came_first_keeps_the_plain_slug_on_a_new_host(tmp_path):
    root = make_repository(tmp_path / "posts")
    before, after = index_each_commit_then_anew(
        root,
        ([], {"2016_01_01-a.rst": make_rst("First")}),
        ([], {"2016-01-01-a.md": make_markdown("Second")}),
        ([], {"2016_01_01-a.rst": make_rst("First, edited")}),
    )
    assert after == before
    assert get_post("2016_01_01-a.rst").slug == "a"


def test_the_last_good_version_of_a_broken_post_comes_from_the_history(tmp_path, client):
    root = make_repository(tmp_path / "posts")
    for at in range(3):
        commit(root, **{"2016-01-01-a.md": make_markdown(f"Good {at}", tags="x")})
    (root / "2016-01-01-a.md").write_bytes(b"\xff")
    commit(root)
    (root / "2016-01-01-a.md").rename(root / "2016-01-01-b.md")
    commit(root)
    report = index_posts(root)
    assert report.added == report.broken == ["2016-01-01-b.md"]
    page = client.get("/2016/01/01/a/").content
    assert b"Good 2" in page
    assert b"/tags/x/" in page
    assert client.get("/search/?q=Good").content.count(b"/2016/01/01/a/") == 1


def test_metadata_beside_the_post_count_too(tmp_path):
    root = make_repository(tmp_path / "posts")
    before, after = index_each_commit_then_anew(
        root,
        ([], {"a.rst": make_rst(body=LINES), "a.meta": ".. slug: one\n.. date: 2016-01-01\n"}),
        ([], {"a.meta": ".. slug: two\n.. date: 2016-01-01\n"}),
        (["a.meta"], {}),
    )
    assert after == before
    addresses = set(Address.objects.values_list("address", flat=True))
    assert addresses == {"/2016/01/01/one/", "/2016/01/01/two/"}


def test_what_is_not_committed_yet_follows_the_history(tmp_path):
    root = make_repository(tmp_path / "posts")
    commit(root, **{"2016-01-01-a.md": make_markdown(body=LINES)})
    (root / "2016-01-01-a.md").rename(root / "2016-01-01-b.md")
    index_posts(root)
    assert Address.objects.filter(address="/2016/01/01/a/", post__path="2016-01-01-b.md").exists()


def test_what_a_merge_brought_came_with_the_merge(tmp_path):
    root = make_repository(tmp_path / "posts")
    commit(root, **{"2016-01-01-a.md": make_markdown(body=LINES)})
    git(root, "checkout", "-qb", "draft")
    commit(root, "2016-01-01-a.md", **{"2016-01-01-b.md": make_markdown(body=LINES)})
    commit(root, "2016-01-01-b.md", **{"2016-01-01-c.md": make_markdown(body=LINES)})
    git(root, "checkout", "-q", "main")
    commit(root, **{"2016-01-02-z.md": make_markdown("Z")})
    git(root, "merge", "-q", "draft", "-m", "x")
    index_posts(root)
    assert sorted(Address.objects.values_list("address", flat=True)) == [
        "/2016/01/01/a/", "/articles/2016-01-01-a.md.html",
    ]  # fmt: skip


def test_a_folder_that_a_commit_emptied_keeps_its_posts_until_the_next(tmp_path):
    root = make_repository(tmp_path / "site")
    commit(root, **{"content/2016-01-01-a.md": make_markdown(body=LINES), "code.py": ""})
    commit(root, "content/2016-01-01-a.md")
    commit(root, **{"content/2016-01-01-b.md": make_markdown(body=LINES)})
    index_posts(root / "content")
    assert Address.objects.filter(address="/2016/01/01/a/").exists()


@pytest.mark.parametrize("way", ["--depth=1", "--filter=blob:none"])
def test_a_clone_without_the_older_files_is_indexed_as_it_is(tmp_path, way):
    root = make_repository(tmp_path / "posts")
    git(root, "config", "uploadpack.allowFilter", "true")
    commit(root, **{"2016-01-01-a.md": make_markdown(slug="one")})
    commit(root, **{"2016-01-01-a.md": make_markdown(slug="two")})
    git(tmp_path, "clone", "-q", way, f"file://{root}", "clone")
    assert index_posts(tmp_path / "clone").added == ["2016-01-01-a.md"]
    assert not Address.objects.exists()


def test_older_versions_that_are_lost_or_too_large_are_passed_over(tmp_path):
    root = make_repository(tmp_path / "posts")
    commit(root, **{"2016-01-01-a.md": make_markdown(slug="one")})
    blob = find_blob(root, "2016-01-01-a.md")
    commit(root, **{"2016-01-01-a.md": make_markdown(slug="two", body="word " * 500_000)})
    commit(root, **{"2016-01-01-a.md": make_markdown(slug="three")})
    commit(root, **{"2016-01-01-a.md": make_markdown(slug="four")})
    blob.unlink()
    index_posts(root)
    assert get_post("2016-01-01-a.md").slug == "four"
    assert [each.address for each in Address.objects.all()] == ["/2016/01/01/three/"]


def find_blob(root, path):
    name = blob_id(root / path)
    return root / ".git/objects" / name[:2] / name[2:]


def test_the_history_is_not_asked_where_there_are_rows_nor_in_a_preview(
    tmp_path, monkeypatch, settings
):
    root = make_repository(tmp_path / "posts")
    commit(root, **{"2016-01-01-a.md": make_markdown(slug="one")})
    commit(root, **{"2016-01-01-a.md": make_markdown(slug="two")})
    index_posts(root)
    Snapshot.objects.all().delete()
    monkeypatch.setattr(lineage.history, "read_pushes", None)
    commit(root, **{"2016-01-02-b.md": make_markdown()})
    assert index_posts(root).added == ["2016-01-02-b.md"]
    Post.objects.all().delete()
    settings.POSTS_PREVIEW = True
    assert len(index_posts(root).added) == 2


def test_edits_of_the_text_alone_are_not_rendered_again(tmp_path, monkeypatch):
    root = make_repository(tmp_path / "posts")
    for at in range(3):
        commit(root, **{
            "2016-01-01-a.md": make_markdown(body=f"{LINES}{at}", slug="s"),
            "2016-01-02-b.rst": make_rst(body=f"{LINES}{at}", slug="t"),
        })  # fmt: skip
    rendered = []
    monkeypatch.setattr("posts.index.fitting.fit", lambda each: rendered.append(each) or each)
    index_posts(root)
    assert len(rendered) == 2


@pytest.mark.parametrize(
    ("path", "head"),
    [
        ("a.md", "---\nslug: x\n---\n"),
        ("a.md", "+++\nslug = 'x'\n+++\n"),
        ("a.md", "Title: T\nSlug: x\n"),
        ("a.md", "<!--\n.. slug: x\n-->\n"),
        ("a.rst", ".. slug: x\n\n"),
        ("a.rst", ".. a comment\n\n=====\nTitle\n=====\n\n:slug: x\n\n"),
        ("a.rst", "Title\n=====\n\nSubtitle\n--------\n\n.. _x:\n\n:slug: x\n\n"),
        ("a.rst", "---\nslug: x\n---\nTitle\n=====\n\n:date: 2016-01-01\n\n"),
        ("a.rst", "PEP: 1\nTitle: x\n\n"),
    ],
)
def test_the_head_of_a_post_holds_its_metadata_and_not_its_text(path, head):
    is_rst = path.endswith(".rst")
    one = find_head(f"{head}\nSome text.\n", is_rst=is_rst)
    assert "x" in one
    assert one != find_head(f"{head.replace('x', 'y')}\nSome text.\n", is_rst=is_rst)
    if "PEP" not in head:
        assert one == find_head(f"{head}\nOther words.\n\nAnd more.\n", is_rst=is_rst)


def test_a_head_that_refers_to_the_text_is_all_of_it():
    head = "Title\n=====\n\n:slug: |name|\n\n"
    one, two = (f"{head}Text.\n\n.. |name| replace:: {name}\n" for name in "ab")
    assert find_head(one, is_rst=True) != find_head(two, is_rst=True)


def text_of(name):
    return "\n".join(f"Line {number} of {name}.\n" for number in range(9))


A, B = "2016-01-01-a.md", "2016_01_01-a.rst"
SEVERAL = {
    "the later one of two wants the same address": [
        ([], {B: make_rst("B")}),
        ([], {A: make_markdown("A")}),
    ],
    "a slug that was there and went": [
        ([], {"x.md": make_markdown("X", text_of("x"), date="2016-01-03", slug="two")}),
        ([], {"x.md": make_markdown("X", text_of("x"), date="2016-01-03", slug="three")}),
    ],
    "a way by another name": [
        (["x.md"], {"y.md": make_markdown("X", text_of("x"), date="2016-01-04", slug="y")}),
        (["y.md"], {"z.md": make_markdown("X", text_of("x"), date="2016-01-05", slug="z")}),
    ],
    "another post under the name of one that went": [
        (["x.md"], {}),
        ([], {"x.md": make_markdown("Other", text_of("other"), date="2016-01-02")}),
    ],
    "two that change places": [
        (["x.md"], {"t.md": make_markdown("X", text_of("x"), date="2016-01-02", slug="one")}),
        (["w.md"], {"x.md": make_markdown("W", text_of("w"), date="2016-01-02")}),
        (["t.md"], {"w.md": make_markdown("X", text_of("x"), date="2016-01-02", slug="one")}),
    ],
    "a good version, and a broken one": [
        ([], {"x.md": make_markdown("Better", text_of("x"), date="2016-01-02", slug="b")}),
        ([], {"x.md": make_markdown("Bad", text_of("x"), date="2016-13-02")}),
    ],
    "there and back": [
        ([], {"x.md": make_markdown("X", text_of("x"), date="2016-01-03", slug="two")}),
        ([], {"x.md": make_markdown("X", text_of("x"), date="2016-01-02", slug="one")}),
    ],
}  # fmt: skip


@pytest.mark.parametrize("commits", SEVERAL.values(), ids=SEVERAL)
def test_several_commits_in_one_push_are_dealt_with_one_by_one(tmp_path, commits):
    root = make_repository(tmp_path / "posts")
    commit(root, **{
        "x.md": make_markdown("X", text_of("x"), date="2016-01-02", slug="one"),
        "w.md": make_markdown("W", text_of("w"), date="2016-01-02"),
    })  # fmt: skip
    index_posts(root)
    for gone, posts in commits:
        commit(root, *gone, **posts)
    index_posts(root)
    together = dump()
    assert index_posts(root).is_empty
    Post.objects.all().delete()
    Snapshot.objects.all().delete()
    index_posts(root)
    assert dump() == together


def test_the_way_through_the_history_is_told(tmp_path):
    root = make_repository(tmp_path / "posts")
    for at in range(3):
        commit(root, **{"a.md": make_markdown(f"At {at}")})
    steps = []
    index_posts(root, on_history=lambda *step: steps.append(step))
    assert steps == [(1, 3), (2, 3), (3, 3)]


def test_a_single_commit_is_not_gone_through_again(tmp_path, monkeypatch):
    root = make_repository(tmp_path / "posts")
    commit(root, **{"a.md": make_markdown()})
    index_posts(root)
    monkeypatch.setattr(lineage, "replay", None)
    commit(root, **{"a.md": make_markdown("Edited")})
    assert index_posts(root).changed == ["a.md"]


def test_another_run_between_looking_back_and_writing_is_noticed(tmp_path, monkeypatch):
    root = make_repository(tmp_path / "posts")
    commit(root, **{"a.md": make_markdown(text_of("a"), slug="one")})
    index_posts(root)
    for slug in ("two", "three"):
        commit(root, **{"a.md": make_markdown(text_of("a"), slug=slug)})
    original = lineage.recall

    def recall_slowly(*args):
        found = original(*args)
        monkeypatch.setattr(lineage, "recall", original)
        index_posts(root)
        return found

    monkeypatch.setattr(lineage, "recall", recall_slowly)
    assert index_posts(root).is_empty
    assert sorted(Address.objects.values_list("address", flat=True)) == [
        "/pages/one/", "/pages/two/",
    ]  # fmt: skip


@pytest.mark.parametrize("at_once", [False, True])
def test_a_broken_post_was_updated_when_the_version_shown_was(tmp_path, at_once):
    root = make_repository(tmp_path / "posts")

    def look(is_end=False):
        if is_end or not at_once:
            index_posts(root)

    commit(root, at="2016-02-01T00:00:00Z", **{"2016-01-01-a.md": make_markdown("One", LINES)})
    index_posts(root)
    commit(root, at="2016-03-01T00:00:00Z", **{"2016-01-01-a.md": make_markdown("Two", LINES)})
    look()
    (root / "2016-01-01-a.md").write_bytes(b"\xff")
    commit(root, at="2016-04-01T00:00:00Z")
    look(is_end=True)
    assert get_post("2016-01-01-a.md").title == "Two"
    assert get_post("2016-01-01-a.md").updated_at.month == 3
    Post.objects.all().delete()
    Snapshot.objects.all().delete()
    index_posts(root)
    assert get_post("2016-01-01-a.md").updated_at.month == 3
    commit(root, at="2016-05-01T00:00:00Z", **{"2016-01-01-a.md": make_markdown("Three")})
    index_posts(root)
    assert get_post("2016-01-01-a.md").updated_at.month == 5


def test_a_post_that_its_metadata_broke_was_updated_when_that_was_mended(tmp_path):
    root = make_repository(tmp_path / "posts")
    texts = {"a.rst": make_rst(body=LINES), "a.meta": ".. date: 2016-01-01\n"}
    commit(root, at="2016-02-01T00:00:00Z", **texts)
    index_posts(root)
    commit(root, at="2016-03-01T00:00:00Z", **{"a.meta": ".. date: some day\n"})
    index_posts(root)
    assert get_post("a.rst").is_broken
    commit(root, at="2016-04-01T00:00:00Z", **{"a.rst": make_rst(body=LINES + "More.\n")})
    index_posts(root)
    assert get_post("a.rst").updated_at.month == 2
    commit(root, at="2016-05-01T00:00:00Z", **{"a.meta": ".. date: 2016-01-01\n"})
    index_posts(root)
    assert get_post("a.rst").updated_at.month == 5


def test_a_version_that_came_back_and_went_again_is_shown(tmp_path):
    root = make_repository(tmp_path / "posts")
    commit(root, **{"2016-01-01-a.md": make_markdown("One", LINES)})
    index_posts(root)
    commit(root, **{"2016-01-01-a.md": make_markdown("One", LINES + "More.\n")})
    commit(root, **{"2016-01-01-a.md": make_markdown("One", LINES)})
    (root / "2016-01-01-a.md").write_bytes(b"\xff")
    commit(root)
    index_posts(root)
    assert "More" not in get_post("2016-01-01-a.md").text


def test_versions_are_rendered_in_processes_that_have_no_models():
    """Many are rendered at once: each of those processes unpickles the attic first."""
    code = "import sys, posts.attic, posts.rendering; sys.exit('posts.models' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=settings.BASE_DIR)

"""Rows equal files."""

import re
from datetime import date, datetime, timedelta, timezone
from html import escape
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from posts import index as index_module
from posts import snapshots, source
from posts.index import index_posts
from posts.models import Address, Post, Snapshot, Tag
from posts.rows import read_all
from posts.source import SourceUnreadable, blob_id
from tests.posts.blogs import get_post, index, make_markdown, make_rst, messages, write_posts

pytestmark = pytest.mark.django_db


def test_only_what_changed_is_rendered(tmp_path, monkeypatch):
    index(tmp_path, **{f"2016-01-{day:02}-p{day}.md": make_markdown() for day in range(1, 6)})
    rendered = []
    original = index_module.render_all

    def record(folder, sources, zone):
        rendered.extend(each.path for each in sources)
        return original(folder, sources, zone)

    monkeypatch.setattr(index_module, "render_all", record)
    index(tmp_path)
    assert rendered == []
    (tmp_path / "2016-01-02-p2.md").touch()
    index(tmp_path)
    assert rendered == []
    report = index(tmp_path, **{"2016-01-03-p3.md": make_markdown("Other")})
    assert rendered == report.changed == ["2016-01-03-p3.md"]


def test_a_post_is_known_by_its_blob(tmp_path):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown()})
    assert get_post("2016-01-01-a.md").digest == blob_id(tmp_path / "2016-01-01-a.md")


def test_a_new_renderer_renders_everything_again(tmp_path, monkeypatch):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(), "2016-01-02-b.md": make_markdown()})
    monkeypatch.setattr(index_module, "signature", lambda: "another")
    assert len(index_posts(tmp_path).changed) == 2
    assert index_posts(tmp_path).is_empty


def test_removed_files_take_their_rows_along(tmp_path):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(tags="x"), "2016-01-02-b.md": "# B\n"})
    (tmp_path / "2016-01-01-a.md").unlink()
    assert index(tmp_path).removed == ["2016-01-01-a.md"]
    assert not Tag.objects.exists()
    assert Post.objects.count() == 1


def test_a_missing_or_empty_folder_does_not_empty_the_blog(tmp_path):
    index(tmp_path / "posts", **{"2016-01-01-a.md": make_markdown()})
    (tmp_path / "empty").mkdir()
    for folder in ("nowhere", "empty"):
        with pytest.raises(SourceUnreadable):
            index_posts(tmp_path / folder)
    assert Post.objects.count() == 1


def test_names_that_are_no_posts_are_left_out(tmp_path):
    names = [".hidden.md", "_draft.md", "README.md", "readme.rst", ".git/x.md", "_x/y.md", "a.txt"]
    report = index(tmp_path, **dict.fromkeys(names, "# x\n"), **{"sub/2016-01-01-a.md": "# A"})
    assert report.added == ["sub/2016-01-01-a.md"]


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    (tmp_path / "outside.md").write_text("# Secret\n")
    root = tmp_path / "posts"
    write_posts(root, **{"a.md": "# A\n"})
    (root / "2016-01-01-b.md").symlink_to(tmp_path / "outside.md")
    (root / "loop").symlink_to(root)
    assert index_posts(root).added == ["a.md"]


def test_two_posts_of_one_day_and_name_are_both_shown_and_reported(tmp_path):
    report = index(
        tmp_path, **{"2016_01_01-a.rst": make_rst("One"), "sub/2016_01_01-a.md": make_markdown()}
    )
    assert get_post("2016_01_01-a.rst").get_absolute_url() == "/2016/01/01/a/"
    assert get_post("sub/2016_01_01-a.md").get_absolute_url() == "/2016/01/01/a-2/"
    assert messages(report) == [
        "2016_01_01-a.rst:1: sub/2016_01_01-a.md has the same date and name; "
        "this one is at /2016/01/01/a/",
        "sub/2016_01_01-a.md:1: 2016_01_01-a.rst has the same date and name; "
        "this one is at /2016/01/01/a-2/",
    ]


def test_a_newcomer_does_not_take_the_address_of_a_post_that_is_there(tmp_path, client):
    index(tmp_path, **{"2016_06_19-use_hooks.rst": make_rst("First")})
    report = index(tmp_path, **{"2016-06-19-use_hooks.md": make_markdown("Newcomer")})
    assert "this one is at /2016/06/19/use_hooks-2/" in messages(report)[0]
    assert b"First" in client.get("/2016/06/19/use_hooks/").content
    assert b"Newcomer" in client.get("/2016/06/19/use_hooks-2/").content
    index_posts(tmp_path, everything=True)
    (tmp_path / "2016_06_19-use_hooks.rst").unlink()
    index_posts(tmp_path)
    assert b"Newcomer" in client.get("/2016/06/19/use_hooks-2/").content
    index(tmp_path, **{"2016_06_19-use_hooks.rst": make_rst("First")})
    assert b"First" in client.get("/2016/06/19/use_hooks/").content


def test_a_post_that_asks_for_another_slug_gets_it(tmp_path):
    index(tmp_path, **{"2016-01-01-x.md": make_markdown(slug="a-2")})
    index(tmp_path, **{"2016-01-01-x.md": make_markdown(slug="a")})
    assert get_post("2016-01-01-x.md").slug == "a"


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b"# \xff\xfe\n"),
        lambda path: path.write_text("# x\n\n" + "word " * 200_000),
        lambda path: path.write_text("---\ntitle: [\n---\n# x\n"),
    ],
    ids=["not UTF-8", "too large", "unreadable metadata"],
)
def test_a_broken_post_keeps_its_last_good_version(tmp_path, client, make):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown("Good"), "2016-01-02-b.md": "# B\n"})
    make(tmp_path / "2016-01-01-a.md")
    report = index(tmp_path, **{"2016-01-02-b.md": "# New B\n"})
    assert report.broken == ["2016-01-01-a.md"]
    assert messages(report)[0].startswith("2016-01-01-a.md:")
    assert get_post("2016-01-02-b.md").title == "New B"
    assert b"Good" in client.get("/2016/01/01/a/").content
    write_posts(tmp_path, **{"2016-01-01-a.md": make_markdown("Mended")})
    assert index_posts(tmp_path).broken == []
    assert get_post("2016-01-01-a.md").title == "Mended"


def test_of_a_post_with_no_end_of_problems_the_first_are_told(tmp_path):
    names = "".join(f"`nobody{number}`_\n\n" for number in range(500))
    links = "".join(f"`x <lost{number}.rst>`__\n\n" for number in range(500))
    index(tmp_path, **{"2016-01-01-a.rst": f"A\n=\n\n{names}{links}"})
    row = get_post("2016-01-01-a.rst")
    for told in (row.problems, row.site_problems):
        assert len(told) == 200
        assert "nobody0" in told[0]["message"] or "lost0.rst" in told[0]["message"]
        assert told[-1]["message"] == "and 301 more problems"


def test_of_a_broken_file_only_its_own_problems_are_told(tmp_path):
    lost = make_markdown(body="[lost](nowhere.md)")
    assert "leads nowhere" in messages(index(tmp_path, **{"2016-01-01-a.md": lost}))[0]
    (tmp_path / "2016-01-01-a.md").write_bytes(b"\xff")
    told = messages(index_posts(tmp_path))
    assert len(told) == len(get_post("2016-01-01-a.md").all_problems) == 1
    assert told[0].startswith("2016-01-01-a.md:1: ")
    assert "nowhere" in messages(index(tmp_path, **{"2016-01-01-a.md": lost}))[0]


def test_a_post_that_was_never_good_is_not_shown(tmp_path, client):
    (tmp_path / "2016-01-01-a.md").write_bytes(b"\xff")
    assert index_posts(tmp_path).broken == ["2016-01-01-a.md"]
    assert client.get("/2016/01/01/a/").status_code == 404
    assert b"2016-01-01-a" not in client.get("/").content


def test_a_post_nested_too_deep_stops_no_other(tmp_path):
    deep = make_rst(body="\n".join(" " * level + "* x\n" for level in range(0, 1000, 2)))
    report = index(tmp_path, **{"2016-01-01-deep.rst": deep, "2016-01-02-b.md": "# B\n"})
    assert report.broken == ["2016-01-01-deep.rst"]
    assert "too deep" in messages(report)[0]


def test_a_post_that_takes_too_long_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("posts.rendering.SECONDS_A_POST", 0.2)
    slow = "```python\n" + "x = (" * 11_000 + "\n```\n"
    body = "# Slow\n\n" + slow * 8
    report = index(tmp_path, **{"2016-01-01-slow.md": body, "2016-01-02-b.md": "# B\n"})
    assert report.broken == ["2016-01-01-slow.md"]
    assert "seconds" in messages(report)[0]


def test_renamed_posts_keep_identity_and_addresses(tmp_path, client):
    body = "\n".join(f"Line {number} of the text.\n" for number in range(9))
    index(tmp_path, **{"2016_01_01-old.md": make_markdown("T", body), "2016-01-02-b.md": "# B\n"})
    uid = get_post("2016_01_01-old.md").uid
    (tmp_path / "2016_01_01-old.md").unlink()
    report = index(tmp_path, **{"2017_02_02-new.md": make_markdown("T2", body + "One more.\n")})
    assert report.renamed == [("2016_01_01-old.md", "2017_02_02-new.md")]
    assert (report.added, report.removed) == ([], [])
    assert get_post("2017_02_02-new.md").uid == uid
    for old in ("/2016/01/01/old/", "/articles/2016_01_01-old.md.html"):
        answer = client.get(old)
        assert (answer.status_code, answer["Location"]) == (301, "/2017/02/02/new/")


def test_files_that_change_places_keep_their_own_rows(tmp_path):
    one, two = make_markdown("One", "first words " * 9), make_markdown("Two", "other text " * 9)
    index(tmp_path, **{"2016-01-01-a.md": one, "2016-01-01-c.md": two})
    uid = get_post("2016-01-01-a.md").uid
    (tmp_path / "2016-01-01-a.md").rename(tmp_path / "2016-01-01-b.md")
    (tmp_path / "2016-01-01-c.md").rename(tmp_path / "2016-01-01-a.md")
    report = index_posts(tmp_path)
    assert (
        sorted(report.renamed) == [("2016-01-01-a.md", "2016-01-01-b.md")]
        or get_post("2016-01-01-a.md").title == "Two"
    )
    assert get_post("2016-01-01-a.md").title == "Two"
    assert {post.title for post in Post.objects.all()} == {"One", "Two"}
    assert uid in {post.uid for post in Post.objects.all()}


def test_a_changed_slug_leaves_a_redirect(tmp_path, client):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(slug="first")})
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(slug="second")})
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(slug="third")})
    for slug in ("first", "second"):
        assert client.get(f"/2016/01/01/{slug}/")["Location"] == "/2016/01/01/third/"


def test_an_address_in_use_is_never_redirected(tmp_path, client):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown("Old", slug="x")})
    index(tmp_path, **{"2016-01-01-a.md": make_markdown("Old", slug="y")})
    index(tmp_path, **{"2016-01-01-z.md": make_markdown("New", slug="x")})
    assert b"New" in client.get("/2016/01/01/x/").content


def test_an_address_in_use_is_never_redirected_without_its_slash_either(tmp_path, client):
    body = "\n".join(f"Line {number} of the text.\n" for number in range(9))
    index(tmp_path, **{"2012-09-15-x.md": make_markdown("Old", body)})
    (tmp_path / "2012-09-15-x.md").rename(tmp_path / "2012-09-15-x-new.md")
    index_posts(tmp_path)
    answer = client.get("/2012/09/15/x", follow=True)
    assert answer.redirect_chain[-1] == ("/2012/09/15/x-new/", 301)
    index(tmp_path, **{
        "2012-09-15-x.md": make_markdown("New"),
        "2012-09-16-z.md": make_markdown("Greedy", aliases="[/2012/09/15/x, /tags/t]"),
        "2012-09-17-t.md": make_markdown(tags="[t]"),
    })  # fmt: skip
    assert client.get("/2012/09/15/x/").status_code == 200
    for address, place in {
        "/2012/09/15/x": "/2012/09/15/x/",
        "/articles/2012-09-15-x.md.html": "/2012/09/15/x/",
        "/articles/2012-09-15-x.md.html/": "/2012/09/15/x/",
        "/tags/t": "/tags/t/",
    }.items():
        answer = client.get(address, follow=True)
        assert (answer.status_code, answer.redirect_chain[-1][0]) == (200, place)


@pytest.mark.parametrize(
    ("alias", "address"),
    [
        ("/2009/old.html", "/2009/old.html"),
        ("blog/äh ja/", "/blog/äh ja/"),
        ("/2009/%E5%88%86%E6%B2%BB/", "/2009/分治"),
        ("https://x.example/a?b=1#c", "/a?b=1"),
        ("https://x.example/?p=12", "/?p=12"),
        ("/index.php?p=12", "/index.php?p=12"),
        ("?page_id=分治", "/?page_id=%E5%88%86%E6%B2%BB"),
    ],
)
def test_aliases_lead_to_the_post(tmp_path, client, alias, address):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(aliases=f'["{alias}"]')})
    answer = client.get(address)
    assert (answer.status_code, answer.get("Location")) == (301, "/2016/01/01/a/")
    index(tmp_path, **{"2016-01-01-a.md": make_markdown()})
    assert not Address.objects.filter(kind=Address.Kind.ALIAS).exists()


def test_a_query_leads_only_to_the_post_that_names_it(tmp_path, client):
    index(tmp_path, **{
        "2016-01-01-a.md": make_markdown(aliases='["/?p=12", "/old/?p=1"]'),
        "2016-01-02-b.md": make_markdown(aliases='["/old/"]'),
    })  # fmt: skip
    assert client.get("/?p=13").status_code == 200
    assert client.get("/?utm_source=x").status_code == 200
    assert client.get("/index.php?p=12").status_code == 404
    assert client.get("/old/?p=1")["Location"] == "/2016/01/01/a/"
    assert client.get("/old/?p=2")["Location"] == "/2016/01/02/b/"


def test_links_follow_the_posts_that_they_lead_to(tmp_path):
    index(tmp_path, **{
        "2016-01-01-a.md": make_markdown(body="[b](2016-01-02-b.md#end) ![p](img/p.png)"),
        "2016-01-02-b.md": make_markdown("B", "## End"),
    })  # fmt: skip
    assert 'href="/2016/01/02/b/#end"' in get_post("2016-01-01-a.md").html
    assert [each["message"] for each in get_post("2016-01-01-a.md").site_problems] == [
        "the link img/p.png leads nowhere"
    ]
    write_posts(
        tmp_path, **{"2016-01-02-b.md": make_markdown("B", "## End", slug="other"), "img/p.png": ""}
    )
    report = index_posts(tmp_path)
    assert report.changed == ["2016-01-02-b.md"]
    html = get_post("2016-01-01-a.md").html
    assert 'href="/2016/01/02/other/#end"' in html
    assert 'src="/files/img/p.png"' in html
    assert get_post("2016-01-01-a.md").site_problems == []


def test_the_command_prints_what_it_did(tmp_path, settings, capsys):
    settings.POSTS_DIR = tmp_path
    write_posts(tmp_path, **{"2016-01-01-a.md": make_markdown(body="x\n\n[b](nowhere.md)")})
    call_command("index_posts")
    assert capsys.readouterr().out.splitlines() == [
        "added 2016-01-01-a.md",
        "2016-01-01-a.md:5: the link nowhere.md leads nowhere",
        "added 1, changed 0, renamed 0, removed 0, broken 0, unchanged 0",
    ]
    call_command("index_posts")
    assert capsys.readouterr().out.startswith("nothing changed")
    call_command("index_posts", "--all")
    assert "changed 2016-01-01-a.md" in capsys.readouterr().out
    settings.POSTS_DIR = tmp_path / "nowhere"
    with pytest.raises(CommandError, match="is no folder"):
        call_command("index_posts")


def test_the_snapshot_moves_only_when_something_changed(tmp_path):
    index(tmp_path, **{"2016-01-01-a.md": "# A\n"})
    before = Snapshot.objects.get().changed_at
    index_posts(tmp_path)
    assert Snapshot.objects.get().changed_at == before
    index(tmp_path, **{"2016-01-01-a.md": "# B\n"})
    assert Snapshot.objects.get().changed_at > before


def test_many_posts_are_rendered_on_all_cores(tmp_path):
    posts = {f"2016-01-01-p{number}.md": make_markdown(f"T{number}") for number in range(40)}
    done = []
    write_posts(tmp_path, **posts)
    report = index_posts(tmp_path, on_progress=lambda *step: done.append(step))
    assert len(report.added) == 40
    assert done == [(number, 40) for number in range(1, 41)]
    assert get_post("2016-01-01-p7.md").title == "T7"


def test_dates_are_those_of_the_sites_zone(tmp_path, settings):
    settings.TIME_ZONE = "Asia/Shanghai"
    index(tmp_path, **{"2016-01-01-a.md": "# A\n", "b.md": make_markdown(date="2016-01-01T20:00Z")})
    assert get_post("2016-01-01-a.md").published_at.isoformat() == "2015-12-31T16:00:00+00:00"
    assert get_post("b.md").day == date(2016, 1, 2)


def test_paths_are_relative_to_the_folder(tmp_path):
    assert isinstance(Path("x"), Path)
    index(tmp_path, **{"a/b/2016-01-01-c.md": "# C\n"})
    assert get_post("a/b/2016-01-01-c.md").get_absolute_url() == "/2016/01/01/c/"


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(monkeypatch):
    from posts.management.commands import index_posts as module

    class Terminal(StringIO):
        def isatty(self):
            return True

    command = module.Command(stdout=Terminal())
    progress = module.Progress(command)
    progress(1, 2)
    progress(2, 2)
    assert command.stdout._out.getvalue().count("\r") == 2
    assert "2 of 2\n" in command.stdout._out.getvalue()
    command = module.Command(stdout=StringIO())
    clock = iter([0, 1, 6, 7])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    progress = module.Progress(command)
    progress(10, 99)
    progress(60, 99)
    assert command.stdout._out.getvalue() == "rendered 60 of 99\n"
    clock = iter([0, 6, 7])
    progress = module.Progress(command, "went through", " pushes")
    progress(5, 9)
    assert command.stdout._out.getvalue().endswith("\nwent through 5 of 9 pushes\n")


def test_a_file_that_may_not_be_read_stops_the_index_with_a_sentence(tmp_path, monkeypatch):
    index(tmp_path, **{"2016-01-01-a.md": "# A\n"})

    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("posts.source.blob_id", refuse)
    write_posts(tmp_path, **{"2016-01-01-a.md": "# B, longer\n"})
    with pytest.raises(
        SourceUnreadable, match=r"2016-01-01-a.md cannot be read: Permission denied"
    ):
        index_posts(tmp_path)
    assert get_post("2016-01-01-a.md").title == "A"


def test_two_runs_at_once_do_not_undo_each_other(tmp_path, monkeypatch):
    """Another run writes newer files while this one still renders older ones."""
    index(tmp_path, **{"2016-01-01-a.md": "# One\n"})
    original = index_module.render_all
    meanwhile = [{"2016-01-01-a.md": "# Three, newest\n", "2016-01-02-b.md": "# New\n"}]

    def render_slowly(folder, sources, zone):
        rendered = list(original(folder, sources, zone))
        if meanwhile:
            index(tmp_path, **meanwhile.pop())
        return rendered

    monkeypatch.setattr(index_module, "render_all", render_slowly)
    index(tmp_path, **{"2016-01-01-a.md": "# Two\n"})
    assert {post.title for post in Post.objects.all()} == {"Three, newest", "New"}


def test_pictures_elsewhere_are_no_broken_links(tmp_path, client):
    report = index(tmp_path, **{
        "2016-01-01-a.md": make_markdown(image="https://x.example/p.png"),
        "2016-01-02-b.md": make_markdown(image="img/p.png"),
        "img/p.png": "",
    })  # fmt: skip
    assert messages(report) == []
    page = client.get("/2016/01/01/a/").content.decode()
    assert 'property="og:image" content="https://x.example/p.png"' in page
    page = client.get("/2016/01/02/b/").content.decode()
    assert 'property="og:image" content="http://127.0.0.1:8000/files/img/p.png"' in page


@pytest.mark.parametrize("tag", ["C++", "C#", "机器 学习", "a/b", "100%", "?", "..", "🎉"])
def test_every_tag_has_a_page_that_can_be_opened(tmp_path, client, tag):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(tags=f'["{tag}"]')})
    page = client.get("/2016/01/01/a/").content.decode()
    address = re.search(r'class="site-tag" href="([^"]+)"', page)[1]
    answer = client.get(address)
    assert answer.status_code == 200
    assert escape(tag) in answer.content.decode()
    assert client.get(f"{address}feed/").status_code == 200


def with_metadata(line: str) -> str:
    return f"---\n{line}\n---\nText.\n"


UNSTORABLE = [
    r'title: "a\ud800b"',
    r'title: "a\0b"',
    r'tags: ["a\ud800", "b\0"]',
    r'aliases: ["/\ud800/", "/\0/"]',
    r'summary: "\ud800\0"',
    "updated: 0001-01-01 00:00 +08:00",
    "updated: 9999-12-31 23:00 -08:00",
    "date: 0001-01-01 00:00 +08:00",
    "lang: zh-abcdefgh-abcdefgh-abcdefgh",
    f"title: {'x' * 2000}",
    f"slug: {'长' * 300}",
    f"aliases: [/{'长' * 300}]",
]


@pytest.mark.parametrize("line", UNSTORABLE)
def test_a_value_that_no_row_can_hold_stops_no_other_post(tmp_path, client, line):
    index(tmp_path, **{"2016-01-01-a.md": with_metadata(line), "2016-01-02-b.md": "# B\n"})
    assert client.get("/2016/01/02/b/").status_code == 200
    assert client.get("/feed/").status_code == 200
    row = get_post("2016-01-01-a.md")
    stored = repr([row.title, row.summary, row.tag_names, row.problems])
    assert not re.search(r"\\ud800|\\x00", stored)
    assert len(row.language) <= 20


@pytest.mark.parametrize("line", [each for each in UNSTORABLE if each[0] in "ul"])
def test_a_value_that_is_not_taken_is_told_with_its_line(tmp_path, line):
    report = index(tmp_path, **{"2016-01-01-a.md": with_metadata(line)})
    assert messages(report)[0].startswith('2016-01-01-a.md:2: "')


def test_a_draft_that_does_not_fit_its_row_is_a_broken_post(tmp_path, monkeypatch):
    original = index_module.render_all

    def render_too_much(folder, sources, zone):
        for rendered in original(folder, sources, zone):
            if rendered.source.path == "2016-01-01-a.md":
                rendered.draft.language = "x" * 30
                rendered.draft.revised_at = datetime.max.replace(
                    tzinfo=timezone(-timedelta(hours=9))
                )
            yield rendered

    monkeypatch.setattr(index_module, "render_all", render_too_much)
    report = index(tmp_path, **{"2016-01-01-a.md": "# A\n", "2016-01-02-b.md": "# B\n"})
    assert report.broken == ["2016-01-01-a.md"]
    assert messages(report) == [
        "2016-01-01-a.md:1: its language has 30 characters; 20 fit. Shorten it.",
        "2016-01-01-a.md:1: its revised_at is out of the range of dates. Write another.",
    ]
    assert get_post("2016-01-02-b.md").is_rendered


def test_a_renamed_post_with_a_long_chinese_name_leads_on(tmp_path, client):
    name = "长" * 75
    body = "\n".join(f"Line {number} of the text.\n" for number in range(9))
    index(tmp_path, **{f"2016-01-01-{name}.md": make_markdown("T", body), "b.md": "# B\n"})
    (tmp_path / f"2016-01-01-{name}.md").rename(tmp_path / "2016-01-01-short.md")
    assert index_posts(tmp_path).renamed
    Address._meta.get_field("address").run_validators(
        max(Address.objects.values_list("address", flat=True), key=len)
    )
    for old in (f"/2016/01/01/{name}/", f"/articles/2016-01-01-{name}.md.html"):
        assert client.get(old)["Location"] == "/2016/01/01/short/"


UNREADABLE_DATES = {
    "embargo.md": with_metadata("date: 2031-13-01 10:00"),
    "2016-01-01-named.md": with_metadata("date: 2031-13-01 10:00"),
    "secret.md": with_metadata("date: 2031-13-01 10:00\nstatus: hidden"),
    "2019_13_45-x.md": "# X\n",
    "0000-01-01-x.rst": make_rst(),
}


@pytest.mark.parametrize("path", UNREADABLE_DATES)
def test_a_post_whose_date_cannot_be_read_is_told_and_not_published(tmp_path, client, path):
    report = index(tmp_path, **{path: UNREADABLE_DATES[path], "2016-01-02-b.md": "# B\n"})
    assert report.broken == [path]
    assert "Not published before." in messages(report)[0]
    assert get_post(path).status == Post.Status.DRAFT
    assert list(Post.objects.shown()) == [get_post("2016-01-02-b.md")]
    assert client.get("/pages/embargo/").status_code == 404


def test_a_date_that_became_unreadable_leaves_the_last_good_version(tmp_path, client):
    index(tmp_path, **{"a.md": make_markdown("Good", date="2016-01-01")})
    report = index(tmp_path, **{"a.md": make_markdown("Early", date="2031-13-01")})
    assert report.broken == ["a.md"]
    assert b"Good" in client.get("/2016/01/01/a/").content
    assert client.get("/pages/a/").status_code == 404


def test_a_draft_may_wait_for_its_date(tmp_path):
    report = index(tmp_path, **{"a.md": make_markdown(date="soon", status="draft")})
    assert report.broken == []
    assert messages(report)[0].startswith('a.md:2: "soon" is no date')
    assert list(Post.objects.unpublished()) == [get_post("a.md")]


def test_a_date_within_beats_a_name_that_has_none(tmp_path):
    report = index(tmp_path, **{"2019_13_45-x.md": make_markdown(date="2019-12-31")})
    assert messages(report) == []
    assert get_post("2019_13_45-x.md").day == date(2019, 12, 31)


@pytest.mark.django_db
def test_files_that_look_as_they_did_are_not_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "NS_UNTIL_SETTLED", -(10**12))
    hashed = []
    original = source.blob_id
    monkeypatch.setattr(source, "blob_id", lambda path: hashed.append(path) or original(path))
    index(tmp_path, **{"2016-01-01-a.md": "# A\n", "2016-01-02-b.md": "# B\n"})
    assert len(hashed) == 2
    index(tmp_path, **{"2016-01-02-b.md": "# Longer\n"})
    assert [path[-4:] for path in hashed[2:]] == ["b.md"]
    assert get_post("2016-01-02-b.md").title == "Longer"
    index_posts(tmp_path, everything=True)
    assert len(hashed) == 5


@pytest.mark.django_db
def test_a_file_written_just_now_is_hashed_again_next_time(tmp_path):
    """Written twice within one tick of the clock and of one size, it looks as it did."""
    index(tmp_path, **{"2016-01-01-a.md": "# A\n"})
    assert Snapshot.objects.get().stamps == "{}"


def test_rows_read_without_their_constructor_are_rows(tmp_path):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown("A")})
    row = next(read_all(("path",)))
    assert (row, row.title, row.day) == (Post.objects.get(), "A", date(2016, 1, 1))
    row.slug = "other"
    row.save(update_fields=["slug"])
    assert Post.objects.get().slug == "other"

"""Lists of posts within a post, which Nikola calls post-list: asked for when the page is shown."""

import re

import pytest

from posts import choosing
from tests.posts.blogs import get_post, index, make_markdown
from tests.posts.kinds import MOST_QUERIES

pytestmark = pytest.mark.django_db

HEAD = ".. title: {}\n.. date: {}\n.. tags: {}\n.. category: {}\n.. slug: {}\n\n"
OTHERS = {
    "a.rst": HEAD.format("Alpha", "2019-05-01 10:00", "x, y", "cat", "first") + "A.\n",
    "b.rst": HEAD.format("beta", "2020-05-02 10:00", "y", "dog", "second") + "B.\n",
    "c.rst": HEAD.format("Gamma", "2021-06-03 10:00", "x", "", "third") + "C.\n",
    "d.rst": ".. title: Draft\n.. date: 2018-01-01\n.. status: draft\n\nD.\n",
    "e.rst": ".. title: To come\n.. date: 2999-01-01\n\nE.\n",
    "pages/about.rst": ".. title: About\n\nMe.\n",
}
ADDRESS = "/2022/01/01/list/"


def write_list(tmp_path, text, name="list.rst"):
    head = HEAD.format("List", "2022-01-01 10:00", "", "", "list")
    if name.endswith(".md"):
        head = f"<!--\n{head.strip()}\n-->\n\n"
    return index(tmp_path, **OTHERS, **{name: f"{head}{text}\n"})


def titles(client, address=ADDRESS):
    """Of each list in the page."""
    page = client.get(address).content.decode()
    lists = re.findall(r'<div class="post-list">(.*?)</div>', page, re.DOTALL)
    return [re.findall(r"<a [^>]*>([^<]*)</a>", each) for each in lists]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("", ["Gamma", "beta", "Alpha"]),
        (":stop: 2", ["Gamma", "beta"]),
        (":start: 1\n:stop: 3", ["beta", "Alpha"]),
        (":start: -1", ["Alpha"]),
        (":reverse:\n:stop: 2", ["Alpha", "beta"]),
        (":sort: title", ["Alpha", "beta", "Gamma"]),
        (":sort: title\n:reverse:", ["Gamma", "beta", "Alpha"]),
        (":tags: X, nothing", ["Gamma", "Alpha"]),
        (":tags: x, y\n:require_all_tags:", ["Alpha"]),
        (":categories: cat, dog", ["beta", "Alpha"]),
        (":slugs: second", ["beta"]),
        (":date: year == 2020", ["beta"]),
        (":date: > 2019-12-31, month != 6", ["beta"]),
        (":date: weekday == 3", ["Gamma"]),
        (":date: < now", ["Gamma", "beta", "Alpha"]),
        (":post_type: pages", ["About"]),
        (":all:\n:stop: 1", ["Gamma"]),
        (":all:", ["Gamma", "beta", "Alpha", "About"]),
        (":tags: nobody", []),
        (":stop: 0", []),
        (":start: 5\n:stop: 2", []),
        (":slugs: -", []),
    ],
)
def test_a_list_shows_the_posts_that_its_options_name(tmp_path, client, options, wanted):
    text = "\n   ".join([".. post-list::", *options.split("\n")])
    report = write_list(tmp_path, text.strip())
    assert titles(client) == [wanted]
    assert report.problems == []


def test_shortcodes_make_lists_in_both_markups(tmp_path, client):
    text = '{{% post-list tags="y" stop=1 %}}{{% /post-list %}}\n\nAnd {{% raw %}}x{{% /raw %}}.'
    write_list(tmp_path, text)
    assert titles(client) == [["beta"]]
    (tmp_path / "list.rst").unlink()
    write_list(tmp_path, text, "list.md")
    assert titles(client) == [["beta"]]


def test_lists_are_never_stale(tmp_path, client):
    write_list(tmp_path, ".. post-list::\n   :tags: y")
    before = client.get(ADDRESS)["ETag"]
    index(tmp_path, **{"a.rst": OTHERS["a.rst"].replace("Alpha", "Renamed")})
    assert titles(client) == [["beta", "Renamed"]]
    assert client.get(ADDRESS, headers={"If-None-Match": before}).status_code == 200
    (tmp_path / "b.rst").unlink()
    index(tmp_path)
    assert titles(client) == [["Renamed"]]


def test_lists_cost_no_query_too_many(tmp_path, client, django_assert_max_num_queries):
    many = "\n\n".join(f".. post-list::\n   :stop: {number}" for number in range(1, 4))
    write_list(tmp_path, many)
    index(tmp_path, **{"pages/lists.rst": ".. title: Lists\n\n.. post-list::\n"})
    for address in (ADDRESS, "/pages/lists/", "/feed/", "/rss/"):
        with django_assert_max_num_queries(MOST_QUERIES, info=address):
            client.get(address)
    assert [len(each) for each in titles(client)] == [1, 2, 3]
    assert titles(client, "/pages/lists/") == [["List", "Gamma", "beta", "Alpha"]]


def test_feeds_and_drafts_show_lists_with_whole_addresses(tmp_path, client, admin_client, settings):
    write_list(tmp_path, ".. post-list::\n   :stop: 1")
    feed = client.get("/feed/").content.decode()
    assert f'&lt;a href="{settings.SITE_URL}/2021/06/03/third/" lang' in feed or (
        f'&lt;a href="{settings.SITE_URL}/2021/06/03/third/"&gt;' in feed
    )
    index(tmp_path, **{"d.rst": OTHERS["d.rst"] + "\n.. post-list::\n   :stop: 1\n"})
    assert titles(admin_client, f"/drafts/{get_post('d.rst').uid}/") == [["List"]]


def test_a_feed_of_many_lists_leads_to_the_posts_for_most_of_them(tmp_path, client):
    lists = ".. post-list::\n   :stop: 1\n\n" * 6
    for name in ("list.rst", "more.rst"):
        write_list(tmp_path, lists, name)
    feed = client.get("/feed/").content.decode()
    assert feed.count("&lt;li&gt;&lt;time") == 10
    assert len(re.findall(r"&lt;p&gt;&lt;a href=[^;]*/2022/01/01/list-2/[^;]*;List&lt;", feed)) == 2
    for address in (ADDRESS, "/2022/01/01/list-2/"):
        assert len(titles(client, address)) == 6


def test_what_a_list_cannot_do_is_told_with_its_line(tmp_path, client):
    text = ".. post-list::\n   :sort: priority\n   :stop: -1\n   :date: yesterday\n   :colour: red"
    report = write_list(tmp_path, text)
    assert [problem.line for _, problem in report.problems] == [7] * 4
    assert titles(client) == [["Gamma", "beta", "Alpha"]]
    (tmp_path / "list.rst").unlink()
    report = write_list(tmp_path, "Text.\n\n{{% post-list sort=priority %}}", "list.md")
    assert [problem.line for _, problem in report.problems] == [11]
    report = write_list(tmp_path, "{{% post-list %}}\n\n" * 11, "list.md")
    assert [problem.line for _, problem in report.problems] == [1]


def test_a_list_is_told_of_where_it_stands_not_where_it_is_spoken_of(tmp_path):
    spoken = "A post-list, by\n`<i data-posts=>` or {{% raw %}}{{% post-list %}}{{% /raw %}}.\n\n"
    report = write_list(tmp_path, f"{spoken}{{{{% post-list bogus=1 %}}}}", "list.md")
    assert [problem.line for _, problem in report.problems] == [12]


@pytest.mark.parametrize("name", ["list.rst", "list.md"])
def test_long_options_are_kept_whole_or_told_of(tmp_path, client, name):
    def make(**options):
        if name.endswith(".md"):
            return "{{% post-list " + " ".join(f'{k}="{v}"' for k, v in options.items()) + " %}}"
        return "\n   ".join([".. post-list::", *(f":{k}: {v}" for k, v in options.items())])

    names = ", ".join(f"一个很长的名字{number}" for number in range(40))
    report = write_list(tmp_path, make(slugs=f"{names}, second"), name)
    assert (report.problems, titles(client)) == ([], [["beta"]])
    wanted = {
        make(slugs=names * 2, stop="1"): "longer than a list can keep",
        make(slugs=", ".join(map(str, range(201))), stop="1"): "cut after 200 words",
        make(date=", ".join(["year > 2001"] * 80), stop="1"): "cut after 20 conditions",
        make(date="year > 2001, year ~ 5", stop="1"): '"year ~ 5": write it',
    }
    for text, message in wanted.items():
        (problem,) = write_list(tmp_path, text, name).problems
        assert message in problem[1].message
        assert problem[1].line == (7 if name == "list.rst" else 9)
        assert len(titles(client)[0]) <= 1


def test_nobody_breaks_out_of_a_list(tmp_path, client):
    evil = "<script>alert(1)</script>"
    end = "<div data-posts='&#xfdd3;'></div>"
    place = f'<div data-posts="{evil * 50}">x</div>'.replace("<script", "&lt;script")
    index(tmp_path, **{
        "2020-01-01-a.md": make_markdown(f"\"{evil}", f"{place}\n\n{end}"),
        "2020-01-02-b.md": make_markdown("B", '<div class="post-list" data-posts="stop=5"></div>'),
    })  # fmt: skip
    for address in ("/2020/01/01/a/", "/2020/01/02/b/", "/feed/"):
        assert "<script>alert" not in client.get(address).content.decode()


def test_no_more_lists_are_read_than_a_page_shows(monkeypatch):
    read = []
    monkeypatch.setattr(choosing, "interpret", read.append)
    choosing.find(choosing.mark("stop=1") * 100)
    assert len(read) == choosing.MOST_LISTS


def test_a_list_asks_no_database_for_what_it_cannot_hold():
    (choice,) = choosing.find(choosing.mark("slugs=a%00b"))
    assert choice.slugs == ["a\ufffdb"]

"""Links between posts: every form that people use leads to the post, or is reported."""

import re

import pytest
from django.core.management import CommandError, call_command

from posts.checking import check_posts
from posts.index import index_posts
from posts.links import Places
from tests.posts.blogs import get_post, index, make_markdown, messages

ADDRESSES = {
    "2016_06_19-use_github_webhooks.rst": "/2016/06/19/use_github_webhooks/",
    "sub/2017-01-01-分治.md": "/2017/01/01/%E5%88%86%E6%B2%BB/",
    "about.md": "/pages/about/",
}


def resolve(target: str, source: str = "2016_06_18-x.rst") -> str | None:
    places = Places(
        addresses=ADDRESSES,
        files={"img/a b.png", "img/c#d?.png", "sub/c.png", "public/d.png"},
        list_address=lambda kind, name: f"/{kind}s/{name}/",
        file_address=lambda path: f"/files/{path}",
    )
    found = places.resolve(target, source)
    return found and found.url


@pytest.mark.parametrize(
    "target",
    [
        "2016_06_19-use_github_webhooks.rst",
        "./2016_06_19-use_github_webhooks.rst",
        "2016_06_19-use-github-webhooks.rst",
        "2016-06-19-use-github-webhooks.md",
        "2016_06_19-use_github_webhooks",
        "2016_06_19-use_github_webhooks.rst.html",
        "/articles/2016_06_19-use_github_webhooks.rst.html",
        "{filename}/2016_06_19-use_github_webhooks.rst",
        "%7Bfilename%7D2016_06_19-use_github_webhooks.rst",
        "|filename|2016_06_19-use_github_webhooks.rst",
        "link://slug/2016_06_19-use_github_webhooks",
        "elsewhere/2016_06_19-use_github_webhooks.rst",
    ],
)
def test_every_form_leads_to_the_post(target):
    assert resolve(target) == "/2016/06/19/use_github_webhooks/"


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("sub/2017-01-01-分治.md#节", "/2017/01/01/%E5%88%86%E6%B2%BB/#%E8%8A%82"),
        ("about.md", "/pages/about/"),
        ("img/a%20b.png", "/files/img/a b.png"),
        ("/img/c%23d%3F.png#x", "/files/img/c#d?.png#x"),
        ("about.md%23x", "/pages/about/#x"),
        ("%7Bfilename%7Dabout.md%3Fx=1", "/pages/about/"),
        ("%23top", "#top"),
        ("{filename}#x", "#x"),
        ("?page=2", "?page=2"),
        ("./img/a b.png", "/files/img/a b.png"),
        ("{static}/sub/c.png", "/files/sub/c.png"),
        ("/public/d.png", "/files/public/d.png"),
        ("{tag}x", "/tags/x/"),
        ("/tags/x/", "/tags/x/"),
        ("/admin/", "/admin/"),
    ],
)
def test_other_links_lead_where_they_should(target, address):
    assert resolve(target) == address


def test_links_are_relative_to_the_post():
    assert resolve("c.png", "sub/x.md") == "/files/sub/c.png"
    assert resolve("../about.md", "sub/x.md") == "/pages/about/"


LOST = [
    "nowhere.md", "img/none.png", "../../etc/passwd", "../img/a b.png", "c", "link://slug/none",
]  # fmt: skip


@pytest.mark.parametrize("target", LOST)
def test_links_that_lead_nowhere_are_told(target):
    assert resolve(target) is None


BLOG = {
    "2016-01-01-a.md": make_markdown(
        body="## 一节\n\nText.", tags="C++", category="Notes", series="Ways", aliases="/old.html"
    ),
    "2016-01-02-b.rst": "B\n====\n\nPart one\n--------\n\nText.\n",
    "2016-01-03-draft.md": make_markdown(body="x", status="draft", tags="unseen", aliases="/new/"),
    "2016-01-04-private.md": make_markdown(body="x", status="private"),
    "2016-01-05-hidden.md": make_markdown(body="x", status="hidden", tags="unseen"),
    "about.md": make_markdown(body="x", tags="unseen"),
}

FINE = [
    "{tag}C++", "/tags/c++/", "/tags/c++", "/tags/c++/feed/", "link://tag/C++", "{category}Notes",
    "/categories/notes/", "/series/ways/", "/old.html", "/archive/", "/tags/", "/search/?q=x#y",
    "/feed/", "/rss/", "/sitemap.xml", "/robots.txt", "/", "{index}", "/healthz", "/admin/",
    "/admin", "/hooks/github", "/static/posts/blog.css", "/2016/01/01/a/", "/2016/01/01/a",
    "/2016/01/01/a/#一节", "2016-01-01-a.md#%E4%B8%80%E8%8A%82", "2016-01-02-b.rst#part-one",
    "2016_01_02-b.rst#top", "/articles/2016-01-01-a.md.html", "2016-01-05-hidden.md",
    "/pages/about/", "/files/p.png", "p.png", "{static}/p.png", "?page=2", "#here", "#top",
    "/rss.xml", "/feeds/all.atom.xml", "/archive.html", "/tags.html", "/categories/", "/index.html",
    "/p.png", "/p.thumbnail.png",
    "link://slug/2016-01-02-b#part-one", "https://example.org/none", "mailto:x@example.org",
]  # fmt: skip

WRONG = {
    "{tag}none": "leads nowhere",
    "{tag}unseen": "leads nowhere",
    "link://tag/none": "leads nowhere",
    "link://gallery/none": "leads nowhere",
    "/tags/none/": "leads nowhere",
    "/tags/none/feed/": "leads nowhere",
    "/categories/none/": "leads nowhere",
    "/series/none/": "leads nowhere",
    "/nowhere.html": "leads nowhere",
    "/nowhere.thumbnail.png": "leads nowhere",
    "/nowhere.atom.xml": "leads nowhere",
    "/nowhere/": "leads nowhere",
    "/new/": "leads nowhere",
    "/2016/01/01/none/": "leads nowhere",
    "/pages/none/": "leads nowhere",
    "/files/none.png": "leads nowhere",
    "/articles/none.md.html": "leads nowhere",
    "2016-01-02-b.rst#nofrag": "leads to no heading of 2016-01-02-b.rst",
    "2016-01-01-a.md#nofrag": "leads to no heading of 2016-01-01-a.md",
    "/2016/01/01/a/#nofrag": "leads to no heading of 2016-01-01-a.md",
    "2016-01-03-draft.md": "visitors cannot open: it is a draft",
    "/2016/01/03/draft/": "visitors cannot open: it is a draft",
    "2016-01-04-private.md": "visitors cannot open: it is private",
    "#gone": "leads to no heading",
}


def tell(root, *targets, **fields):
    """What index and check say of the links in a post, which must be the same; by target."""
    body = "## Here\n\n" + "\n\n".join(f"[x]({target})" for target in targets)
    (root / "p.png").write_bytes(b"x")
    report = index(root, **BLOG, **{"2016-02-02-links.md": make_markdown(body=body, **fields)})
    checked = [f"{path}:{problem.line}: {problem.message}" for path, problem in check_posts(root)]
    assert messages(report) == checked
    return checked


@pytest.mark.django_db
def test_links_to_all_that_the_site_answers_are_fine(tmp_path):
    assert tell(tmp_path, *FINE) == []


@pytest.mark.django_db
def test_links_that_visitors_cannot_follow_are_told_with_their_line(tmp_path):
    told = tell(tmp_path, *WRONG)
    lines = {5 + 2 * number: pair for number, pair in enumerate(WRONG.items())}
    for line, (target, words) in lines.items():
        expected = [each for each in told if each.startswith(f"2016-02-02-links.md:{line}: ")]
        assert any(target in each and words in each for each in expected), (target, told)
    assert len(told) == len(WRONG)


@pytest.mark.django_db
def test_a_draft_may_link_to_drafts(tmp_path):
    assert tell(tmp_path, "2016-01-03-draft.md", status="draft") == []


@pytest.mark.parametrize(
    ("target", "before", "after"),
    [
        ("a.md#part", make_markdown(body="## Part"), make_markdown(body="## Other")),
        ("{tag}x", make_markdown(date="2016-01-01", tags="x"),
         make_markdown(date="2016-01-01", tags="y")),
        ("a.md", make_markdown(date="2016-01-01"),
         make_markdown(date="2016-01-01", status="draft")),
        ("/older/", make_markdown(aliases="/older/"), make_markdown(aliases="/oldest/")),
        ("/categories/c/", make_markdown(date="2016-01-01", category="c"),
         make_markdown(date="2016-01-01", category="c", status="hidden")),
    ],
)  # fmt: skip
@pytest.mark.django_db
def test_an_edit_mends_and_breaks_links_of_posts_that_did_not_change(
    tmp_path, target, before, after
):
    linking = f"[x]({target})\n"
    assert messages(index(tmp_path, **{"a.md": before, "b.md": linking})) == []
    report = index(tmp_path, **{"a.md": after})
    assert report.changed == ["a.md"]
    assert [each.partition(" ")[0] for each in messages(report)] == ["b.md:1:"]
    assert get_post("b.md").site_problems
    index(tmp_path, **{"a.md": before})
    assert get_post("b.md").site_problems == []


@pytest.mark.django_db
def test_links_to_where_a_post_once_was_are_fine(tmp_path, settings, capsys):
    settings.POSTS_DIR = tmp_path
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(), "b.md": "[x](/2016/01/01/a/)\n"})
    (tmp_path / "2016-01-01-a.md").rename(tmp_path / "2016-01-02-c.md")
    assert messages(index_posts(tmp_path)) == []
    call_command("check_posts")
    (tmp_path / "2016-01-02-c.md").unlink()
    index_posts(tmp_path)
    with pytest.raises(CommandError, match="1 problem found"):
        call_command("check_posts")
    assert "b.md:1: the link /2016/01/01/a/ leads nowhere" in capsys.readouterr().out


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["x.rst", "x.md"])
def test_a_link_without_words_shows_the_title_of_the_post(tmp_path, name):
    head = ".. title: X\n.. date: 2020-01-02\n"
    shortcodes = (
        "{{% doc %}}p{{% /doc %}} {{% doc %}}words <p>{{% /doc %}} {{% doc %}}q#e{{% /doc %}}"
    )
    text = f"{head}\n{shortcodes}\n" if name == "x.rst" else f"<!--\n{head}-->\n\n{shortcodes}\n"
    other = ".. title: {}\n.. date: 2020-01-01\n.. slug: {}\n\nText.\n"
    index(tmp_path, **{
        name: text,
        "p.rst": other.format("P & <b>", "p"),
        "q.rst": other.format("Q", "q") + ".. _e:\n\nE\n",
    })  # fmt: skip
    assert get_words(name) == ["P &amp; &lt;b&gt;", "words", "Q"]
    index(tmp_path, **{"p.rst": other.format("Renamed", "p")})
    assert get_words(name) == ["Renamed", "words", "Q"]
    incremental = get_post(name).urls
    index_posts(tmp_path, everything=True)
    assert get_post(name).urls == incremental
    index(
        tmp_path, **{"p.rst": other.replace("slug", "status: draft\n.. slug").format("Secret", "p")}
    )
    assert get_words(name) == ["p", "words", "Q"]
    (tmp_path / "q.rst").unlink()
    index(tmp_path)
    assert get_words(name) == ["p", "words", "q#e"]


def get_words(path):
    """Of the links in a post."""
    return re.findall(r"<a [^>]*>([^<]*)</a>", get_post(path).html)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        '[a](<x"><script>alert(1)</script>>) [](%EF%B7%940%EF%B7%95){.post-title}',
        '<a class="post-title" href="%EF%B7%940%EF%B7%95">t</a>',
        "[a](link://title/2020-01-02-b.md)",
        "[a](link://code/?name=x) <div data-code='name=<script>alert(1)</script>'></div>",
        f'<a class="post-title" href="{"link://title/" * 3000}x">t</a>',
    ],
)
def test_nobody_breaks_out_of_a_title_or_code(tmp_path, text):
    index(tmp_path, **{
        "2020-01-01-a.md": make_markdown("A", f"[x](y%22%3E%3Cscript%3E)\n\n{text}"),
        "2020-01-02-b.md": '---\ntitle: "javascript:alert(1)"\n---\nB\n',
    })  # fmt: skip
    html = get_post("2020-01-01-a.md").html
    assert "<script" not in html
    assert 'href="javascript' not in html

"""Feeds, sitemap and what machines read of a page."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import feedparser
import html5lib
import pytest

from posts.index import index_posts
from posts.models import Post
from tests.posts.blogs import index, make_markdown, make_rst

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def blog(tmp_path, settings):
    settings.SITE_URL = "https://blog.example.org"
    settings.SITE_NAME = "A & B"
    index(tmp_path, **{
        "2016-01-01-a.md": make_markdown("A <1>", "See [b](2016-01-02-b.md), [end](#end), "
                                         "![p](p.png)\n\n## End", tags="[x]", author="Ann",
                                         category="C"),
        "2016-01-02-b.md": make_markdown("分治", "正文。", updated="2017-03-04", tags="[中文]"),
        "p.png": "",
        "about.md": "# About\n",
    })  # fmt: skip
    return tmp_path


@pytest.mark.parametrize("address", ["/feed/", "/rss/", "/tags/x/feed/", "/tags/x/rss/",
                                     "/categories/c/feed/", "/categories/c/rss/"])  # fmt: skip
def test_feeds_are_well_formed_and_whole(blog, client, address):
    answer = client.get(address)
    parsed = feedparser.parse(answer.content, response_headers={
        "content-type": answer["Content-Type"]})  # fmt: skip
    assert not parsed.bozo, parsed.bozo_exception
    entry = parsed.entries[-1]
    assert entry.title == "A <1>" or entry.title == "A &lt;1&gt;"
    assert entry.link == "https://blog.example.org/2016/01/01/a/"
    assert entry.id.startswith("urn:uuid:")
    content = entry.content[0].value
    assert 'href="https://blog.example.org/2016/01/02/b/"' in content
    assert 'src="https://blog.example.org/files/p.png"' in content
    assert 'href="https://blog.example.org/2016/01/01/a/#end"' in content
    assert entry.tags[0].term == "x"


def test_a_tag_that_only_drafts_have_has_no_feed(blog, client):
    index(blog, **{
        "2016-01-03-c.md": make_markdown(status="draft", tags="[Secret]"),
        "2016-01-04-d.md": make_markdown(status="draft", tags="[X]"),
    })  # fmt: skip
    assert client.get("/tags/secret/feed/").status_code == 404
    assert b"A &amp; B: x<" in client.get("/tags/x/feed/").content


@pytest.mark.parametrize("group", ["/tags/x/", "/categories/c/"])
def test_a_groups_page_names_its_feeds(blog, client, group):
    page = client.get(group).content.decode()
    for kind, ending in (("atom", "feed/"), ("rss", "rss/")):
        link = re.search(
            rf'<link rel="alternate" type="application/{kind}\+xml"[^>]*{group}[^>]*>', page
        )
        assert f'href="{group}{ending}"' in link[0]
        feed = feedparser.parse(client.get(f"{group}{ending}").content)
        assert feed.feed.link == f"https://blog.example.org{group}"
        assert [entry.title for entry in feed.entries] == ["A <1>"]


def test_a_feed_without_posts_is_answered_with_304(tmp_path, client):
    index(tmp_path, **{"about.md": "# About\n"})
    etag = client.get("/feed/")["ETag"]
    assert client.get("/feed/", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("address", ["/feed/", "/rss/"])
def test_feeds_leave_text_as_it_is_written(tmp_path, client, address):
    body = 'Write `<b>` & so on.\n\n```\n<a href="/x"> <a href="#y">\n```\n\n![>](/z.png)'
    index(tmp_path, **{"2016-01-01-a.md": make_markdown(body=body)})
    root = ElementTree.fromstring(client.get(address).content)
    texts = {each.tag.rpartition("}")[2]: each.text for each in root.iter()}
    assert texts["description" if address == "/rss/" else "summary"] == (
        "Write &lt;b&gt; &amp; so on."
    )
    content = texts.get("content") or texts["encoded"]
    assert '&lt;a href="/x"&gt; &lt;a href="#y"&gt;' in content
    assert 'src="http://127.0.0.1:8000/z.png"' in content


def test_feed_ids_survive_another_slug_name_domain_and_database(blog, client, settings):
    def ids() -> list[str]:
        return [entry.id for entry in feedparser.parse(client.get("/feed/").content).entries]

    before = ids()
    text = (blog / "2016-01-02-b.md").read_text()
    (blog / "2016-01-02-b.md").write_text(text.replace("---\n", "---\nslug: other\n", 1))
    settings.SITE_URL = "https://elsewhere.example.org"
    index_posts(blog)
    assert ids() == before
    (blog / "2016-01-02-b.md").rename(blog / "2016-01-02-c.md")
    index_posts(blog)
    assert ids() == before
    Post.objects.all().delete()
    (blog / "2016-01-02-c.md").rename(blog / "2016-01-02-b.md")
    index_posts(blog)
    assert ids() == before


def test_the_sitemap_names_posts_and_pages(blog, client):
    root = ElementTree.fromstring(client.get("/sitemap.xml").content)
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    assert root.tag == f"{space}urlset"
    entries = {
        entry.findtext(f"{space}loc"): entry.findtext(f"{space}lastmod")
        for entry in root.iter(f"{space}url")
    }
    assert set(entries) == {
        "https://blog.example.org/",
        "https://blog.example.org/2016/01/01/a/",
        "https://blog.example.org/2016/01/02/b/",
        "https://blog.example.org/pages/about/",
    }
    assert entries["https://blog.example.org/2016/01/02/b/"].startswith("2017-03-04")


def test_robots_are_told_of_the_sitemap(blog, client):
    text = client.get("/robots.txt").content.decode()
    assert "Sitemap: https://blog.example.org/sitemap.xml" in text


def test_a_post_describes_itself_to_machines(blog, client):
    page = client.get("/2016/01/01/a/").content.decode()
    assert '<meta property="og:title" content="A &lt;1&gt;">' in page
    assert '<link rel="canonical" href="https://blog.example.org/2016/01/01/a/">' in page
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])
    assert data["@type"] == "BlogPosting"
    assert data["headline"] == "A <1>"
    assert data["author"]["name"] == "Ann"
    assert data["datePublished"] == "2016-01-01T00:00:00+00:00"


def read_json_ld(page: str) -> dict[str, object]:
    return json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page)[1])


def test_each_author_is_a_person_of_its_own(tmp_path, client):
    text = make_rst(body="Text.", authors="Ada Lovelace, 王小明")
    index(tmp_path, **{"2016_01_01-a.rst": text})
    page = client.get("/2016/01/01/a/").content.decode()
    names = ["Ada Lovelace", "王小明"]
    assert [each["name"] for each in read_json_ld(page)["author"]] == names
    entry = ElementTree.fromstring(client.get("/feed/").content).find(f"{ATOM}entry")
    assert [each.text for each in entry.iterfind(f"{ATOM}author/{ATOM}name")] == names
    rss = ElementTree.fromstring(client.get("/rss/").content)
    assert [each.text for each in rss.iter("{http://purl.org/dc/elements/1.1/}creator")] == names


def test_a_short_english_post_of_a_chinese_site_says_its_language(tmp_path, client, settings):
    settings.LANGUAGE_CODE = "zh-hans"
    index(tmp_path, **{
        "2016-01-01-a.md": make_markdown("Rome", "Rome wasn't built in a day."),
        "2016-01-02-b.md": make_markdown("分治", "正文很长。" * 9),
    })  # fmt: skip
    page = client.get("/2016/01/01/a/").content.decode()
    assert '<article class="site-post" lang="en">' in page
    assert read_json_ld(page)["inLanguage"] == "en"
    entries = ElementTree.fromstring(client.get("/feed/").content).iter(f"{ATOM}entry")
    space = "{http://www.w3.org/XML/1998/namespace}lang"
    assert [each.get(space) for each in entries] == [None, "en"]


def test_an_original_without_a_language_is_told_among_its_translations(tmp_path, client):
    posts = {"2016-01-01-a.md": "# A\n\nX.\n", "2016-01-01-a.fr.md": "# B\n\nY.\n"}
    index(tmp_path, **posts)
    for address in ("/2016/01/01/a/", "/2016/01/01/a-fr/"):
        page = client.get(address).content.decode()
        assert set(re.findall('rel="alternate" hreflang="(.*?)"', page)) == {"en", "fr"}
    assert '" lang="en" hreflang="en">English</a>' in page


def test_json_ld_cannot_be_left(tmp_path, client):
    index(tmp_path, **{"2016-01-01-a.md": make_markdown("</script><script>alert(1)//")})
    page = client.get("/2016/01/01/a/").content.decode()
    assert "<script>alert" not in page


ADDRESSES = ["/", "/2016/01/01/a/", "/2016/01/02/b/", "/tags/", "/tags/x/",
                                     "/archive/",
             "/search/?q=a", "/pages/about/", "/none/"]  # fmt: skip


@pytest.mark.parametrize("address", ADDRESSES)
def test_pages_are_valid_html_without_inline_script_or_style(blog, client, address):
    page = client.get(address).content.decode()
    html5lib.HTMLParser(strict=True).parse(page)
    assert not re.search(r"<script(?![^>]*(src=|ld\+json))", page)
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"\son[a-z]+=", page)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_a_real_corpus_is_valid_html(shared, client):
    index_posts(shared / "corpus" / "blog")
    for post in Post.objects.all():
        page = client.get(post.get_absolute_url()).content.decode()
        html5lib.HTMLParser(strict=True).parse(page)


def test_the_chinese_post_says_so(blog, client):
    assert '<article class="site-post" lang=' not in client.get("/2016/01/02/b/").content.decode()
    index(blog, **{"2016-01-02-b.md": make_markdown("分治", "正文很长。" * 9)})
    page = client.get("/2016/01/02/b/").content.decode()
    assert '<article class="site-post" lang="zh-Hans">' in page


def test_the_frame_speaks_the_sites_language(blog, client, settings):
    assert "Archive" in client.get("/", headers={"Accept-Language": "zh-CN"}).content.decode()
    settings.LANGUAGE_CODE = "zh-hans"
    page = client.get("/2016/01/01/a/", headers={"Accept-Language": "en"}).content.decode()
    assert '<html lang="zh-hans">' in page
    assert "归档" in page
    assert "阅读需 1 分钟" in page
    assert "2016年1月1日" in page


def test_a_page_has_less_than_40_kb_of_css_and_script(blog, client):
    from django.contrib.staticfiles import finders

    page = client.get("/2016/01/01/a/").content.decode()
    assets = re.findall(r'(?:src|href)="/static/([^"]+\.(?:css|js))"', page)
    assert len(assets) == 2
    sizes = [Path(finders.find(asset)).stat().st_size for asset in assets]
    assert sum(sizes) < 40_000


def test_posts_can_be_edited_on_github(blog, client):
    from posts.models import Snapshot

    Snapshot.objects.update(edit_url="https://github.com/me/blog/edit/main/content/")
    page = client.get("/2016/01/01/a/").content.decode()
    assert 'href="https://github.com/me/blog/edit/main/content/2016-01-01-a.md"' in page
